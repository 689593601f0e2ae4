"""What a broker acknowledged is there after a restart, and after kill -9 under load."""

import asyncio
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devstack.servicebus.client import Client
from devstack.servicebus.context import QueueConfig
from devstack.servicebus.errors import ConfigError, ConnectionLost, JournalInUse
from devstack.servicebus.server import HOST, Broker
from tests.devstack.servicebus.world import bodies, text

DAY_MS = 86_400_000
QUEUES = [
    QueueConfig("plain", duplicate_window_ms=DAY_MS, delivery_count_max=3),
    QueueConfig("sessions", requires_session=True),
]


async def opened(folder: Path, queues: list[QueueConfig] = QUEUES) -> tuple[Broker, Client]:
    broker = Broker(queues, folder)
    await broker.start()
    return broker, await Client.connect(HOST, broker.port)


async def closed(broker: Broker, client: Client) -> None:
    await client.close()
    await broker.stop()


def test_everything_is_there_after_a_restart(tmp_path):
    later = datetime.now(UTC) + timedelta(hours=1)

    async def before():
        broker, client = await opened(tmp_path)
        sender = await client.sender("plain")
        for name in ("abandoned", "completed", "deferred", "dead", "left"):
            await sender.send(name.encode(), properties={"message_id": name})
        await sender.send(b"scheduled", properties={"message_id": "s"}, scheduled=later)
        receiver = await client.receiver("plain", credit=4)
        got = [await receiver.receive(timeout_seconds=5) for _ in range(4)]
        await receiver.complete(got[1])
        plain, sessions = broker.find("plain"), broker.find("sessions")
        plain.defer(plain.lock_of(got[2].lock_token.bytes_le))
        plain.dead_letter(plain.lock_of(got[3].lock_token.bytes_le), "why", "because")
        await receiver.abandon(got[0])
        sessions.set_state(sessions.accept("s", receiver), b"half way")
        await closed(broker, client)
        return plain.last_sequence

    async def after(last):
        broker, client = await opened(tmp_path)
        plain, sessions = broker.find("plain"), broker.find("sessions")
        assert {"abandoned", "deferred", "left", "scheduled"} == set(
            bodies(list(plain.messages.values()))
        )
        assert (["deferred"], ["scheduled"]) == (
            bodies(list(plain.deferred.values())),
            bodies(list(plain.scheduled.values())),
        )
        [dead] = plain.dead_letters.messages.values()
        assert ("dead", 4) == (dead.message_id, dead.origin)
        assert b"half way" == sessions.sessions["s"].state
        sender = await client.sender("plain")
        await sender.send(b"again", properties={"message_id": "completed"})
        await sender.send(b"new", properties={"message_id": "new"})
        receiver = await client.receiver("plain", credit=3)
        got = [await receiver.receive(timeout_seconds=5) for _ in range(3)]
        assert [(b"abandoned", 1), (b"left", 0), (b"new", 0)] == [
            (one.body, one.delivery_count) for one in got
        ]
        assert got[2].sequence_number > last
        await closed(broker, client)

    last = asyncio.run(before())
    asyncio.run(after(last))


def test_numbers_go_on_after_a_restart_of_an_empty_queue(tmp_path):
    def send_and_remove() -> int:
        broker = Broker(QUEUES, tmp_path)
        plain = broker.find("plain")
        [sequence] = plain.send([text("x")])
        plain._remove(plain.messages[sequence])
        asyncio.run(broker.stop())
        return sequence

    first, second = send_and_remove(), send_and_remove()

    assert second > first


def test_two_brokers_never_share_a_journal(tmp_path):
    broker = Broker(QUEUES, tmp_path)
    with pytest.raises(JournalInUse, match="choose another data folder"):
        Broker(QUEUES, tmp_path)
    asyncio.run(broker.stop())

    asyncio.run(Broker(QUEUES, tmp_path).stop())


def test_a_queue_with_messages_cannot_be_given_sessions(tmp_path):
    broker = Broker([QueueConfig("q")], tmp_path)
    broker.find("q").send([text("homeless")])
    asyncio.run(broker.stop())

    with pytest.raises(ConfigError, match="RequiresSession"):
        Broker([QueueConfig("q", requires_session=True)], tmp_path)


