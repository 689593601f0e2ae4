"""The sender's thread against a scripted SDK: what is joined, repeated, told and given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus import exceptions as sdk

from alm.adapters.service_bus import ServiceBusBus
from alm.domain.errors import AlmError, Denied, Misconfigured, Refused, Unavailable, Unknown
from alm.ports import Outgoing

SECONDS = 0.3
BATCH_MAX = 10


class Batch(list[ServiceBusMessage]):
    """A batch that holds ten messages."""

    def add_message(self, message: ServiceBusMessage) -> None:
        if len(self) == BATCH_MAX:
            raise sdk.MessageSizeExceededError(message="full")
        self.append(message)


@dataclass
class Broker:
    """What the clients of one test are connected to. `on_send` may raise, or wait."""

    on_send: Callable[[list[str]], None] = lambda _: None
    on_connect: Callable[[], None] = lambda: None
    transfers: list[list[str]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    def connect(self) -> ServiceBusClient:
        self.opened += 1
        return cast(ServiceBusClient, Client(self))

    @property
    def arrived(self) -> list[str]:
        return [one for transfer in self.transfers for one in transfer]


@dataclass
class Client:
    broker: Broker

    def get_queue_sender(self, queue: str) -> Client:
        return self

    def create_message_batch(self) -> Batch:
        self.broker.on_connect()
        return Batch()

    def send_messages(self, messages: Any) -> None:
        sent = messages if isinstance(messages, list) else [messages]
        ids = [str(message.message_id) for message in sent]
        self.broker.on_send(ids)
        self.broker.transfers.append(ids)

    def close(self) -> None:
        self.broker.closed += 1


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def bus(broker: Broker) -> Iterator[ServiceBusBus]:
    bus = ServiceBusBus(broker.connect, ["q", "other"], accepted_seconds=SECONDS)
    yield bus
    bus.close()


def send(bus: ServiceBusBus, *names: str, queue: str = "q") -> None:
    bus.send([Outgoing(queue, name, b"body") for name in names])


def raising(*errors: Exception | None) -> Callable[..., None]:
    """Raise each of the errors in turn (None: none), then no more."""
    left = list(errors)

    def call(*_: object) -> None:
        error = left.pop(0) if left else None
        if error is not None:
            raise error

    return call


def test_what_waits_at_the_same_moment_goes_out_together(broker: Broker) -> None:
    first_is_out, go_on = threading.Event(), threading.Event()

    def wait(ids: list[str]) -> None:
        if ids == ["first"]:
            first_is_out.set()
            assert go_on.wait(5)

    broker.on_send = wait
    bus = ServiceBusBus(broker.connect, ["q"], accepted_seconds=5)
    with ThreadPoolExecutor(9) as callers:
        calls = [callers.submit(send, bus, "first")]
        assert first_is_out.wait(5)
        calls += [callers.submit(send, bus, f"{n}a", f"{n}b") for n in range(4)]
        _until(lambda: bus._waiting.qsize() == 4)
        go_on.set()
    for call in calls:
        call.result()
    bus.close()

    assert len(broker.transfers) == 2
    assert sorted(broker.transfers[1]) == sorted(f"{n}{half}" for n in range(4) for half in "ab")


def test_a_call_of_more_than_a_batch_is_sent_in_order(bus: ServiceBusBus, broker: Broker) -> None:
    names = [f"{n:02}" for n in range(25)]

    send(bus, *names)

    assert [len(transfer) for transfer in broker.transfers] == [10, 10, 5]
    assert broker.arrived == names


def test_a_lost_answer_is_sent_again_over_a_new_client(bus: ServiceBusBus, broker: Broker) -> None:
    broker.on_send = raising(sdk.ServiceBusConnectionError(message="gone"))

    send(bus, "1")

    assert broker.arrived == ["1"]
    assert (broker.opened, broker.closed) == (2, 1)


def test_no_answer_in_time_is_unknown(bus: ServiceBusBus, broker: Broker) -> None:
    broker.on_send = raising(*(sdk.ServiceBusConnectionError(message="gone") for _ in range(99)))

    with pytest.raises(Unknown, match="some may have been accepted"):
        send(bus, "1")


def test_what_its_caller_gave_up_is_not_sent_later(bus: ServiceBusBus, broker: Broker) -> None:
    broker.on_connect = raising(*(OSError("refused") for _ in range(4)))  # 0.05 + 0.1 + 0.2 s
    with pytest.raises(Unavailable, match="none was sent"):
        send(bus, "1")

    broker.on_connect = raising()
    send(bus, "2")

    assert broker.arrived == ["2"]


def test_a_thread_that_is_stuck_is_replaced(bus: ServiceBusBus, broker: Broker) -> None:
    released = threading.Event()

    def stick(ids: list[str]) -> None:
        if ids == ["1"]:
            released.wait(5)

    broker.on_send = stick
    with pytest.raises(Unknown):
        send(bus, "1")

    send(bus, "2")
    assert broker.arrived == ["2"]

    released.set()
    _until(lambda: broker.closed == 1)
    send(bus, "3")
    assert broker.opened == 2


def test_the_thread_outlives_an_error_inside_the_sdk(bus: ServiceBusBus, broker: Broker) -> None:
    broker.on_send = raising(AttributeError("'NoneType' object has no attribute 'state'"))
    with pytest.raises(Unknown, match="AttributeError"):
        send(bus, "1")

    send(bus, "2")

    assert broker.arrived == ["2"]


def test_a_connection_string_that_is_none_is_told_without_its_key() -> None:
    bus = ServiceBusBus.from_connection_string("SharedAccessKey=canary", ["q"])

    with pytest.raises(Misconfigured, match="correct ALM_SERVICEBUS") as told:
        send(bus, "1")

    bus.close()
    assert "canary" not in str(told.value)


def test_a_refusal_of_joined_messages_reaches_only_its_caller(broker: Broker) -> None:
    first_is_out, go_on = threading.Event(), threading.Event()

    def refuse(ids: list[str]) -> None:
        if ids == ["first"]:
            first_is_out.set()
            assert go_on.wait(5)
        if "bad" in ids:
            raise sdk.MessageSizeExceededError(message="too large")

    broker.on_send = refuse
    bus = ServiceBusBus(broker.connect, ["q"], accepted_seconds=5)
    with ThreadPoolExecutor(9) as callers:
        calls = {"first": callers.submit(send, bus, "first")}
        assert first_is_out.wait(5)
        calls |= {name: callers.submit(send, bus, name) for name in ("1", "bad", "2")}
        _until(lambda: bus._waiting.qsize() == 3)
        go_on.set()
    bus.close()

    failed = {name: type(call.exception()) for name, call in calls.items() if call.exception()}
    assert failed == {"bad": Refused}
    assert sorted(broker.arrived) == ["1", "2", "first"]


@pytest.mark.parametrize(
    ("error", "expected", "says"),
    [
        (sdk.MessageSizeExceededError(message="no"), Refused, "larger than the queue takes"),
        (sdk.ServiceBusAuthenticationError(message="no"), Denied, "Azure Service Bus Data Sender"),
        (sdk.ServiceBusAuthorizationError(message="no"), Denied, "Azure Service Bus Data Sender"),
        (sdk.MessagingEntityNotFoundError(message="no"), Misconfigured, "create or enable it"),
        (sdk.MessagingEntityDisabledError(message="no"), Misconfigured, "create or enable it"),
        (sdk.ServiceBusQuotaExceededError(message="no"), Unavailable, "takes no more now"),
        (sdk.ServiceBusServerBusyError(message="no"), Unavailable, "takes no more now"),
        (sdk.ServiceBusError("Error condition: amqp:not-allowed."), Refused, "does not take this"),
    ],
)
def test_what_the_broker_says_is_told_at_once(
    bus: ServiceBusBus, broker: Broker, error: Exception, expected: type[AlmError], says: str
) -> None:
    broker.on_send = raising(error)

    with pytest.raises(expected, match=says):
        send(bus, "1")

    send(bus, "2")
    assert broker.arrived == ["2"]


def test_a_queue_that_is_not_there_leaves_the_other_links_open(
    bus: ServiceBusBus, broker: Broker
) -> None:
    send(bus, "1")
    broker.on_connect = raising(sdk.MessagingEntityNotFoundError(message="no"))
    with pytest.raises(Misconfigured):
        send(bus, "lost", queue="other")

    send(bus, "2")

    assert broker.arrived == ["1", "2"]
    assert (broker.opened, broker.closed) == (1, 1)  # one client; of the links, the failed one


def test_all_who_wait_for_a_queue_that_is_not_there_are_told_by_one_look(broker: Broker) -> None:
    first_is_out, go_on, looks = threading.Event(), threading.Event(), []

    def wait(ids: list[str]) -> None:
        first_is_out.set()
        assert go_on.wait(5)

    def look() -> None:
        looks.append(1)
        if len(looks) > 1:
            raise sdk.MessagingEntityNotFoundError(message="no")

    broker.on_send, broker.on_connect = wait, look
    bus = ServiceBusBus(broker.connect, ["q", "other"], accepted_seconds=5)
    with ThreadPoolExecutor(9) as callers:
        first = callers.submit(send, bus, "first")
        assert first_is_out.wait(5)
        calls = [callers.submit(send, bus, name, queue="other") for name in "1234"]
        _until(lambda: bus._waiting.qsize() == 4)
        go_on.set()
    first.result()
    bus.close()

    assert {Misconfigured} == {type(call.exception()) for call in calls}
    assert len(looks) == 2  # at `q`, then once at `other`


def test_closing_sends_what_waits(broker: Broker) -> None:
    first_is_out, go_on = threading.Event(), threading.Event()

    def wait(ids: list[str]) -> None:
        first_is_out.set()
        assert go_on.wait(5)

    broker.on_send = wait
    bus = ServiceBusBus(broker.connect, ["q"], accepted_seconds=5)
    with ThreadPoolExecutor(9) as callers:
        calls = [callers.submit(send, bus, "1")]
        assert first_is_out.wait(5)
        calls.append(callers.submit(send, bus, "2"))
        _until(lambda: bus._waiting.qsize() == 1)
        calls.append(callers.submit(bus.close))
        _until(lambda: bus._waiting.qsize() == 2)
        go_on.set()
    for call in calls:
        call.result()

    assert broker.arrived == ["1", "2"]
    assert broker.closed == 1


def _until(true: Callable[[], bool]) -> None:
    """Wait for another thread, which gives no sign of its own."""
    moment = threading.Event()
    for _ in range(1000):
        if true():
            return
        moment.wait(0.005)
    raise AssertionError("it did not come to that")
