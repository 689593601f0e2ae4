"""What every workspace does: the double, and the client in front of local Studio."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import BinaryIO

import pytest

from alm.domain.errors import (
    Conflict,
    Denied,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
    Unknown,
)
from alm.domain.experiment import Draft, Promotion, Upload
from alm.studio_ports import Workspace
from devstack.studio.modules import MODULES
from tests.contract.studio.drafts import ROWS, SCORE, TRAIN, TRAINED, scoring, training
from tests.contract.studio.waiting import followed, run_ended, schema_known
from tests.contract.studio.workspace_worlds import WorkspaceWorld

NOBODY = "0" * 32


class OneWay(io.RawIOBase):
    """Content that can only be read forwards, as a download is."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self._content.readinto(buffer)


def one_way(content: bytes) -> BinaryIO:
    return io.BufferedReader(OneWay(content))


def dataset(lab: WorkspaceWorld, name: str = "Kunden 客户.csv") -> str:
    return lab.workspace.upload(Upload(name=lab.name(name)), io.BytesIO(ROWS))


def trained(lab: WorkspaceWorld) -> str:
    """An experiment that has trained."""
    draft = training(dataset(lab), name=lab.name("Trains"))
    experiment = lab.workspace.create(draft)
    lab.workspace.run(experiment, draft)
    ended = run_ended(lab.workspace, experiment)
    assert ended.state == "Finished", ended.status.detail
    return experiment


def promotion(lab: WorkspaceWorld, experiment: str, *, family: str = "") -> Promotion:
    node, port = TRAINED
    return Promotion(
        experiment=experiment, node=node, port=port, name=lab.name("Modell ä"), family=family
    )


def scored(lab: WorkspaceWorld) -> tuple[str, Draft]:
    """An experiment that has scored, ready to be a web service."""
    model = lab.workspace.promote(promotion(lab, trained(lab)))
    draft = scoring(dataset(lab, "rows.csv"), model, name=lab.name("Scores ö"))
    experiment = lab.workspace.create(draft)
    lab.workspace.run(experiment, draft)
    ended = run_ended(lab.workspace, experiment)
    assert ended.state == "Finished", ended.status.detail
    return experiment, draft


def test_a_workspace_says_what_it_is(lab: WorkspaceWorld) -> None:
    facts = lab.workspace.facts()

    assert len(facts.id) == 32
    assert (bool(facts.name), facts.is_free) == (True, False)


def test_modules_are_listed(lab: WorkspaceWorld) -> None:
    assert {MODULES["Train Model"].id, MODULES["Score Model"].id} <= set(lab.workspace.modules())


def test_a_dataset_is_uploaded_described_and_downloaded(lab: WorkspaceWorld) -> None:
    upload = Upload(name=lab.name('Größe "客户".csv'), description="with ü")

    dataset_id = lab.workspace.upload(
        upload,
        one_way(ROWS),
        size=len(ROWS),
        digest=hashlib.sha256(ROWS).hexdigest(),
    )
    seen = schema_known(lab.workspace, dataset_id)

    assert (seen.id, seen.name, seen.description) == (dataset_id, upload.name, "with ü")
    assert (seen.data_type, seen.schema_state) == ("GenericCSV", "Complete")
    assert (seen.size, seen.is_latest, seen.kind) == (len(ROWS), True, "dataset")
    assert seen.created is not None
    assert dataset_id in [one.id for one in lab.workspace.assets("dataset")]
    with lab.workspace.download(seen) as file:
        assert file.read() == ROWS


def test_a_large_dataset_arrives_as_it_is(lab: WorkspaceWorld) -> None:
    content = b"a,b\n" + b"12345678,87654321\n" * 550_000  # three blocks of 4 MiB

    dataset_id = lab.workspace.upload(
        Upload(name=lab.name("large.csv")), one_way(content), size=len(content)
    )

    with lab.workspace.download(lab.workspace.asset("dataset", dataset_id)) as file:
        assert hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(content).digest()


