"""The scenarios: what is declared, what arrives and when, and what goes wrong without any fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from alm.domain.managed_model import (
    Approval,
    ClassicEndpoint,
    ExecutionUrl,
    Expectation,
    Gate,
    ManagedModel,
    Metric,
    SmokeTest,
    Target,
    Training,
    TrainingOutputs,
)

MODEL = "churn"
PROPAGATION_SECONDS = 20.0
HOLD_SECONDS = 60.0
FOREVER = 10**9

What = Literal["data", "file", "serve", "verify", "cancel", "approve", "refuse", "rot", "hand"]


@dataclass(frozen=True)
class At:
    """So many seconds after the world began."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Before:
    """Just before a step of that stage of the `run`-th run is delivered for the first time."""

    run: int
    stage: str


@dataclass(frozen=True)
class Held:
    """So many seconds after the `run`-th run was put on hold."""

    run: int
    seconds: float


@dataclass(frozen=True)
class Ended:
    """When the `run`-th run has ended and its mailbox is empty."""

    run: int


When = At | Before | Held | Ended


@dataclass(frozen=True)
class Arrival:
    """Something that comes from outside. `about`: a version, a target, or a digest's file.

    run: the run that a decision names. Triggers are named by their place in the list.
    """

    when: When
    what: What
    about: str = ""
    run: int = 1


@dataclass(frozen=True)
class Scenario:
    """One managed model and what happens to it.

    waves: the wave of each target. bad, same, rejected: runs whose model fails its smoke test,
    answers like the one before, fails the gate. failures: jobs that fail, by run. dead: target ->
    first and last patch that change nothing. poison: (run, stage) or a kind of message -> the
    operation before which its handler always dies. looks: how often a job is still running.
    """

    arrivals: tuple[Arrival, ...]
    waves: tuple[int, ...] = (1,)
    bad: tuple[int, ...] = ()
    same: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    failures: Mapping[int, int] = field(default_factory=dict)
    dead: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    poison: Mapping[tuple[int, str] | str, int] = field(default_factory=dict)
    approval: bool = False
    decide: Literal["approve", "refuse", ""] = "approve"
    concurrency: Literal["queue", "supersede", "skip"] = "queue"
    repair: bool = False
    looks: int = 1
    dead_letters: bool = True

    @property
    def model(self) -> ManagedModel:
        return declared(self)


def run_name(run: int) -> str:
    return f"{MODEL}.r{run}"


def target_names(scenario: Scenario) -> list[str]:
    return [f"t{place + 1}" for place in range(len(scenario.waves))]


def declared(scenario: Scenario) -> ManagedModel:
    """The managed model as an operator would declare it."""
    studio = "https://studio.example/workspaces/w/webservices/s"
    judged = bool(scenario.rejected)
    metrics = Gate(metrics=(Metric(name="auc", min=0.7),), rows_min=1)
    return ManagedModel(
        model=MODEL,
        dataset="churn/*.csv",
        training=Training(
            service=ExecutionUrl(kind="execution", url=f"{studio}/train", key="env:KEY"),
            outputs=TrainingOutputs(model="output1", evaluation="output2" if judged else ""),
            poll_seconds_min=5,
        ),
        gate=metrics if judged else Gate(kind="smoke-only"),
        targets=tuple(
            Target(
                name=name,
                service=ClassicEndpoint(kind="classic", endpoint=f"{studio}/endpoints/{name}"),
                trained_model="churn [trained model]",
                wave=wave,
                propagation_seconds=PROPAGATION_SECONDS,
            )
            for name, wave in zip(target_names(scenario), scenario.waves, strict=True)
        ),
        smoke_tests=(
            SmokeTest(
                rows=({"tenure": 3},), expect=(Expectation(column="Scored Quality", equals="good"),)
            ),
        ),
        approval=Approval(required=scenario.approval, hold_hours=HOLD_SECONDS / 3600),
        concurrency=scenario.concurrency,
        on_unwell="roll_back" if scenario.repair else "notify",
    )


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
}
