"""What managing web services promises: the doubles and local Studio alike."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from alm.domain.definitions import versioned
from alm.domain.errors import Denied, Misconfigured, NotFound, Unavailable, Unknown
from alm.domain.web_services import EndpointSettings
from alm.studio_ports import ClassicServices, NewServices
from tests.contract.studio.service_worlds import MODEL, ClassicWorld, NewWorld, account, settled

LOW = EndpointSettings()


class TestClassicServices:
    def test_a_service_is_listed_and_read_with_its_default_endpoint(
        self, classic: ClassicWorld
    ) -> None:
        service = classic.publish(0)

        (listed,) = [one for one in classic.services.services() if one.id == service]
        (endpoint,) = classic.services.endpoints(service)

        assert listed == classic.services.service(service)
        assert (listed.name, listed.default_endpoint, listed.endpoints) == ("cancer", "default", 1)
        assert (endpoint.name, endpoint.service) == ("default", service)
        assert [one.location for one in endpoint.resources] == [classic.location(0)]

    def test_an_endpoint_is_read_with_keys_that_do_not_show(self, classic: ClassicWorld) -> None:
        service = classic.publish(0)

        endpoint = classic.services.endpoint(service, "default")

        keys = {endpoint.key.get_secret_value(), endpoint.secondary_key.get_secret_value()}
        assert len(keys) == 2
        assert all(key and key not in repr(endpoint) for key in keys)
        assert endpoint.address.endswith(f"/webservices/{service}/endpoints/default")
        assert endpoint.api_location.startswith("http")
        assert all((endpoint.version, endpoint.created))

    def test_what_is_not_there_is_not_found(self, classic: ClassicWorld) -> None:
        service, missing, services = classic.publish(0), classic.missing, classic.services

        for look in (
            lambda: services.service(missing),
            lambda: services.endpoints(missing),
            lambda: services.endpoint(missing, "default"),
            lambda: services.endpoint(service, "missing"),
            lambda: services.put_endpoint(missing, "ep1", LOW),
            lambda: services.refresh_endpoint(service, "missing", overwrite=False),
        ):
            with pytest.raises(NotFound):
                look()

    @pytest.mark.parametrize(
        ("settings", "calls"),
        [
            (EndpointSettings(), 4),
            (EndpointSettings(throttle="Low", concurrent_calls=50), 4),
            (EndpointSettings(throttle="High"), 20),
            (EndpointSettings(throttle="High", concurrent_calls=200), 200),
        ],
        ids=["low", "low-with-calls", "high", "high-with-calls"],
    )
    def test_an_endpoint_is_made_with_its_settings(
        self, classic: ClassicWorld, settings: EndpointSettings, calls: int
    ) -> None:
        service = classic.publish(0)

        made = classic.services.put_endpoint(service, "ep1", settings)

        assert made == classic.services.endpoint(service, "ep1")
        assert (made.throttle, made.concurrent_calls) == (settings.throttle, calls)
        assert [one.location for one in made.resources] == [classic.location(0)]
        assert classic.services.service(service).endpoints == 2

    def test_putting_again_changes_settings_and_keeps_the_keys(self, classic: ClassicWorld) -> None:
        service = classic.publish(0)
        first = classic.services.put_endpoint(service, "ep1", EndpointSettings(description="a"))

        again = classic.services.put_endpoint(
            service, "ep1", EndpointSettings(description="b", throttle="High", concurrent_calls=7)
        )

        assert (again.description, again.concurrent_calls) == ("b", 7)
        assert (again.key, again.api_location) == (first.key, first.api_location)

    @pytest.mark.parametrize(
        "name", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 25, "../default", "a/b", "a?b", "a%2f"]
    )
    def test_a_name_that_cannot_be_is_never_made(self, classic: ClassicWorld, name: str) -> None:
        service = classic.publish(0)

        with pytest.raises(Misconfigured):
            classic.services.put_endpoint(service, name, LOW)

        assert [one.name for one in classic.services.endpoints(service)] == ["default"]

    @pytest.mark.parametrize("name", ["", "..", "../../x", "a/b", "a?b=c"])
    def test_a_name_that_is_an_address_is_refused(self, classic: ClassicWorld, name: str) -> None:
        service = classic.publish(0)

        with pytest.raises(Misconfigured):
            classic.services.endpoint(service, name)
        with pytest.raises(Misconfigured):
            classic.services.delete_endpoint(service, name)

        assert len(classic.services.endpoints(service)) == 1

    def test_endpoints_stay_as_they_are_until_refreshed_but_for_the_default(
        self, classic: ClassicWorld
    ) -> None:
        service = classic.publish(0)
        classic.services.put_endpoint(service, "ep1", LOW)

        classic.publish(1, service)

        assert _locations(classic, service) == {"default": 1, "ep1": 0}
        assert classic.services.refresh_endpoint(service, "ep1", overwrite=False)
        assert _locations(classic, service) == {"default": 1, "ep1": 1}

    def test_refreshing_what_is_current_changes_nothing(self, classic: ClassicWorld) -> None:
        service = classic.publish(0)
        classic.services.put_endpoint(service, "ep1", LOW)
        before = classic.services.endpoint(service, "ep1")

        assert not classic.services.refresh_endpoint(service, "ep1", overwrite=False)
        assert not classic.services.refresh_endpoint(service, "default", overwrite=True)

        assert before == classic.services.endpoint(service, "ep1")

    def test_a_model_of_its_own_is_kept_unless_it_is_overwritten(
        self, classic: ClassicWorld
    ) -> None:
        service = classic.publish(0)
        classic.services.put_endpoint(service, "ep1", LOW)
        classic.patch(service, "ep1", 1)

        classic.services.refresh_endpoint(service, "ep1", overwrite=False)
        kept = _locations(classic, service)["ep1"]

        assert classic.services.refresh_endpoint(service, "ep1", overwrite=True)
        assert (kept, _locations(classic, service)["ep1"]) == (1, 0)

    def test_an_endpoint_is_deleted_once_and_again(self, classic: ClassicWorld) -> None:
        service = classic.publish(0)
        classic.services.put_endpoint(service, "ep1", LOW)

        classic.services.delete_endpoint(service, "ep1")
        classic.services.delete_endpoint(service, "ep1")

        assert [one.name for one in classic.services.endpoints(service)] == ["default"]

    def test_the_default_endpoint_is_deleted_last(self, classic: ClassicWorld) -> None:
        service = classic.publish(0)
        classic.services.put_endpoint(service, "ep1", LOW)

        with pytest.raises(Misconfigured, match="when it is the last"):
            classic.services.delete_endpoint(service, "default")
        classic.services.delete_endpoint(service, "ep1")
        classic.services.delete_endpoint(service, "default")

        assert classic.services.endpoints(service) == []

    def test_a_service_is_deleted_with_its_endpoints_once_and_again(
        self, classic: ClassicWorld
    ) -> None:
        service = classic.publish(0)

        classic.services.delete_service(service)
        classic.services.delete_service(service)

        assert service not in [one.id for one in classic.services.services()]
        with pytest.raises(NotFound):
            classic.services.endpoint(service, "default")

    def test_what_was_made_or_deleted_without_an_answer_was_made_or_deleted(
        self, classic: ClassicWorld
    ) -> None:
        service = classic.publish(0)
        classic.fault("put_endpoint", "lost answer")
        classic.fault("delete_endpoint", "lost answer")

        with pytest.raises(Unknown):
            classic.services.put_endpoint(service, "ep1", LOW)
        made = classic.services.endpoint(service, "ep1")
        assert made == classic.services.put_endpoint(service, "ep1", LOW)

        with pytest.raises(Unknown):
            classic.services.delete_endpoint(service, "ep1")
        with pytest.raises(NotFound):
            classic.services.endpoint(service, "ep1")
        classic.services.delete_endpoint(service, "ep1")

    def test_a_refresh_without_an_answer_is_current_when_repeated(
        self, classic: ClassicWorld
    ) -> None:
        service = classic.publish(0)
        classic.services.put_endpoint(service, "ep1", LOW)
        classic.publish(1, service)
        classic.fault("refresh_endpoint", "lost answer")

        with pytest.raises(Unknown):
            classic.services.refresh_endpoint(service, "ep1", overwrite=False)

        assert not classic.services.refresh_endpoint(service, "ep1", overwrite=False)

    @pytest.mark.parametrize(
        ("kind", "error"), [("unavailable", Unavailable), ("denied", Denied)], ids=str
    )
    @pytest.mark.parametrize("operation", list(ASKED := {
        "services": lambda s, service: s.services(),
        "service": lambda s, service: s.service(service),
        "endpoints": lambda s, service: s.endpoints(service),
        "endpoint": lambda s, service: s.endpoint(service, "default"),
        "put_endpoint": lambda s, service: s.put_endpoint(service, "ep1", LOW),
        "refresh_endpoint": lambda s, service: s.refresh_endpoint(
            service, "default", overwrite=False
        ),
        "delete_endpoint": lambda s, service: s.delete_endpoint(service, "default"),
        "delete_service": lambda s, service: s.delete_service(service),
    }))  # fmt: skip
    def test_what_was_refused_did_not_happen(
        self, classic: ClassicWorld, operation: str, kind: str, error: type[Exception]
    ) -> None:
        service = classic.publish(0)
        ask: Callable[[ClassicServices, str], object] = self.ASKED[operation]
        classic.fault(operation, kind)

        with pytest.raises(error):
            ask(classic.services, service)
        classic.heal()

        assert [one.name for one in classic.services.endpoints(service)] == ["default"]


class TestNewServices:
    def test_a_definition_is_put_and_read_back_without_keys(self, new: NewWorld) -> None:
        definition = new.definition(0)
        definition["properties"]["keys"] = {"primary": "p" * 40, "secondary": "s" * 40}

        new.services.put(new.resource("a"), definition)
        assert settled(new.services, new.resource("a")) == "Succeeded"

        read = new.services.get(new.resource("a"))
        (place,) = _places(read)
        assert (read["location"], place["uri"]) == ("West Europe", new.location(0))
        assert read["tags"] == {"team": "a"}
        assert new.secret not in str(read)
        assert "p" * 40 not in str(read)

    def test_what_is_put_is_not_changed_by_it(self, new: NewWorld) -> None:
        definition = new.definition(0)
        before = copy.deepcopy(definition)

        new.services.put(new.resource("a"), definition)

        assert before == definition

    def test_putting_the_same_again_is_harmless(self, new: NewWorld) -> None:
        for _ in range(2):
            new.services.put(new.resource("a"), new.definition(0))
            assert settled(new.services, new.resource("a")) == "Succeeded"

    def test_a_definition_that_was_read_is_put_again_with_what_it_lacks(
        self, new: NewWorld
    ) -> None:
        new.services.put(new.resource("a"), new.definition(0))
        settled(new.services, new.resource("a"))
        read = dict(new.services.get(new.resource("a")))
        read["properties"] = {
            **read["properties"],
            **{
                name: new.definition(1)["properties"][name]
                for name in ("storageAccount", "commitmentPlan", "assets")
            },
        }

        new.services.put(new.resource("a"), read)

        assert settled(new.services, new.resource("a")) == "Succeeded"
        (place,) = _places(new.services.get(new.resource("a")))
        assert place["uri"] == new.location(1)

    def test_during_a_deployment_there_is_no_other(self, new: NewWorld) -> None:
        new.services.put(new.resource("a"), new.definition(0))
        settled(new.services, new.resource("a"))
        new.hold()
        new.services.put(new.resource("a"), new.definition(1))

        with pytest.raises(Unavailable):
            new.services.put(new.resource("a"), new.definition(0))
        (place,) = _places(new.services.get(new.resource("a")))
        new.release()

        assert place["uri"] == new.location(0), "the old definition is in force until then"
        settled(new.services, new.resource("a"))
        assert _places(new.services.get(new.resource("a")))[0]["uri"] == new.location(1)

    def test_a_deployment_that_failed_is_told_with_its_reason(self, new: NewWorld) -> None:
        new.services.put(new.resource("a"), new.broken())

        assert settled(new.services, new.resource("a")) == "Failed"
        assert "The model was not fetched" in new.services.why_failed(new.resource("a"))

    def test_a_plan_elsewhere_and_a_wrong_key_are_refused(self, new: NewWorld) -> None:
        moved, locked = new.definition(0), new.definition(0)
        moved["properties"]["commitmentPlan"]["id"] = new.elsewhere
        locked["properties"]["storageAccount"]["key"] = "wrong-key-0123456789=="

        for definition in (moved, locked):
            with pytest.raises(Misconfigured) as raised:
                new.services.put(new.resource("a"), definition)
            assert "wrong-key" not in str(raised.value)
            assert new.secret not in str(raised.value)

        with pytest.raises(NotFound):
            new.services.get(new.resource("a"))

    @pytest.mark.parametrize("definition", [{}, {"location": "West Europe"}, {"properties": {}}])
    def test_what_is_no_definition_is_refused(
        self, new: NewWorld, definition: dict[str, object]
    ) -> None:
        with pytest.raises(Misconfigured):
            new.services.put(new.resource("a"), definition)

    @pytest.mark.parametrize(
        "resource",
        [
            "",
            "/subscriptions/s",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/webServices/..",
            "/subscriptions/../resourceGroups/g/providers/Microsoft.MachineLearning/plans/a b",
        ],
    )
    def test_what_is_no_resource_id_is_refused(self, new: NewWorld, resource: str) -> None:
        for ask in (
            lambda: new.services.get(resource),
            lambda: new.services.put(resource, new.definition(0)),
            lambda: new.services.delete(resource),
            lambda: new.services.plan(resource),
            lambda: new.services.keys(resource),
        ):
            with pytest.raises(Misconfigured):
                ask()

    def test_a_service_is_deleted_once_and_again(self, new: NewWorld) -> None:
        new.services.put(new.resource("a"), new.definition(0))
        settled(new.services, new.resource("a"))

        new.services.delete(new.resource("a"))
        new.services.delete(new.resource("a"))

        with pytest.raises(NotFound):
            new.services.get(new.resource("a"))

    def test_services_are_listed_by_subscription_and_by_group(self, new: NewWorld) -> None:
        names = [new.resource(name) for name in ("a", "b", "c")]
        for name in names:
            new.services.put(name, new.definition(0))
            settled(new.services, name)
        _, _, subscription, _, group, *_ = names[0].split("/")

        for found in (
            new.services.list(subscription),
            new.services.list(subscription, group),
        ):
            own = [one for one in found if one.id.lower() in [name.lower() for name in names]]
            assert [one.name for one in own] == [name.rpartition("/")[2] for name in names]
            assert {(one.region, one.state, one.title) for one in own} == {
                ("West Europe", "Succeeded", "cancer")
            }
            assert [one.tags for one in own] == [{"team": "a"}] * 3
            assert all(one.created for one in own)

    @pytest.mark.parametrize(("subscription", "group"), [("a/b", ""), ("s", "../x"), ("..", "g")])
    def test_a_list_below_another_address_is_refused(
        self, new: NewWorld, subscription: str, group: str
    ) -> None:
        with pytest.raises(Misconfigured):
            new.services.list(subscription, group)

    def test_a_plan_says_where_it_is(self, new: NewWorld) -> None:
        regions = [new.services.plan(plan).region for plan in (new.plan, new.elsewhere)]

        assert regions == ["West Europe", "South Central US"]
        with pytest.raises(NotFound):
            new.services.plan(new.plan + "-missing")

    def test_plans_are_listed_by_subscription_and_by_group(self, new: NewWorld) -> None:
        _, _, subscription, _, group, *_ = new.plan.split("/")

        for found in (new.services.plans(subscription), new.services.plans(subscription, group)):
            known = {one.id.lower(): one for one in found}
            for plan, region in ((new.plan, "West Europe"), (new.elsewhere, "South Central US")):
                assert known[plan.lower()] == new.services.plan(known[plan.lower()].id)
                assert known[plan.lower()].region == region
        with pytest.raises(Misconfigured):
            new.services.plans("a/b")

    def test_the_keys_of_a_service_are_its_own_and_are_not_shown(self, new: NewWorld) -> None:
        names = [new.resource("a"), new.resource("b")]
        for name in names:
            new.services.put(name, new.definition(0))
            settled(new.services, name)

        keys = [key for name in names for key in new.services.keys(name)]

        assert len({key.get_secret_value() for key in keys}) == 4
        assert not any(key.get_secret_value() in repr(keys) for key in keys)
        with pytest.raises(NotFound):
            new.services.keys(new.resource("missing"))

    def test_what_was_put_or_deleted_without_an_answer_was_put_or_deleted(
        self, new: NewWorld
    ) -> None:
        new.fault("put", "lost answer")
        with pytest.raises(Unknown):
            new.services.put(new.resource("a"), new.definition(0))
        assert settled(new.services, new.resource("a")) == "Succeeded"

        new.fault("delete", "lost answer")
        with pytest.raises(Unknown):
            new.services.delete(new.resource("a"))
        with pytest.raises(NotFound):
            new.services.get(new.resource("a"))

    def test_a_definition_is_deployed_with_a_model_of_ours_where_it_is_declared(
        self, new: NewWorld
    ) -> None:
        definition = new.definition(0)
        for secret in ("storageAccount", "commitmentPlan"):
            definition["properties"].pop(secret)
        hosting = new.hosting(storage_account=account(new))

        deploy(new, new.resource("a"), 1, hosting=hosting, definition=definition)

        assert settled(new.services, new.resource("a")) == "Succeeded"
        read = new.services.get(new.resource("a"))
        assert _places(read)[0]["uri"] == new.location(1)
        assert read["location"] == "West Europe"
        assert new.secret not in str(read)

    def test_a_definition_is_deployed_into_another_region_with_its_plan_and_account(
        self, new: NewWorld
    ) -> None:
        hosting = new.hosting(
            region="South Central US", plan=new.elsewhere, storage_account=account(new)
        )

        deploy(new, new.resource("a"), 1, hosting=hosting)

        assert settled(new.services, new.resource("a")) == "Succeeded"
        assert new.services.get(new.resource("a"))["location"] == "South Central US"

    def test_deploying_again_is_harmless_and_another_model_takes_its_place(
        self, new: NewWorld
    ) -> None:
        for number in (0, 0, 1):
            deploy(new, new.resource("a"), number)
            assert settled(new.services, new.resource("a")) == "Succeeded"

        assert _places(new.services.get(new.resource("a")))[0]["uri"] == new.location(1)

    def test_what_does_not_belong_together_is_refused_before_anything_is_made(
        self, new: NewWorld
    ) -> None:
        for hosting in (
            new.hosting(plan=new.elsewhere),
            new.hosting(plan=new.plan + "-missing"),
            new.hosting(region="South Central US", storage_account=account(new)),
            new.hosting(region="South Central US", plan=new.elsewhere),
        ):
            with pytest.raises(Misconfigured):
                deploy(new, new.resource("a"), 0, hosting=hosting)

        with pytest.raises(Misconfigured, match="no resource named"):
            deploy(new, new.resource("a"), 0, trained_model="Another model")
        with pytest.raises(NotFound):
            new.services.get(new.resource("a"))

    def test_a_service_is_not_moved_by_deploying_it_again(self, new: NewWorld) -> None:
        deploy(new, new.resource("a"), 0)
        settled(new.services, new.resource("a"))
        away = new.hosting(
            region="South Central US", plan=new.elsewhere, storage_account=account(new)
        )

        with pytest.raises(Misconfigured):
            deploy(new, new.resource("a"), 1, hosting=away)

        read = new.services.get(new.resource("a"))
        assert (read["location"], _places(read)[0]["uri"]) == ("West Europe", new.location(0))

    def test_a_kept_definition_comes_back_with_a_model_of_ours_and_stays_where_it_is(
        self, new: NewWorld
    ) -> None:
        new.services.put(new.resource("a"), new.definition(0))
        settled(new.services, new.resource("a"))
        kept = versioned(new.services.get(new.resource("a")))
        later = new.definition(0)
        later["properties"]["title"] = "a later graph"
        new.services.put(new.resource("a"), later)
        settled(new.services, new.resource("a"))

        for _ in range(2):
            change(new, new.resource("a"), 1, definition=kept)
            assert settled(new.services, new.resource("a")) == "Succeeded"

        read = new.services.get(new.resource("a"))
        assert (read["properties"]["title"], read["location"]) == ("cancer", "West Europe")
        assert _places(read)[0]["uri"] == new.location(1)
        assert new.secret not in str(read)

    def test_a_graph_that_numbers_its_assets_otherwise_leaves_no_old_model(
        self, new: NewWorld
    ) -> None:
        new.services.put(new.resource("a"), new.definition(0))
        settled(new.services, new.resource("a"))
        kept = versioned(new.services.get(new.resource("a")))
        assets = kept["properties"]["assets"]
        assets["asset7"] = assets.pop("model")
        for node in kept["properties"].get("package", {}).get("nodes", {}).values():
            if node.get("assetId") == "model":
                node["assetId"] = "asset7"

        change(new, new.resource("a"), 1, definition=kept)

        assert settled(new.services, new.resource("a")) == "Succeeded"
        places = _places(new.services.get(new.resource("a")))
        assert {place["uri"] for place in places} == {new.location(1)}

    def test_a_definition_for_elsewhere_or_of_something_else_changes_nothing(
        self, new: NewWorld
    ) -> None:
        new.services.put(new.resource("a"), new.definition(0))
        settled(new.services, new.resource("a"))
        kept = versioned(new.services.get(new.resource("a")))
        unreadable = copy.deepcopy(kept)
        second = copy.deepcopy(unreadable["properties"]["assets"]["model"])
        second["name"] = "Second model [trained model]"
        second["locationInfo"]["uri"] += ".second"
        unreadable["properties"]["assets"]["second"] = second

        for definition in ({**kept, "location": "South Central US"}, unreadable, {}):
            with pytest.raises(Misconfigured):
                change(new, new.resource("a"), 1, definition=definition)
        with pytest.raises(Misconfigured, match="no resource named"):
            change(new, new.resource("a"), 1, definition=kept, trained_model="Another")
        with pytest.raises(NotFound):
            change(new, new.resource("b"), 1, definition=kept)

        assert _places(new.services.get(new.resource("a")))[0]["uri"] == new.location(0)

    def test_during_a_deployment_nothing_is_deployed_or_changed(self, new: NewWorld) -> None:
        deploy(new, new.resource("a"), 0)
        settled(new.services, new.resource("a"))
        new.hold()
        change(new, new.resource("a"), 1)

        for ask in (change, deploy):
            with pytest.raises(Unavailable):
                ask(new, new.resource("a"), 0)
        new.release()

        settled(new.services, new.resource("a"))
        assert _places(new.services.get(new.resource("a")))[0]["uri"] == new.location(1)

    @pytest.mark.parametrize("operation", ["deploy", "change"])
    def test_what_was_deployed_or_changed_without_an_answer_was(
        self, new: NewWorld, operation: str
    ) -> None:
        deploy(new, new.resource("a"), 0)
        settled(new.services, new.resource("a"))
        new.fault(operation, "lost answer")

        with pytest.raises(Unknown):
            (deploy if operation == "deploy" else change)(new, new.resource("a"), 1)

        assert settled(new.services, new.resource("a")) == "Succeeded"
        assert _places(new.services.get(new.resource("a")))[0]["uri"] == new.location(1)

    @pytest.mark.parametrize(
        ("kind", "error"), [("unavailable", Unavailable), ("denied", Denied)], ids=str
    )
    @pytest.mark.parametrize("operation", list(ASKED := {
        "get": lambda s, resource, world: s.get(resource),
        "put": lambda s, resource, world: s.put(resource, world.definition(1)),
        "deploy": lambda s, resource, world: deploy(world, resource, 1),
        "change": lambda s, resource, world: change(world, resource, 1),
        "delete": lambda s, resource, world: s.delete(resource),
        "list": lambda s, resource, world: s.list(resource.split("/")[2]),
        "plan": lambda s, resource, world: s.plan(world.plan),
        "plans": lambda s, resource, world: s.plans(resource.split("/")[2]),
        "keys": lambda s, resource, world: s.keys(resource),
    }))  # fmt: skip
    def test_what_was_refused_did_not_happen(
        self, new: NewWorld, operation: str, kind: str, error: type[Exception]
    ) -> None:
        new.services.put(new.resource("a"), new.definition(0))
        settled(new.services, new.resource("a"))
        ask: Callable[[NewServices, str, NewWorld], object] = self.ASKED[operation]
        new.fault(operation, kind)

        with pytest.raises(error):
            ask(new.services, new.resource("a"), new)
        new.heal()

        (place,) = _places(new.services.get(new.resource("a")))
        assert place["uri"] == new.location(0)


def deploy(new: NewWorld, resource: str, number: int, **given: Any) -> None:
    """Deploy a definition with one of two models."""
    definition = given.pop("definition", None) or new.definition(0)
    declared = {"trained_model": MODEL, "hosting": new.hosting(), **given}
    new.services.deploy(resource, definition, new.model(number), **declared)


def change(new: NewWorld, resource: str, number: int, **given: Any) -> None:
    """Make a service a definition, that which it has unless told, with one of two models."""
    definition = given.pop("definition", None)
    if definition is None:
        definition = versioned(new.services.get(resource))
    declared = {"trained_model": MODEL, **given}
    new.services.change(resource, definition, new.model(number), **declared)


def _locations(world: ClassicWorld, service: str) -> dict[str, int]:
    """Which of the two models each endpoint serves."""
    numbers = {world.location(number): number for number in (0, 1)}
    return {
        endpoint.name: numbers[endpoint.resources[0].location]
        for endpoint in world.services.endpoints(service)
    }


def _places(definition: object) -> list[dict[str, str]]:
    """Where the model files of a definition are."""
    assert isinstance(definition, dict)
    assets = definition["properties"]["assets"].values()
    return [asset["locationInfo"] for asset in assets if asset["type"] == "Resource"]