def test_a_new_version_takes_the_place_of_the_old_one_in_the_list(lab: WorkspaceWorld) -> None:
    first = dataset(lab)
    family = lab.workspace.asset("dataset", first).family
    upload = Upload(name=lab.name("Kunden 客户.csv"), family=family)

    second = lab.workspace.upload(upload, io.BytesIO(ROWS + b"20,2,1\n"))

    old, new = (lab.workspace.asset("dataset", one) for one in (first, second))
    assert (old.is_latest, new.is_latest) == (False, True)
    assert old.number < new.number
    assert old.family == new.family == family
    listed = [one.id for one in lab.workspace.assets("dataset") if one.family == family]
    assert listed == [second]


def test_a_name_that_is_taken_is_a_conflict(lab: WorkspaceWorld) -> None:
    dataset(lab)

    with pytest.raises(Conflict):
        dataset(lab)


def test_a_version_of_nothing_is_not_found(lab: WorkspaceWorld) -> None:
    upload = Upload(name=lab.name("version.csv"), family=NOBODY)

    with pytest.raises(NotFound):
        lab.workspace.upload(upload, io.BytesIO(ROWS))


def test_content_that_is_not_what_was_announced_is_not_registered(lab: WorkspaceWorld) -> None:
    upload = Upload(name=lab.name("changed.csv"))

    for size, digest in ((len(ROWS) + 1, ""), (len(ROWS) - 1, ""), (len(ROWS), "0" * 64)):
        with pytest.raises(Conflict):
            lab.workspace.upload(upload, one_way(ROWS), size=size, digest=digest)
    with pytest.raises(Refused):
        lab.workspace.upload(upload, io.BytesIO(b""))

    assert upload.name not in [one.name for one in lab.workspace.assets("dataset")]


def test_datasets_are_deleted_by_family_and_that_may_be_repeated(lab: WorkspaceWorld) -> None:
    dataset_id = dataset(lab)
    family = lab.workspace.asset("dataset", dataset_id).family

    for _ in range(2):
        lab.workspace.delete_datasets(family)

    with pytest.raises(NotFound):
        lab.workspace.asset("dataset", dataset_id)


@pytest.mark.parametrize("kind", ["dataset", "trained_model", "transform"])
def test_an_asset_that_is_not_there_is_not_found(lab: WorkspaceWorld, kind: str) -> None:
    with pytest.raises(NotFound):
        lab.workspace.asset(kind, f"{NOBODY}.{NOBODY}.v1-default-1")  # type: ignore[arg-type]


def test_a_new_experiment_is_a_draft_with_the_graph_that_was_sent(lab: WorkspaceWorld) -> None:
    draft = training(dataset(lab), name=lab.name('Zürich "1" 客户'))

    experiment = lab.workspace.create(draft)

    seen = lab.workspace.experiment(experiment)
    assert (seen.id, seen.name, seen.state) == (experiment, draft.name, "InDraft")
    assert seen.graph is not None
    assert seen.graph.document == draft.graph.document
    listed = {one.id: one for one in lab.workspace.experiments()}
    assert listed[experiment].name == draft.name
    assert listed[experiment].graph is None


def test_a_graph_that_names_what_is_not_there_is_refused(lab: WorkspaceWorld) -> None:
    good = training(dataset(lab), name=lab.name("Refused"))
    bad = training(f"{NOBODY}.{NOBODY}.v1-default-1", name=lab.name("Refused"))
    experiment = lab.workspace.create(good)

    for call in (
        lambda: lab.workspace.create(bad),
        lambda: lab.workspace.save(experiment, bad),
        lambda: lab.workspace.run(experiment, bad),
    ):
        with pytest.raises(Misconfigured, match="graph"):
            call()


