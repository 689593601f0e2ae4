"""Where a new web service is deployed to: what does not belong together is never sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alm.adapters.studio.lifecycle import StudioLifecycle
from alm.domain.errors import Misconfigured
from alm.domain.managed_model import Target
from tests.contract.studio.deployer_worlds import (
    Counted,
    LocalEndpointWorld,
    LocalServiceWorld,
    serving,
)
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.service_worlds import settled

WRONG_KEY = "wrong-storage-key-0123456789=="


@pytest.fixture
def world(studio: LocalStudio) -> Iterator[LocalServiceWorld]:
    yield LocalServiceWorld(studio)
    studio.heal()
    studio.close_clients()


def declared(world: LocalServiceWorld, **hosting: str) -> Target:
    return world.declared(world.target.service, **hosting)


def counted(world: LocalServiceWorld, **environment: str) -> tuple[StudioLifecycle, Counted]:
    """Clients whose calls are counted."""
    transport = Counted()
    lifecycle = world.local.lifecycle(transport=transport, **environment)
    return lifecycle, transport


def refused(world: LocalServiceWorld, **hosting: str) -> str:
    """Why a deployment is refused, without a PUT."""
    lifecycle, transport = counted(world)
    with pytest.raises(Misconfigured) as raised:
        lifecycle.deployer(declared(world, **hosting)).create("ep1", world.models[1])
    assert set(transport.methods) == {"GET"}
    return str(raised.value)


def test_a_plan_in_another_region_is_told_before_anything_is_sent(world: LocalServiceWorld) -> None:
    told = refused(world, plan=world.world.elsewhere)

    assert "plan 'plan-southcentralus' is in South Central US" in told
    assert "the web service is to be in West Europe" in told


def test_a_plan_that_does_not_exist_is_told(world: LocalServiceWorld) -> None:
    told = refused(world, plan=f"{world.world.plan}-not")

    assert "commitmentPlans/plan-westeurope-not does not exist" in told


def test_another_region_needs_a_storage_account(world: LocalServiceWorld) -> None:
    told = refused(world, plan=world.world.elsewhere, region="South Central US")

    assert "add `hosting.storage_account`" in told


def test_a_version_is_deployed_into_another_region(world: LocalServiceWorld) -> None:
    account = str(world.local.blobs().account_name)
    target = declared(
        world, plan=world.world.elsewhere, region="southcentralus", storage_account=account
    )
    deployer = world.local.lifecycle().deployer(target)

    deployer.create("ep1", world.models[1])

    assert serving(deployer, "ep1", world) == world.answers(world.models[1])
    assert world.world.services.get(world.resource("ep1"))["location"] == "South Central US"


def test_a_wrong_storage_key_is_refused_and_never_shown(world: LocalServiceWorld) -> None:
    lifecycle, _ = counted(world, STORAGE_KEY=WRONG_KEY)

    with pytest.raises(Misconfigured, match="does not open the storage account") as raised:
        lifecycle.deployer(world.target).create("ep1", world.models[1])

    assert WRONG_KEY not in str(raised.value)


def test_a_storage_key_that_is_not_set_is_told_by_its_name(world: LocalServiceWorld) -> None:
    told = refused(world, storage_key="env:NO_SUCH_KEY")

    assert "secret env:NO_SUCH_KEY is not set" in told


def test_the_copy_has_what_it_was_made_from_but_model_and_mark(world: LocalServiceWorld) -> None:
    world.deployer.create("ep1", world.models[1])
    serving(world.deployer, "ep1", world)

    template = dict(world.world.services.get(world.resource("live")))
    made = dict(world.world.services.get(world.resource("ep1")))

    assert made["tags"] == {**template["tags"], "alm-beside": "live"}
    own = ("assets", "createdOn", "modifiedOn", "swaggerLocation")
    rest = [
        {name: value for name, value in document["properties"].items() if name not in own}
        for document in (template, made)
    ]
    assert rest[0] == rest[1]
    assets = [document["properties"]["assets"] for document in (template, made)]
    assert assets[0]["score"] == assets[1]["score"]
    assert assets[1]["model"]["locationInfo"]["uri"] == world.models[1].location


def test_a_deployment_that_failed_tells_why_and_is_made_again(world: LocalServiceWorld) -> None:
    model = world.models[1]
    missing = type(model)(model.base, f"{model.relative}-missing", model.sas)
    world.deployer.create("ep1", missing)
    with pytest.raises(Misconfigured, match="The model was not fetched"):
        serving(world.deployer, "ep1", world)

    world.deployer.create("ep1", model)

    assert serving(world.deployer, "ep1", world) == world.answers(model)


def test_creating_again_while_it_is_being_deployed_sends_nothing(
    world: LocalServiceWorld,
) -> None:
    lifecycle, transport = counted(world)
    deployer = lifecycle.deployer(world.target)
    world.local.slow(r"\.ilearner$")

    for _ in range(2):
        deployer.create("ep1", world.models[1])
    state = deployer.target("ep1").read().settled
    world.local.heal()

    assert (state, transport.methods.count("PUT")) == (False, 1)
    assert serving(deployer, "ep1", world) == world.answers(world.models[1])


def test_the_copy_of_a_read_only_service_is_not_read_only(world: LocalServiceWorld) -> None:
    definition = world.world.definition(0)
    definition["properties"]["readOnly"] = True
    world.world.services.put(world.resource("live"), definition)
    settled(world.world.services, world.resource("live"))

    world.deployer.create("ep1", world.models[1])
    serving(world.deployer, "ep1", world)

    world.deployer.target("ep1").patch(world.models[0])
    assert serving(world.deployer, "ep1", world) == world.answers(world.models[0])


def test_what_was_said_to_resource_manager_was_held_against_its_spec(
    world: LocalServiceWorld,
) -> None:
    world.deployer.create("ep1", world.models[1])
    serving(world.deployer, "ep1", world)
    world.deployer.names()

    seen = {call for checked in world.local.checked for call in checked.seen}

    assert {
        "PUT WebService 2017-01-01",
        "answer WebService 2017-01-01",
        "answer CommitmentPlan 2016-05-01-preview",
        "answer WebServiceKeys 2017-01-01",
        "answer PaginatedWebServicesList 2017-01-01",
    } <= seen


def test_an_endpoint_is_throttled_as_what_it_stands_beside(studio: LocalStudio) -> None:
    world = LocalEndpointWorld(studio)

    world.deployer.create("ep1", world.models[1])

    assert world.settings == {"default": ("High", 20), "live": ("High", 7), "ep1": ("High", 7)}
    studio.close_clients()


@pytest.mark.parametrize(("days", "is_put"), [(2, False), (6, True)])
def test_a_deployment_gets_new_leave_where_its_own_ends_long_before(
    world: LocalServiceWorld, days: float, is_put: bool
) -> None:
    """One that stood unused, say, and whose version is asked for again."""
    world.deployer.create("ep1", world.models[1])
    serving(world.deployer, "ep1", world)
    lifecycle, transport = counted(world)
    path = world.models[1].relative

    lifecycle.deployer(world.target).create("ep1", world.local.grant(path, "read", days=days))

    assert ("PUT" in transport.methods) is is_put
    assert serving(world.deployer, "ep1", world) == world.answers(world.models[1])
