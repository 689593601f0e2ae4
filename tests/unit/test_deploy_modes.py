"""Targets that give each version a place of its own, on a new endpoint or as a new service."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from alm.domain.errors import NotFound, Unavailable, Unknown
from alm.domain.managed_model import Naming
from alm.domain.messages import parse
from alm.engine import upkeep
from tests.doubles.storage import BASE
from tests.unit.engine_world import HOSTING, EngineWorld

ENDPOINT: dict[str, Any] = {"deploy": "new-endpoint", "keep": 2}
SERVICE: dict[str, Any] = {**ENDPOINT, "deploy": "new-service", "hosting": HOSTING}
MODES = pytest.mark.parametrize("mode", [ENDPOINT, SERVICE], ids=["endpoint", "service"])
CRASHES_MAX = 400  # more effects than any run here has


def publish(world: EngineWorld, *names: str) -> None:
    for name in names:
        world.trigger("publish", name)
        world.settle()


def untouched(world: EngineWorld) -> bool:
    """Whether the targets' own services are as people deployed them."""
    return all(not target.patches for target in world.targets.values())


@MODES
def test_a_version_gets_a_place_of_its_own_and_the_template_answers_as_before(mode) -> None:
    world = EngineWorld(target=mode)

    publish(world, "mine")

    assert "ok" == world.result(), world.why()
    assert {"ep1": "good mine"} == world.beside()
    assert ("v1", "ep1") == (world.ledger.serves["t1"].version, world.ledger.serves["t1"].service)
    assert untouched(world)
    assert "good by-hand-t1" == world.serves()


@MODES
def test_what_is_served_moves_only_after_the_smoke_test(mode) -> None:
    world = EngineWorld(target=mode)
    publish(world, "mine")

    world.trigger("publish", "next")
    world.settle(until="finish")

    assert {"ep1": "good mine", "ep2": "good next"} == world.beside()
    assert "v1" == world.ledger.serves["t1"].version
    world.settle()
    assert "v2" == world.ledger.serves["t1"].version
    assert "v1" == world.ledger.before["t1"].version


@MODES
def test_a_failed_smoke_test_deletes_what_the_run_made_and_nothing_else(mode) -> None:
    world = EngineWorld(target=mode, bad=("second",))
    publish(world, "mine")

    publish(world, "second")

    assert "rolled_back" == world.result(2)
    assert {"ep1": "good mine"} == world.beside()
    assert "v1" == world.ledger.champion
    assert untouched(world)


@MODES
def test_the_first_run_that_fails_leaves_nothing(mode) -> None:
    world = EngineWorld(target=mode, bad=("mine",))

    publish(world, "mine")

    assert "rolled_back" == world.result()
    assert {} == world.beside()
    assert "t1-v0" == world.ledger.serves["t1"].version


@MODES
def test_a_roll_back_that_fails_does_not_delete_the_version_that_stood_there(mode) -> None:
    world = EngineWorld(target=mode)
    publish(world, "mine", "next")
    world.bad.add("mine")
    world.blobs.put(world.versions.manifest("churn", "v1").file, b"bad mine")

    world.trigger("roll_back", "order", "v1")
    world.settle()

    assert "rolled_back" == world.result(3)
    assert {"ep1": "bad mine", "ep2": "good next"} == world.beside()
    assert "v2" == world.ledger.champion


@MODES
def test_a_wave_that_fails_takes_back_what_earlier_waves_made(mode) -> None:
    world = EngineWorld(target=mode, waves=(1, 2))
    publish(world, "mine")
    good = world.targets["t2"].scored_by
    world.deployers["t2"].template.scored_by = lambda location, row: (
        {"Scored Quality": "bad"} if "v2" in location else good(location, row)
    )

    publish(world, "next")

    assert "rolled_back" == world.result(2)
    assert ({"ep1": "good mine"}, {"ep1": "good mine"}) == (world.beside("t1"), world.beside("t2"))


