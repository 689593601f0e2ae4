"""Service Bus functions of the sample app, against the local broker."""

import os
import signal
import statistics
import time
import uuid

import pytest


@pytest.fixture
def session() -> str:
    return uuid.uuid4().hex


def test_a_message_arrives_with_its_properties(sample, session):
    sample.send(
        "steps",
        {"n": 1},
        message_id="m-1",
        group_id=session,
        subject="retrain/begin",
        correlation_id="c-1",
        application_properties={"attempt": 3},
    )

    record = sample.await_records(1, "on_step", session=session)[0]

    assert record["id"] == "m-1"
    assert record["subject"] == "retrain/begin"
    assert record["correlation_id"] == "c-1"
    assert record["delivery_count"] == 1
    assert record["properties"] == {"attempt": 3}
    assert "+" not in record["enqueued"]  # naive, as in Azure


def test_a_session_is_served_in_order_and_one_at_a_time(sample, session):
    sample.send("steps", *({"n": n} for n in range(20)), group_id=session)
    records = sample.await_records(20, "on_step", session=session)
    assert [record["body"]["n"] for record in records] == list(range(20))


def test_more_sessions_than_slots_are_all_served(sample):
    names = [uuid.uuid4().hex for _ in range(12)]
    for name in names:
        sample.send("steps", {"n": name}, group_id=name)
    records = sample.await_records(12, "on_step")
    assert {record["session"] for record in records} == set(names)


def test_sessions_run_side_by_side(sample):
    names = [uuid.uuid4().hex for _ in range(4)]
    sample.await_true(lambda: sample.status()["running"] == 0)
    for name in names:
        sample.send("steps", {"sleep": 1}, message_id=name, group_id=name)
    began = [record["at"] for record in sample.await_records(4, "on_step")]
    assert max(began) - min(began) < 0.9
    sample.await_records(4, "on_step_woke")


def test_an_exception_gives_the_message_back_until_it_is_dead(sample):
    message = uuid.uuid4().hex
    sample.send("requests", {"raise": message}, message_id=message)

    dead = sample.await_records(1, "on_dead_request")

    records = sample.records("on_request", id=message)
    assert [record["delivery_count"] for record in records] == [1, 2]
    assert message in dead[0]["body"]
    assert dead[0]["properties"]["DeadLetterReason"] == "MaxDeliveryCountExceeded"


def test_a_worker_killed_in_a_session_gives_its_message_back_and_counts(sample, session):
    restarts = sample.status()["worker_restarts"]
    sample.send("steps", {"die": 1}, message_id="first", group_id=session)
    sample.send("steps", {"n": 2}, message_id="second", group_id=session)

    records = sample.await_records(3, "on_step", session=session)

    assert [(r["id"], r["delivery_count"]) for r in records] == [
        ("first", 1),
        ("first", 2),
        ("second", 1),
    ]
    assert records[0]["pid"] != records[1]["pid"]
    assert sample.status()["worker_restarts"] == restarts + 1


def test_a_worker_killed_from_outside_gives_its_message_back(sample):
    message = uuid.uuid4().hex
    sample.send("requests", {"sleep": 2}, message_id=message)
    sample.await_records(1, "on_request", id=message)

    os.kill(sample.status()["worker_pid"], signal.SIGKILL)

    records = sample.await_records(2, "on_request", id=message)
    assert [record["delivery_count"] for record in records] == [1, 2]
    assert sample.records("on_request_woke", id=message) == []


def test_a_function_that_outlives_its_timeout_ends_the_worker(sample, session):
    sample.send("steps", {"sleep": 60}, message_id="long", group_id=session)

    records = sample.await_records(2, "on_step", session=session)

    assert [record["delivery_count"] for record in records] == [1, 2]
    assert 2.9 < records[1]["at"] - records[0]["at"] < 6
    assert "function 'on_step' outlived functionTimeout (3 s)" in sample.log()


def test_a_lock_is_renewed_while_the_function_runs(sample, session):
    """A lock of one second, a function that takes two and a half."""
    sample.send("short", {"sleep": 2.5}, message_id=session)
    sample.await_records(1, "on_short_woke", id=session)
    sample.await_true(lambda: sample.queue("short")["active"] == 0)
    assert len(sample.records("on_short", id=session)) == 1


def test_a_step_begins_within_milliseconds_of_its_message(sample, session):
    sample.send("steps", {"n": 0}, group_id=session)
    sample.await_records(1, "on_step", session=session)
    waits = []
    for n in range(1, 41):
        sample.send("steps", {"n": n, "sent": time.time()}, group_id=session)
        record = sample.await_records(n + 1, "on_step", session=session)[-1]
        waits.append(record["at"] - record["body"]["sent"])
    assert statistics.median(waits) < 0.03  # 5 ms on an idle machine; this one may be busy


def test_the_host_comes_back_when_the_broker_does(sample, session):
    sample.send("steps", {"n": 1}, group_id=session)
    sample.await_records(1, "on_step", session=session)
    sample.await_true(lambda: sample.queue("steps")["active"] == 0)
    sample.restart_broker()
    sample.send("steps", {"n": 2}, group_id=session)
    assert len(sample.await_records(2, "on_step", session=session)) == 2
    assert "is connected again" in sample.log()


def test_a_host_that_is_asked_to_end_lets_its_messages_end(sample, session):
    sample.send("steps", {"sleep": 1}, message_id=session, group_id=session)
    sample.await_records(1, "on_step", session=session)

    sample.hosts[-1].end()
    sample.hosts[-1].join(10.0)

    assert len(sample.records("on_step_woke", id=session)) == 1
    assert sample.queue("steps")["active"] == 0
