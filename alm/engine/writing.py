"""The guarded write: change the ledger in the name of one step, at most once, never over others.

token = (n, operation) of the run's last write. A step may write if the token is the one its chain
last saw (`base`); if the token is its own, an earlier attempt (or try) of this very step wrote it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from alm.domain.errors import Conflict, Unavailable, Unknown
from alm.domain.ledger import Active, Ledger, Step, Token
from alm.engine.limits import WRITES_MAX
from alm.ports import Ports
from alm.stages.context import Declaration

Verdict = Literal["written", "mine", "stale", "cancelled"]


class Unsettled(Exception):
    """A conditional write lost, or its answer was lost: read the ledger again, then decide anew."""


@dataclass(frozen=True)
class Written:
    """What became of a guarded write, with the ledger as it is now.

    stale: the run ended, or another chain of it went on. cancelled: it was told to stop.
    """

    verdict: Verdict
    ledger: Ledger
    etag: str

    @property
    def allowed(self) -> bool:
        return self.verdict in ("written", "mine")


def guarded_write(
    ports: Ports, step: Step, declaration: Declaration, *, safe: bool = False
) -> Written:
    """Write a declaration in the name of `step`; `safe` undoes, and may go on after a cancel.

    Raises Unavailable if the ledger cannot be settled: the broker delivers the step again.
    """
    token = Token(n=step.n, operation=declaration.operation)
    ledger, etag = carried(ports, step)
    verdict = judge(ledger, step, token, safe)
    if verdict == "mine" and step.ledger is not None:  # of a sibling chain, which may be long over
        ledger, etag = ports.ledgers.get(step.model)
    for _ in range(WRITES_MAX):
        verdict = judge(ledger, step, token, safe)
        if verdict != "written":
            return Written(verdict, ledger, etag)
        changed = stamp(declaration.change(ledger), token)
        try:
            return Written("written", changed, put(ports, changed, etag))
        except Unsettled:
            ledger, etag = ports.ledgers.get(step.model)
    raise Unavailable(f"the ledger of {step.model!r} could not be written {WRITES_MAX} times")


def put(ports: Ports, ledger: Ledger, etag: str) -> str:
    """Write the ledger if nobody wrote since `etag`. Raises Unsettled if that is not certain."""
    try:
        return ports.ledgers.put(ledger, etag)
    except (Conflict, Unknown) as error:
        raise Unsettled from error


def judge(ledger: Ledger, step: Step, token: Token, safe: bool) -> Verdict:
    """Decide whether a step may write: "written" means that it may."""
    active = ledger.active
    if active is None or active.run != step.run:
        return "stale"
    if active.cancel and not safe:
        return "cancelled"
    if active.token.operation == token.operation and by_tries_of(step, active.token):
        return "mine"
    if active.token != step.base and not (active.cancel and safe):
        return "stale"
    return "written"


def by_tries_of(step: Step, token: Token) -> bool:
    """A try that was interrupted after its write may be repeated by one that fails before it."""
    return step.n - step.tries <= token.n <= step.n


def stamp(ledger: Ledger, token: Token) -> Ledger:
    """Put the write's token on the run; a run that has ended has none."""
    return ledger.with_active(token=token) if ledger.active else ledger


def carried(ports: Ports, step: Step) -> tuple[Ledger, str]:
    """The ledger that the step brought along; one that brought none, or a part, reads it."""
    if step.ledger is not None and step.etag:
        return step.ledger, step.etag
    return ports.ledgers.get(step.model)


def update(
    ports: Ports, model: str, change: Callable[[Ledger], Ledger | None]
) -> tuple[Ledger, str] | None:
    """Read, change, write, until it holds; None if `change` finds nothing (more) to do."""
    for _ in range(WRITES_MAX):
        ledger, etag = ports.ledgers.get(model)
        changed = change(ledger)
        if changed is None:
            return None
        try:
            return changed, put(ports, changed, etag)
        except Unsettled:
            continue
    raise Unavailable(f"the ledger of {model!r} could not be written {WRITES_MAX} times")


def active_of(ledger: Ledger, run: str) -> Active | None:
    """The run's entry, if it is the one that owns the managed model."""
    return ledger.active if ledger.active and ledger.active.run == run else None
