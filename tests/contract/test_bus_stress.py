"""Many threads send while the broker is killed: what was acknowledged is there, in order.

The broker runs in a process of its own, is ended with -9 in the middle and started again with the
same data. Every message is counted and compared at the receiving end.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alm.adapters.service_bus import ServiceBusBus
from alm.domain.errors import AlmError
from alm.ports import Outgoing
from devstack.part import Part, PartPlan
from tests.contract.bus_worlds import Received, take_all

ROOT = Path(__file__).resolve().parents[2]
THREADS, EACH = 32, 100
QUEUES = {"steps": True, "more-steps": True, "requests": False, "answers": False}
SECONDS_MAX = 30.0


@dataclass
class Sent:
    """What the callers know."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    accepted: list[Outgoing] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    some: threading.Event = field(default_factory=threading.Event)

    def note(self, message: Outgoing, error: AlmError | None) -> None:
        with self.lock:
            if error is None:
                self.accepted.append(message)
            else:
                self.failed.append(f"{message.id}: {error}")
            if len(self.accepted) == THREADS * EACH // 3:
                self.some.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as in test_bus.py
def test_no_acknowledged_message_is_missing_after_the_broker_was_killed(tmp_path: Path) -> None:
    broker, address = _start(tmp_path, port=0)
    port = int(address["port"])
    bus = ServiceBusBus.from_connection_string(
        address["connection_string"], QUEUES, accepted_seconds=SECONDS_MAX
    )
    sent = Sent()
    threads = [threading.Thread(target=_send, args=(bus, n, sent)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    assert sent.some.wait(SECONDS_MAX)

    broker.kill()
    broker, _ = _start(tmp_path, port=port)
    for thread in threads:
        thread.join()
    bus.close()
    received = {name: asyncio.run(take_all(port, name, sessions=QUEUES[name])) for name in QUEUES}
    broker.end()
    broker.join(SECONDS_MAX)
    gc.collect()  # the sockets that the SDK forgot

    assert sent.failed == []
    _compare(sent, received)


def _compare(sent: Sent, received: dict[str, list[Received]]) -> None:
    for name, messages in received.items():
        arrived = Counter(str(message.id) for message in messages)
        acknowledged = {message.id for message in sent.accepted if message.queue == name}
        assert acknowledged - set(arrived) == set()
        assert [one for one in messages if one.body != _body(str(one.id))] == []
        for thread in range(THREADS):
            own = list(dict.fromkeys(i for i in arrived_in_order(messages) if _is_of(i, thread)))
            assert own == sorted(own)
    assert sum(map(len, received.values())) >= THREADS * EACH


def arrived_in_order(messages: list[Received]) -> list[str]:
    return [str(message.id) for message in messages]


def _is_of(message_id: str, thread: int) -> bool:
    return message_id.startswith(f"t{thread:02}-")


def _send(bus: ServiceBusBus, thread: int, sent: Sent) -> None:
    names = list(QUEUES)
    for n in range(EACH):
        name = names[(thread + n) % len(names)]
        message_id = f"t{thread:02}-{n:04}"
        session = f"model-{thread}" if QUEUES[name] else None
        message = Outgoing(name, message_id, _body(message_id), session=session)
        sent.note(message, _failure(lambda message=message: bus.send([message])))


def _failure(call: Callable[[], None]) -> AlmError | None:
    try:
        call()
    except AlmError as error:
        return error
    return None


def _body(message_id: str) -> bytes:
    return message_id.encode() * 20


def _start(folder: Path, *, port: int) -> tuple[Part, dict[str, str]]:
    config = folder / "config.json"
    queues = [
        {"Name": name, "Properties": {"RequiresSession": sessions}}
        for name, sessions in QUEUES.items()
    ]
    config.write_text(json.dumps({"UserConfig": {"Namespaces": [{"Name": "n", "Queues": queues}]}}))
    words = ["--json", "--data", str(folder / "data"), "--port", str(port), "--config", str(config)]
    plan = PartPlan(
        name="servicebus",
        command=(sys.executable, "-m", "devstack", "servicebus", *words),
        environment=dict(os.environ),
        log=folder / "broker.log",
        directory=ROOT,
    )
    broker = Part(plan, lambda name, code: None)
    return broker, broker.wait_ready(time.monotonic() + SECONDS_MAX)
