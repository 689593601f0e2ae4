"""Each safeguard, taken away: its stored schedule breaks an invariant, and with it nothing."""

from __future__ import annotations

import pytest

from tests.simulation import stored
from tests.simulation.effects import EFFECTS, Effect, counts
from tests.simulation.stored import Stored
from tests.simulation.switch import Switch
from tests.simulation.switches import SWITCHES
from tests.simulation.variants import build
from tests.simulation.world import SHIPPED_RULES

ALL = [pytest.param(switch, id=stored.slug(name)) for name, switch in SWITCHES.items()]
RANDOM_SCHEDULES_MAX = 20_000


@pytest.mark.parametrize("switch", ALL)
def test_without_the_safeguard_its_schedules_break_an_invariant(switch: Switch) -> None:
    engine = build(switch.edits)

    for found in stored.read(switch):
        violation, _ = stored.played(found.finding, engine, switch.rules)

        assert violation, f"{_told(found)} broke nothing: run `make explore`, and look why"


@pytest.mark.parametrize("switch", ALL)
def test_with_the_safeguard_its_schedules_break_nothing(switch: Switch) -> None:
    for found in stored.read(switch):
        violation, trace = stored.played(found.finding, rules=SHIPPED_RULES)

        assert "" == violation, _told(found) + "\n" + "\n".join(trace)


@pytest.mark.parametrize("switch", ALL)
def test_the_text_that_a_switch_replaces_occurs_once(switch: Switch) -> None:
    for edit in switch.edits:
        assert 1 == edit.occurrences(), f"{edit.file}: {edit.text!r}"


@pytest.mark.parametrize(
    "switch", [switch for switch in SWITCHES.values() if switch.faults in ("0", "1", "2")]
)
def test_chance_finds_what_two_faults_can_break(switch: Switch) -> None:
    by_chance = [found for found in stored.read(switch) if found.found == "random"]

    assert by_chance, f"nothing by chance without {switch.name!r}"
    assert by_chance[0].schedules <= RANDOM_SCHEDULES_MAX


@pytest.mark.parametrize(
    "switch", [switch for switch in SWITCHES.values() if switch.faults in ("0", "1", "2")]
)
def test_a_stored_schedule_is_as_small_as_the_table_says(switch: Switch) -> None:
    smallest = stored.read(switch)[0]

    assert len(smallest.schedule) <= int(switch.faults)


@pytest.mark.parametrize("effect", [pytest.param(e, id=stored.slug(e.name)) for e in EFFECTS])
def test_a_safeguard_without_a_counterexample_saves_something(effect: Effect) -> None:
    with_it, without_it = counts(effect)

    assert with_it < without_it, effect.saves


def _told(found: Stored) -> str:
    return f"{found.scenario!r} with {list(found.schedule)} ({found.violation})"
