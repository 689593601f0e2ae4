"""Bytes that make no sense end one connection, never the broker."""

import asyncio
import random
import struct
import uuid

import pytest

from devstack.servicebus import frames
from devstack.servicebus.amqp_types import Described, Symbol, UInt, ULong
from devstack.servicebus.client import Client, Refused
from devstack.servicebus.context import QueueConfig
from devstack.servicebus.encoding import encode
from devstack.servicebus.frames import performative
from devstack.servicebus.message import DATA
from devstack.servicebus.server import HOST, Broker

QUEUES = [QueueConfig("plain"), QueueConfig("sessions", requires_session=True)]

OPEN = performative(0, frames.OPEN, "c", None, UInt(1048576), *(None,) * 7)
BEGIN = performative(0, frames.BEGIN, None, UInt(0), UInt(9), UInt(9), *(None,) * 4)
START = frames.AMQP_HEADER + OPEN + BEGIN


def attach(handle, *, receives, address, filters=None, name="n"):
    source = [address, *(None,) * 6, filters] if receives else ["mine"]
    target = ["mine"] if receives else [address]
    return performative(
        *(0, frames.ATTACH, name, UInt(handle), receives, None, None),
        *(Described(ULong(frames.SOURCE), source), Described(ULong(frames.TARGET), target)),
        *(None, None, UInt(0), None, None, None, None),
    )


def send(handle, payload, delivery_id=0):
    return frames.transfer(0, handle, delivery_id, b"t" * 16, payload, settled=False)


SEND = attach(0, receives=False, address="plain")
BODY = b"\x00\x53" + bytes((DATA,)) + encode(b"x")
CONVERSATION = (
    START
    + SEND
    + send(0, BODY)
    + attach(1, receives=True, address="plain", name="r")
    + performative(0, frames.FLOW, *(UInt(9),) * 4, UInt(1), UInt(0), UInt(5), *(None,) * 4)
    + attach(2, receives=False, address="plain/$management", name="q")
    + attach(3, receives=True, address="plain/$management", name="p")
    + send(2, BODY, 1)
    + attach(
        *(4,),
        receives=True,
        address="sessions",
        name="s",
        filters={Symbol("com.microsoft:session-filter"): "a"},
    )
    + performative(0, frames.DISPOSITION, True, UInt(0), UInt(99), False, None, None)
)