def test_the_log_is_folded_in_and_the_file_shrinks(tmp_path):
    broker = Broker([QueueConfig("q")], tmp_path)
    queue = broker.find("q")
    for _ in range(300):
        queue.send([text("x" * 50_000)])
        broker._store.commit()
    for sequence in list(queue.messages):
        queue._remove(queue.messages[sequence])
    broker._store.commit()
    asyncio.run(broker.stop())

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1024 * 1024


def test_a_broken_journal_acknowledges_nothing_and_ends_the_broker(tmp_path):
    async def scenario():
        broker, client = await opened(tmp_path)
        sender = await client.sender("plain")
        broker._store._database.execute("DROP TABLE message")
        with pytest.raises(ConnectionLost):
            await sender.send(b"never")
        await asyncio.wait_for(broker.failed.wait(), 5)
        await client.close()
        await broker.stop()

    asyncio.run(scenario())


# --- kill -9 under load ------------------------------------------------------------------------


class Tally:
    """What the broker acknowledged, and what came out of it."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.completed: set[str] = set()
        self.unsure: set[str] = set()  # completed, but the answer was lost with the broker
        self.wrong: list[str] = []


def start_child(folder: Path, config: Path) -> tuple[subprocess.Popen, int]:
    code = (
        "import argparse, sys; from devstack.servicebus import cli;"
        "parser = argparse.ArgumentParser(); cli.add_arguments(parser);"
        "sys.exit(cli.run(parser.parse_args()))"
    )
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            "--port=0",
            f"--data={folder}",
            f"--config={config}",
            "--json",
        ],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout is not None
    return child, json.loads(child.stdout.readline())["port"]


async def produce(client: Client, tally: Tally, name: str) -> None:
    sender = await client.sender("load")
    for number in range(1_000_000):
        message_id = f"{name}-{number}"
        properties = {"message_id": message_id, "group_id": f"session-{number % 7}"}
        await sender.send(b"x" * 700, properties=properties)
        tally.sent.add(message_id)


async def consume(client: Client, tally: Tally) -> None:
    while True:
        receiver = await client.accept_session("load", timeout_seconds=30)
        for _ in range(10):
            delivery = await receiver.receive(timeout_seconds=0.05)
            if delivery is None:
                break
            if delivery.message_id in tally.completed:
                tally.wrong.append(delivery.message_id)
            tally.unsure.add(delivery.message_id)
            await receiver.complete(delivery)
            tally.unsure.discard(delivery.message_id)
            tally.completed.add(delivery.message_id)
        await receiver.close()


async def load_until_killed(child: subprocess.Popen, port: int, tally: Tally, name: str) -> None:
    client = await Client.connect(HOST, port)
    workers = [produce(client, tally, f"{name}-{number}") for number in range(3)]
    workers += [consume(client, tally) for _ in range(2)]
    goal = len(tally.completed) + 150

    async def kill() -> None:
        while len(tally.completed) < goal:
            await asyncio.sleep(0.01)
        child.kill()

    results = await asyncio.gather(*workers, kill(), return_exceptions=True)
    unexpected = [one for one in results if one and not isinstance(one, ConnectionLost)]
    assert [] == unexpected


async def drain(port: int, tally: Tally) -> set[str]:
    client = await Client.connect(HOST, port)
    left: set[str] = set()
    for number in range(7):
        receiver = await client._open(
            "load", 50, {}, {"com.microsoft:session-filter": f"session-{number}"}
        )
        while (delivery := await receiver.receive(timeout_seconds=0.2)) is not None:
            left.add(delivery.message_id)
            await receiver.complete(delivery)
        await receiver.close()
    await client.close()
    return left


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(tmp_path):
    config = tmp_path / "Config.json"
    queue = {"Name": "load", "Properties": {"RequiresSession": True, "MaxDeliveryCount": 100}}
    namespace = {"Name": "sbemulatorns", "Queues": [queue], "Topics": []}
    config.write_text(json.dumps({"UserConfig": {"Namespaces": [namespace]}}))
    tally = Tally()

    for number in range(3):
        child, port = start_child(tmp_path / "data", config)
        with child:
            asyncio.run(load_until_killed(child, port, tally, f"run-{number}"))
    child, port = start_child(tmp_path / "data", config)
    with child:
        left = asyncio.run(drain(port, tally))
        child.send_signal(signal.SIGTERM)
        assert 0 == child.wait(10)

    assert len(tally.completed) >= 450
    assert [] == tally.wrong
    assert set() == tally.sent - tally.completed - tally.unsure - left
    assert set() == left & tally.completed
