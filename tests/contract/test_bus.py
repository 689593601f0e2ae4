"""The bus: what `ports.Bus` promises, of the double and of the sender over the local broker."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from alm.adapters.service_bus import ServiceBusBus
from alm.domain.errors import AlmError, Misconfigured, Refused, Unavailable
from alm.ports import Outgoing
from devstack.servicebus.background import BackgroundBroker
from tests.contract.bus_worlds import (
    ONCE,
    PLAIN,
    QUEUES,
    SESSIONS,
    BrokerWorld,
    BusWorld,
    MemoryBusWorld,
    Received,
    take_all,
)

TOO_LARGE = b"x" * 300_000

# the SDK forgets to close the socket of an attempt to connect that failed
forgets_sockets = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerWorld]:
    world = BrokerWorld(tmp_path)
    yield world
    world.close()


@pytest.fixture(params=["double", "broker"])
def world(request: pytest.FixtureRequest) -> BusWorld:
    if request.param == "double":
        return MemoryBusWorld()
    found: BusWorld = request.getfixturevalue("broker")
    return found


def message(name: str, queue: str = PLAIN, **given: object) -> Outgoing:
    return Outgoing(**{"queue": queue, "id": name, "body": name.encode(), **given})


def ids(received: list[Received]) -> list[str | None]:
    return [one.id for one in received]


def test_a_message_arrives_as_it_was_handed_over(world: BusWorld) -> None:
    body = '{"π": "\\u0000"}'.encode()
    properties = {"subject": "retrain/start", "correlation_id": "c-1", "content_type": "text/x"}

    world.bus.send([Outgoing(SESSIONS, "t:m:1", body, session="model-ü", **properties)])

    arrived = Received("t:m:1", body, "model-ü", "retrain/start", "c-1", "text/x")
    assert world.received(SESSIONS) == [arrived]


def test_a_message_brings_its_context_along_wherever_it_waited(world: BusWorld) -> None:
    context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    soon = datetime.now(UTC) + timedelta(milliseconds=50)

    world.bus.send([message("now", traceparent=context)])
    world.bus.send([message("due", due=soon, traceparent=context), message("bare")])

    found: dict[str | None, str] = {}
    deadline = monotonic() + 5
    while len(found) < 3 and monotonic() < deadline:
        found |= {one.id: one.traceparent for one in world.received(PLAIN)}
    assert found == {"now": context, "due": context, "bare": ""}


def test_nothing_to_send_is_sent_at_once(world: BusWorld) -> None:
    world.bus.send([])

    assert world.received(PLAIN) == []


def test_messages_of_one_call_reach_each_queue_in_order(world: BusWorld) -> None:
    both = [message(f"{n}", queue) for n in range(30) for queue in (PLAIN, ONCE)]

    world.bus.send(both[:1])
    world.bus.send([one for one in both[1:] if one.queue == PLAIN])

    assert ids(world.received(PLAIN)) == [str(n) for n in range(30)]


def test_a_session_gets_its_messages_in_the_order_of_the_calls(world: BusWorld) -> None:
    for n in range(10):
        world.bus.send([message(f"{n}", SESSIONS, session="m")])

    assert ids(world.received(SESSIONS)) == [str(n) for n in range(10)]


def test_more_than_a_batch_holds_is_sent_in_several(world: BusWorld) -> None:
    large = [message(f"{n:02}", body=bytes([n]) * 50_000) for n in range(20)]

    world.bus.send(large)

    received = world.received(PLAIN)
    assert ids(received) == [one.id for one in large]
    assert [one.body for one in received] == [one.body for one in large]


def test_a_message_that_is_too_large_is_refused_with_all_of_its_call(world: BusWorld) -> None:
    with pytest.raises(Refused, match="larger than the queue takes"):
        world.bus.send([message("before"), message("huge", body=TOO_LARGE), message("after")])

    assert world.received(PLAIN) == []
    world.bus.send([message("next")])
    assert ids(world.received(PLAIN)) == ["next"]


def test_a_queue_that_is_not_ours_is_not_sent_to(world: BusWorld) -> None:
    with pytest.raises(Misconfigured, match="elsewhere"):
        world.bus.send([message("1"), message("2", "elsewhere")])

    assert world.received(PLAIN) == []


def test_a_queue_that_looks_for_duplicates_drops_them(world: BusWorld) -> None:
    world.bus.send([message("same", ONCE), message("other", ONCE)])
    world.bus.send([message("same", ONCE)])

    assert ids(world.received(ONCE)) == ["same", "other"]


# The rest only the adapter can show.


def test_a_scheduled_message_comes_when_it_is_due(broker: BrokerWorld) -> None:
    due = datetime.now(UTC) + timedelta(hours=1)
    broker.bus.send([message("later", due=due), message("now")])
    assert ids(broker.received(PLAIN)) == ["now"]

    broker.running.advance(3601)

    assert ids(broker.received(PLAIN)) == ["later"]


@pytest.mark.parametrize("field", ["id", "session"])
def test_names_that_are_too_long_are_refused(broker: BrokerWorld, field: str) -> None:
    with pytest.raises(Refused, match="128 characters"):
        broker.bus.send([message("1", SESSIONS, **{"session": "m", field: "x" * 129})])

    broker.bus.send([message("1", SESSIONS, **{"session": "m", field: "x" * 128})])
    assert len(broker.received(SESSIONS)) == 1


def test_each_caller_is_told_what_became_of_its_own_messages(broker: BrokerWorld) -> None:
    outcomes: dict[str, str] = {}
    together = threading.Barrier(12)

    def send(name: str, **given: object) -> None:
        together.wait()
        try:
            broker.bus.send([message(name, SESSIONS, **given)])
            outcomes[name] = "accepted"
        except AlmError as error:
            outcomes[name] = type(error).__name__

    calls: dict[str, dict[str, object]] = {f"m{n}": {"session": "m"} for n in range(10)}
    calls |= {"huge": {"session": "m", "body": TOO_LARGE}, "homeless": {}}
    threads = [threading.Thread(target=send, args=(n,), kwargs=g) for n, g in calls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = dict.fromkeys(calls, "accepted") | {"huge": "Refused", "homeless": "Refused"}
    assert outcomes == expected
    assert sorted(map(str, ids(broker.received(SESSIONS)))) == sorted(f"m{n}" for n in range(10))


@forgets_sockets
def test_a_broker_that_comes_back_in_time_is_not_noticed(tmp_path: Path) -> None:
    with BackgroundBroker(QUEUES, tmp_path) as first:
        bus = ServiceBusBus.from_connection_string(first.connection_string, [PLAIN])
        bus.send([message("1")])
    sending = threading.Thread(target=bus.send, args=([message("2")],))
    sending.start()

    with BackgroundBroker(QUEUES, tmp_path, port=first.port):
        sending.join()
        received = asyncio.run(take_all(first.port, PLAIN, sessions=False))
        bus.close()

    assert ids(received) == ["1", "2"]
    _forget_senders()


@forgets_sockets
def test_nothing_was_sent_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    bus = ServiceBusBus.from_connection_string(_address(port), [PLAIN], accepted_seconds=0.3)

    with pytest.raises(Unavailable, match="none was sent"):
        bus.send([message("1")])

    bus.close()
    _forget_senders()


@forgets_sockets
def test_a_broker_that_says_nothing_does_not_stop_the_next_call(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        port = silent.getsockname()[1]
        bus = ServiceBusBus.from_connection_string(_address(port), [PLAIN], accepted_seconds=1.0)
        with pytest.raises(Unavailable):
            bus.send([message("1")])
        held = silent.accept()[0]

    with held, BackgroundBroker(QUEUES, tmp_path, port=port):
        began = monotonic()
        _until_accepted(bus, message("2"))
        assert monotonic() - began < 5
        received = asyncio.run(take_all(port, PLAIN, sessions=False))
        bus.close()

    assert ids(received) == ["2"]
    _forget_senders()


def test_a_closed_bus_opens_again(broker: BrokerWorld) -> None:
    broker.bus.send([message("1")])
    broker.bus.close()
    broker.bus.close()
    broker.bus.send([message("2")])

    assert ids(broker.received(PLAIN)) == ["1", "2"]


def _forget_senders() -> None:
    """Let what the SDK forgot be found here, and not in the middle of another test."""
    for thread in threading.enumerate():
        if thread.name == "service-bus-sender":
            thread.join(10)
    gc.collect()


def _until_accepted(bus: ServiceBusBus, outgoing: Outgoing) -> None:
    """The first call may still meet the end of the listener before."""
    for _ in range(5):
        try:
            return bus.send([outgoing])
        except Unavailable:
            continue
    raise AssertionError("no call got through")


def _address(port: int) -> str:
    return (
        f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=name;SharedAccessKey=key;"
        "UseDevelopmentEmulator=true;"
    )
