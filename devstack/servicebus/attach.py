"""Attach: which link a client gets for the address it names, or why it gets none."""

from typing import TYPE_CHECKING, Any

from devstack.servicebus.amqp_types import CodecError, Described
from devstack.servicebus.attach_reply import SESSION_FILTER, AttachReply
from devstack.servicebus.backlog import ID_CHARACTERS_MAX
from devstack.servicebus.entities import Queue
from devstack.servicebus.errors import ARGUMENT, NOT_ALLOWED, NOT_IMPLEMENTED, Refused
from devstack.servicebus.frames import COORDINATOR, HANDLE_MAX, SOURCE, TARGET, AmqpError
from devstack.servicebus.links import (
    MESSAGE_BYTES_MAX,
    IncomingLink,
    Link,
    OutgoingLink,
    QueueSenderLink,
)
from devstack.servicebus.requests import CbsLink, ManagementLink, ResponseLink
from devstack.servicebus.session_link import WAIT_MS, SessionLink
from devstack.servicebus.sessions import SessionQueue

if TYPE_CHECKING:
    from devstack.servicebus.channel import Channel

CBS = "$cbs"
MANAGEMENT = "/$management"
_TIMEOUT = "com.microsoft:timeout"
_FILTER = 7  # its place in a source


def attach(channel: "Channel", fields: list[Any]) -> None:
    """Open a link or refuse it. Raises CodecError if the frame makes no sense."""
    reply = _reply(channel, fields)
    try:
        _open(channel, reply, fields)
    except Refused as refusal:
        channel.links.pop(reply.handle, None)
        error = AmqpError(refusal.condition, refusal.description)
        channel.connection.write(reply.refused(error))


def path_of(address: str) -> str:
    """Return the path of an address: `amqps://localhost:5672/Orders` and `orders` are the same."""
    _, scheme, rest = address.rpartition("://")
    path = rest.partition("/")[2] if scheme else rest
    return path.strip("/").lower()


def _reply(channel: "Channel", fields: list[Any]) -> AttachReply:
    name, handle, receives, sender_mode, receiver_mode, source, target = fields[:7]
    if name is None or handle is None or receives is None:
        raise CodecError("an attach needs a name, a handle and a role")
    if handle in channel.links:
        raise CodecError(f"handle {handle} is attached already")
    if handle > HANDLE_MAX:
        raise CodecError(f"handle {handle} is beyond {HANDLE_MAX}")
    return AttachReply(
        channel=channel.number,
        name=name,
        handle=handle,
        client_receives=receives,
        sender_mode=2 if sender_mode is None else sender_mode & 3,
        receiver_mode=0 if receiver_mode is None else receiver_mode & 1,
        source=_address(source, SOURCE),
        target=_address(target, TARGET),
        message_bytes_max=MESSAGE_BYTES_MAX,
    )


def _address(terminus: Described | None, code: int) -> str | None:
    if terminus is None or terminus.descriptor != code or not terminus.value:
        return None
    address = terminus.value[0] if isinstance(terminus.value, list) else None
    if not isinstance(address, str | None):
        raise CodecError("an address is a string")
    return address


def _open(channel: "Channel", reply: AttachReply, fields: list[Any]) -> None:
    target = fields[6]
    if target is not None and target.descriptor == COORDINATOR:
        raise Refused(NOT_IMPLEMENTED, "transactions are not implemented")
    address = reply.source if reply.client_receives else reply.target
    if not address:
        raise Refused(NOT_IMPLEMENTED, "links without an address are not implemented")
    path = path_of(address)
    if path == CBS or path.endswith(MANAGEMENT):
        _open_node(channel, reply, path)
    elif reply.client_receives:
        _open_receiver(channel, reply, path, fields)
    else:
        queue = channel.connection.broker.find(path)
        if not queue.sendable:
            raise Refused(NOT_ALLOWED, "a dead-letter queue cannot be sent to")
        _confirm_sender(channel, reply, QueueSenderLink(channel, reply.handle, queue))


def _open_node(channel: "Channel", reply: AttachReply, path: str) -> None:
    """Open one half of a pair of links for requests and responses."""
    queue: Queue | None = None
    if path != CBS:
        queue = channel.connection.broker.find(path.removesuffix(MANAGEMENT))
    if reply.client_receives:
        link = ResponseLink(channel, reply.handle, path, reply.target)
        channel.links[reply.handle] = link
        channel.responses.append(link)
        channel.connection.write(reply.accepted())
    elif queue is None:
        _confirm_sender(channel, reply, CbsLink(channel, reply.handle, path), credit=False)
    else:
        request_link = ManagementLink(channel, reply.handle, path, queue)
        _confirm_sender(channel, reply, request_link, credit=False)


def _confirm_sender(
    channel: "Channel", reply: AttachReply, link: IncomingLink, *, credit: bool = True
) -> None:
    channel.links[reply.handle] = link
    channel.connection.write(reply.accepted())
    if credit:  # the SDK never looks at the credit of the other links, and each frame costs it time
        link.grant_credit()


def _open_receiver(channel: "Channel", reply: AttachReply, path: str, fields: list[Any]) -> None:
    queue = channel.connection.broker.find(path)
    wants_session, session_id = _session_filter(fields[5])
    if wants_session != isinstance(queue, SessionQueue):
        need = "needs" if isinstance(queue, SessionQueue) else "does not have"
        raise Refused(NOT_ALLOWED, f"queue {queue.config.name!r} {need} sessions")
    link: Link
    if not isinstance(queue, SessionQueue):
        link = OutgoingLink(channel, reply.handle, queue, settled=reply.settled)
        channel.links[reply.handle] = link
        channel.connection.write(reply.accepted())
        return
    link = SessionLink(channel, reply.handle, queue, reply)
    channel.links[reply.handle] = link
    if session_id is None:
        link.accept_next(_wait_ms(fields[13]))
    else:
        link.accept(session_id)


def _session_filter(source: Described | None) -> tuple[bool, str | None]:
    """Return whether a session is asked for, and which; None means the next one that is free."""
    values = source.value if source is not None else []
    filters = values[_FILTER] if len(values) > _FILTER else None
    if not filters:
        return False, None
    if not isinstance(filters, dict) or set(filters) != {SESSION_FILTER}:
        raise Refused(NOT_IMPLEMENTED, "filters other than that for sessions are not implemented")
    wanted = filters[SESSION_FILTER]
    wanted = wanted.value if isinstance(wanted, Described) else wanted
    if wanted is not None and not isinstance(wanted, str):
        raise Refused(ARGUMENT, "a session id is a string")
    if wanted is not None and len(wanted) > ID_CHARACTERS_MAX:
        raise Refused(ARGUMENT, f"a session id has at most {ID_CHARACTERS_MAX} characters")
    return True, wanted


def _wait_ms(properties: dict[Any, Any] | None) -> int:
    wait = (properties or {}).get(_TIMEOUT)
    return wait if isinstance(wait, int) and wait >= 0 else WAIT_MS
