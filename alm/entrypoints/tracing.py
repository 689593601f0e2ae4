"""Contexts at the door: what an event that starts runs hands on to each of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from alm import telemetry
from alm.domain.messages import Decision, TriggerMessage
from alm.domain.requests import REQUEST_BYTES_MAX

RUNS_IN_TRACE_MAX = 50
"""An event that starts more runs gives each a trace of its own, linked to the event's: backends cut
off traces of megabytes, and nobody can look at one with a hundred thousand spans."""


def handed_on(
    name: str, messages: Sequence[TriggerMessage | Decision]
) -> list[TriggerMessage | Decision]:
    """The messages with the context that their runs continue. name: the span of the event."""
    telemetry.note(models=len(messages))
    if len(messages) <= RUNS_IN_TRACE_MAX:
        return [_in_context(message) for message in messages]
    apart = []
    for message in messages:
        with telemetry.span(name, parent="", model=message.model):
            apart.append(_in_context(message))
    return apart


def said_in(body: bytes) -> str:
    """The `traceparent` that a request says in its body, "" where it says none that can be read."""
    if not telemetry.is_on() or len(body) > REQUEST_BYTES_MAX:
        return ""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return telemetry.valid(document.get("traceparent")) if isinstance(document, dict) else ""


def _in_context(message: TriggerMessage | Decision) -> TriggerMessage | Decision:
    context = telemetry.current()
    if not context or isinstance(message, Decision):
        return message
    trigger = message.trigger.model_copy(update={"trace": context})
    return message.model_copy(update={"trigger": trigger})
