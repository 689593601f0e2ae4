"""The ten steps, from one dataset to a tested service; and every way back."""

from __future__ import annotations

import json

import pytest
import requests

from alm.domain.canonical import canonical_json
from alm.domain.drafts import draft_from, graph_of
from alm.domain.errors import Unknown
from alm.domain.exported import export
from alm.domain.graph.outputs import with_trained_model
from alm.domain.managed_model import DEPLOYED
from alm.domain.messages import Decision
from alm.domain.run import NodeOutput
from alm.domain.web_services import EndpointSettings
from alm.stages.experiment import upload
from devstack.demo import tables

STAGES = (
    "upload copy_training set_dataset run_training await_training take_output evaluate register "
    "promote copy_predictive set_model run_predictive await_predictive deploy deployed smoke finish"
)


def visited(run) -> list[str]:
    """The stages of a run in order, each named once."""
    return list(dict.fromkeys(entry["stage"] for entry in run["history"]))


def test_a_dataset_ends_as_a_deployed_and_tested_service(make):
    world = make()

    world.trigger(blob=world.drop())
    world.settle()

    run = world.run()
    assert "ok" == run["result"], run["why"]
    assert STAGES.split() == visited(run)
    assert "v1" == world.ledger.champion
    manifest = world.ports.versions.manifest(world.name, "v1")
    assert manifest.asset.startswith(world.workspace_declared.workspace)
    assert manifest.metrics["auc"] > 0.8
    assert "target" == manifest.parameters["train – größer: Label column"]
    assert "7" == manifest.parameters["split – größer: Random seed"]
    assert [f"{world.name}/day1.csv"] == [blob.name for blob in manifest.lineage]
    assert 3 == len(world.answers())


