"""Run history: the chain of snapshots, that they never change, and what goes with an experiment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devstack.studio.studio import Studio, StudioOptions
from devstack.studio.workspace.experiment_ids import snapshot_id
from tests.devstack.studio.client import Client
from tests.devstack.studio.experiment_client import Lab, line, statuses, training_graph


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


@pytest.fixture(scope="module")
def dataset(lab: Lab) -> str:
    return lab.dataset("history", line(3))


def history(lab: Lab, experiment: str) -> list[str]:
    """The snapshots of an experiment, newest first, walked along the chain."""
    found, name = [], lab.get(experiment)["RunId"]
    while name:
        found.append(name)
        name = lab.get(name)["ParentExperimentId"]
    return found


def test_the_clock_in_a_snapshots_id_runs_backwards_as_captured() -> None:
    experiment = f"{'a' * 32}.f-id.{'b' * 32}"

    first, later = snapshot_id(experiment, 1464207707), snapshot_id(experiment, 1464207708)

    assert first == f"{'a' * 32}.s-id.{'b' * 32}.9953-08-08t03.38.12"
    assert later < first, "the newest sorts first"


def test_each_run_takes_a_snapshot_that_names_the_one_before(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset))
    runs = [lab.run(created)["RunId"] for _ in range(3)]

    document = lab.get(created)

    pattern = created.replace(".f-id.", r"\.s-id\.") + r"\.\d{4}-\d\d-\d\dt\d\d\.\d\d\.\d\d"
    assert all(re.fullmatch(pattern, run) for run in runs)
    assert (document["ExperimentId"], document["RunId"]) == (created, runs[-1])
    assert document["ParentExperimentId"] == runs[-2]
    assert history(lab, created) == runs[::-1] == sorted(runs)


def test_a_snapshot_keeps_its_graph_status_and_outputs(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset), "First name")
    first = lab.run(created)
    output = lab.output(created, "train-3", "Trained model").content
    before = lab.get(first["RunId"])

    lab.submit(
        created, ExperimentGraph=training_graph(dataset, seed="9"), Description="Second name"
    )
    lab.run(created)

    after = lab.get(first["RunId"])
    for key in ("Graph", "WebService", "Status", "Description", "Etag", "ParentExperimentId"):
        assert before[key] == after[key], key
    assert statuses(before) == statuses(after)
    assert after["Description"] == "First name"
    assert output == lab.output(first["RunId"], "train-3", "Trained model").content
    assert output != lab.output(created, "train-3", "Trained model").content


def test_a_failed_run_stays_in_the_history(lab: Lab, dataset: str) -> None:
    broken = training_graph(dataset)
    broken["ModuleNodes"][2]["ModuleParameters"][0]["Value"] = "nothing"
    created = lab.create(broken)
    failed = lab.run(created)["RunId"]

    lab.submit(created, ExperimentGraph=training_graph(dataset))
    lab.run(created)

    states = [lab.get(name)["Status"]["StatusCode"] for name in history(lab, created)]
    assert states == ["Finished", "Failed"]
    assert lab.get(failed)["Status"]["StatusCode"] == "Failed"


def test_a_snapshot_is_locked(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset))
    run = lab.run(created)["RunId"]

    saved, deleted = lab.submit(run), lab.call("DELETE", f"experiments/{run}")

    for response in (saved, deleted):
        assert response.status_code == 400
        assert "locked" in response.text and created in response.text
    assert lab.get(run)["IsLeaf"] is False


def test_a_snapshot_can_become_a_new_experiment(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset, seed="5"))
    snapshot = lab.get(lab.run(created)["RunId"])

    copy = lab.create(snapshot["Graph"], "From the history", WebService=snapshot["WebService"])

    assert copy != created
    assert lab.run(copy)["Status"]["StatusCode"] == "Finished"
    assert lab.get(copy)["ParentExperimentId"] == ""


def test_a_snapshot_saved_as_a_new_experiment_takes_the_newest_versions_of_its_assets(
    lab: Lab,
) -> None:
    first = lab.dataset("versioned", line(3))
    created = lab.create(training_graph(first))
    snapshot = lab.get(lab.run(created)["RunId"])
    second = lab.dataset("versioned", line(4), family=first.split(".")[1])

    saved = lab.create(snapshot["Graph"], "Saved", ParentExperimentId=snapshot["ExperimentId"])
    copied = lab.create(snapshot["Graph"], "Copied")

    assert lab.get(saved)["Graph"] == training_graph(second)
    assert lab.get(copied)["Graph"] == training_graph(first)
    assert lab.get(snapshot["ExperimentId"])["Graph"] == training_graph(first)


@pytest.mark.parametrize("query", ["?deleteAncestors=true", ""])
def test_snapshots_and_files_go_with_the_experiment_and_only_its_own(
    tmp_path: Path, query: str
) -> None:
    options = StudioOptions(data=tmp_path, admin=True)
    with Studio(options) as studio, Client(studio.description()) as client:
        lab = Lab(client)
        dataset = lab.dataset("files", line(3))
        kept, deleted = (lab.create(training_graph(dataset)) for _ in range(2))
        lab.run(kept)
        shared = set((tmp_path / "outputs").rglob("*.*"))
        lab.run(deleted)
        lab.submit(deleted, ExperimentGraph=training_graph(dataset, seed="8"))
        lab.run(deleted)
        runs = history(lab, deleted)
        assert set((tmp_path / "outputs").rglob("*.*")) > shared

        assert lab.call("DELETE", f"experiments/{deleted}{query}").ok

        assert shared == set((tmp_path / "outputs").rglob("*.*"))
        found = [lab.call("GET", f"experiments/{name}").status_code for name in (*runs, deleted)]
        assert found == [404] * 3
        assert lab.output(kept, "train-3", "Trained model").status_code == 200
        again = lab.create(training_graph(dataset, seed="8"))
        details = {detail for _, detail in statuses(lab.run(again)).values()}
        assert "None" in details, "what went is not in the cache any more"


def test_an_experiment_can_be_deleted_while_it_runs(lab: Lab, dataset: str) -> None:
    created = lab.create(training_graph(dataset, seed="77"))
    lab.start(created)

    assert lab.call("DELETE", f"experiments/{created}").ok

    assert lab.call("GET", f"experiments/{created}").status_code == 404
    other = lab.create(training_graph(dataset, seed="78"))
    assert lab.run(other)["Status"]["StatusCode"] == "Finished", "the queue goes on"


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    options = StudioOptions(data=tmp_path, admin=True)
    with Studio(options) as studio, Client(studio.description()) as client:
        lab = Lab(client)
        created = lab.create(training_graph(lab.dataset("restart", line(3))))
        before = lab.run(created)
        output = lab.output(created, "train-3", "Trained model").content

    with Studio(options) as studio, Client(studio.description()) as client:
        lab = Lab(client)
        after = lab.get(created)
        assert statuses(before) == statuses(after)
        assert {key: before[key] for key in ("Graph", "Etag", "RunId", "Status")} == {
            key: after[key] for key in ("Graph", "Etag", "RunId", "Status")
        }
        assert output == lab.output(created, "train-3", "Trained model").content