async def talk(port: int, data: bytes) -> bytes:
    """Send bytes, stop sending, and return what comes back until the broker closes."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def with_broker(tmp_path, scenario):
    """Run a scenario, then prove that the broker is as well as before."""

    async def run():
        mishaps = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: mishaps.append(what))
        broker = Broker(QUEUES, tmp_path)
        await broker.start()
        bystander = await Client.connect(HOST, broker.port)
        result = await scenario(broker)
        sender = await bystander.sender("plain")
        await sender.send(b"still here")
        await bystander.close()
        for _ in range(100):
            if not broker.connections:
                break
            await asyncio.sleep(0.01)
        assert set() == broker.connections
        await broker.stop()
        assert [] == mishaps
        return result

    return asyncio.run(run())


HOSTILE = {
    "nothing at all": b"",
    "another protocol": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "half a header": b"AMQP",
    "another version": b"AMQP\x00\x02\x00\x00",
    "a frame of four gigabytes": frames.AMQP_HEADER + b"\xff\xff\xff\xff\x02\x00\x00\x00",
    "a frame of no bytes": frames.AMQP_HEADER + b"\x00\x00\x00\x00\x02\x00\x00\x00",
    "an offset beyond the frame": frames.AMQP_HEADER + b"\x00\x00\x00\x08\xff\x00\x00\x00",
    "begin before open": frames.AMQP_HEADER + BEGIN,
    "open twice": frames.AMQP_HEADER + OPEN + OPEN,
    "begin twice": START + BEGIN,
    "a channel that has not begun": frames.AMQP_HEADER + OPEN + SEND,
    "a channel beyond the last": frames.AMQP_HEADER + OPEN + BEGIN[:6] + b"\xff\xff" + BEGIN[8:],
    "an unknown performative": START + performative(0, 0x19, None),
    "a transfer on no link": START + send(7, BODY),
    "a transfer where we send": START + attach(0, receives=True, address="plain") + send(0, BODY),
    "a handle in use": START + SEND + SEND,
    "a handle beyond the last": START + attach(70_000, receives=False, address="plain"),
    "text for a number": START + performative(0, frames.FLOW, "a", "b", "c", "d", "e"),
    "an attach of nothing": START + performative(0, frames.ATTACH),
    "an address that is a number": START + attach(0, receives=True, address=7),
    "a message that is none": START + SEND + send(0, b"garbage"),
    "a body cut short": START + SEND + send(0, b"\x00\x53\x75\xb0\xff\xff\xff\xff"),
    "a deep message": START + SEND + send(0, b"\x00\x53\x77" + b"\x00" * 60_000),
    "a request that is no message": START
    + attach(0, receives=False, address="plain/$management")
    + send(0, b"\x00\x53\x77\xc1\x03\x01\x41\x41"),
}


@pytest.mark.parametrize("case", list(HOSTILE))
def test_nonsense_closes_the_connection(tmp_path, case):
    async def scenario(broker):
        reader, writer = await asyncio.open_connection(HOST, broker.port)
        writer.write(HOSTILE[case])
        if case in ("nothing at all", "half a header"):
            writer.write_eof()  # incomplete, not wrong: only its end closes it
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer

    answer = with_broker(tmp_path, scenario)

    if HOSTILE[case].startswith(START):
        assert b"amqp:decode-error" in answer


def test_a_conversation_with_flipped_bytes_never_hurts_the_broker(tmp_path):
    seed = 20_240_817
    chance = random.Random(seed)

    async def scenario(broker):
        for _ in range(400):
            data = bytearray(CONVERSATION)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            await talk(broker.port, bytes(data[: chance.randint(8, len(data))]))

    with_broker(tmp_path, scenario)


def test_a_conversation_in_single_bytes_is_understood(tmp_path):
    async def scenario(broker):
        reader, writer = await asyncio.open_connection(HOST, broker.port)
        for number in range(len(CONVERSATION)):
            writer.write(CONVERSATION[number : number + 1])
            await writer.drain()
        writer.write(performative(0, frames.CLOSE, None))
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer

    answer = with_broker(tmp_path, scenario)

    sizes, position = [], 8
    while position < len(answer):
        sizes.append(struct.unpack_from(">I", answer, position)[0])
        position += sizes[-1]
    assert len(answer) == position
    assert len(sizes) > 10


def test_random_frames_never_hurt_the_broker(tmp_path):
    chance = random.Random(7)

    def value(depth=0):
        kind = chance.randrange(12 if depth < 3 else 8)
        simple = [
            None,
            True,
            False,
            0,
            UInt(chance.randrange(9)),
            "x",
            b"\x00\x53\x75",
            Symbol("s"),
        ]
        if kind < 8:
            return simple[kind]
        inner = [value(depth + 1) for _ in range(chance.randrange(4))]
        if kind == 8:
            return inner
        if kind == 9:
            return {"k": inner, Symbol("com.microsoft:session-filter"): value(depth + 1)}
        code = chance.choice((0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x30, 0x34))
        return Described(ULong(code), inner)

    async def scenario(broker):
        for _ in range(400):
            data = CONVERSATION
            for _ in range(chance.randint(1, 5)):
                fields = [value() for _ in range(chance.randrange(15))]
                data += performative(chance.randrange(2), chance.randint(0x10, 0x18), *fields)
            await talk(broker.port, data)

    with_broker(tmp_path, scenario)


def test_what_is_not_implemented_is_refused_by_name(tmp_path):
    coordinator = performative(
        *(0, frames.ATTACH, "tx", UInt(0), False, None, None),
        *(Described(ULong(frames.SOURCE), ["x"]), Described(ULong(frames.COORDINATOR), [])),
        *(None, None, UInt(0), None, None, None, None),
    )
    selector = attach(
        0,
        receives=True,
        address="plain",
        filters={Symbol("apache.org:selector-filter:string"): "a"},
    )
    in_transaction = bytearray(send(0, BODY))
    transactional = Described(ULong(frames.TRANSACTIONAL_STATE), [b"id"])
    body = performative(
        *(0, frames.TRANSFER, UInt(0), UInt(0), b"t", UInt(0), False, False, None, transactional),
        *(None, None, None),
    )
    in_transaction = (len(body) + len(BODY)).to_bytes(4) + body[4:] + BODY
    other_format = performative(
        *(0, frames.TRANSFER, UInt(0), UInt(0), b"t", UInt(7), False, False, None, None),
        *(None, None, None),
    )
    cases = {
        "transactions are not implemented": START + coordinator,
        "filters other than": START + selector,
        "topics and subscriptions": START
        + attach(0, receives=True, address="sb://host/t/Subscriptions/s"),
        "transfer dead-letter": START
        + attach(0, receives=True, address="plain/$Transfer/$DeadLetterQueue"),
        "message format 7": START + SEND + other_format,
        "transactions are": START + SEND + in_transaction,
        "links without an address": START + attach(0, receives=True, address=None),
    }

    async def scenario(broker):
        closing = performative(0, frames.CLOSE, None)
        return {text: await talk(broker.port, data + closing) for text, data in cases.items()}

    for text, answer in with_broker(tmp_path, scenario).items():
        assert text.encode() in answer
        assert b"amqp:not-implemented" in answer


def test_requests_with_the_wrong_types_are_answered(tmp_path):
    chance = random.Random(11)
    names = (
        *("renew-lock", "peek-message", "schedule-message", "cancel-scheduled-message"),
        *("receive-by-sequence-number", "update-disposition", "renew-session-lock"),
        *("get-session-state", "set-session-state", "get-message-sessions", "add-rule", "x"),
    )
    keys = (
        *("lock-tokens", "from-sequence-number", "message-count", "session-id", "messages"),
        *("sequence-numbers", "receiver-settle-mode", "disposition-status", "session-state"),
        *("last-updated-time", "skip", "top", "deadletter-reason", "properties-to-modify"),
    )
    values = (
        *(None, True, -1, 2**63 - 1, "completed", "suspended", "a", b"x", [], [1], ["a"], {}),
        *([{"message": BODY}], [{"message": b"\x00"}], [uuid.uuid4()], {"a": [1]}),
    )

    async def scenario(broker):
        client = await Client.connect(HOST, broker.port)
        refused = 0
        for _ in range(1500):
            requests = await client.requests(
                chance.choice(("plain", "sessions", "plain/$deadletterqueue"))
            )
            body = {key: chance.choice(values) for key in chance.sample(keys, 8)}
            try:
                await requests.ask(chance.choice(names), body)
            except Refused:
                refused += 1
        await client.close()
        return refused

    assert with_broker(tmp_path, scenario) > 500