@MODES
def test_a_name_that_people_took_fails_the_run_before_anything_is_touched(mode) -> None:
    world = EngineWorld(target=mode, waves=(1, 1))
    world.deployers["t2"].strangers.add("ep1")

    publish(world, "mine")

    assert "failed" == world.result()
    assert "ep1 was not deployed" in world.why()
    assert {} == world.beside("t1")
    assert () == world.ledger.unknown


def test_a_place_that_does_not_fit_fails_the_run_and_restores_the_others() -> None:
    world = EngineWorld(target=SERVICE, waves=(1, 2))
    world.deployers["t2"].hosting_fault = "plan 'eu' is in West Europe"

    publish(world, "mine")

    assert "failed" == world.result()
    assert "plan 'eu'" in world.why()
    assert ({}, {}) == (world.beside("t1"), world.beside("t2"))
    assert () == world.ledger.unknown


@MODES
def test_a_version_whose_deployment_was_retired_is_made_again(mode) -> None:
    world = EngineWorld(target={**mode, "keep": 1})
    publish(world, "a", "b", "c", "d")
    assert "ep1" not in world.beside()

    world.trigger("roll_back", "order", "v1")
    world.settle()

    assert "ok" == world.result(5), world.why(5)
    assert "good a" == world.beside()["ep1"]
    assert "v1" == world.ledger.champion


@MODES
def test_v0_is_the_template_itself(mode) -> None:
    world = EngineWorld(target=mode)
    publish(world, "mine")

    world.trigger("roll_back", "order", "v0")
    world.settle()

    assert "ok" == world.result(2), world.why(2)
    assert "v0" == world.ledger.champion
    assert "" == world.ledger.serves["t1"].service
    assert untouched(world)


@MODES
def test_a_cancelled_run_takes_back_what_it_made(mode) -> None:
    world = EngineWorld(target=mode)
    publish(world, "mine")
    world.trigger("publish", "next")
    world.settle(until="finish")

    world.decide("cancel", run="churn.r2")
    world.settle()

    assert "cancelled" == world.result(2)
    assert {"ep1": "good mine"} == world.beside()


@MODES
def test_a_new_place_is_believed_only_after_the_propagation_delay(mode) -> None:
    """Its first answers come from the service's own model, whatever the template answers."""
    world = EngineWorld(target=mode, bad=("mine",))
    world.blobs.put("models/service.ilearner", b"good of-the-service")
    template = world.targets["t1"]
    template.change_by_hand(f"{BASE}models/service.ilearner")
    world.clock.advance(3600)
    began = world.clock.now()

    publish(world, "mine")

    assert "rolled_back" == world.result()
    assert world.clock.now() - began >= timedelta(seconds=template.propagation_seconds)


@MODES
def test_verify_reads_the_place_of_the_version(mode) -> None:
    world = EngineWorld(target=mode)
    publish(world, "mine")
    world.blobs.put("models/other.ilearner", b"good other")
    world.targets["t1"].change_by_hand(f"{BASE}models/other.ilearner")

    world.trigger("verify", "monday")
    world.settle()
    assert "verified" == world.result(2), world.why(2)

    world.deployers["t1"].deployed["ep1"].change_by_hand(f"{BASE}models/other.ilearner")
    world.trigger("verify", "tuesday")
    world.settle(until="reconcile", seconds=60)
    assert "drift" == world.result(3), world.why(3)


@MODES
@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_a_deployment_that_drifts_is_repaired_and_the_template_is_not(mode, how) -> None:
    world = EngineWorld(target=mode)
    publish(world, "mine")
    deployed = world.deployers["t1"].deployed
    if how == "deleted":
        del deployed["ep1"]
    else:
        world.blobs.put("models/other.ilearner", b"good other")
        deployed["ep1"].change_by_hand(f"{BASE}models/other.ilearner")

    upkeep.sweep(world.ports, "churn", "tick")
    world.settle()

    assert {"ep1": "good mine"} == world.beside()
    assert "drift" in world.events()
    assert () == world.ledger.unknown
    assert untouched(world)


