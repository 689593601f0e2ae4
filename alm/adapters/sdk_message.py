"""A message to send, as azure-servicebus takes it."""

from __future__ import annotations

import uuid

from azure.servicebus import ServiceBusMessage

from alm.ports import Outgoing

_Value = int | float | bytes | bool | str | uuid.UUID  # as the SDK types properties


def as_sdk(message: Outgoing) -> ServiceBusMessage:
    """A message as the SDK sends it."""
    return ServiceBusMessage(
        message.body,
        message_id=message.id,
        session_id=message.session,
        scheduled_enqueue_time_utc=message.due,
        subject=message.subject or None,
        correlation_id=message.correlation_id or None,
        content_type=message.content_type,
        application_properties=_context(message),
    )


def _context(message: Outgoing) -> dict[str | bytes, _Value] | None:
    """Under both names: the platform's extension looks for `Diagnostic-Id` first.

    Source: Azure Service Bus, "end-to-end tracing and diagnostics" (message properties).
    """
    context = message.traceparent
    return {"traceparent": context, "Diagnostic-Id": context} if context else None