def test_saving_replaces_the_graph_and_may_be_repeated(lab: WorkspaceWorld) -> None:
    experiment = lab.workspace.create(training(dataset(lab), name=lab.name("Saved")))
    other = training(dataset(lab, "other.csv"), name=lab.name("Saved anew"))

    for _ in range(2):
        lab.workspace.save(experiment, other)

    seen = lab.workspace.experiment(experiment)
    assert (seen.name, seen.state, seen.run) == (other.name, "InDraft", "")
    assert seen.graph is not None
    assert seen.graph.document == other.graph.document


def test_a_run_leaves_a_snapshot_and_its_outputs(lab: WorkspaceWorld) -> None:
    experiment = trained(lab)

    seen = lab.workspace.experiment(experiment)
    snapshot = lab.workspace.experiment(seen.run)
    assert (seen.id, seen.previous) == (experiment, "")
    assert (snapshot.is_snapshot, snapshot.state) == (True, "Finished")
    assert snapshot.graph == seen.graph
    assert snapshot.node_statuses is not None
    assert {one.status.state for one in snapshot.node_statuses} == {"Finished"}
    read = [lab.workspace.output(one, *TRAINED).read() for one in (experiment, seen.run)]
    assert read[0] == read[1] != b""


def test_the_second_run_names_the_one_before(lab: WorkspaceWorld) -> None:
    experiment = trained(lab)
    first = lab.workspace.experiment(experiment)
    assert first.graph is not None
    draft = Draft(name=first.name, graph=first.graph, service=first.service, previous=first.run)

    lab.workspace.run(experiment, draft)
    at_once = lab.workspace.experiment(experiment)
    second = run_ended(lab.workspace, experiment)

    assert at_once.run != first.run
    assert (second.state, second.previous) == ("Finished", first.run)
    assert lab.workspace.experiment(first.run).state == "Finished"


def test_a_run_that_fails_says_why(lab: WorkspaceWorld) -> None:
    draft = lab.failing(dataset(lab))
    experiment = lab.workspace.create(draft)

    lab.workspace.run(experiment, draft)

    seen = run_ended(lab.workspace, experiment)
    assert seen.state == "Failed"
    assert "label" in seen.status.detail
    with pytest.raises(NotFound):
        lab.workspace.output(experiment, *TRAINED)


def test_a_snapshot_is_locked(lab: WorkspaceWorld) -> None:
    snapshot = lab.workspace.experiment(lab.workspace.experiment(trained(lab)).run)
    assert snapshot.graph is not None
    draft = Draft(name="x", graph=snapshot.graph)

    for call in (
        lambda: lab.workspace.save(snapshot.id, draft),
        lambda: lab.workspace.run(snapshot.id, draft),
        lambda: lab.workspace.delete(snapshot.id),
    ):
        with pytest.raises(Conflict, match="snapshot"):
            call()


def test_an_output_that_is_not_there_is_not_found(lab: WorkspaceWorld) -> None:
    draft = training(dataset(lab), name=lab.name("Outputs"))
    experiment = lab.workspace.create(draft)
    with pytest.raises(NotFound):
        lab.workspace.output(experiment, *TRAINED)

    lab.workspace.run(experiment, draft)
    run_ended(lab.workspace, experiment)

    for node, port in ((TRAIN, "Other/port?"), ("nobody", TRAINED[1])):
        with pytest.raises(NotFound):
            lab.workspace.output(experiment, node, port)


def test_an_output_becomes_a_trained_model(lab: WorkspaceWorld) -> None:
    experiment = trained(lab)
    wanted = promotion(lab, experiment)

    model = lab.workspace.promote(wanted)

    seen = lab.workspace.asset("trained_model", model)
    assert (seen.name, seen.number > 0, seen.is_latest) == (wanted.name, True, True)
    assert seen.promoted_from == f"{experiment}.{wanted.node}.{wanted.port}"
    assert seen.data_type.lower() == "ilearnerdotnet"
    assert model in [one.id for one in lab.workspace.assets("trained_model")]


