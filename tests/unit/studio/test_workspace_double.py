"""The workspace in memory where it does more than its port: background work, faults, sharing."""

from __future__ import annotations

import io

import pytest

from alm.domain.errors import Misconfigured, Unavailable, Unknown
from alm.domain.experiment import Draft, Graph, Promotion, StudioWorkspace, Upload
from tests.doubles.workspace import DoubleStudio, DoubleWorkspace
from tests.unit.studio.scripted import HandClock
from tests.unit.studio.workspaces import GRAPH

NODE = {**GRAPH["ModuleNodes"][0], "OutputPortsInternal": [{"Name": "out", "NodeId": "n-1"}]}
DRAFT = Draft(name="Trains", graph=Graph.model_validate({**GRAPH, "ModuleNodes": [NODE]}))


def running(workspace: DoubleWorkspace) -> str:
    experiment = workspace.create(DRAFT)
    workspace.run(experiment, DRAFT)
    return experiment


def states(workspace: DoubleWorkspace, experiment: str, looks: int) -> list[str]:
    return [workspace.experiment(experiment).state for _ in range(looks)]


def test_a_run_ends_after_so_many_looks() -> None:
    workspace = DoubleWorkspace(HandClock())
    workspace.run_looks = 2

    assert states(workspace, running(workspace), 4) == [
        "Running",
        "Running",
        "Finished",
        "Finished",
    ]


def test_a_run_can_go_on_until_it_is_let_go() -> None:
    workspace = DoubleWorkspace(HandClock())
    workspace.stays_running = True
    experiment = running(workspace)
    seen = states(workspace, experiment, 5)

    workspace.stays_running = False

    assert seen == ["Running"] * 5
    assert states(workspace, experiment, 2)[-1] == "Finished"


def test_what_nodes_put_out_is_settable_by_run() -> None:
    workspace = DoubleWorkspace(HandClock())
    workspace.run_looks = 0
    workspace.output_of = lambda snapshot, node, port: f"{node}/{port}".encode()
    experiment = running(workspace)
    workspace.experiment(experiment)

    model = workspace.promote(
        Promotion(experiment=experiment, node="n-1", port="out", name="model")
    )

    assert workspace.contents[model] == b"n-1/out"
    assert workspace.runs == [workspace.experiment(experiment).run]


def test_activities_fail_when_told_to() -> None:
    workspace = DoubleWorkspace(HandClock())
    workspace.fails_activities = "Failed: no room in storage"
    begun = workspace.pack(workspace.create(DRAFT))

    looks = [workspace.packing(begun.id) for _ in range(3)]

    failed = "Failed: no room in storage"
    assert [look.failed for look in looks] == ["", failed, failed]
    assert not any(look.done for look in looks)


def test_deployments_are_recorded_with_the_snapshots_they_serve() -> None:
    workspace = DoubleWorkspace(HandClock())
    workspace.run_looks = workspace.activity_looks = 0
    experiment = running(workspace)
    for update in (False, True):
        workspace.run(experiment, DRAFT)
        workspace.experiment(experiment)
        activity = workspace.deploy(experiment, update=update)
        workspace.deploying(activity.id)

    (service,) = workspace.services.values()
    assert service.deployments == workspace.runs[1:]


def test_a_graph_is_refused_for_a_reason_of_the_test() -> None:
    workspace = DoubleWorkspace(HandClock())
    workspace.refuses = lambda draft: f"{len(draft.graph.nodes)} nodes are too many"

    with pytest.raises(Misconfigured, match="1 nodes are too many"):
        workspace.create(DRAFT)


def test_faults_come_before_or_after_the_effect() -> None:
    workspace = DoubleWorkspace(HandClock())
    workspace.fail("upload", Unavailable("no room"))
    workspace.fail("upload", Unknown("lost"), after=True)
    seen = []

    for error in (Unavailable, Unknown):
        with pytest.raises(error):
            workspace.upload(Upload(name="d"), io.BytesIO(b"a"))
        seen.append(len(workspace.assets("dataset")))

    assert seen == [0, 1]


def test_a_declaration_always_finds_the_same_workspace() -> None:
    studio = DoubleStudio(HandClock())
    one, other = (StudioWorkspace(workspace=letter * 32) for letter in "ab")

    assert studio.workspace(one) is studio.workspace(one) is not studio.workspace(other)
