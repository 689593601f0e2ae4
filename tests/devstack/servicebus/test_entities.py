"""Rules of a queue without sessions, on a clock that stands still."""

import pytest

from devstack.servicebus.errors import NO_MESSAGE, LockLost, Refused
from devstack.servicebus.message import State
from tests.devstack.servicebus.world import Taker, World, bodies, text


def test_messages_go_out_in_order_and_as_far_as_credit_reaches():
    world, taker = World(), Taker()
    world.send(text("a"), text("b"), text("c"))

    assert ["a", "b"] == bodies(world.take(taker, credit=2))
    assert ["c"] == bodies(world.take(taker, credit=5))


def test_consumers_take_turns():
    world, one, two = World(), Taker(2), Taker(2)
    world.queue.subscribe(one)
    world.queue.subscribe(two)

    world.send(text("a"), text("b"), text("c"), text("d"))

    assert (["a", "c"], ["b", "d"]) == (bodies(one.got), bodies(two.got))


def test_a_completed_message_is_gone_from_queue_and_journal():
    world, taker = World(), Taker()
    world.send(text("a"))
    world.take(taker)

    world.queue.complete(taker.locks[0])

    assert ({}, {}, 0) == (world.queue.messages, world.journal.rows, world.queue.size)
    with pytest.raises(LockLost):
        world.queue.complete(taker.locks[0])


def test_an_abandoned_message_returns_to_its_place():
    world, taker = World(), Taker()
    world.send(text("a"), text("b"))
    world.take(taker)

    world.queue.abandon(taker.locks[0])

    again = world.take(taker, credit=2)
    assert ["a", "b"] == bodies(again)
    assert [1, 0] == [message.delivery_count for message in again]


def test_a_released_message_is_not_counted():
    world, taker = World(), Taker()
    world.send(text("a"))
    world.take(taker)

    world.queue.release(taker.locks[0])

    assert [0] == [message.delivery_count for message in world.take(taker)]


def test_an_expired_lock_counts_and_frees_the_message():
    world, taker = World(lock_ms=1000), Taker()
    world.send(text("a"))
    world.take(taker)

    world.advance(0.999)
    assert [] == taker.lost_locks
    world.advance(0.001)

    assert taker.locks == taker.lost_locks
    assert [1] == [message.delivery_count for message in world.take(taker)]
    assert (0, 1) == world.journal.rows[2, 1]


def test_a_renewed_lock_runs_from_the_time_of_renewal():
    world, taker = World(lock_ms=1000), Taker()
    world.send(text("a"))
    world.take(taker)
    world.advance(0.9)

    until = world.queue.renew(taker.locks[0])
    world.advance(0.9)

    assert world.now_ms() + 100 == until
    world.queue.complete(taker.locks[0])


def test_too_many_failures_bury_a_message_with_its_reason():
    world, taker, digger = World(delivery_count_max=2), Taker(), Taker()
    world.send(text("a", message_id="m"))
    for _ in range(2):
        world.take(taker)
        world.queue.abandon(taker.locks[-1])

    [buried] = world.take(digger, queue=world.dead_letters)

    assert {} == world.queue.messages
    assert b"MaxDeliveryCountExceeded" in buried.bare
    assert (2, "m", 1) == (buried.delivery_count, buried.message_id, buried.origin)
    assert {(1, 1)} == set(world.journal.rows)


def test_nothing_is_buried_twice():
    world, taker = World(delivery_count_max=1), Taker()
    world.send(text("a"))
    world.take(taker)
    world.queue.abandon(taker.locks[0])
    for _ in range(3):
        world.take(taker, queue=world.dead_letters)
        world.dead_letters.abandon(taker.locks[-1])

    assert [4] == [message.delivery_count for message in world.dead_letters.messages.values()]
    world.take(taker, queue=world.dead_letters)
    with pytest.raises(Refused, match="no dead-letter queue of its own"):
        world.dead_letters.dead_letter(taker.locks[-1], "why", None)
    with pytest.raises(Refused, match="cannot be sent to"):
        world.dead_letters.send([text("b")])


def test_the_shorter_time_to_live_counts():
    world = World(ttl_ms=10_000)
    world.send(text("short", ttl=1000), text("long", ttl=99_000), text("default"))

    world.advance(1)
    assert ["long", "default"] == bodies(list(world.queue.messages.values()))
    world.advance(9)

    assert ({}, {}) == (world.queue.messages, world.journal.rows)


def test_a_locked_message_expires_when_it_is_given_back():
    world, taker = World(ttl_ms=1000, dead_letter_on_expiry=True), Taker()
    world.send(text("a"))
    world.take(taker)
    world.advance(2)
    assert 1 == len(world.queue.messages)

    world.queue.abandon(taker.locks[0])

    [buried] = world.dead_letters.messages.values()
    assert b"TTLExpiredException" in buried.bare


def test_a_locked_message_can_be_completed_after_it_expired():
    world, taker = World(ttl_ms=1000), Taker()
    world.send(text("a"))
    world.take(taker)
    world.advance(2)

    world.queue.complete(taker.locks[0])

    assert {} == world.queue.messages