def test_promoting_again_needs_the_family(lab: WorkspaceWorld) -> None:
    experiment = trained(lab)
    first = lab.workspace.promote(promotion(lab, experiment))
    family = lab.workspace.asset("trained_model", first).family

    with pytest.raises(Conflict):
        lab.workspace.promote(promotion(lab, experiment))
    second = lab.workspace.promote(promotion(lab, experiment, family=family))

    old, new = (lab.workspace.asset("trained_model", one) for one in (first, second))
    assert (old.is_latest, new.is_latest, new.family) == (False, True, family)


def test_what_was_not_put_out_cannot_be_promoted(lab: WorkspaceWorld) -> None:
    experiment = lab.workspace.create(training(dataset(lab), name=lab.name("Promotes")))

    with pytest.raises(NotFound):
        lab.workspace.promote(promotion(lab, experiment))


def test_an_experiment_is_copied_with_its_assets(lab: WorkspaceWorld) -> None:
    experiment, draft = scored(lab)

    begun = lab.workspace.pack(experiment)
    packed = followed(lambda: lab.workspace.packing(begun.id))
    unpacking = lab.other.unpack(packed.location, region="South Central US")
    unpacked = followed(lambda: lab.other.unpacking(unpacking.id))

    assert (packed.done, packed.failed, unpacked.failed) == (True, "", "")
    copy = lab.other.experiment(unpacked.experiment)
    assert (copy.name, copy.state) == (draft.name, "InDraft")
    assert copy.graph is not None
    (port,) = [one for one in copy.graph.nodes[0].inputs if one.trained_model]
    assert lab.other.asset("trained_model", port.trained_model).name == lab.name("Modell ä")
    with pytest.raises(NotFound):
        lab.other.experiment(experiment)


def test_what_is_no_package_is_not_unpacked(lab: WorkspaceWorld) -> None:
    begun = lab.workspace.pack(trained(lab))
    location = followed(lambda: lab.workspace.packing(begun.id)).location
    place, mark, leave = location.partition("?")

    unpacking = lab.other.unpack(f"{place}-missing{mark}{leave}")
    seen = followed(lambda: lab.other.unpacking(unpacking.id))

    assert (seen.done, seen.experiment) == (False, "")
    assert seen.failed


def test_an_experiment_becomes_a_web_service_and_is_updated(lab: WorkspaceWorld) -> None:
    experiment, draft = scored(lab)

    first = lab.workspace.deploy(experiment, update=False)
    deployed = followed(lambda: lab.workspace.deploying(first.id))
    named = lab.workspace.experiment(experiment)
    lab.workspace.run(experiment, draft)
    run_ended(lab.workspace, experiment)
    again = lab.workspace.deploy(experiment, update=True)
    updated = followed(lambda: lab.workspace.deploying(again.id))

    assert (deployed.done, deployed.failed) == (True, "")
    assert deployed.service != ""
    assert named.service is not None
    assert named.service.service == deployed.service == updated.service


def test_what_has_not_run_is_no_web_service(lab: WorkspaceWorld) -> None:
    experiment, draft = scored(lab)
    lab.workspace.save(experiment, draft)

    with pytest.raises(Misconfigured):
        lab.workspace.deploy(experiment, update=False)
    with pytest.raises(Misconfigured):
        lab.workspace.definition(experiment)


def test_a_definition_is_a_document(lab: WorkspaceWorld) -> None:
    experiment, draft = scored(lab)

    properties = lab.workspace.definition(experiment)["properties"]

    assert (properties["title"], properties["packageType"]) == (draft.name, "Graph")
    assert SCORE in properties["package"]["nodes"]


def test_an_experiment_is_deleted_with_its_snapshots_and_that_may_be_repeated(
    lab: WorkspaceWorld,
) -> None:
    experiment = trained(lab)
    snapshot = lab.workspace.experiment(experiment).run

    for _ in range(2):
        lab.workspace.delete(experiment)

    for gone in (experiment, snapshot):
        with pytest.raises(NotFound):
            lab.workspace.experiment(gone)
    assert experiment not in [one.id for one in lab.workspace.experiments()]


