"""The client's sender: one message at a time, each confirmed by the broker."""

from collections.abc import Mapping
from datetime import datetime

from devstack.servicebus.amqp_types import Described, Symbol, Timestamp, UInt
from devstack.servicebus.client_link import ClientLink
from devstack.servicebus.client_wire import refusal_of
from devstack.servicebus.encoding import binary, described, encode, encode_list
from devstack.servicebus.frames import FRAME_BYTES_MAX, REJECTED, transfer, transfer_in_parts
from devstack.servicebus.message import DATA, HEADER, MESSAGE_ANNOTATIONS
from devstack.servicebus.sections import encode_message


class Sender:
    """Sends to one queue."""

    def __init__(self, link: ClientLink) -> None:
        """Use `Client.sender`."""
        self._link = link

    async def send(
        self,
        body: bytes,
        *,
        properties: Mapping[str, object] | None = None,
        application_properties: Mapping[str, object] | None = None,
        ttl_seconds: float | None = None,
        scheduled: datetime | None = None,
    ) -> None:
        """Send one message; returns once the broker has it on disk.

        `properties` are named as in AMQP: message_id, group_id (the session), subject, reply_to,
        correlation_id, content_type, to. Raises Refused, ConnectionLost.
        """
        self._link.check()
        message = _prefix(ttl_seconds, scheduled) + encode_message(
            dict(properties or {}),
            dict(application_properties or {}),
            described(DATA, binary(body)),
        )
        wire = self._link.wire
        number = wire.next_delivery_id()
        outcome = wire.expect_outcome(number, sent=True)
        data = transfer(0, self._link.handle, number, number.to_bytes(16), message, settled=False)
        wire.write(
            data if len(data) <= FRAME_BYTES_MAX else transfer_in_parts(data, FRAME_BYTES_MAX)
        )
        state = await outcome
        if state is not None and state.descriptor == REJECTED:
            error = state.value[0] if state.value else None
            refusal = refusal_of(error if isinstance(error, Described) else None)
            if refusal is not None:
                raise refusal

    async def close(self) -> None:
        """Close the link."""
        self._link.detach()


def _prefix(ttl_seconds: float | None, scheduled: datetime | None) -> bytes:
    sections = []
    if ttl_seconds is not None:
        ttl = UInt(round(ttl_seconds * 1000))
        fields = [encode(True), b"\x40", encode(ttl)]
        sections.append(described(HEADER, encode_list(fields)))
    if scheduled is not None:
        due = Timestamp(round(scheduled.timestamp() * 1000))
        annotations = {Symbol("x-opt-scheduled-enqueue-time"): due}
        sections.append(described(MESSAGE_ANNOTATIONS, encode(annotations)))
    return b"".join(sections)