def test_a_scheduled_message_is_enqueued_when_due_with_a_new_number_and_its_whole_lifetime():
    world, taker = World(ttl_ms=5000), Taker(9)
    world.queue.subscribe(taker)
    [sequence] = world.send(text("later", scheduled=world.now_ms() + 60_000))
    world.send(text("now"))

    assert ["now"] == bodies(taker.got)
    world.advance(60)

    assert ["now", "later"] == bodies(taker.got)
    later = taker.got[1]
    assert sequence == 1
    assert (3, world.now_ms()) == (later.sequence, later.enqueued)
    assert world.now_ms() + 5000 == later.expires


def test_a_schedule_in_the_past_is_now():
    world, taker = World(), Taker()
    world.send(text("a", scheduled=world.now_ms() - 1))

    assert ["a"] == bodies(world.take(taker))


def test_scheduled_messages_are_cancelled_all_or_none():
    world = World()
    first, second = world.send(
        text("a", scheduled=world.now_ms() + 1000), text("b", scheduled=world.now_ms() + 1000)
    )

    with pytest.raises(Refused, match="77") as refused:
        world.queue.cancel_scheduled([first, 77])
    assert NO_MESSAGE == refused.value.condition
    assert [first, second] == list(world.queue.scheduled)
    world.queue.cancel_scheduled([first])
    world.advance(2)

    assert ["b"] == bodies(list(world.queue.messages.values()))


def test_a_deferred_message_is_received_by_number_only_and_stays_deferred_when_abandoned():
    world, taker = World(), Taker()
    world.send(text("a"))
    world.take(taker)
    world.queue.defer(taker.locks[0])

    assert [] == world.take(taker)
    [(message, lock)] = world.queue.receive_deferred([1])
    with pytest.raises(Refused, match="no deferred message"):
        world.queue.receive_deferred([1])
    world.queue.abandon(lock)

    assert [] == world.take(taker)
    assert (State.DEFERRED, 1) == (message.state, message.delivery_count)
    [(_, lock)] = world.queue.receive_deferred([1])
    world.queue.complete(lock)
    assert ({}, {}) == (world.queue.deferred, world.journal.rows)


def test_duplicates_are_dropped_within_the_window_and_told_apart_by_type():
    world = World(duplicate_window_ms=10_000)
    world.send(text("a", message_id="1"), text("again", message_id="1"))
    world.send(text("number", message_id=1), text("nameless"), text("nameless"))
    world.send(text("scheduled", message_id="s", scheduled=world.now_ms() + 60_000))
    world.send(text("scheduled again", message_id="s"))

    assert 5 == len(world.queue.messages)
    world.advance(10)
    world.send(text("a", message_id="1"))

    assert 6 == len(world.queue.messages)


def test_ids_are_forgotten_after_the_window():
    world = World(duplicate_window_ms=1000)
    world.send(*(text("x", message_id=str(number)) for number in range(100)))
    world.advance(2)

    world.send(*(text("y", message_id=f"new-{number}") for number in range(100)))

    assert 100 == len(world.queue.duplicates) == len(world.journal.seen)


def test_sends_are_all_or_nothing():
    world = World(bytes_max=1000)

    with pytest.raises(Refused, match="128 characters"):
        world.send(text("fine"), text("bad", message_id="x" * 129))
    with pytest.raises(Refused, match="full"):
        world.send(text("x" * 200), *[text("y" * 200)] * 4)

    assert ({}, 0) == (world.queue.messages, world.queue.size)


def test_receive_and_delete_removes_at_delivery():
    world, taker = World(), Taker(settles_on_send=True)
    world.send(text("a"))

    assert ["a"] == bodies(world.take(taker))
    assert ({}, [], {}) == (world.queue.messages, taker.locks, world.journal.rows)


def test_peek_shows_everything_from_a_number_on():
    world, taker = World(), Taker()
    world.send(text("a"), text("b"), text("c", scheduled=world.now_ms() + 1000), text("d"))
    world.take(taker)

    assert ["a", "b", "c", "d"] == bodies(world.queue.peek(0, 10))
    assert ["b", "c"] == bodies(world.queue.peek(2, 2))
    assert ["d"] == bodies(world.queue.peek(4, 2))


def test_a_consumer_that_left_gets_nothing_and_its_locks_run_out():
    world, gone, other = World(lock_ms=1000), Taker(), Taker()
    world.send(text("a"))
    world.take(gone)

    world.queue.unsubscribe(gone)
    assert [] == world.take(other)
    world.advance(1)

    assert ["a"] == bodies(other.got)


def test_numbers_are_reserved_in_blocks_and_never_used_twice():
    world = World()
    world.send(*(text("x") for _ in range(1500)))

    reserved = world.journal.reserved[2]
    restarted = World()
    restarted.queue.restore([], reserved)

    assert 1500 < reserved
    assert [reserved + 1] == restarted.send(text("y"))


def test_timers_do_not_pile_up():
    world, taker = World(ttl_ms=3_600_000), Taker()
    for _ in range(5000):
        world.send(text("a"))
        world.take(taker)
        world.queue.complete(taker.locks.pop())

    assert 0 == len(world.timers)
    assert len(world.timers._heap) < 5000
    assert len(world.queue._ready) == 0
