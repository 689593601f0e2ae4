"""Rules of a queue with sessions, on a clock that stands still."""

import pytest

from devstack.servicebus.errors import SESSION_TAKEN, LockLost, Refused, SessionLost
from tests.devstack.servicebus.world import Taker, World, bodies, text


def sessions(**settings) -> World:
    return World(requires_session=True, **settings)


def accept(world: World, session_id: str) -> Taker:
    taker = Taker()
    taker.session = world.queue.accept(session_id, taker)
    return taker


def accept_next(world: World) -> Taker:
    taker = Taker()
    world.queue.accept_next(taker)
    world.settle()
    return taker


def test_the_next_session_is_the_free_one_with_the_oldest_message():
    world = sessions()
    world.send(text("1", session_id="b"), text("2", session_id="a"), text("3", session_id="b"))

    first, second, third = (accept_next(world) for _ in range(3))

    assert ("b", "a", None) == (first.session.id, second.session.id, third.session)
    assert ["1", "3"] == bodies(world.take_session(first, credit=5))


def test_one_session_goes_to_one_holder():
    world = sessions()
    accept(world, "a")

    with pytest.raises(Refused) as refused:
        accept(world, "a")

    assert SESSION_TAKEN == refused.value.condition


def test_those_who_wait_are_woken_by_messages_and_by_releases_in_order():
    world = sessions()
    holder = accept(world, "a")
    first, second = accept_next(world), accept_next(world)
    world.send(text("1", session_id="a"))
    assert first.session is None

    world.send(text("2", session_id="b"))
    assert ("b", None) == (first.session.id, second.session)
    world.queue.release_session(holder.session)
    world.settle()

    assert "a" == second.session.id


def test_who_stops_waiting_gets_nothing():
    world, taker = sessions(), Taker()
    world.queue.accept_next(taker)
    world.queue.stop_waiting(taker)

    world.send(text("1", session_id="a"))

    assert taker.session is None
    assert "a" == accept_next(world).session.id


def test_a_release_gives_messages_back_uncounted_and_in_order():
    world = sessions()
    world.send(text("1", session_id="a"), text("2", session_id="a"))
    holder = accept(world, "a")
    world.take_session(holder, credit=2)

    world.queue.release_session(holder.session)

    again = world.take_session(accept_next(world), credit=2)
    assert ["1", "2"] == bodies(again)
    assert [0, 0] == [message.delivery_count for message in again]
    with pytest.raises(LockLost):
        world.queue.complete(holder.locks[0])


def test_an_expired_session_lock_counts_and_tells_the_holder():
    world = sessions(lock_ms=1000)
    world.send(text("1", session_id="a"), text("2", session_id="a"))
    holder = accept(world, "a")
    world.take_session(holder)

    world.advance(1)

    assert (["a"], 1) == (holder.sessions_lost, len(holder.lost_locks))
    again = world.take_session(accept_next(world), credit=2)
    assert [1, 0] == [message.delivery_count for message in again]


def test_a_session_lock_is_renewed_for_its_messages_too():
    world = sessions(lock_ms=1000)
    world.send(text("1", session_id="a"))
    holder = accept(world, "a")
    world.take_session(holder)
    world.advance(0.9)

    until = world.queue.renew_session(holder.session)
    world.advance(0.9)

    assert world.now_ms() + 100 == until == holder.locks[0].until
    assert until == holder.session.locked_until
    world.queue.complete(holder.locks[0])


def test_an_expired_session_cannot_be_renewed():
    world = sessions(lock_ms=1000)
    holder = accept(world, "a")
    session = holder.session
    world.advance(1)

    with pytest.raises(SessionLost):
        world.queue.renew_session(session)
    with pytest.raises(SessionLost):
        world.queue.held("a")


def test_too_many_failures_bury_a_message_of_a_session():
    world = sessions(lock_ms=1000, delivery_count_max=2)
    world.send(text("1", session_id="a"))
    for _ in range(2):
        holder = accept_next(world)
        world.take_session(holder)
        world.advance(1)

    assert ({}, {}) == (world.queue.messages, world.queue.sessions)
    assert ["a"] == [message.session_id for message in world.dead_letters.messages.values()]


