"""How a run stands: whether it can still be approved, refused or cancelled.

The ledger only knows the active run; of one that is over, its record tells how it ended. An order
that comes too late gets that as its answer, at once. The engine decides again, in the mailbox.
"""

from __future__ import annotations

import re

from alm.domain.errors import Conflict, NotFound, Refused
from alm.domain.ledger import Active, Ledger
from alm.domain.names import MODEL_PATTERN
from alm.domain.nearest import shown
from alm.domain.requests import Request
from alm.ports import Ports

RUN = re.compile(rf"(?P<model>{MODEL_PATTERN})\.r[1-9][0-9]{{0,8}}")
DONE = {"cancel": "cancelled", "refuse": "refused"}


def model_of(run: str) -> str:
    """The managed model of a run. Raises NotFound for what is not the name of one."""
    found = RUN.fullmatch(run)
    if found is None:
        raise NotFound(f"{shown(run)} is not the name of a run, as churn.r7 is; `runs` lists them")
    return found["model"]


def already(ports: Ports, request: Request) -> str:
    """Say that what a decision asks has happened already; "" if it is to be sent.

    Raises NotFound if the run never was, Conflict if it went another way or is over, saying how.
    """
    run = request.run or ""
    if model_of(run) != request.model:
        raise Refused(f"run: {run} is not a run of {request.model!r}; name the model it belongs to")
    ledger, _ = ports.ledgers.get(request.model)
    if ledger.active is not None and ledger.active.run == run:
        return _of_active(ledger.active, request)
    if int(run.rpartition(".r")[2]) > ledger.runs:
        raise NotFound(f"there is no run {run!r}: {request.model!r} has had {ledger.runs} runs")
    return _of_ended(ports, ledger, request)


def _of_active(active: Active, request: Request) -> str:
    run, kind = active.run, request.kind
    if active.cancel:
        if kind == "cancel" or DONE.get(kind) == active.cancel:
            return f"run {run} is ending already: it was {active.cancel}"
        raise Conflict(f"run {run} was {active.cancel} already; nothing is left to {kind}")
    if kind == "cancel":
        return ""
    if active.hold is None:
        raise Conflict(f"run {run} is not held; {kind} it when it is, or cancel it")
    if active.hold.digest != request.digest:
        raise Conflict(
            f"run {run} is held for {active.hold.digest}, not for {request.digest}; "
            f"look at what is held, then {kind} that"
        )
    if active.held:
        return ""
    if kind == "approve":
        return f"run {run} was approved already"
    raise Conflict(f"run {run} was approved already and goes on; cancel it to stop it")


def _of_ended(ports: Ports, ledger: Ledger, request: Request) -> str:
    run, kind = request.run or "", request.kind
    try:
        record = ports.records.run(run)
    except NotFound:
        how = ledger.last_result if ledger.last_run == run else "a while ago"
        raise Conflict(f"run {run} is over ({how}); nothing is left to {kind}") from None
    result = str(record.get("result", ""))
    if result and DONE.get(kind) == result:
        return f"run {run} is over: it was {result}"
    state = record.get("state")
    candidate = state.get("digest") if isinstance(state, dict) else None
    if kind == "approve" and result == "ok" and candidate == request.digest:
        return f"run {run} is over: it was approved and ended ok"
    at = str(record.get("finished", ""))[:19]
    ended = f"it ended {result or 'meanwhile'}" + (f" at {at}" if at else "")
    raise Conflict(f"run {run} is over: {ended}; nothing is left to {kind}")
