"""Where experiments come from, and which services are deployed from them."""

from __future__ import annotations

import pytest
import requests

from alm.adapters.studio.lifecycle import StudioLifecycle
from alm.domain.canonical import canonical_json
from alm.domain.drafts import draft_from, graph_of
from alm.domain.errors import NotFound
from alm.domain.experiment import StudioWorkspace
from alm.domain.exported import export
from alm.domain.managed_model import DEPLOYED


def sources(world, **places):
    steps = world.model.experiment
    changed = {
        role: getattr(steps, role).model_validate(
            {**getattr(steps, role).model_dump(), "source": source}
        )
        for role, source in places.items()
    }
    world.redeclare(experiment=steps.model_copy(update=changed))


def test_experiments_come_from_files(make):
    world = make()
    for role, experiment_id in (("training", world.training), ("predictive", world.predictive)):
        content = canonical_json(export(world.workspace.experiment(experiment_id)))
        world.blobs.put(f"alm-definitions/{world.name}/{role}.json", content)
    sources(
        world,
        training={"file": f"alm-definitions/{world.name}/training.json"},
        predictive={"file": f"alm-definitions/{world.name}/predictive.json"},
    )

    world.trigger(blob=world.drop())
    world.settle()

    assert "ok" == world.run()["result"], world.run()["why"]


def test_a_truncated_file_fails_the_run_and_makes_nothing(make):
    world = make()
    content = canonical_json(export(world.workspace.experiment(world.training)))
    world.blobs.put(f"alm-definitions/{world.name}/training.json", content[:-100])
    sources(world, training={"file": f"alm-definitions/{world.name}/training.json"})

    world.trigger(blob=world.drop())
    world.settle()

    assert "failed" == world.run()["result"]
    assert "cut off" in world.run()["why"]
    made = [e.name for e in world.workspace.experiments() if e.name.startswith(f"{world.name} ")]
    assert [f"{world.name} draft", f"{world.name} scoring"] == sorted(made)


def test_a_predictive_experiment_is_changed_in_place(make):
    world = make()
    sources(world, predictive={"experiment": world.predictive, "in_place": True})

    world.trigger(blob=world.drop())
    world.settle()

    assert "ok" == world.run()["result"], world.run()["why"]
    changed = world.workspace.experiment(world.predictive)
    assert changed.service is not None
    assert changed.service.service in world.ledger.serves[DEPLOYED].service


def test_a_service_that_people_deployed_is_adopted_and_given_back(make):
    world = make(smoke={"expect": [{"column": "Scored Probabilities", "max": -1}]})
    world.finished(world.predictive)
    deploy(world, world.predictive)
    experiment = world.workspace.experiment(world.predictive)
    service = experiment.service.service
    classic = world.ports.studio.classic_services(world.workspace_declared)
    resources = classic.endpoint(service, "default").resources
    sources(world, predictive={"experiment": world.predictive, "in_place": True})

    world.trigger(blob=world.drop())
    world.settle()

    assert "rolled_back" == world.run()["result"], world.run()["why"]
    assert "service-v0" == world.ledger.serves[DEPLOYED].version
    names = [resource.name for resource in classic.endpoint(service, "default").resources]
    assert [resource.name for resource in resources] == names


def deploy(world, experiment_id):
    activity = world.workspace.deploy(experiment_id, update=False)
    while not world.workspace.deploying(activity.id).done:
        pass


@pytest.fixture
def elsewhere(studio):
    """Another workspace, made in Resource Manager, and the environment with its token."""
    described = studio.description()
    name = "other-lab"
    url = (
        f"{studio.base_url}/subscriptions/{described['subscription_id']}/resourceGroups/"
        f"{described['resource_group']}/providers/Microsoft.MachineLearning/workspaces/{name}"
    )
    headers = {"Authorization": f"Bearer {described['arm_token']}"}
    query = {"api-version": "2016-04-01"}
    body = {
        "location": "West Europe",
        "properties": {
            "userStorageAccountId": "/subscriptions/s/resourceGroups/g/providers/"
            "Microsoft.Storage/storageAccounts/devstoreaccount1",
            "ownerEmail": "somebody@example.com",
        },
    }
    made = requests.put(url, json=body, headers=headers, params=query, timeout=10)
    made.raise_for_status()
    keys = requests.post(f"{url}/listWorkspaceKeys", headers=headers, params=query, timeout=10)
    workspace = StudioWorkspace(
        workspace=made.json()["properties"]["workspaceId"],
        region="West Europe",
        studio=f"{studio.base_url}/api",
        management=studio.base_url,
        token="env:OTHER_TOKEN",
    )
    return workspace, keys.json()["primaryToken"]


def test_experiments_come_from_another_workspace(make, elsewhere):
    there, token = elsewhere
    world = make(environment={"OTHER_TOKEN": token})
    steps = world.model.experiment
    here = {**steps.model_dump(), "workspace": there.model_dump()}
    for role in ("training", "predictive"):
        source = {"experiment": getattr(world, role), "workspace": steps.workspace.model_dump()}
        here[role] = {**here[role], "source": source}
    world.redeclare(experiment=steps.model_validate(here))

    world.trigger(blob=world.drop())
    world.settle()

    assert "ok" == world.run()["result"], world.run()["why"]
    assert isinstance(world.ports.studio, StudioLifecycle)
    assert there.workspace in world.ledger.serves[DEPLOYED].service
    names = [e.name for e in world.ports.studio.workspace(there).experiments()]
    assert {f"{world.name} training", f"{world.name} predictive"} <= set(names)


