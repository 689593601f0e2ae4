"""Between two runs the declaration is changed, or people delete what a run has made."""

from __future__ import annotations

import pytest

from alm.domain.errors import NotFound
from alm.domain.managed_model import DEPLOYED
from tests.lifecycle.test_sources_and_services import elsewhere as elsewhere
from tests.lifecycle.test_sources_and_services import new_service
from tests.lifecycle.test_ten_steps import expecting


def deployed_once(world):
    world.trigger(blob=world.drop())
    world.settle()
    assert "ok" == world.run()["result"], world.run()["why"]
    return world.ledger.serves[DEPLOYED]


def again(world, result="ok", name="day2"):
    world.trigger(blob=world.drop(name, world.rows.part(range(100, 400)).csv))
    world.settle()
    run = world.run(world.ledger.runs)
    assert result == run["result"], run["why"]


def is_in_order(world):
    """Nothing is served but what the ledger says, and people were told of nothing else."""
    world.reconcile()
    return () == world.ledger.unknown and not [
        notice for notice in world.notifier.notices if notice.event in ("drift", "unknown")
    ]


def declare(world, **changes):
    steps = world.model.experiment
    changed = steps.model_validate({**steps.model_dump(), **changes})
    world.redeclare(experiment=changed)


def classic_of(world):
    return world.ports.studio.classic_services(world.workspace_declared)


def service_id(served):
    return served.service.split("/")[-3]


def test_a_classic_service_becomes_a_new_one_and_stays_itself(make):
    world = make()
    before = deployed_once(world)
    resource = new_service(world)

    assert is_in_order(world), "what is no longer declared is not looked for elsewhere"
    again(world)

    assert resource == world.ledger.serves[DEPLOYED].service
    assert is_in_order(world)
    assert service_id(before) == classic_of(world).service(service_id(before)).id


def test_a_new_service_in_a_classic_ones_place_is_taken_back_alone(make):
    world = make()
    before = deployed_once(world)
    resource = new_service(world)
    expecting(world, -1)

    again(world, "rolled_back")

    assert {} == world.ledger.serves
    assert is_in_order(world)
    with pytest.raises(NotFound):
        world.ports.studio.new_services().get(resource)
    assert service_id(before) == classic_of(world).service(service_id(before)).id


def test_a_new_service_becomes_a_classic_one(make):
    world = make()
    resource = new_service(world)
    deployed_once(world)
    declare(world, service={"propagation_seconds": 0.2})

    assert is_in_order(world)
    again(world)

    assert "/webservices/" in world.ledger.serves[DEPLOYED].service
    assert is_in_order(world)
    assert resource == world.ports.studio.new_services().get(resource)["id"]


def test_the_workspace_is_another_one(make, elsewhere):
    there, token = elsewhere
    world = make(environment={"OTHER_TOKEN": token})
    deployed_once(world)
    here = world.model.experiment.workspace.model_dump()
    sources = {
        role: {"source": {"experiment": getattr(world, role), "workspace": here}}
        for role in ("training", "predictive")
    }
    declare(world, workspace=there.model_dump(), **sources)

    assert is_in_order(world)
    again(world)

    assert f"/workspaces/{there.workspace}/" in world.ledger.serves[DEPLOYED].service
    assert is_in_order(world)


@pytest.mark.parametrize("result", ["ok", "rolled_back"])
def test_a_classic_service_that_people_deleted_is_made_anew(make, result):
    world = make()
    served = deployed_once(world)
    classic_of(world).delete_service(service_id(served))
    if result == "rolled_back":
        expecting(world, -1)

    again(world, result)

    now = world.ledger.serves.get(DEPLOYED)
    assert (now is not None) == (result == "ok")
    assert now is None or service_id(now) != service_id(served)
    assert is_in_order(world)
    ours = [s for s in classic_of(world).services() if s.name.startswith(f"{world.name} ")]
    assert (1 if now else 0) == len(ours)


@pytest.mark.parametrize("result", ["ok", "rolled_back"])
def test_a_new_service_that_people_deleted_is_made_anew(make, result):
    world = make()
    resource = new_service(world)
    deployed_once(world)
    world.ports.studio.new_services().delete(resource)
    if result == "rolled_back":
        expecting(world, -1)

    again(world, result)

    assert ({DEPLOYED} if result == "ok" else set()) == set(world.ledger.serves)
    assert is_in_order(world)


def test_titles_are_changed(make):
    world = make()
    deployed_once(world)
    steps = world.model.experiment
    training, predictive = (
        {**getattr(steps, role).model_dump(), "name": f"{{model}} {role} again"}
        for role in ("training", "predictive")
    )
    declare(world, trained_model="{model} anew", dataset="{model} rows", training=training,
            predictive=predictive)  # fmt: skip

    again(world)

    manifest = world.ports.versions.manifest(world.name, "v2")
    assert f"{world.name} anew" == world.workspace.asset("trained_model", manifest.asset).name
    assert is_in_order(world)


def test_our_copies_are_made_anew_where_people_deleted_them(make):
    world = make()
    deployed_once(world)
    for experiment in world.workspace.experiments():
        if experiment.name in (f"{world.name} training", f"{world.name} predictive"):
            world.workspace.delete(experiment.id)

    again(world)

    assert is_in_order(world)


def test_a_dataset_and_a_trained_model_that_people_deleted_are_made_anew(make):
    world = make()
    deployed_once(world)
    here = world.workspace
    for dataset in here.assets("dataset"):
        if dataset.name == world.name:
            here.delete_datasets(dataset.family)

    again(world)

    assert is_in_order(world)