def test_messages_that_arrive_go_to_the_holder_at_once():
    world = sessions()
    holder = accept(world, "a")
    world.take_session(holder, credit=1)

    world.send(text("1", session_id="a"), text("2", session_id="a"), text("x", session_id="b"))

    assert ["1"] == bodies(holder.got)


def test_scheduled_messages_join_their_session_when_due():
    world = sessions()
    waiting = accept_next(world)
    world.send(text("later", session_id="a", scheduled=world.now_ms() + 1000))
    assert waiting.session is None

    world.advance(1)

    assert "a" == waiting.session.id
    assert ["later"] == bodies(world.take_session(waiting))


def test_a_deferred_message_is_held_by_the_session():
    world = sessions()
    world.send(text("1", session_id="a"), text("2", session_id="a"))
    holder = accept(world, "a")
    world.take_session(holder)
    world.queue.defer(holder.locks[0])
    with pytest.raises(Refused, match="has no message"):
        world.queue.receive_deferred([1], session_id="b")
    [(message, lock)] = world.queue.receive_deferred([1], session_id="a")

    world.queue.release_session(holder.session)

    assert message.lock is None
    with pytest.raises(LockLost):
        world.queue.complete(lock)
    assert ["2"] == bodies(world.take_session(accept_next(world), credit=5))


def test_sessions_without_content_are_forgotten():
    world = sessions()
    for number in range(100):
        world.send(text("x", session_id=str(number)))
        holder = accept_next(world)
        world.take_session(holder)
        world.queue.complete(holder.locks[0])
        world.queue.release_session(holder.session)

    assert ({}, [], {}) == (world.queue.sessions, world.queue._available, world.queue._busy)


def test_state_outlives_its_messages_and_is_listed():
    world = sessions()
    holder = accept(world, "with-state")
    world.queue.set_state(holder.session, b"42")
    world.queue.release_session(holder.session)
    world.advance(10)
    world.send(text("x", session_id="b"), text("y", session_id="a"))

    assert ["a", "b", "with-state"] == world.queue.list_sessions(None, 0, 10)
    assert ["b"] == world.queue.list_sessions(None, 1, 1)
    assert ["with-state"] == world.queue.list_sessions(world.now_ms() - 10_001, 0, 10)
    assert [] == world.queue.list_sessions(world.now_ms(), 0, 10)
    holder = accept(world, "with-state")
    assert b"42" == holder.session.state
    world.queue.set_state(holder.session, None)
    world.queue.release_session(holder.session)
    assert {} == world.journal.states
    assert "with-state" not in world.queue.sessions


def test_a_session_whose_messages_expired_is_not_offered():
    world = sessions()
    world.send(text("old", session_id="a", ttl=1000), text("new", session_id="b"))
    world.advance(1)

    assert "b" == accept_next(world).session.id
    assert accept_next(world).session is None


def test_a_session_is_offered_by_its_oldest_message_that_is_left():
    world = sessions()
    world.send(
        *(text("old", session_id="a", ttl=1000), text("b", session_id="b")),
        text("a", session_id="a"),
    )
    world.advance(1)

    assert ["b", "a"] == [accept_next(world).session.id for _ in range(2)]


def test_messages_need_a_session():
    world = sessions()

    with pytest.raises(Refused, match="needs a session id"):
        world.send(text("fine", session_id="a"), text("homeless"))

    assert {} == world.queue.messages


def test_ten_thousand_sessions_are_accepted_without_a_scan():
    steps = 200
    world = sessions()
    world.send(*(text("x", session_id=str(number)) for number in range(10_000)))
    looked_at = []
    original = world.queue._first_ready
    world.queue._first_ready = lambda ready: looked_at.append(1) or original(ready)

    for _ in range(steps):
        holder = accept_next(world)
        world.take_session(holder)
        world.queue.complete(holder.locks[0])
        world.queue.release_session(holder.session)

    assert len(looked_at) <= 6 * steps