def new_service(world, region="South Central US", plan="plan-southcentralus"):
    group = (
        f"/subscriptions/{world.described['subscription_id']}/resourceGroups/"
        f"{world.described['resource_group']}/providers/Microsoft.MachineLearning"
    )
    hosting = {
        "region": region,
        "plan": f"{group}/commitmentPlans/{plan}",
        "storage_account": "devstoreaccount1",
        "storage_key": "env:STORAGE_KEY",
    }
    resource = f"{group}/webServices/{world.name}"
    steps = world.model.experiment
    service = {"kind": "new", "resource": resource, "hosting": hosting, "propagation_seconds": 1.0}
    changed = steps.model_validate({**steps.model_dump(), "service": service})
    world.redeclare(experiment=changed)
    return resource


def test_a_new_service_is_deployed_from_the_exported_definition(make):
    world = make()
    resource = new_service(world)

    world.trigger(blob=world.drop())
    world.settle()
    first = world.answers()
    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()

    assert "ok" == world.run(1)["result"], world.run(1)["why"]
    assert "ok" == world.run(2)["result"], world.run(2)["why"]
    assert first != world.answers()
    assert "v2" == world.ledger.champion
    assert resource == world.ports.studio.new_services().get(resource)["id"]


def test_a_first_new_service_that_fails_its_smoke_test_is_deleted(make):
    world = make(smoke={"expect": [{"column": "Scored Probabilities", "max": -1}]})
    resource = new_service(world)

    world.trigger(blob=world.drop())
    world.settle()

    assert "rolled_back" == world.run()["result"], world.run()["why"]
    with pytest.raises(NotFound):
        world.ports.studio.new_services().get(resource)


def test_a_later_new_service_is_given_its_definition_back(make):
    world = make()
    new_service(world)
    world.trigger(blob=world.drop())
    world.settle()
    before, served = world.answers(), world.ledger.serves
    tests = world.model.smoke_tests[0]
    expect = [{"column": "Scored Probabilities", "max": -1}]
    world.redeclare(smoke_tests=(tests.model_validate({**tests.model_dump(), "expect": expect}),))

    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()

    assert "rolled_back" == world.run(2)["result"], world.run(2)["why"]
    assert served == world.ledger.serves
    assert world.answers_become(before)


def test_a_plan_in_another_region_is_refused_before_anything_is_deployed(make):
    world = make()
    resource = new_service(world, region="West Europe")

    world.trigger(blob=world.drop())
    world.settle()

    assert "failed" == world.run()["result"]
    assert "both must be in one region" in world.run()["why"]
    with pytest.raises(NotFound):
        world.ports.studio.new_services().get(resource)


def test_deleting_the_experiment_leaves_a_new_service_scoring_and_takes_a_classic_one(make):
    world, classic_world = make(), make()
    new_service(world)
    for one in (world, classic_world):
        one.trigger(blob=one.drop())
        one.settle()
        assert "ok" == one.run()["result"], one.run()["why"]
        for experiment in one.workspace.experiments():
            if experiment.name == f"{one.name} predictive":
                one.workspace.delete(experiment.id)

    assert 3 == len(world.answers())
    with pytest.raises(NotFound):
        classic_world.answers()


def test_an_experiment_is_redeployed_as_a_commit_has_it(make, tmp_path):
    world = make(repository=tmp_path / "definitions.git")
    world.trigger(blob=world.drop())
    world.settle()
    first, commit = world.answers(), world.commit()
    name = f"{world.name} predictive"
    predictive = next(e for e in world.workspace.experiments() if e.name == name)
    drawn = world.workspace.experiment(predictive.id)
    renamed = tuple(node.changed(label="drawn anew") for node in graph_of(drawn).nodes)
    changed = graph_of(drawn).changed(nodes=renamed)
    world.workspace.save(predictive.id, draft_from(drawn, graph=changed))
    world.trigger(blob=world.drop("day2", world.rows.part(range(100, 400)).csv))
    world.settle()
    assert "ok" == world.run(2)["result"], world.run(2)["why"]

    world.trigger("redeploy", commit=commit)
    world.settle()

    assert "ok" == world.run(3)["result"], world.run(3)["why"]
    assert "v1" == world.ledger.champion
    assert first == world.answers()
    now = world.workspace.experiment(predictive.id)
    assert export(drawn)["Graph"] == export(now)["Graph"]


def test_an_unknown_commit_is_told_and_nothing_is_touched(make, tmp_path):
    world = make(repository=tmp_path / "definitions.git")
    world.trigger(blob=world.drop())
    world.settle()
    before = world.answers()
    world.commit()

    world.trigger("redeploy", commit="f" * 40)
    world.settle()

    assert "failed" == world.run(2)["result"]
    assert "f" * 40 in world.run(2)["why"]
    assert before == world.answers()
