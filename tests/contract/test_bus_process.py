"""The sender in processes that fork and end: nothing hangs, nothing accepted is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.servicebus.background import BackgroundBroker
from tests.contract.bus_worlds import PLAIN, QUEUES, take_all

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 20

BEGIN = """
import os, sys, threading
from alm.adapters.service_bus import ServiceBusBus
from alm.ports import Outgoing

bus = ServiceBusBus.from_connection_string(sys.argv[1], ["plain"])
def send(name): bus.send([Outgoing("plain", name, b"body")])
"""
ENDS_WHILE_SENDING = """
for n in range(20): threading.Thread(target=send, args=(f"{n:02}",), daemon=True).start()
"""
FORKS = """
send("parent 1")
child = os.fork()
send("child" if not child else "parent 2")
if not child: os._exit(0)
assert os.waitpid(child, 0)[1] == 0
send("parent 3")
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BackgroundBroker]:
    with BackgroundBroker(QUEUES, tmp_path) as running:
        yield running


def run(script: str, broker: BackgroundBroker) -> list[str]:
    """Run a script to its end, and return the ids of what the queue then holds."""
    words = [sys.executable, "-c", BEGIN + script, broker.connection_string]
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    received = asyncio.run(take_all(broker.port, PLAIN, sessions=False))
    return [str(message.id) for message in received]


def test_what_waits_is_sent_when_the_process_ends(broker: BackgroundBroker) -> None:
    assert sorted(run(ENDS_WHILE_SENDING, broker)) == [f"{n:02}" for n in range(20)]


def test_a_forked_process_opens_its_own_connection(broker: BackgroundBroker) -> None:
    assert sorted(run(FORKS, broker)) == ["child", "parent 1", "parent 2", "parent 3"]
