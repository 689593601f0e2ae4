"""What the host does with an app that it cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
TIMER = "@app.timer_trigger(arg_name='timer', schedule='0 * * * * *')\n"
QUEUE = "@app.service_bus_queue_trigger(arg_name='m', connection='SB', queue_name='q')\n"

REFUSED = {
    "nothing declared": (HEAD, "no functions found"),
    "no app": ("x = 1\n", "0 FunctionApp objects"),
    "two apps": (HEAD + "other = func.FunctionApp()\n", "2 FunctionApp objects"),
    "import error": ("import not_there\n", "ModuleNotFoundError: No module named 'not_there'"),
    "unbound parameter": (HEAD + TIMER + "def f(timer, other): pass\n", "parameters ['other']"),
    "context misnamed": (
        HEAD + TIMER + "def f(timer, ctx: func.Context): pass\n",
        "named exactly 'context'",
    ),
    "missing parameter": (HEAD + TIMER + "def f(): pass\n", "['timer'] are declared"),
    "same name twice": (
        HEAD + TIMER + "def f(timer): pass\n" + TIMER + "def f(timer): pass\n",
        "unique function name",
    ),
    "no data type": (HEAD + QUEUE + "def f(m: func.ServiceBusMessage): pass\n", "'f'.*BINARY"),
    "unknown trigger": (
        HEAD + "@app.event_grid_trigger(arg_name='e')\ndef f(e): pass\n",
        "'eventGridTrigger' is not provided locally",
    ),
}


def start(tmp_path: Path, source: str | None, host_json: str = '{"version": "2.0"}'):
    if source is not None:
        (tmp_path / "function_app.py").write_text(source)
    (tmp_path / "host.json").write_text(host_json)
    command = [sys.executable, "-m", "devstack", "host", "--app", str(tmp_path), "--port", "0"]
    return subprocess.run(
        [*command, "--data", str(tmp_path / "data"), "--json"],
        cwd=ROOT,
        env={**os.environ, "SB": "Endpoint=sb://127.0.0.1:1;"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("case", REFUSED)
def test_an_app_that_cannot_be_hosted_is_refused(tmp_path, case):
    source, expected = REFUSED[case]
    done = start(tmp_path, source)
    assert done.returncode == 1
    assert done.stdout == ""
    for part in expected.split(".*"):
        assert part in done.stderr


def test_a_folder_without_an_app_is_refused(tmp_path):
    done = start(tmp_path, None)
    assert done.returncode == 1
    assert "function_app.py does not exist; point --app at its folder" in done.stderr


def test_a_wrong_host_json_is_refused_before_anything_runs(tmp_path):
    done = start(tmp_path, HEAD, '{"version": "2.0", "extensions": {"http": {"prefix": 1}}}')
    assert done.returncode == 1
    assert "extensions.http.prefix is not known" in done.stderr


def test_an_import_error_shows_its_traceback(tmp_path):
    done = start(tmp_path, HEAD + "def f():\n    raise RuntimeError('deep')\nf()\n")
    assert "RuntimeError: deep" in done.stderr
    assert 'function_app.py", line 4, in f' in done.stderr


def test_no_worker_is_left_behind(tmp_path):
    start(tmp_path, HEAD)
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(str(tmp_path).encode() in command for command in commands)
