"""How a schedule reads: deliveries, operations and faults, one line each."""

from __future__ import annotations

import re

from alm.domain.experiment import Experiment
from alm.domain.ledger import Ledger, Step
from alm.domain.messages import AnyMessage, Decision, Fail, Reconcile, TriggerMessage
from alm.ports import Outgoing
from tests.simulation.bench import WORKSPACE
from tests.simulation.processes import Operation


def shown(operation: Operation, result: object) -> str:
    """An operation's content and result, for a trace."""
    match operation.port, operation.name:
        case "ledgers", "put":
            return f"{summary(operation.arguments[0])} -> {result}"
        case "ledgers", "get" if isinstance(result, tuple):
            return f"-> {summary(result[0])}, {result[1]}"
        case "bus", "send":
            return f"{', '.join(map(_told, operation.arguments[0]))} -> {result}"
        case _:
            said = [getattr(it, "relative", it) for it in operation.arguments]
            told = [it for it in said if isinstance(it, str)]
            return _short(f"{' '.join(told)} -> {_seen(result)}")[:160]


def _seen(result: object) -> object:
    """An experiment by what counts; anything else as it is."""
    if not isinstance(result, Experiment):
        return result
    ports = [port for node in result.graph.nodes for port in node.inputs] if result.graph else []
    used = [port.dataset or port.trained_model for port in ports]
    return f"{result.name!r} {result.state}, last run {result.run}, uses {used}"


def _short(text: str) -> str:
    """Ids of a simulated workspace without what they have in common."""
    return re.sub(rf"{WORKSPACE}\.|0{{8,}}|\.v1-default", "", text)


def summary(ledger: Ledger) -> str:
    active, waiting = ledger.active, [trigger.id for trigger in ledger.waiting]
    serves = {name: served.version for name, served in ledger.serves.items()}
    run = f"idle after {ledger.last_run} {ledger.last_result}"
    if active:
        intents = [f"{intent.target} from {intent.previous.version}" for intent in active.intent]
        token = f"{active.token.n} {active.token.operation}"
        run = f"{active.run} ({token}) {active.cancel} intents {intents}"
    return f"[{run}, waiting {waiting}, serves {serves}, unknown {list(ledger.unknown)}]"


def describe(message: AnyMessage) -> str:
    match message:
        case Step():
            marks = f" wave {message.wave}" * (message.wave > 0) + f" {message.result}".rstrip()
            return f"{message.run} #{message.n}{message.suffix} {message.stage}{marks}"
        case TriggerMessage():
            return f"trigger {message.trigger.pipeline} {message.trigger.id}"
        case Fail():
            return f"fail {message.run}, dead {message.stage}"
        case Decision() | Reconcile():
            return f"{message.kind} {message.run}"
        case _:
            return message.kind


def _told(message: Outgoing) -> str:
    due = f" at {message.due:%H:%M:%S}" if message.due else ""
    return f"{message.id} {message.subject}{due}"
