"""The broker as a process, and its admin port."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

CODE = (
    "import argparse, sys; from devstack.servicebus import cli;"
    "parser = argparse.ArgumentParser(); cli.add_arguments(parser);"
    "sys.exit(cli.run(parser.parse_args()))"
)


def write_config(folder: Path, *queues: dict, **extra: object) -> Path:
    path = folder / "Config.json"
    namespace = {"Name": "sbemulatorns", "Queues": list(queues), "Topics": [], **extra}
    path.write_text(json.dumps({"UserConfig": {"Namespaces": [namespace]}}))
    return path


def command(folder: Path, *options: str) -> list[str]:
    config = f"--config={folder / 'Config.json'}"
    return [sys.executable, "-c", CODE, "--port=0", f"--data={folder / 'data'}", config, *options]


@contextmanager
def running(folder: Path, *options: str):
    with subprocess.Popen(
        command(folder, *options), stdout=subprocess.PIPE, cwd=Path(__file__).parents[3], text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def ask(url: str, body: object = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url, data, timeout=5) as response:
        return json.load(response)


def test_one_line_of_json_says_where_it_is_and_time_can_be_moved(tmp_path):
    write_config(
        tmp_path,
        {"Name": "Orders", "Properties": {"LockDuration": "PT1M"}},
        {"Name": "steps", "Properties": {"RequiresSession": True}},
    )
    later = datetime.now(UTC) + timedelta(hours=1)
    with running(tmp_path, "--json", "--admin-port=0") as child:
        ready = json.loads(child.stdout.readline())
        admin = ready["admin_url"]
        with (
            ServiceBusClient.from_connection_string(ready["connection_string"]) as client,
            client.get_queue_sender("steps") as sender,
        ):
            sender.send_messages(ServiceBusMessage("a", message_id="m", session_id="s"))
            sender.schedule_messages(ServiceBusMessage("b", message_id="n", session_id="s"), later)
        orders, steps = ask(f"{admin}/queues")["queues"]
        before = ask(f"{admin}/queues/steps/messages")["messages"]
        ask(f"{admin}/clock/advance", {"seconds": 3601})
        after = ask(f"{admin}/queues/STEPS/messages?count=5&from=2")["messages"]
        empty = ask(f"{admin}/queues/steps/$DeadLetterQueue/messages")
        child.send_signal(signal.SIGTERM)
        assert 0 == child.wait(10)

    assert {"connection_string", "host", "port", "admin_url"} == set(ready)
    assert "127.0.0.1" == ready["host"]
    assert ("Orders", 0) == (orders["name"], orders["active"])
    counts = ("active", "scheduled", "deferred", "locked", "dead_letter", "sessions")
    assert [1, 1, 0, 0, 0, 1] == [steps[name] for name in counts]
    assert [("m", "s", "active", 0), ("n", "s", "scheduled", 0)] == [
        (one["message_id"], one["session_id"], one["state"], one["delivery_count"])
        for one in before
    ]
    assert later.replace(microsecond=0) <= datetime.fromisoformat(before[1]["scheduled_time"])
    assert [("active", 3)] == [(one["state"], one["sequence_number"]) for one in after]
    assert {"messages": []} == empty


def test_without_json_it_prints_a_readable_line_and_ends_on_ctrl_c(tmp_path):
    write_config(tmp_path, {"Name": "q"})
    with running(tmp_path) as child:
        line = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert 0 == child.wait(10)

    assert "Endpoint=sb://127.0.0.1:" in line


def test_a_wrong_configuration_is_told_completely(tmp_path):
    write_config(tmp_path, {"Name": "q", "Properties": {"ForwardTo": "x"}}, Topics=[{"Name": "t"}])

    done = subprocess.run(
        command(tmp_path),
        capture_output=True,
        cwd=Path(__file__).parents[3],
        text=True,
        check=False,
        timeout=30,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert "queue 'q': ForwardTo" in done.stderr
    assert "topic 't'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_in_use_is_said_so(tmp_path):
    write_config(tmp_path, {"Name": "q"})
    with running(tmp_path, "--json") as child:
        child.stdout.readline()
        done = subprocess.run(
            command(tmp_path),
            capture_output=True,
            cwd=Path(__file__).parents[3],
            text=True,
            check=False,
            timeout=30,
        )

    assert 2 == done.returncode
    assert "another broker has" in done.stderr


def test_bad_requests_to_the_admin_port_are_answered(tmp_path):
    write_config(tmp_path, {"Name": "q"})
    with running(tmp_path, "--json", "--admin-port=0") as child:
        admin = json.loads(child.stdout.readline())["admin_url"]
        for path, body, status in (
            ("/nowhere", None, 404),
            ("/queues/nowhere/messages", None, 404),
            ("/queues/q/messages?count=many", None, 400),
            ("/queues", {}, 405),
            ("/clock/advance", None, 405),
            ("/clock/advance", {"seconds": -1}, 400),
            ("/clock/advance", {"seconds": "1"}, 400),
            ("/clock/advance", [], 400),
        ):
            with pytest.raises(urllib.error.HTTPError) as raised:
                ask(admin + path, body)
            assert (path, status) == (path, raised.value.code)
            raised.value.close()
