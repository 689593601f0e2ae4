"""The unmodified SDK sends to, receives from and looks into queues without sessions."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusError,
)


def test_messages_arrive_whole_and_in_order(bus):
    queue = bus.queue()

    async def scenario():
        sender, receiver = await bus.both(queue)
        first = ServiceBusMessage(
            b"one",
            message_id="m1",
            correlation_id="c1",
            subject="s1",
            content_type="text/plain",
            reply_to="r1",
            to="t1",
            partition_key="p1",
            application_properties={"number": 7, "flag": True, "text": "é"},
        )
        await sender.send_messages(first)
        await sender.send_messages([ServiceBusMessage("two"), ServiceBusMessage("three")])
        got = await receiver.receive_messages(3, max_wait_time=5)
        locked_for = got[0].locked_until_utc - datetime.now(UTC)
        for message in got:
            await receiver.complete_message(message)
        return got, locked_for

    got, locked_for = bus.run(scenario())

    assert [str(message) for message in got] == ["one", "two", "three"]
    assert [message.sequence_number for message in got] == [1, 2, 3]
    one = got[0]
    assert (*(one.message_id, one.correlation_id, one.subject, one.content_type),) == (
        "m1",
        "c1",
        "s1",
        "text/plain",
    )
    assert (one.reply_to, one.to, one.partition_key) == ("r1", "t1", "p1")
    assert {b"number": 7, b"flag": True, b"text": "é".encode()} == one.application_properties
    assert one.delivery_count == 0
    assert timedelta(seconds=50) < locked_for <= timedelta(minutes=1)
    assert abs(one.enqueued_time_utc - datetime.now(UTC)) < timedelta(seconds=20)
    assert bus.running.call(lambda broker: len(broker.find(queue).messages)) == 0


def test_the_synchronous_client_works_too(bus):
    queue = bus.queue()

    with ServiceBusClient.from_connection_string(bus.running.connection_string) as client:
        with client.get_queue_sender(queue) as sender:
            sender.send_messages(ServiceBusMessage("hello"))
        with client.get_queue_receiver(queue) as receiver:
            [message] = receiver.receive_messages(1, max_wait_time=5)
            receiver.renew_message_lock(message)
            receiver.complete_message(message)

    assert str(message) == "hello"


def test_an_abandoned_message_comes_back_until_it_is_dead_lettered(bus):
    queue = bus.queue(delivery_count_max=2)

    async def scenario():
        sender, receiver = await bus.both(queue)
        await sender.send_messages(ServiceBusMessage("poison", application_properties={"a": "b"}))
        counts = []
        for _ in range(2):
            [message] = await receiver.receive_messages(1, max_wait_time=5)
            counts.append(message.delivery_count)
            await receiver.abandon_message(message)
        dead = await bus.receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER)
        [buried] = await dead.receive_messages(1, max_wait_time=5)
        await dead.complete_message(buried)
        return counts, buried

    counts, buried = bus.run(scenario())

    assert counts == [0, 1]
    assert buried.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert "2 delivery attempts" in buried.dead_letter_error_description
    assert buried.application_properties[b"a"] == b"b"


def test_a_message_is_dead_lettered_with_reason_and_description(bus):
    queue = bus.queue()

    async def scenario():
        sender, receiver = await bus.both(queue)
        await sender.send_messages(ServiceBusMessage("bad"))
        [message] = await receiver.receive_messages(1, max_wait_time=5)
        await receiver.dead_letter_message(message, reason="Typo", error_description="a typo")
        dead = await bus.receiver(queue, sub_queue="deadletter")
        [buried] = await dead.receive_messages(1, max_wait_time=5)
        return buried

    buried = bus.run(scenario())

    assert (buried.dead_letter_reason, buried.dead_letter_error_description) == ("Typo", "a typo")


def test_a_deferred_message_is_received_by_its_number_only(bus):
    queue = bus.queue()

    async def scenario():
        sender, receiver = await bus.both(queue)
        await sender.send_messages([ServiceBusMessage("later"), ServiceBusMessage("now")])
        [message] = await receiver.receive_messages(1, max_wait_time=5)
        await receiver.defer_message(message)
        [following] = await receiver.receive_messages(1, max_wait_time=5)
        peeked = await receiver.peek_messages(5, sequence_number=1)
        [deferred] = await receiver.receive_deferred_messages(message.sequence_number)
        await receiver.renew_message_lock(deferred)
        await receiver.complete_message(deferred)
        return str(following), [(str(one), one.state) for one in peeked], str(deferred)

    following, peeked, deferred = bus.run(scenario())

    assert following == "now"
    assert peeked[0] == ("later", ServiceBusMessageState.DEFERRED)
    assert deferred == "later"
    assert bus.running.call(lambda broker: list(broker.find(queue).messages)) == [2]


def test_scheduled_messages_arrive_when_they_are_due_and_can_be_cancelled(bus):
    queue = bus.queue()
    due = datetime.now(UTC) + timedelta(hours=1)

    async def scenario():
        sender, receiver = await bus.both(queue)
        numbers = await sender.schedule_messages(
            [ServiceBusMessage("cancelled"), ServiceBusMessage("managed")], due
        )
        await sender.send_messages(ServiceBusMessage("annotated", scheduled_enqueue_time_utc=due))
        await sender.cancel_scheduled_messages(numbers[0])
        before = await receiver.peek_messages(5, sequence_number=1)
        bus.running.advance(3601)
        got = await receiver.receive_messages(2, max_wait_time=5)
        bus.running.advance(0)
        return [one.state for one in before], [str(one) for one in got]

    states, got = bus.run(scenario())

    assert states == [ServiceBusMessageState.SCHEDULED] * 2
    assert got == ["managed", "annotated"]


def test_an_expired_lock_is_lost_and_counts(bus):
    queue = bus.queue(lock_ms=5000)

    async def scenario():
        sender, receiver = await bus.both(queue)
        await sender.send_messages(ServiceBusMessage("slow"))
        [message] = await receiver.receive_messages(1, max_wait_time=5)
        bus.running.advance(6)
        with pytest.raises(MessageLockLostError):
            await receiver.complete_message(message)
        [again] = await receiver.receive_messages(1, max_wait_time=5)
        return again.delivery_count

    assert bus.run(scenario()) == 1


def test_an_expired_message_is_dead_lettered_where_so_configured(bus):
    queue = bus.queue(dead_letter_on_expiry=True)
    dropping = bus.queue()

    async def scenario():
        sender = await bus.sender(queue)
        other = await bus.sender(dropping)
        for one in (sender, other):
            await one.send_messages(ServiceBusMessage("stale", time_to_live=timedelta(seconds=30)))
        bus.running.advance(31)
        dead = await bus.receiver(queue, sub_queue="deadletter")
        [buried] = await dead.receive_messages(1, max_wait_time=5)
        return buried.dead_letter_reason

    assert bus.run(scenario()) == "TTLExpiredException"
    assert bus.running.call(lambda broker: len(broker.find(dropping).messages)) == 0


def test_a_duplicate_is_accepted_and_dropped_alone_and_in_a_batch(bus):
    queue = bus.queue(duplicate_window_ms=60_000)

    async def scenario():
        sender, receiver = await bus.both(queue)
        await sender.send_messages(ServiceBusMessage("a", message_id="1"))
        await sender.send_messages(ServiceBusMessage("a again", message_id="1"))
        await sender.send_messages(
            [ServiceBusMessage("b", message_id="2"), ServiceBusMessage("b again", message_id="2")]
        )
        return [str(one) for one in await receiver.receive_messages(4, max_wait_time=2)]

    assert bus.run(scenario()) == ["a", "b"]


def test_receive_and_delete_leaves_nothing(bus):
    queue = bus.queue()

    async def scenario():
        sender, receiver = await bus.both(
            queue, receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE
        )
        await sender.send_messages([ServiceBusMessage(str(number)) for number in range(3)])
        return [str(one) for one in await receiver.receive_messages(3, max_wait_time=5)]

    assert bus.run(scenario()) == ["0", "1", "2"]
    assert bus.running.call(lambda broker: len(broker.find(queue).messages)) == 0


def test_prefetched_messages_go_back_uncounted_when_a_receiver_closes(bus):
    queue = bus.queue()

    async def scenario():
        sender, receiver = await bus.both(queue, prefetch_count=10)
        await sender.send_messages([ServiceBusMessage(str(number)) for number in range(5)])
        [first] = await receiver.receive_messages(1, max_wait_time=5)
        await receiver.complete_message(first)
        await bus.close(receiver)
        other = await bus.receiver(queue)
        return await other.receive_messages(4, max_wait_time=5)

    got = bus.run(scenario())

    assert [(str(one), one.delivery_count) for one in got] == [
        ("1", 0),
        ("2", 0),
        ("3", 0),
        ("4", 0),
    ]


def test_a_large_message_travels_in_several_frames_and_a_larger_one_is_refused(bus):
    queue = bus.queue()

    async def scenario():
        sender, receiver = await bus.both(queue)
        await sender.send_messages(ServiceBusMessage(b"x" * 250_000))
        with pytest.raises(MessageSizeExceededError):
            await sender.send_messages(ServiceBusMessage(b"x" * 300_000))
        [message] = await receiver.receive_messages(1, max_wait_time=5)
        return b"".join(message.body)

    assert bus.run(scenario()) == b"x" * 250_000


def test_a_queue_that_does_not_exist_is_said_so(bus):
    async def scenario():
        with pytest.raises(MessagingEntityNotFoundError):
            await bus.sender("nowhere")

    bus.run(scenario())


def test_topics_are_refused_by_name(bus):
    async def scenario():
        receiver = bus.client.get_subscription_receiver("topic", "subscription")
        with pytest.raises(ServiceBusError, match="topics and subscriptions"):
            await bus.open(receiver)

    bus.run(scenario())


def test_two_receivers_share_a_queue(bus):
    queue = bus.queue()

    async def scenario():
        sender, one = await bus.both(queue)
        two = await bus.receiver(queue)
        waiting = asyncio.gather(
            one.receive_messages(1, max_wait_time=5), two.receive_messages(1, max_wait_time=5)
        )
        await sender.send_messages([ServiceBusMessage("a"), ServiceBusMessage("b")])
        return sorted(str(message) for [message] in await waiting)

    assert bus.run(scenario()) == ["a", "b"]
