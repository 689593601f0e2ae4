"""The scenarios of the ten Studio steps."""

from __future__ import annotations

from tests.simulation.scenario import (
    FOREVER,
    Arrival,
    At,
    Before,
    Ended,
    Scenario,
)


def taught(*arrivals: Arrival, **more: object) -> Scenario:
    return Scenario(arrivals, experiment=True, **more)  # type: ignore[arg-type]


DATA = Arrival(At(), "data")
NEXT = Arrival(Ended(1), "data")


def cancel(stage: str, run: int = 1) -> Arrival:
    return Arrival(Before(run, stage), "cancel", run=run)


STAGES = (
    *("upload", "copy_training", "set_dataset", "run_training", "await_training", "take_output"),
    *("evaluate", "register", "promote", "copy_predictive", "set_model", "run_predictive"),
    *("await_predictive", "deploy", "deployed", "smoke", "finish"),
)

EXPERIMENTS: dict[str, Scenario] = {
    "taught": taught(DATA),
    "taught, rejected": taught(DATA, rejected=(1,)),
    "taught, bad": taught(DATA, bad=(1,)),
    "taught, good, then bad": taught(DATA, NEXT, bad=(2,)),
    "taught, good, then good": taught(DATA, NEXT),
    "taught, bad, then good": taught(DATA, NEXT, bad=(1,)),
    "taught, training fails": taught(DATA, NEXT, failures={1: 1}),
    "taught, two in a row": taught(DATA, Arrival(Before(1, "await_training"), "data")),
    "taught, reinstated": taught(DATA, NEXT, Arrival(Ended(2), "serve", "v1")),
    "taught, in place, bad": taught(DATA, in_place=True, bad=(1,)),
    "taught, in place, back to what was there": taught(
        DATA, Arrival(Ended(1), "serve", "v0"), in_place=True
    ),
    "taught, the first deployment changes nothing": taught(DATA, dead={"service": (1, 1)}),
    "taught, the second deployment changes nothing": taught(DATA, NEXT, dead={"service": (2, 2)}),
    "taught, no later deployment changes anything": taught(
        DATA, NEXT, dead={"service": (2, FOREVER)}
    ),
    "taught, bad, and cannot be undone": taught(
        DATA, NEXT, bad=(2,), dead={"service": (3, FOREVER)}
    ),
    "taught, somebody runs the training experiment": taught(
        DATA, Arrival(Before(1, "take_output"), "run", "training")
    ),
    "taught, somebody runs it before its model is registered": taught(
        DATA, Arrival(Before(1, "register"), "run", "training"), looks=0
    ),
    "taught, somebody runs the predictive experiment": taught(
        DATA, NEXT, Arrival(Before(2, "deploy"), "run", "predictive")
    ),
    "taught, approved": taught(DATA, approval=True),
    "taught, no looks": taught(DATA, looks=0),
    **{f"taught, cancel before {stage}": taught(DATA, cancel(stage)) for stage in STAGES},
    **{
        f"taught, cancel before {stage} of the second": taught(DATA, NEXT, cancel(stage, 2))
        for stage in STAGES[10:]
    },
    "taught, cancel while it is undone": taught(DATA, NEXT, cancel("undo_await", 2), bad=(2,)),
    "taught, cancelled, then good": taught(DATA, NEXT, cancel("deployed")),
    "taught, bad, and nobody takes it away": taught(
        DATA, NEXT, bad=(1, 2), poison={(1, "roll_back"): 1}
    ),
    **{
        f"taught, poison in {stage}": taught(DATA, NEXT, bad=(2,), poison={(2, stage): operation})
        for stage, operation in (
            ("deploy", 2),
            ("roll_back", 1),
            ("undo_run", 2),
            ("undo_deploy", 1),
            ("undone", 0),
        )
    },
}
