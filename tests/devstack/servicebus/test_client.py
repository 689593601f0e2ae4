"""Our own client: many sessions on one connection."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from devstack.servicebus.client import Client, ConnectionLost, LockLost, NoSession, Refused
from devstack.servicebus.context import QueueConfig
from devstack.servicebus.server import HOST, Broker

QUEUES = [
    QueueConfig("plain", delivery_count_max=2, lock_ms=5000),
    QueueConfig("sessions", requires_session=True, lock_ms=5000),
]


def against_a_broker(scenario):
    """Run `scenario(broker, client)` with a broker of its own."""

    def test(tmp_path):
        async def run():
            broker = Broker(QUEUES, tmp_path)
            await broker.start()
            client = await Client.connect(HOST, broker.port)
            try:
                async with asyncio.timeout(20):
                    await scenario(broker, client)
            finally:
                await client.close()
                await broker.stop()

        asyncio.run(run())

    test.__name__ = scenario.__name__
    return test


async def send(client, session_id, *texts):
    sender = await client.sender("sessions")
    for one in texts:
        await sender.send(one.encode(), properties={"group_id": session_id})


@against_a_broker
async def test_a_delivery_says_all_that_was_sent(broker, client):
    sender = await client.sender("plain")
    await sender.send(
        b"body",
        properties={
            "message_id": "m",
            "correlation_id": "c",
            "subject": "s",
            "content_type": "t",
            "reply_to": "r",
            "reply_to_group_id": "rs",
            "to": "to",
            "group_id": "g",
        },
        application_properties={"number": 1, "text": "é"},
        ttl_seconds=60,
    )
    receiver = await client.receiver("plain", credit=1)
    got = await receiver.receive(timeout_seconds=5)

    assert (b"body", "m", "c", "s", "t") == (
        *(got.body, got.message_id, got.correlation_id, got.subject, got.content_type),
    )
    assert ("r", "rs", "to", "g") == (got.reply_to, got.reply_to_session_id, got.to, got.session_id)
    assert {"number": 1, "text": "é"} == got.application_properties
    assert (0, 1, None) == (got.delivery_count, got.sequence_number, got.dead_letter_source)
    assert got.enqueued_time + timedelta(seconds=60) == got.expires_at
    assert timedelta(0) < got.locked_until - datetime.now(UTC) <= timedelta(seconds=5)


@against_a_broker
async def test_at_most_credit_deliveries_are_under_way(broker, client):
    sender = await client.sender("plain")
    for number in range(5):
        await sender.send(b"%d" % number)
    receiver = await client.receiver("plain", credit=2)
    first = await receiver.receive(timeout_seconds=5)
    second = await receiver.receive(timeout_seconds=5)
    assert await receiver.receive(timeout_seconds=0.05) is None

    await receiver.complete(second)
    third = await receiver.receive(timeout_seconds=5)
    await receiver.abandon(first)
    again = await receiver.receive(timeout_seconds=5)

    assert (b"2", b"0", 1) == (third.body, again.body, again.delivery_count)


@against_a_broker
async def test_dead_letters_are_received_like_any_queue(broker, client):
    sender = await client.sender("plain")
    await sender.send(b"poison")
    receiver = await client.receiver("plain", credit=1)
    for _ in range(2):
        await receiver.abandon(await receiver.receive(timeout_seconds=5))
    dead = await client.receiver("plain/$DeadLetterQueue", credit=1)
    got = await dead.receive(timeout_seconds=5)
    await dead.complete(got)

    assert "MaxDeliveryCountExceeded" == got.application_properties["DeadLetterReason"]
    assert {} == broker.find("plain/$deadletterqueue").messages


@against_a_broker
async def test_sessions_are_accepted_one_after_another_on_one_connection(broker, client):
    await send(client, "a", "a1", "a2")
    await send(client, "b", "b1")
    one = await client.accept_session("sessions", timeout_seconds=1)
    two = await client.accept_session("sessions", timeout_seconds=1)

    assert ("a", "b") == (one.session_id, two.session_id)
    for receiver, expected in ((one, b"a1"), (one, b"a2"), (two, b"b1")):
        delivery = await receiver.receive(timeout_seconds=5)
        assert expected == delivery.body
        await receiver.complete(delivery)
    await asyncio.gather(one.close(), two.close())
    with pytest.raises(NoSession):
        await client.accept_session("sessions", timeout_seconds=0.01)
    assert 1 == len(broker.connections)


@against_a_broker
async def test_handles_are_used_again(broker, client):
    for number in range(200):
        await send(client, "a", "x") if number == 0 else None
        receiver = await client.accept_session("sessions", timeout_seconds=5)
        assert await receiver.receive(timeout_seconds=5) is not None
        await receiver.close()

    assert client._wire._next_handle < 5


@against_a_broker
async def test_who_waits_for_a_session_is_woken(broker, client):
    waiting = asyncio.ensure_future(client.accept_session("sessions", timeout_seconds=10))
    await send(client, "late", "x")

    receiver = await waiting
    assert "late" == receiver.session_id


@against_a_broker
async def test_who_is_cancelled_while_waiting_holds_nothing(broker, client):
    waiting = asyncio.ensure_future(client.accept_session("sessions", timeout_seconds=10))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await send(client, "a", "x")

    receiver = await client.accept_session("sessions", timeout_seconds=5)
    assert "a" == receiver.session_id


@against_a_broker
async def test_a_closed_session_is_free_at_once_and_uncounted(broker, client):
    await send(client, "a", "x")
    receiver = await client.accept_session("sessions", timeout_seconds=5)
    await receiver.receive(timeout_seconds=5)
    await receiver.close()

    again = await client.accept_session("sessions", timeout_seconds=5)
    assert 0 == (await again.receive(timeout_seconds=5)).delivery_count


@against_a_broker
async def test_a_lost_connection_frees_its_sessions_uncounted(broker, client):
    await send(client, "a", "x")
    other = await Client.connect(HOST, broker.port)
    receiver = await other.accept_session("sessions", timeout_seconds=5)
    delivery = await receiver.receive(timeout_seconds=5)
    other._wire._transport.abort()
    await other.closed.wait()
    for use in (receiver.complete(delivery), receiver.receive(), other.receiver("plain", credit=1)):
        with pytest.raises(ConnectionLost):
            await use

    again = await client.accept_session("sessions", timeout_seconds=5)
    assert 0 == (await again.receive(timeout_seconds=5)).delivery_count


@against_a_broker
async def test_locks_are_renewed_and_lost(broker, client):
    sender = await client.sender("plain")
    await sender.send(b"x")
    receiver = await client.receiver("plain", credit=1)
    delivery = await receiver.receive(timeout_seconds=5)
    before = delivery.locked_until
    broker.advance_clock(3000)

    until = await receiver.renew(delivery)
    assert until == delivery.locked_until >= before + timedelta(seconds=3)
    broker.advance_clock(6000)
    for use in (receiver.renew(delivery), receiver.complete(delivery)):
        with pytest.raises(LockLost):
            await use


@against_a_broker
async def test_a_session_lock_is_renewed_and_lost(broker, client):
    await send(client, "a", "x")
    receiver = await client.accept_session("sessions", timeout_seconds=5)
    delivery = await receiver.receive(timeout_seconds=5)
    broker.advance_clock(3000)
    before = delivery.locked_until

    assert await receiver.renew() >= before + timedelta(seconds=3)
    waiting = asyncio.ensure_future(receiver.receive())
    await asyncio.sleep(0)
    broker.advance_clock(6000)
    with pytest.raises(LockLost):
        await waiting
    with pytest.raises(LockLost):
        await receiver.complete(delivery)
    again = await client.accept_session("sessions", timeout_seconds=5)
    assert 1 == (await again.receive(timeout_seconds=5)).delivery_count


@against_a_broker
async def test_a_broker_that_ends_wakes_everybody(broker, client):
    receiver = await client.receiver("plain", credit=1)
    waits = [
        asyncio.ensure_future(receiver.receive()),
        asyncio.ensure_future(client.accept_session("sessions", timeout_seconds=60)),
    ]
    await asyncio.sleep(0)
    await broker.stop()

    for wait in waits:
        with pytest.raises(ConnectionLost):
            await wait
    assert client.closed.is_set()


@against_a_broker
async def test_refusals_carry_the_brokers_words(broker, client):
    for attempt in (
        client.receiver("nowhere", credit=1),
        client.receiver("sessions", credit=1),
        client.accept_session("plain", timeout_seconds=1),
        client.sender("plain/$DeadLetterQueue"),
    ):
        with pytest.raises(Refused, match="queue"):
            await attempt
    sender = await client.sender("sessions")
    with pytest.raises(Refused, match="needs a session id"):
        await sender.send(b"homeless")


@against_a_broker
async def test_a_slow_reader_does_not_make_the_broker_buffer_everything(broker, client):
    sender = await client.sender("plain")
    for _ in range(60):
        await sender.send(b"x" * 200_000)
    slow = await Client.connect(HOST, broker.port)
    slow._wire._transport.pause_reading()
    opening = asyncio.ensure_future(slow.receiver("plain", credit=1000))
    await sender.send(b"meanwhile")
    locked = len(broker.find("plain").locks)

    slow._wire._transport.resume_reading()
    receiver = await opening
    got = [await receiver.receive(timeout_seconds=5) for _ in range(60)]

    assert locked < 60
    assert all(one is not None for one in got)
    await slow.close()


@against_a_broker
async def test_a_lost_connection_keeps_message_locks_until_they_expire(broker, client):
    sender = await client.sender("plain")
    await sender.send(b"x")
    other = await Client.connect(HOST, broker.port)
    await (await other.receiver("plain", credit=1)).receive(timeout_seconds=5)
    await other.close()

    receiver = await client.receiver("plain", credit=1)
    assert await receiver.receive(timeout_seconds=0.05) is None
    broker.advance_clock(6000)
    assert 1 == (await receiver.receive(timeout_seconds=5)).delivery_count


@against_a_broker
async def test_a_delivery_is_settled_once(broker, client):
    sender = await client.sender("plain")
    for _ in range(3):
        await sender.send(b"x")
    receiver = await client.receiver("plain", credit=1)
    delivery = await receiver.receive(timeout_seconds=5)
    await receiver.complete(delivery)

    with pytest.raises(LockLost):
        await receiver.abandon(delivery)
    assert await receiver.receive(timeout_seconds=5) is not None
    assert await receiver.receive(timeout_seconds=0.05) is None


@against_a_broker
async def test_nothing_is_left_behind_by_sessions_that_were_given_up(broker, client):
    await send(client, "a", "1", "2")
    for _ in range(20):
        receiver = await client.accept_session("sessions", timeout_seconds=5)
        await receiver.receive(timeout_seconds=5)
        await receiver.close()
    await client.receiver("plain", credit=1)  # answered after the last session was released

    [connection] = broker.connections
    [channel] = connection.channels.values()
    assert {} == channel.deliveries
    assert 2 == len(channel.links)


@against_a_broker
async def test_time_passes_without_traffic(broker, client):
    receiver = await client.receiver("plain", credit=1)
    sender = await client.sender("plain")
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    await sender.send(b"later", scheduled=soon)

    delivery = await receiver.receive(timeout_seconds=5)

    assert timedelta(0) <= datetime.now(UTC) - soon < timedelta(seconds=2)
    assert b"later" == delivery.body
