"""The unmodified SDK works with sessions."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.exceptions import (
    OperationTimeoutError,
    ServiceBusError,
    SessionCannotBeLockedError,
    SessionLockLostError,
)


def in_session(body: str, session_id: str) -> ServiceBusMessage:
    return ServiceBusMessage(body, session_id=session_id)


def test_a_named_session_is_received_in_order_and_locked(bus):
    queue = bus.queue(requires_session=True)

    async def scenario():
        sender, receiver = await bus.both(queue, session_id="a")
        await sender.send_messages(
            [in_session("1", "a"), in_session("x", "b"), in_session("2", "a")]
        )
        got = await receiver.receive_messages(2, max_wait_time=5)
        with pytest.raises(SessionCannotBeLockedError):
            await bus.impatient.get_queue_receiver(queue, session_id="a").__aenter__()
        for message in got:
            await receiver.complete_message(message)
        return got, receiver.session

    got, session = bus.run(scenario())

    assert [(str(one), one.session_id) for one in got] == [("1", "a"), ("2", "a")]
    left = session.locked_until_utc - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(minutes=1)


def test_the_next_session_is_the_one_whose_oldest_message_came_first(bus):
    queue = bus.queue(requires_session=True)

    async def scenario():
        sender = await bus.sender(queue)
        await sender.send_messages(
            [in_session("1", "b"), in_session("2", "a"), in_session("3", "b")]
        )
        first = await bus.receiver(queue, session_id=NEXT_AVAILABLE_SESSION)
        second = await bus.receiver(queue, session_id=NEXT_AVAILABLE_SESSION)
        with pytest.raises(OperationTimeoutError):
            await bus.impatient.get_queue_receiver(
                queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1
            ).__aenter__()
        return first.session.session_id, second.session.session_id

    assert bus.run(scenario()) == ("b", "a")


def test_a_blocked_acceptor_is_woken_by_a_message(bus):
    queue = bus.queue(requires_session=True)

    async def scenario():
        sender = await bus.sender(queue)
        receiver = bus.client.get_queue_receiver(
            queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=20
        )
        opening = asyncio.ensure_future(bus.open(receiver))
        await asyncio.sleep(0.2)
        await sender.send_messages(in_session("late", "s"))
        await opening
        [message] = await receiver.receive_messages(1, max_wait_time=5)
        return str(message), receiver.session.session_id

    assert bus.run(scenario()) == ("late", "s")


def test_state_is_kept_and_locks_are_renewed(bus):
    queue = bus.queue(requires_session=True)

    async def scenario():
        receiver = await bus.receiver(queue, session_id="s")
        empty = await receiver.session.get_state()
        await receiver.session.set_state(b"42%")
        before = receiver.session.locked_until_utc
        bus.running.advance(10)
        after = await receiver.session.renew_lock()
        await bus.close(receiver)
        again = await bus.receiver(queue, session_id="s")
        state = await again.session.get_state()
        await again.session.set_state(None)
        return empty, state, after - before, await again.session.get_state()

    empty, state, gained, cleared = bus.run(scenario())

    assert (empty, state, cleared) == (None, b"42%", None)
    assert gained >= timedelta(seconds=10)


def test_an_expired_session_lock_is_lost_and_its_messages_count(bus):
    queue = bus.queue(requires_session=True, lock_ms=5000)

    async def scenario():
        sender, receiver = await bus.both(queue, session_id="s")
        await sender.send_messages(in_session("slow", "s"))
        [message] = await receiver.receive_messages(1, max_wait_time=5)
        bus.running.advance(6)
        with pytest.raises(SessionLockLostError):
            await receiver.complete_message(message)
        again = await bus.receiver(queue, session_id="s")
        [message] = await again.receive_messages(1, max_wait_time=5)
        return message.delivery_count

    assert bus.run(scenario()) == 1


def test_a_closed_receiver_releases_its_session_uncounted(bus):
    queue = bus.queue(requires_session=True)

    async def scenario():
        sender, receiver = await bus.both(queue, session_id="s")
        await sender.send_messages(in_session("kept", "s"))
        await receiver.receive_messages(1, max_wait_time=5)
        await bus.close(receiver)
        again = await bus.receiver(queue, session_id="s")
        [message] = await again.receive_messages(1, max_wait_time=5)
        return message.delivery_count

    assert bus.run(scenario()) == 0


def test_deferred_messages_and_peeks_stay_within_their_session(bus):
    queue = bus.queue(requires_session=True)

    async def scenario():
        sender, receiver = await bus.both(queue, session_id="a")
        await sender.send_messages([in_session("1", "a"), in_session("2", "b")])
        [message] = await receiver.receive_messages(1, max_wait_time=5)
        await receiver.defer_message(message)
        peeked = await receiver.peek_messages(5, sequence_number=1)
        [deferred] = await receiver.receive_deferred_messages([message.sequence_number])
        await receiver.complete_message(deferred)
        return [str(one) for one in peeked], str(deferred)

    assert bus.run(scenario()) == (["1"], "1")


def test_sessions_with_messages_or_state_are_listed(bus):
    queue = bus.queue(requires_session=True)

    async def scenario():
        sender, receiver = await bus.both(queue, session_id="with-state")
        await receiver.session.set_state(b"x")
        await sender.send_messages([in_session("1", "b"), in_session("2", "a")])
        return [one async for one in bus.client.list_queue_sessions(queue)]

    assert sorted(bus.run(scenario())) == ["a", "b", "with-state"]


def test_sessions_and_plain_receivers_do_not_mix(bus):
    with_sessions, plain = bus.queue(requires_session=True), bus.queue()

    async def scenario():
        for queue, settings in ((with_sessions, {}), (plain, {"session_id": "s"})):
            with pytest.raises(ServiceBusError, match="sessions"):
                await bus.client.get_queue_receiver(queue, **settings).__aenter__()
        sender = await bus.sender(with_sessions)
        with pytest.raises(ServiceBusError, match="session id"):
            await sender.send_messages(ServiceBusMessage("homeless"))
        batch = [in_session("1", "a"), ServiceBusMessage("homeless")]
        with pytest.raises(ServiceBusError, match="session id"):
            await sender.send_messages(batch)

    bus.run(scenario())

    assert bus.running.call(lambda broker: len(broker.find(with_sessions).messages)) == 0