def test_an_activity_that_is_not_there_is_not_found(lab: WorkspaceWorld) -> None:
    workspace = lab.workspace

    for look in (workspace.packing, workspace.unpacking, workspace.deploying):
        with pytest.raises(NotFound):
            look(NOBODY)


def calls(lab: WorkspaceWorld) -> dict[str, Callable[[], object]]:
    """A call of each operation that would do what it is for."""
    workspace: Workspace = lab.workspace
    experiment, draft = scored(lab)
    data = workspace.asset("dataset", dataset(lab, "faults.csv"))
    packing, deploying = workspace.pack(experiment), workspace.deploy(experiment, update=False)
    packed = followed(lambda: workspace.packing(packing.id))
    unpacking = workspace.unpack(packed.location)
    followed(lambda: workspace.unpacking(unpacking.id))
    followed(lambda: workspace.deploying(deploying.id))
    return {
        "facts": workspace.facts,
        "assets": lambda: workspace.assets("dataset"),
        "asset": lambda: workspace.asset("dataset", data.id),
        "modules": workspace.modules,
        "upload": lambda: dataset(lab, "faulty.csv"),
        "download": lambda: workspace.download(data),
        "delete_datasets": lambda: workspace.delete_datasets(data.family),
        "experiments": workspace.experiments,
        "experiment": lambda: workspace.experiment(experiment),
        "create": lambda: workspace.create(draft),
        "save": lambda: workspace.save(experiment, draft),
        "run": lambda: workspace.run(experiment, draft),
        "delete": lambda: workspace.delete(experiment),
        "output": lambda: workspace.output(experiment, SCORE, "Scored dataset"),
        "pack": lambda: workspace.pack(experiment),
        "packing": lambda: workspace.packing(packing.id),
        "unpack": lambda: workspace.unpack(packed.location),
        "unpacking": lambda: workspace.unpacking(unpacking.id),
        "deploy": lambda: workspace.deploy(experiment, update=True),
        "deploying": lambda: workspace.deploying(deploying.id),
        "definition": lambda: workspace.definition(experiment),
    }


def test_a_studio_without_room_says_so_and_one_that_refuses_the_token_too(
    lab: WorkspaceWorld,
) -> None:
    by_name = calls(lab)

    for name, call in by_name.items():
        lab.fault(name, "unavailable")
        with pytest.raises(Unavailable):
            call()
    for name, call in by_name.items():
        lab.fault(name, "denied")
        with pytest.raises(Denied):
            call()


def test_a_creation_whose_answer_was_lost_happened(lab: WorkspaceWorld) -> None:
    draft = training(dataset(lab), name=lab.name("Lost"))
    lab.fault("create", "lost answer")

    with pytest.raises(Unknown):
        lab.workspace.create(draft)

    assert [one.name for one in lab.workspace.experiments()].count(draft.name) == 1


def test_a_run_whose_answer_was_lost_happened(lab: WorkspaceWorld) -> None:
    draft = training(dataset(lab), name=lab.name("Lost run"))
    experiment = lab.workspace.create(draft)
    lab.fault("run", "lost answer")

    with pytest.raises(Unknown):
        lab.workspace.run(experiment, draft)

    assert run_ended(lab.workspace, experiment).state == "Finished"


def test_a_promotion_whose_answer_was_lost_is_found_by_where_it_came_from(
    lab: WorkspaceWorld,
) -> None:
    wanted = promotion(lab, trained(lab))
    lab.fault("promote", "lost answer")

    with pytest.raises(Unknown):
        lab.workspace.promote(wanted)

    source = f"{wanted.experiment}.{wanted.node}.{wanted.port}"
    assert source in [one.promoted_from for one in lab.workspace.assets("trained_model")]


def test_an_upload_whose_answer_was_lost_is_found_by_its_name(lab: WorkspaceWorld) -> None:
    lab.fault("upload", "lost answer")

    with pytest.raises(Unknown):
        dataset(lab, "lost.csv")

    assert lab.name("lost.csv") in [one.name for one in lab.workspace.assets("dataset")]
