"""Requests and responses over a pair of links: tokens (`$cbs`) and management (`…/$management`).

Their credit is not looked at: the SDK grants it once and never again.
"""

import uuid
from typing import TYPE_CHECKING, Any

from devstack.servicebus.amqp_types import CodecError, Symbol, ULong
from devstack.servicebus.encoding import described, encode
from devstack.servicebus.entities import Queue
from devstack.servicebus.errors import NOT_IMPLEMENTED, Refused
from devstack.servicebus.frames import STATE_ACCEPTED, transfer, transfer_in_parts
from devstack.servicebus.links import IncomingLink, Link
from devstack.servicebus.management import Answer, perform
from devstack.servicebus.message import APPLICATION_PROPERTIES
from devstack.servicebus.sections import (
    VALUE,
    decode_sections,
    encode_message,
    mapping,
    properties_of,
)

if TYPE_CHECKING:
    from devstack.servicebus.channel import Channel


class ResponseLink(Link):
    """Carries responses to a client."""

    def __init__(self, channel: "Channel", handle: int, path: str, address: str | None) -> None:
        super().__init__(channel, handle)
        self.path = path
        self.address = address

    def send(self, message: bytes) -> None:
        """Send a response, settled."""
        number = self.channel.next_delivery_id()
        tag = number.to_bytes(16)
        data = transfer(self.channel.number, self.handle, number, tag, message, settled=True)
        if len(data) > self.connection.peer_frame_bytes_max:
            data = transfer_in_parts(data, self.connection.peer_frame_bytes_max)
        self.connection.write(data)

    def closed(self) -> None:
        if self in self.channel.responses:
            self.channel.responses.remove(self)


class RequestLink(IncomingLink):
    """Takes requests and answers each on the response link it asks for."""

    status_code = "statusCode"
    status_description = "statusDescription"

    def __init__(self, channel: "Channel", handle: int, path: str) -> None:
        super().__init__(channel, handle)
        self._path = path

    def take(self, fields: list[Any], payload: bytes) -> None:
        sections = decode_sections(payload)
        properties = properties_of(sections)
        response_link = self._response_link(properties["reply_to"])
        # Settled first: delivery ids of both directions overlap, and the SDK does not tell
        # a request's outcome from that of an echo with the same id.
        self.settle(fields[1], fields, STATE_ACCEPTED)
        request = mapping(sections, APPLICATION_PROPERTIES)
        try:
            answer = self.answer(request, sections.get(VALUE))
        except Refused as refusal:
            answer = Answer.refusal(refusal)
        response_link.send(self._response(properties["message_id"], answer))

    def answer(self, request: dict[Any, Any], body: object) -> Answer:
        """Do what is asked. Raises Refused."""
        raise NotImplementedError

    def _response(self, message_id: object, answer: Answer) -> bytes:
        if not isinstance(message_id, str | int | bytes | uuid.UUID | None):
            raise CodecError("a message id is a string, a number, a uuid or binary")
        application: dict[str, object] = {
            self.status_code: answer.status,
            self.status_description: answer.description,
        }
        if answer.condition:
            application["errorCondition"] = Symbol(answer.condition)
        correlation = ULong(message_id) if type(message_id) is int else message_id
        body = described(VALUE, encode(answer.body))
        return encode_message({"correlation_id": correlation}, application, body)

    def _response_link(self, reply_to: object) -> ResponseLink:
        same_node = [link for link in self.channel.responses if link.path == self._path]
        for link in [*self.channel.responses, *same_node]:
            if link.address == reply_to or link in same_node:
                return link
        raise Refused(NOT_IMPLEMENTED, "a request needs a link for its response")


class CbsLink(RequestLink):
    """Takes tokens. Every token is accepted: the broker listens on this machine only."""

    status_code = "status-code"
    status_description = "status-description"

    def answer(self, request: dict[Any, Any], body: object) -> Answer:
        if request.get("operation") != "put-token":
            return Answer(501, "only put-token is implemented", None, NOT_IMPLEMENTED)
        return Answer(200, "OK")


class ManagementLink(RequestLink):
    """Takes requests about one queue."""

    def __init__(self, channel: "Channel", handle: int, path: str, queue: Queue) -> None:
        super().__init__(channel, handle, path)
        self._queue = queue

    def answer(self, request: dict[Any, Any], body: object) -> Answer:
        return perform(self._queue, self.connection, request.get("operation"), body)
