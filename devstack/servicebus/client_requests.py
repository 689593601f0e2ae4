"""Management requests of the client: a pair of links per queue, opened at the first request."""

import asyncio
import uuid
from datetime import datetime
from typing import Any

from devstack.servicebus.amqp_types import Array, Described, UByte, ULong
from devstack.servicebus.client_link import ClientLink
from devstack.servicebus.client_wire import Wire
from devstack.servicebus.delivery import time_of
from devstack.servicebus.encoding import described, encode
from devstack.servicebus.errors import (
    INTERNAL,
    LOCK_LOST,
    SESSION_LOST,
    ConnectionLost,
    LockLost,
    Refused,
)
from devstack.servicebus.frames import SOURCE, TARGET, transfer
from devstack.servicebus.message import APPLICATION_PROPERTIES
from devstack.servicebus.sections import (
    VALUE,
    decode_sections,
    encode_message,
    mapping,
    properties_of,
)

_CREDIT = 2**31 - 1  # the broker does not count the credit of responses


class Requests:
    """Asks about one queue."""

    def __init__(self, wire: Wire, address: str) -> None:
        self._request = ClientLink(wire, address)
        self._response = _Responses(wire, address)
        self._address = address
        self._opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Attach both links, once. Raises Refused."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._attach())
        await asyncio.shield(self._opening)

    async def _attach(self) -> None:
        source = Described(ULong(SOURCE), [self._address])
        target = Described(ULong(TARGET), [self._address])
        modes = (UByte(1), UByte(0), source, target, None)
        await asyncio.gather(
            self._response.attach((True, *modes)), self._request.attach((False, *modes))
        )

    async def renew_session(self, session_id: str) -> datetime:
        """Renew the lock on a session. Raises LockLost."""
        answer = await self.ask("renew-session-lock", {"session-id": session_id})
        return _time(answer["expiration"])

    async def renew_message(self, token: uuid.UUID) -> datetime:
        """Renew the lock on a message. Raises LockLost."""
        answer = await self.ask("renew-lock", {"lock-tokens": Array(uuid.UUID, [token])})
        return _time(answer["expirations"][0])

    async def ask(self, operation: str, body: dict[str, object]) -> dict[Any, Any]:
        """Send a request and return the map of its response. Raises Refused, ConnectionLost."""
        self._request.check()
        number = uuid.uuid4()
        message = encode_message(
            {"message_id": number, "reply_to": self._address},
            {"operation": f"com.microsoft:{operation}", "type": "entity-mgmt"},
            described(VALUE, encode(body)),
        )
        answer = self._response.expect(number)
        wire = self._request.wire
        delivery_id = wire.next_delivery_id()
        tag = delivery_id.to_bytes(16)
        wire.write(transfer(0, self._request.handle, delivery_id, tag, message, settled=True))
        return await answer


class _Responses(ClientLink):
    """Takes responses and hands each to whoever asked."""

    initial_credit = _CREDIT

    def __init__(self, wire: Wire, address: str) -> None:
        super().__init__(wire, address)
        self._waiting: dict[uuid.UUID, asyncio.Future[dict[Any, Any]]] = {}

    def expect(self, number: uuid.UUID) -> "asyncio.Future[dict[Any, Any]]":
        self.check()
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        return future

    def on_message(self, fields: list[Any], payload: bytes) -> None:
        sections = decode_sections(payload)
        future = self._waiting.pop(properties_of(sections)["correlation_id"], None)
        if future is None or future.done():
            return
        status = mapping(sections, APPLICATION_PROPERTIES)
        if 200 <= status.get("statusCode", 500) < 300:
            body = sections.get(VALUE)
            future.set_result(body if isinstance(body, dict) else {})
            return
        condition = str(status.get("errorCondition", INTERNAL))
        description = str(status.get("statusDescription"))
        if condition in (LOCK_LOST, SESSION_LOST):
            future.set_exception(LockLost(description, condition))
        else:
            future.set_exception(Refused(condition, description))

    def on_closed(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._error or ConnectionLost("the link was closed"))
        self._waiting.clear()


def _time(value: object) -> datetime:
    time = time_of(value)
    if time is None:
        raise Refused(INTERNAL, f"the broker answered {value!r} where a time was expected")
    return time
