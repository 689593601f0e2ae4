"""Decisions about a run: approve, refuse, expire, cancel; and the end of one whose message died."""

from __future__ import annotations

from alm import telemetry
from alm.domain.ledger import Active, Ledger, Token
from alm.domain.messages import Decision, Fail
from alm.domain.replies import Event
from alm.engine import announcing, sending, steps
from alm.engine.history import shortened
from alm.engine.next_steps import UNDOING
from alm.engine.writing import active_of, update
from alm.ports import Ports

NEVER_AGAIN = tuple(name for name in UNDOING if name != "restored")
CANCELS = {"refuse": "refused", "expire": "expired", "cancel": "cancelled"}


def on_decision(ports: Ports, decision: Decision) -> None:
    """Approve or stop a named run; whoever asked for it gets an answer."""
    if decision.kind == "approve":
        refusal = _approve(ports, decision)
    else:
        refusal = _stop(ports, decision, CANCELS[decision.kind])
    if decision.reply:
        event: Event = "refused" if refusal else "ended"
        facts = {"run": decision.run, "result": decision.kind, "why": refusal}
        ports.bus.send([sending.answer(decision.reply, event, model=decision.model, **facts)])


def _approve(ports: Ports, decision: Decision) -> str:
    """Let a held run go on, if exactly what is approved is what is held. Returns why not, or ""."""
    refusal = ""

    def change(ledger: Ledger) -> Ledger | None:
        nonlocal refusal
        active = active_of(ledger, decision.run)
        refusal = _why_not(active, decision)
        if refusal or active is None or active.approved:
            return None
        token = Token(n=active.token.n, operation=f"approved:{decision.digest}")
        return ledger.with_active(token=token)

    written = update(ports, decision.model, change)
    if refusal:
        return refusal
    ledger, _ = written or ports.ledgers.get(decision.model)
    active = active_of(ledger, decision.run)
    _linked(active)
    if active is not None and active.approved:  # sent again for a repeat: the step drops itself
        announcing.announce(ports, announcing.decided(decision))
        approved = active.step.bare().model_copy(update={"suffix": "a"})
        ports.bus.send([sending.step(approved)])
    return ""


def _why_not(active: Active | None, decision: Decision) -> str:
    if active is None:
        return f"run {decision.run} is not active"
    if active.cancel:
        return f"run {decision.run} was {active.cancel} already"
    if active.hold is None or not (active.held or active.approved):
        return f"run {decision.run} is not held"
    if active.hold.digest != decision.digest:
        return f"run {decision.run} is held for {active.hold.digest}, not for {decision.digest}"
    return ""


def _stop(ports: Ports, decision: Decision, reason: str) -> str:
    """Cancel a run; refuse and expire only one that is held for just that."""
    refusal = ""

    def change(ledger: Ledger) -> Ledger | None:
        nonlocal refusal
        active = active_of(ledger, decision.run)
        refusal = _why_not_stopped(active, decision, reason)
        if refusal or active is None or active.cancel:
            return None
        return ledger.with_active(cancel=reason)

    written = update(ports, decision.model, change)
    if refusal:
        return refusal
    ledger, _ = written or ports.ledgers.get(decision.model)
    active = active_of(ledger, decision.run)
    _linked(active)
    if active is not None and active.cancel:
        announcing.announce(ports, announcing.decided(decision))
        sending.stop(ports, active, reason[:2])
    return ""


def _linked(active: Active | None) -> None:
    """A decision is part of what its sender does; the run goes on in its own trace."""
    if active is not None:
        telemetry.link(active.step.trace)


def _why_not_stopped(active: Active | None, decision: Decision, reason: str) -> str:
    if active is None:
        return f"run {decision.run} is not active"
    if reason == "cancelled" or active.cancel == reason:
        return ""
    if not active.held or active.hold is None or active.hold.digest != decision.digest:
        return f"run {decision.run} is not held for {decision.digest}"
    return f"run {decision.run} was {active.cancel} already" if active.cancel else ""


def on_fail(ports: Ports, fail: Fail) -> None:
    """End a run whose message died. What is done depends on the dead message, not on the token."""
    found: Active | None = None

    def change(ledger: Ledger) -> Ledger | None:
        nonlocal found
        found = active_of(ledger, fail.run)
        if found is None or found.cancel:
            return None
        if fail.base and found.token != fail.base and found.token.n != fail.n:
            found = None  # another chain of the run went on
            return None
        return ledger.with_active(cancel="failed")

    written = update(ports, fail.model, change)
    if found is None:
        return
    ledger, etag = written or ports.ledgers.get(fail.model)
    active = active_of(ledger, fail.run)
    _linked(active)
    if active is None:
        return
    if not _undoing(fail):
        sending.stop(ports, active, fail.suffix)
        return
    ended = active.step.model_copy(
        update={
            "ledger": ledger,
            "etag": etag,
            "suffix": fail.suffix,
            "stage": "finish",
            "result": "failed",
            "why": shortened(fail.why),
            "unknown": tuple(intent.target for intent in active.intent),
        }
    )
    steps.finish(ports, ended)


def _undoing(fail: Fail) -> bool:
    """The undoing itself is dead: end the run here, or it would be undone for ever."""
    finishing = fail.stage == "finish" and fail.result != "ok"
    return fail.forced or fail.stage in NEVER_AGAIN or finishing