def test_the_next_dataset_is_a_new_version_of_the_same_things(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    first, served = world.answers(), world.ledger.serves[DEPLOYED]

    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()

    assert "ok" == world.run(2)["result"], world.run(2)["why"]
    assert first != world.answers()
    assert served.service == world.ledger.serves[DEPLOYED].service
    here = world.workspace
    ours = [e for e in here.experiments() if e.name.startswith(f"{world.name} ")]
    assert {"training", "predictive", "draft", "scoring"} == {e.name.split()[-1] for e in ours}
    assert 1 == len([a for a in here.assets("dataset") if a.name == world.name])
    assert 1 == len([a for a in here.assets("trained_model") if a.name == world.name])


def test_the_same_content_again_is_not_uploaded_again(make):
    world = make()
    blob = world.drop()
    world.trigger(blob=blob)
    world.settle()
    uploaded = world.run(1)["state"]["studio"]["dataset"]

    world.trigger(blob=blob)
    world.settle()

    assert uploaded == world.run(2)["state"]["studio"]["dataset"]


def test_an_endpoint_beside_the_default_one_answers_byte_for_byte_as_before(make):
    """The article's classic steps: ep2 keeps the model that it was made with."""
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    served = world.ledger.serves[DEPLOYED]
    classic = world.ports.studio.classic_services(world.workspace_declared)
    service = served.service.split("/")[-3]
    classic.put_endpoint(service, "ep2", EndpointSettings())
    beside = served.model_copy(update={"service": served.service.replace("/default", "/ep2")})
    before = scored(world, beside)

    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()

    assert before == scored(world, beside)
    assert before != scored(world, world.ledger.serves[DEPLOYED])


def scored(world, served):
    target = world.model.target(DEPLOYED, served)
    rows = [world.known.features(at) for at in range(20)]
    return world.ports.services.target(target).score(rows, input="input1", output="output1")


def test_a_crash_after_every_effect_costs_nothing(make):
    """Each message is handled, its process dies before the next one is sent, and it comes again."""
    world = make()
    world.trigger(blob=world.drop())
    world.settle(world.dying())

    run = world.run()
    assert "ok" == run["result"], run["why"]
    assert set(STAGES.split()) <= {*visited(run), "finish"}
    here = world.workspace
    names = [e.name for e in here.experiments() if e.name.startswith(f"{world.name} ")]
    assert 4 == len(names)
    assert 1 == runs_of(world, "training")
    assert 1 == runs_of(world, "predictive")
    classic = world.ports.studio.classic_services(world.workspace_declared)
    assert 1 == len([s for s in classic.services() if s.name.startswith(world.name)])


def runs_of(world, role: str) -> int:
    """How many snapshots our copy of an experiment has."""
    here = world.workspace
    name = f"{world.name} {role}"
    current = next(e for e in here.experiments() if e.name == name)
    found, count = here.experiment(current.id).run, 0
    while found:
        found, count = here.experiment(found).previous, count + 1
    return count


CHANGE = "/experiments/[^/]+$"
LOST = {
    "upload": ("POST", "/datasources$", 0),
    "copy the training experiment": ("POST", "/experiments/?$", 0),
    "set the dataset": ("POST", CHANGE, 0),
    "run the training experiment": ("POST", CHANGE, 1),
    "promote": ("POST", "/trainedmodels$", 0),
    "copy the predictive experiment": ("POST", "/experiments/?$", 1),
    "set the model": ("POST", CHANGE, 2),
    "run the predictive experiment": ("POST", CHANGE, 3),
    "deploy": ("POST", "/webservice$", 0),
}


@pytest.mark.parametrize("effect", ["lost_answer", "503"])
@pytest.mark.parametrize("call", LOST)
def test_an_answer_that_is_lost_or_a_service_that_is_away_changes_nothing(make, call, effect):
    world = make()
    method, path, skip = LOST[call]
    fault(world, effect, method, path, times=1, skip=skip)

    world.trigger(blob=world.drop())
    world.settle()

    heal(world)
    assert "ok" == world.run()["result"], world.run()["why"]
    assert 1 == runs_of(world, "training")
    assert 1 == runs_of(world, "predictive")
    here = world.workspace
    assert 4 == len([e for e in here.experiments() if e.name.startswith(f"{world.name} ")])


def fault(world, effect, method, path, *, times, skip=0):
    match = {"method": method, "path": path}
    document = {"effect": effect, "match": match, "times": times, "skip": skip}
    url = f"{world.studio.base_url}/admin/faults"
    requests.post(url, json=document, timeout=10).raise_for_status()


def heal(world):
    requests.delete(f"{world.studio.base_url}/admin/faults", timeout=10).raise_for_status()


def test_a_model_that_the_gate_rejects_is_neither_promoted_nor_deployed(make):
    world = make()
    shuffled = tables.shuffled_labels(world.rows, seed=5).csv

    world.trigger(blob=world.drop("day1", shuffled))
    world.settle()

    assert "rejected" == world.run()["result"]
    assert [] == [a for a in world.workspace.assets("trained_model") if a.name == world.name]


def test_a_failing_node_ends_the_run_with_its_text(make):
    world = make()

    world.trigger(blob=world.drop("day1", b"a,b\n1,2\n3,4\n5,6\n"))
    world.settle()

    run = world.run()
    assert "failed" == run["result"]
    assert "train" in run["why"]
    assert "target" in run["why"]


def test_a_first_service_that_fails_its_smoke_test_is_taken_away_again(make):
    world = make(smoke={"expect": [{"column": "Scored Labels", "equals": "nothing like it"}]})
    before = canonical_json(export(world.workspace.experiment(world.predictive))["Graph"])

    world.trigger(blob=world.drop())
    world.settle()

    run = world.run()
    assert "rolled_back" == run["result"], run["why"]
    assert {} == world.ledger.serves
    classic = world.ports.studio.classic_services(world.workspace_declared)
    assert [] == [s for s in classic.services() if s.name.startswith(world.name)]
    assert before == canonical_json(export(world.workspace.experiment(world.predictive))["Graph"])


def expecting(world, most: float):
    """The same managed model with a smoke test that only some models pass."""
    tests = world.model.smoke_tests[0]
    expect = [{"column": "Scored Probabilities", "max": most}]
    changed = tests.model_validate({**tests.model_dump(), "expect": expect})
    world.redeclare(smoke_tests=(changed,))


def test_a_later_model_that_fails_its_smoke_test_is_undone(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    before, served = world.answers(), world.ledger.serves
    expecting(world, -1)

    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()

    run = world.run(2)
    assert "rolled_back" == run["result"], run["why"]
    assert {"roll_back", "undo_run", "undo_await", "undo_deploy", "undone"} <= set(visited(run))
    assert served == world.ledger.serves
    assert before == world.answers()


def test_a_crash_after_every_effect_of_the_way_back_costs_nothing(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    before, served = world.answers(), world.ledger.serves
    expecting(world, -1)
    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle(world.dying())

    assert "rolled_back" == world.run(2)["result"], world.run(2)["why"]
    assert served == world.ledger.serves
    assert before == world.answers()


def test_an_earlier_version_is_reinstated_on_order(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    first = world.answers()
    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()

    world.trigger("roll_back", version="v1")
    world.settle()

    assert "ok" == world.run(3)["result"], world.run(3)["why"]
    assert "v1" == world.ledger.champion
    assert first == world.answers()


def test_a_run_that_is_cancelled_while_it_deploys_is_undone(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    before = world.answers()
    cancelled: list[str] = []

    def deliver(message):
        if b'"stage":"await_predictive"' in message.body and not cancelled:
            cancelled.append(message.id)
            decision = Decision(kind="cancel", model=world.name, run=f"{world.name}.r2")
            world.send(decision.model_dump_json(by_alias=True))
            return
        world.deliver(message)

    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle(deliver)

    assert "cancelled" == world.run(2)["result"], world.run(2)["why"]
    assert before == world.answers()


def test_a_deployment_that_is_accepted_and_changes_nothing_is_noticed(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    before, served = world.answers(), world.ledger.serves
    fault(world, "change_nothing", "POST", "/webservice$", times=None)

    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()

    heal(world)
    run = world.run(2)
    assert "ok" != run["result"]
    assert "is not v2" in json.dumps(run["history"])
    assert served == world.ledger.serves
    assert before == world.answers()


def test_a_nodes_output_becomes_a_version_without_retraining(make):
    world = make()
    output = NodeOutput(experiment=world.training, node="train", port="Trained model")

    world.trigger("harvest", output=output)
    world.settle()

    assert "harvested" == world.run()["result"], world.run()["why"]
    manifest = world.ports.versions.manifest(world.name, "v1")
    assert ".s-id." in manifest.experiment
    assert {} == world.ledger.serves


def test_an_experiment_that_somebody_else_runs_meanwhile_fails_the_run(make):
    world = make()
    done: list[str] = []

    def deliver(message):
        if b'"stage":"take_output"' in message.body and not done:
            done.append(message.id)
            name = f"{world.name} training"
            found = next(e for e in world.workspace.experiments() if e.name == name)
            world.finished(found.id)
        world.deliver(message)

    world.trigger(blob=world.drop())
    world.settle(deliver)

    assert "failed" == world.run()["result"]
    assert "was run by somebody else meanwhile" in world.run()["why"]


def test_a_lost_look_is_a_retry(make):
    world = make()
    world.bus.fail("send", Unknown("lost"), after=True)

    world.trigger(blob=world.drop())
    with pytest.raises(Unknown):
        world.settle()
    world.settle()

    assert "ok" == world.run()["result"]


def test_the_reconcile_finds_everything_as_it_should_be(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    expecting(world, -1)
    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()
    assert "rolled_back" == world.run(2)["result"]

    world.reconcile()

    assert () == world.ledger.unknown
    assert [] == [notice for notice in world.notifier.notices if notice.event == "drift"]


def test_a_service_that_somebody_deploys_over_ours_is_noticed(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()
    here = world.workspace
    name = f"{world.name} predictive"
    ours = here.experiment(next(e.id for e in here.experiments() if e.name == name))
    by_hand = next(a for a in here.assets("trained_model") if a.name == f"{world.name} by hand")
    graph = with_trained_model(graph_of(ours), by_hand.id)
    here.save(ours.id, draft_from(ours, graph=graph))
    world.finished(ours.id)
    activity = here.deploy(ours.id, update=True)
    while not here.deploying(activity.id).done:
        pass

    world.reconcile()

    assert (DEPLOYED,) == world.ledger.unknown
    assert "drift" in [notice.event for notice in world.notifier.notices]


def test_a_verification_reads_the_deployed_service_back_and_tests_it(make):
    world = make()
    world.trigger(blob=world.drop())
    world.settle()

    world.trigger("verify")
    world.settle()

    assert "verified" == world.run(2)["result"], world.run(2)["why"]


def test_a_dataset_that_studio_cannot_take_is_not_uploaded(make, monkeypatch):
    world = make()
    monkeypatch.setattr(upload, "BYTES_MAX", 1000)

    world.trigger(blob=world.drop())
    world.settle()

    assert "failed" == world.run()["result"]
    assert "take datasets of at most 1000" in world.run()["why"]
    assert [] == [a for a in world.workspace.assets("dataset") if a.name == world.name]
