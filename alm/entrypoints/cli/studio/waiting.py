"""Waits for what Studio does in the background: runs, schemas, packages, deployments.

What is waited for is looked at again and again, less and less often. Studio may be away for a
while: a look that fails for a passing reason is repeated for two minutes. Lines about how it goes
are for the error stream: a live line where there is a terminal; elsewhere what is begun, each
minute that it goes on, and its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from rich.markup import escape

from alm.domain.drafts import graph_of
from alm.domain.errors import TRANSIENT, Misconfigured, Refused
from alm.domain.experiment import ENDED, Activity, Asset, Experiment
from alm.domain.graph.modules import titles
from alm.entrypoints.cli.exits import StillGoing
from alm.entrypoints.cli.follow import clock
from alm.entrypoints.cli.studio.desk import Desk
from alm.studio_ports import Workspace

LOOK_SECONDS_MIN, LOOK_SECONDS_MAX = 0.2, 5.0
GROWTH = 1.4  # a run of a minute is noticed within five seconds, with some twenty looks
AWAY = timedelta(minutes=2)
QUIET = timedelta(minutes=1)  # without a terminal: whoever reads the log shall see that it goes on
MINUTES_MAX = 240.0

T = TypeVar("T")


def until(
    desk: Desk,
    look: Callable[[], T],
    is_over: Callable[[T], bool],
    *,
    doing: str,
    minutes: float = MINUTES_MAX,
    told: Callable[[T], None] = lambda _seen: None,
) -> T:
    """Look until it is over; `told` is called with all that was seen on the way.

    Raises StillGoing when the time is up: what is waited for goes on.
    """
    begun, pause = desk.clock.now(), LOOK_SECONDS_MIN
    ends = begun + timedelta(minutes=minutes)
    with _interruptible(desk, doing), _Teller(desk, doing) as teller:
        while True:
            seen = _seen(desk, look)
            told(seen)
            if is_over(seen):
                teller.over()
                return seen
            if desk.clock.now() >= ends:
                raise StillGoing(
                    f"{doing}: not over after {minutes:g} minutes; it goes on, repeat the command "
                    "or ask for its state later"
                )
            teller.goes_on()
            desk.connection.pause(pause)
            pause = min(LOOK_SECONDS_MAX, pause * GROWTH)


class _Teller:
    """Tells that something is waited for, and how long already."""

    def __init__(self, desk: Desk, doing: str) -> None:
        self._desk, self._doing = desk, doing
        self._begun = self._told = desk.clock.now()
        self._waited = False
        self._status = desk.console.status(escape(doing))

    def __enter__(self) -> _Teller:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def goes_on(self) -> None:
        now = self._desk.clock.now()
        text = f"{self._doing}, {clock((now - self._begun).total_seconds())}"
        self._status.update(escape(text))
        if not self._desk.console.is_terminal and (not self._waited or now - self._told >= QUIET):
            self._desk.tell(text if self._waited else self._doing)
            self._told = now
        self._waited = True

    def over(self) -> None:
        if self._waited and not self._desk.console.is_terminal:
            seconds = (self._desk.clock.now() - self._begun).total_seconds()
            self._desk.tell(f"{self._doing}: over after {clock(seconds)}")


@contextmanager
def _interruptible(desk: Desk, doing: str) -> Iterator[None]:
    """Whoever interrupts a wait is told that it was only the wait."""
    try:
        yield
    except KeyboardInterrupt:
        desk.tell(
            f"no longer waited for, it goes on in Studio: {doing}; repeat the command to follow it"
        )
        raise


def run_ended(
    desk: Desk, workspace: Workspace, experiment: Experiment, minutes: float
) -> Experiment:
    """Wait for the end of a run, telling each node as it goes. It may have failed."""
    teller = _Nodes(desk)
    return until(
        desk,
        lambda: workspace.experiment(experiment.id),
        lambda found: found.state in ENDED,
        doing=f"running {experiment.name!r}",
        minutes=minutes,
        told=teller.tell,
    )


def finished(experiment: Experiment) -> Experiment:
    """The experiment, if its run ended well. Raises Refused, telling which nodes failed."""
    if experiment.state == "Finished":
        return experiment
    if experiment.state in ("InDraft", "NotStarted"):
        raise Refused(
            f"experiment {experiment.name!r} is a draft: what is saved has not been run yet; run "
            f"it (alm experiment run {experiment.id} --wait), or name a snapshot of an earlier run "
            f"({experiment.name}@1)"
        )
    raise Refused(
        f"experiment {experiment.name!r} ({experiment.id}) is {experiment.state}: "
        f"{'; '.join(why(experiment)) or 'Studio does not say why'}"
    )


def why(experiment: Experiment) -> list[str]:
    """What failed in a run, in words."""
    nodes = titles(graph_of(experiment).nodes)
    failed = [
        f"{nodes.get(one.node, one.node)}: {one.status.detail}"
        for one in experiment.node_statuses or ()
        if one.status.state == "Failed"
    ]
    detail = experiment.status.detail
    return failed or ([detail] if detail not in ("", "None") else [])


def activity_over(
    desk: Desk, look: Callable[[str], Activity], begun: Activity, *, doing: str, minutes: float
) -> Activity:
    """Wait until a packing, unpacking or deployment is over. Raises Misconfigured if it failed."""
    found = until(
        desk,
        lambda: look(begun.id),
        lambda activity: activity.done or bool(activity.failed),
        doing=doing,
        minutes=minutes,
    )
    if found.failed:
        raise Misconfigured(f"{doing}: Studio says {found.failed}")
    return found


def schema_found(desk: Desk, workspace: Workspace, dataset: str, minutes: float) -> Asset:
    """Wait until Studio has looked through an uploaded dataset. Raises Refused if it cannot."""
    found = until(
        desk,
        lambda: workspace.asset("dataset", dataset),
        lambda asset: asset.schema_state not in ("NotStarted", "Pending", ""),
        doing="finding the schema",
        minutes=minutes,
    )
    if found.schema_state == "Failed":
        raise Refused(
            f"dataset {found.name!r} ({dataset}) was uploaded, and Studio cannot read it as "
            f"{found.data_type}; give its format with --type, or correct the file"
        )
    return found


def _seen(desk: Desk, look: Callable[[], T]) -> T:
    """One look; a passing failure is repeated for a while."""
    ends, pause = desk.clock.now() + AWAY, LOOK_SECONDS_MIN
    while True:
        try:
            return look()
        except TRANSIENT:
            if desk.clock.now() >= ends:
                raise
        desk.connection.pause(pause)
        pause = min(LOOK_SECONDS_MAX, pause * 2)


class _Nodes:
    """Tells each change of a node's state once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: dict[str, str] = {}

    def tell(self, experiment: Experiment) -> None:
        nodes = titles(graph_of(experiment).nodes)
        for one in experiment.node_statuses or ():
            state, before = one.status.state, self._last.get(one.node, "NotStarted")
            self._last[one.node] = state
            if state != before:
                detail = one.status.detail
                more = f" ({detail})" if detail not in ("", "None") else ""
                self._desk.tell(f"{nodes.get(one.node, one.node)}: {state}{more}")