@MODES
def test_old_deployments_go_by_count_and_never_those_in_use_or_before(mode) -> None:
    world = EngineWorld(target={**mode, "keep": 1})
    world.deployers["t1"].strangers.add("mine")
    publish(world, "a", "b", "c", "d", "e")
    assert {"ep5", "ep4", "ep3"} == world.beside().keys()

    world.trigger("roll_back", "order", "v3")
    world.settle()
    publish(world, "f")

    assert {"ep6", "ep3", "ep5"} == world.beside().keys(), "v3 was before, ep5 is the newest spare"


def test_what_cannot_be_listed_now_is_retired_later() -> None:
    world = EngineWorld(target={**ENDPOINT, "keep": 1})
    publish(world, "a", "b", "c")
    world.deployers["t1"].fail("names", Unavailable("503"), times=None)
    publish(world, "d")
    assert {"ep1", "ep2", "ep3", "ep4"} == world.beside().keys()

    world.deployers["t1"].heal()
    upkeep.sweep(world.ports, "churn", "tick")
    world.settle()

    assert {"ep2", "ep3", "ep4"} == world.beside().keys()


def test_a_run_that_began_meanwhile_keeps_what_it_may_serve() -> None:
    """A reconcile that lost its lock still knows the ledger as it was."""
    world = EngineWorld(target={**ENDPOINT, "keep": 1}, keep_versions=1)
    publish(world, "a", "b", "c")
    listed = world.deployers["t1"].names

    def names() -> list[str]:
        world.trigger("roll_back", "order", "v1")
        return [*listed(), "ep90", "ep91"]

    world.deployers["t1"].names = names
    upkeep.sweep(world.ports, "churn", "tick")
    (message,) = world.pending()
    world.clock.at = message.due
    world._taken.add(message.id)
    world.handle(parse(message.body))
    world.deployers["t1"].names = listed
    assert "ep1" in world.beside()
    world.settle()

    assert "ok" == world.result(4), world.why(4)
    assert "good a" == world.beside()["ep1"]


@pytest.mark.parametrize("which", ["in service", "before"])
def test_leave_of_new_services_is_renewed_while_they_stand(which: str) -> None:
    world = EngineWorld(target=SERVICE)
    publish(world, "a", "b")
    name = "ep2" if which == "in service" else "ep1"
    for day in range(30):
        world.clock.advance(24 * 3600)
        upkeep.sweep(world.ports, "churn", f"day{day}")
        world.settle()

    double = world.deployers["t1"].deployed[name]

    assert double.leave_ends is not None
    assert double.leave_ends > world.clock.now()
    assert world.blobs.used(double.location + double.sas)


def test_files_of_versions_go_by_count_and_stay_while_they_can_be_served() -> None:
    world = EngineWorld(target={**ENDPOINT, "keep": 1}, keep_versions=1)
    publish(world, "a", "b", "c", "d", "e")

    there = {m.version: m.file in world.blobs.stored for m in world.versions.manifests("churn")}

    kept = {version for version, is_there in there.items() if is_there}
    assert {"t1-v0", "v5", "v4", "v3", "v2"} == kept, "v3 stands, v2 is the newest spare file"
    world.trigger("roll_back", "order", "v1")
    world.settle()
    assert "failed" == world.result(6)
    assert "retired" in world.why(6)
    assert 5 == len(world.versions.manifests("churn")) - 1


def test_files_that_nobody_counts_stay() -> None:
    world = EngineWorld()
    publish(world, "a", "b", "c", "d")

    assert all(m.file in world.blobs.stored for m in world.versions.manifests("churn"))


