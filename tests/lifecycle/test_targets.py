"""Targets that give each version a place of its own, and definitions that come back, for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alm.domain.managed_model import ArmWebService, Target
from alm.domain.run import NodeOutput
from tests.contract.studio.deployer_worlds import LocalEndpointWorld, LocalServiceWorld
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.service_worlds import MODEL, LocalNewWorld, account, settled
from tests.lifecycle.target_world import TargetWorld

Beside = tuple[TargetWorld, Any]


def endpoint(local: LocalStudio) -> tuple[Target, Any]:
    there = LocalEndpointWorld(local)
    return there.target, there


def service(local: LocalStudio) -> tuple[Target, Any]:
    there = LocalServiceWorld(local)
    return there.target, there


def service_elsewhere(local: LocalStudio) -> tuple[Target, Any]:
    there = LocalServiceWorld(local)
    hosting = {
        "region": "South Central US",
        "plan": there.world.elsewhere,
        "storage_account": account(there.world),
    }
    assert isinstance(there.target.service, ArmWebService)
    return there.declared(there.target.service, **hosting), there


@pytest.fixture(params=[endpoint, service, service_elsewhere])
def beside(
    request: pytest.FixtureRequest, local: LocalStudio, azurite: str
) -> Callable[..., Beside]:
    def made(*, keep: int = 3, **declared: Any) -> Beside:
        target, template = request.param(local)
        target = target.model_copy(update={"keep": keep, "name_template": "ep{version}"})
        return TargetWorld(local, azurite, target, **declared), template

    return made


def test_versions_stand_beside_a_service_that_answers_byte_for_byte_as_before(beside) -> None:
    world, template = beside()
    before = template.template_answer()

    assert "ok" == world.publish(1), world.why
    assert world.answers_soon(1)
    assert "ok" == world.publish(0), world.why
    assert world.answers_soon(0)
    world.reconcile()

    assert ["ep1", "ep2"] == world.deployer.names()
    assert before == template.template_answer()
    assert () == world.ledger.unknown
    assert "verified" == world.order("verify"), world.why


def test_a_service_of_another_region_is_there(local, azurite) -> None:
    target, template = service_elsewhere(local)
    world = TargetWorld(local, azurite, target)

    assert "ok" == world.publish(1), world.why

    found = template.world.services.get(template.resource("ep1"))
    assert "South Central US" == found["location"]


def test_a_failed_smoke_test_takes_away_what_the_run_made(beside) -> None:
    world, template = beside()
    assert "ok" == world.publish(1), world.why
    before = template.template_answer()
    world.expecting("7")

    assert "rolled_back" == world.publish(0), world.why

    assert ["ep1"] == world.deployer.names()
    assert world.answers_soon(1)
    assert before == template.template_answer()
    assert () == world.ledger.unknown


@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
def test_a_crash_after_every_effect_costs_nothing(beside, bad: bool) -> None:
    world, template = beside()
    assert "ok" == world.publish(1), world.why
    before = template.template_answer()
    if bad:
        world.expecting("7")
    world.dies = True

    assert ("rolled_back" if bad else "ok") == world.publish(0), world.why

    assert (["ep1"] if bad else ["ep1", "ep2"]) == world.deployer.names()
    assert world.answers_soon(1 if bad else 0)
    assert before == template.template_answer()


def test_what_was_retired_is_made_again_and_v0_is_the_service_itself(beside) -> None:
    world, template = beside(keep=1)
    before = template.template_answer()
    for number in (1, 0, 1, 0):
        assert "ok" == world.publish(number), world.why
        world.reconcile()
    assert ["ep2", "ep3", "ep4"] == world.deployer.names()

    assert "ok" == world.order("roll_back", version="v1"), world.why
    assert world.answers_soon(1)
    assert "ok" == world.order("roll_back", version="v0"), world.why

    assert world.answered() == world.local.expected[world.local.models[0].location]
    assert "ep1" in world.deployer.names()
    assert before == template.template_answer()


@pytest.mark.parametrize("how", ["deleted", "changed"])
def test_a_deployment_that_drifts_is_repaired(beside, how: str) -> None:
    world, template = beside()
    before = template.template_answer()
    assert "ok" == world.publish(1), world.why
    deployed = world.deployer
    if how == "deleted":
        deployed.delete("ep1")
    else:
        deployed.target("ep1").patch(world.local.models[0])
        while not deployed.target("ep1").read().settled:
            pass
        assert "drift" == world.order("verify"), world.why

    for _ in range(200):
        world.reconcile()
        if not world.ledger.unknown and world.answers_soon(1):
            break

    assert world.answers_soon(1)
    assert () == world.ledger.unknown
    assert before == template.template_answer()
    assert "drift" in [notice.event for notice in world.notifier.notices]


class Redeployed:
    """A new web service whose model is patched, and which people change now and then."""

    def __init__(self, local: LocalStudio, azurite: str, folder: Path) -> None:
        self.new = LocalNewWorld(local)
        self.resource = self.new.resource("live")
        self.new.services.put(self.resource, self.graph("cancer", 0))
        settled(self.new.services, self.resource)
        service = ArmWebService(kind="new", resource=self.resource)
        target = Target(name="t", service=service, trained_model=MODEL)
        self.world = TargetWorld(local, azurite, target, repository=folder)

    def graph(self, output: str, number: int) -> dict[str, Any]:
        """A definition whose graph calls its score node otherwise."""
        definition = self.new.definition(number)
        text = json.dumps(definition["properties"]["package"])
        text = text.replace('"score"', f'"{output}"')
        definition["properties"]["package"] = json.loads(text)
        nodes = definition["properties"]["package"]["nodes"]
        nodes[output]["assetId"] = "score"
        nodes[output]["parameters"] = {"Append score columns to output": {"value": "True"}}
        if output == "later":
            nodes[output]["parameters"]["Append score columns to output"]["value"] = "true"
        return definition

    def people_deploy(self) -> None:
        """Another graph, with the model that is there."""
        changed = self.graph("later", 0)
        there = self.new.services.get(self.resource)["properties"]["assets"]["model"]
        changed["properties"]["assets"]["model"] = there
        self.new.services.put(self.resource, changed)
        settled(self.new.services, self.resource)

    def parameter(self) -> str:
        nodes = self.new.services.get(self.resource)["properties"]["package"]["nodes"]
        (node,) = [one for one in nodes.values() if one.get("assetId") == "score"]
        return str(node["parameters"]["Append score columns to output"]["value"])


@pytest.fixture
def redeployed(local: LocalStudio, azurite: str, tmp_path: Path) -> Redeployed:
    there = Redeployed(local, azurite, tmp_path / "models.git")
    assert "ok" == there.world.publish(1), there.world.why
    there.world.flush()
    there.people_deploy()
    assert "ok" == there.world.publish(0), there.world.why
    assert 2 == len(there.world.flush())
    assert "true" == there.parameter()
    return there


@pytest.mark.parametrize("crashes", [False, True], ids=["lives", "crashes"])
def test_the_definition_of_a_commit_comes_back_with_its_model(redeployed, crashes: bool) -> None:
    world = redeployed.world
    first = world.flush()[-1]
    world.dies = crashes

    assert "ok" == world.order("redeploy", commit=first), world.why

    assert "True" == redeployed.parameter()
    assert "v1" == world.ledger.champion
    assert world.answers_soon(1)
    assert 3 == len(world.flush())


@pytest.mark.parametrize("crashes", [False, True], ids=["lives", "crashes"])
def test_a_failed_smoke_test_gives_the_definition_back(redeployed, crashes: bool) -> None:
    world = redeployed.world
    first = world.flush()[-1]
    world.expecting("7")
    world.dies = crashes

    assert "rolled_back" == world.order("redeploy", commit=first), world.why

    assert "true" == redeployed.parameter()
    assert "v2" == world.ledger.champion
    assert world.answers_soon(0)
    assert () == world.ledger.unknown


def test_neither_repository_nor_documents_hold_leave_or_keys(redeployed) -> None:
    world = redeployed.world
    assert "ok" == world.order("redeploy", commit=world.flush()[-1]), world.why
    world.flush()
    control = world.ports.version_control

    kept = [control.source.read(path) for path in control.source.list()]
    listed = list(world.blobs.list("alm-jobs", f"{world.name}/"))
    kept += [world.blobs.get(blob.path) for blob in listed]
    kept += [message.body for message in world.bus.sent]

    assert {".definition.json", ".wanted.json", ".before.json"} <= {
        blob.path[blob.path.rindex("/t") + 2 :] for blob in listed if "/t." in blob.path
    }
    for secret in ("sig=", redeployed.new.secret, world.described["arm_token"]):
        assert [] == [content for content in kept if secret.encode() in content]


def test_a_definition_that_no_longer_fits_changes_nothing(redeployed) -> None:
    world = redeployed.world
    first = world.flush()[-1]
    before = redeployed.new.services.get(redeployed.resource)
    changed = world.model.targets[0].model_copy(update={"trained_model": "Another model"})
    world.redeclare(targets=(changed,))

    assert "failed" == world.order("redeploy", commit=first)

    assert "no trained model 'Another model'" in world.why
    assert before == redeployed.new.services.get(redeployed.resource)


def test_a_nodes_output_is_served_by_an_order_to_roll_back_to_it(make, local, azurite) -> None:
    lab = make()
    target, template = endpoint(local)
    world = TargetWorld(local, azurite, target, workspace=lab.workspace_declared.model_dump())
    before = template.template_answer()
    output = NodeOutput(experiment=lab.training, node="train", port="Trained model")

    assert "harvested" == world.order("harvest", output=output), world.why
    assert ([], {}) == (world.deployer.names(), world.ledger.serves)
    with lab.workspace.output(lab.training, "train", "Trained model") as content:
        file = world.ports.versions.manifest(world.name, "v1").file
        assert content.read() == world.blobs.get(file)

    assert "ok" == world.order("roll_back", version="v1"), world.why
    assert ["ep1"] == world.deployer.names()
    assert None not in world.answered()
    assert before == template.template_answer()


@pytest.mark.parametrize(
    "spoil", [{"node": "no such node"}, {"port": "No such port"}, {"experiment": "w" * 20}]
)
def test_an_output_that_is_not_there_fails_the_harvest_clearly(make, local, azurite, spoil) -> None:
    lab = make()
    target, _ = endpoint(local)
    world = TargetWorld(local, azurite, target, workspace=lab.workspace_declared.model_dump())
    output = NodeOutput(experiment=lab.training, node="train", port="Trained model")

    assert "failed" == world.order("harvest", output=output.model_copy(update=spoil))

    (name,) = spoil.values()
    assert name in world.why
    assert [] == world.ports.versions.manifests(world.name)
