"""The scenarios, by name."""

from __future__ import annotations

from dataclasses import replace

from tests.simulation.scenario import (
    FOREVER,
    HOLD_SECONDS,
    Arrival,
    At,
    Before,
    Ended,
    Held,
    Scenario,
    When,
)
from tests.simulation.scenarios_experiment import EXPERIMENTS


def _data(*whens: When) -> tuple[Arrival, ...]:
    return tuple(Arrival(when, "data") for when in whens)


ONE = _data(At())
TWO = _data(At(), Before(1, "await"))
HOLD = Scenario(ONE, approval=True)
TWO_WAVES = (1, 2)

SCENARIOS: dict[str, Scenario] = {
    "one": Scenario(ONE),
    "bad": Scenario(ONE, bad=(1,)),
    "bad twice": Scenario(TWO, bad=(1, 2)),
    "bad, then good": Scenario(TWO, bad=(1,), waves=TWO_WAVES),
    "good, then bad": Scenario(TWO, bad=(2,)),
    "good, then bad, two waves": Scenario(TWO, bad=(2,), waves=TWO_WAVES),
    "repeated": Scenario(
        (*ONE, Arrival(Before(1, "await"), "data", "1"), Arrival(Ended(1), "data", "1"))
    ),
    "same": Scenario((*ONE, Arrival(Held(1, 5), "approve")), same=(1,), decide=""),
    "same, refused": Scenario(ONE, same=(1,), decide="refuse", waves=TWO_WAVES),
    "same, expired": Scenario(ONE, same=(1,), decide=""),
    "same, both waves": Scenario(
        (*ONE, Arrival(Held(1, 5), "approve")), same=(1,), decide="", waves=TWO_WAVES
    ),
    "rejected": Scenario(TWO, rejected=(1,)),
    "three targets": Scenario(ONE, waves=(1, 2, 2)),
    "three targets, bad": Scenario(ONE, bad=(1,), waves=(1, 2, 2)),
    "cancel late": Scenario(
        (*ONE, Arrival(Before(1, "finish"), "cancel"), *_data(Before(1, "finish"))), waves=TWO_WAVES
    ),
    "cancel late, then bad": Scenario(
        (*ONE, Arrival(Before(1, "finish"), "cancel"), *_data(Before(1, "finish"))), bad=(2,)
    ),
    "cancel before patch": Scenario((*ONE, Arrival(Before(1, "patch"), "cancel"))),
    "cancel between waves": Scenario(
        (*ONE, Arrival(Before(1, "smoke"), "cancel")), waves=TWO_WAVES
    ),
    "cancel too late": Scenario((*TWO, Arrival(Before(2, "await"), "cancel"))),
    "file": Scenario((Arrival(At(), "file"),)),
    "two files": Scenario((Arrival(At(), "file"), Arrival(At(), "file"), *ONE), bad=(1, 2)),
    "rots in the second wave": Scenario(
        (*ONE, Arrival(Before(1, "finish"), "rot", "1")), waves=TWO_WAVES
    ),
    "one patch changes nothing": Scenario(ONE, dead={"t1": (1, 1)}),
    "no patch changes anything": Scenario(ONE, dead={"t2": (1, FOREVER)}, waves=TWO_WAVES),
    "stuck with a bad model": Scenario(ONE, bad=(1,), dead={"t1": (2, FOREVER)}, waves=TWO_WAVES),
    "stuck for a while": Scenario(ONE, bad=(1,), dead={"t1": (2, 8)}),
    "stuck for a moment": Scenario(ONE, bad=(1,), dead={"t1": (2, 3)}),
    "job fails once": Scenario(ONE, failures={1: 1}),
    "job fails twice": Scenario(ONE, failures={1: 2}),
    "job fails, cancel": Scenario((*ONE, Arrival(Before(1, "restart"), "cancel")), failures={1: 1}),
    "hold": HOLD,
    "hold, refused": replace(HOLD, decide="refuse"),
    "hold, expired": replace(HOLD, decide=""),
    "hold, approved at the deadline": replace(
        HOLD,
        arrivals=(
            *ONE,
            Arrival(Held(1, HOLD_SECONDS), "approve"),
            Arrival(Held(1, HOLD_SECONDS), "approve"),
        ),
        decide="",
    ),
    "hold, approved just before the deadline": replace(
        HOLD,
        arrivals=(*ONE, Arrival(Held(1, HOLD_SECONDS - 0.5), "approve")),
        dead={"t1": (1, 1)},
        decide="",
    ),
    "hold, approved after the deadline": replace(
        HOLD, arrivals=(*ONE, Arrival(Held(1, HOLD_SECONDS + 1), "approve")), decide=""
    ),
    "hold, another digest approved": replace(
        HOLD, arrivals=(*ONE, Arrival(Held(1, 5), "approve", "another")), decide=""
    ),
    "hold, cancelled": replace(HOLD, arrivals=(*ONE, Arrival(Held(1, 5), "cancel"))),
    "hold, cancelled after approval": replace(
        HOLD, arrivals=(*ONE, Arrival(Before(1, "promote"), "cancel"))
    ),
    "hold, superseded": replace(
        HOLD, arrivals=(*ONE, Arrival(Held(1, 5), "data")), concurrency="supersede"
    ),
    "hold, superseded at approval": replace(
        HOLD, arrivals=(*ONE, Arrival(Held(1, 10), "data")), concurrency="supersede"
    ),
    "skip": Scenario(TWO, concurrency="skip"),
    "serve": Scenario((*ONE, Arrival(Ended(1), "serve", "v0"))),
    "serve what was there, half of it touched": Scenario(
        (*ONE, Arrival(Ended(1), "serve", "v0")), bad=(1,), waves=TWO_WAVES
    ),
    "serve while training": Scenario(
        (*ONE, Arrival(Before(1, "await"), "data"), Arrival(Before(1, "await"), "serve", "v1")),
        waves=TWO_WAVES,
    ),
    "serve what is not there": Scenario((Arrival(At(), "serve", "v7"), *ONE)),
    "serve the previous": Scenario(
        (*ONE, Arrival(Ended(1), "serve", "previous"), Arrival(Ended(2), "serve", "v1"))
    ),
    "verify": Scenario((*ONE, Arrival(Ended(1), "verify"))),
    "verify nothing": Scenario((Arrival(At(), "verify"),)),
    "verify, changed by hand": Scenario(
        (*ONE, Arrival(Ended(1), "hand", "t1"), Arrival(Ended(1), "verify"))
    ),
    "verify, rotten, repaired": Scenario(
        (*ONE, Arrival(Ended(1), "rot", "1"), Arrival(Ended(1), "verify")),
        repair=True,
        waves=TWO_WAVES,
    ),
    **{
        f"poison in {stage} at {operation}": Scenario(
            ONE, poison={(1, stage): operation}, waves=TWO_WAVES, looks=0
        )
        for stage, operation in (
            ("start", 0),
            ("start", 1),
            ("harvest", 0),
            ("evaluate", 0),
            ("promote", 1),
            ("patch", 1),
            ("patch", 5),
            ("patch", 6),
            ("smoke", 0),
            ("smoke", 2),
            ("finish", 0),
            ("finish", 1),
        )
    },
    **{
        f"poison in roll_back at {operation}": Scenario(
            TWO, bad=(1,), poison={(1, "roll_back"): operation}, looks=0
        )
        for operation in (0, 1, 2)
    },
    "poison in patch and roll_back": Scenario(
        ONE, poison={(1, "patch"): 6, (1, "roll_back"): 0}, waves=TWO_WAVES, looks=0
    ),
    "bad twice, the first roll_back is poison": Scenario(
        TWO, bad=(1, 2), poison={(1, "roll_back"): 0}, looks=0
    ),
    "poison in trigger": Scenario(ONE, poison={"trigger": 0}),
    "poison in trigger after its write": Scenario(ONE, poison={"trigger": 4}),
    "poison, no dead-letter function": Scenario(
        ONE, poison={(1, "smoke"): 0}, looks=0, dead_letters=False
    ),
    **EXPERIMENTS,
}