@MODES
@pytest.mark.parametrize("error", [Unknown("lost"), Unavailable("503")], ids=["lost", "away"])
@pytest.mark.parametrize("operation", ["exists", "create", "patch", "names", "delete"])
def test_a_lost_answer_or_an_absence_changes_nothing(mode, error, operation) -> None:
    world = EngineWorld(target={**mode, "keep": 1}, bad=("d",))
    publish(world, "a", "b")
    after = isinstance(error, Unknown)
    world.deployers["t1"].fail(operation, error, after=after, times=2)

    publish(world, "c", "d")

    assert ("ok", "rolled_back") == (world.result(3), world.result(4))
    upkeep.sweep(world.ports, "churn", "tick")
    world.settle()
    assert {"ep3": "good c", "ep2": "good b", "ep1": "good a"} == world.beside()
    assert () == world.ledger.unknown


@MODES
@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
def test_a_crash_after_every_effect_costs_nothing(mode, bad: bool) -> None:
    """The process dies once, after the first, the second, … effect; the message comes again."""
    for crash in range(1, CRASHES_MAX):
        world = EngineWorld(target=mode, bad=("next",) if bad else (), version_control=True)
        publish(world, "mine")
        world.crash_after = crash
        publish(world, "next")
        is_over = bool(world.crash_after)
        world.crash_after = 0
        world.settle()
        world.flush()

        assert ("rolled_back" if bad else "ok") == world.result(2), crash
        wanted = {"ep1": "good mine"} if bad else {"ep1": "good mine", "ep2": "good next"}
        assert wanted == world.beside(), crash
        assert () == world.ledger.unknown, crash
        assert 2 == len(world.commits()), crash
        assert untouched(world), crash
        if is_over:
            return
    raise AssertionError(f"a run with more than {CRASHES_MAX} effects")


@MODES
@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
@pytest.mark.parametrize("seconds", [0, 60, 500])
def test_a_process_that_lost_its_lock_and_goes_on_changes_nothing_that_is_served(
    mode, bad: bool, seconds: float
) -> None:
    """What it deploys late stands there unused, and goes by count like any other."""
    for lost in range(1, CRASHES_MAX):
        world = EngineWorld(target=mode, bad=("next",) if bad else ())
        publish(world, "mine")
        world.haunt_after, world.haunt_seconds = lost, seconds
        publish(world, "next")
        is_over, world.haunt_after = bool(world.haunt_after), 0
        upkeep.sweep(world.ports, "churn", "tick")
        world.settle()

        assert ("rolled_back" if bad else "ok") == world.ledger.last_result, lost
        serves = world.ledger.serves["t1"]
        assert ("v1" if bad else "v2") == serves.version, lost
        assert ("good mine" if bad else "good next") == world.beside()[serves.service], lost
        assert "good mine" == world.beside()["ep1"], lost
        assert () == world.ledger.unknown, lost
        assert untouched(world), lost
        if is_over:
            return
    raise AssertionError(f"a run with more than {CRASHES_MAX} effects")


def test_a_deployment_without_an_own_service_is_not_looked_for() -> None:
    world = EngineWorld(target=ENDPOINT)
    publish(world, "mine")
    world.trigger("roll_back", "order", "v0")
    world.settle()
    with pytest.raises(NotFound):
        world.deployers["t1"].target("ep9").read()

    upkeep.sweep(world.ports, "churn", "tick")
    world.settle()

    assert () == world.ledger.unknown
    assert untouched(world)


def test_files_are_named_as_declared_whatever_the_deployment_is_called() -> None:
    naming = Naming(prefix="eu-", suffix=".prod")
    template = {**ENDPOINT, "name_template": "{model}-{version}-x"}
    world = EngineWorld(target=template, naming=naming)

    publish(world, "a", "b")

    name = world.versions.manifest("churn", "v2").file.rpartition("/")[2]
    assert re.fullmatch(r"eu-churn-v2-\d{8}t\d{6}Z\.prod\.ilearner", name)
    assert {"churn-1-x": "good a", "churn-2-x": "good b"} == world.beside()


def test_a_name_that_cannot_be_is_told() -> None:
    world = EngineWorld(target={**ENDPOINT, "name_template": "EP_{version}"})

    publish(world, "mine")

    assert "failed" == world.result()
    assert "is no name for one" in world.why()
