"""The command in a process of its own: what a kill -9 leaves, what a restart does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devstack.studio.studio import Studio, StudioOptions
from tests.devstack.studio.client import Client
from tests.devstack.studio.test_arm import definition, slope
from tests.devstack.studio.test_classic import line_model

ROOT = Path(__file__).parents[3]
COMMAND = (
    "import argparse, sys; from devstack.studio import cli; p = argparse.ArgumentParser();"
    "cli.add_arguments(p); sys.exit(cli.run(p.parse_args()))"
)


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The command, ready, with the line that it printed; killed at the end if it still runs."""
    command = [sys.executable, "-c", COMMAND, "--data", str(folder), "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_studio_has_lost_nothing_and_runs_its_job_again(tmp_path: Path) -> None:
    options = ("--with-samples", "--admin", "--propagation-seconds", "0")
    with running(tmp_path, *options) as (process, before), Client(before) as client:
        sample = client.sample("cancer", "training", "classic")
        finished = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})
        client.start(sample, finished)
        client.ended(sample, finished)
        waiting = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})
        target = client.sample("diabetes", "scoring", "classic", "ep2")
        place = client.by_grant(client.upload("models/m.ilearner", line_model(3)))
        rows = {"ColumnNames": ["x"], "Values": [["1"]]}
        path = f"/{target['web_service_id']}/endpoints/ep2"
        resource = {"Name": target["resource_name"], "Location": place}
        assert client.manage("PATCH", path, {"Resources": [resource]}).ok
        answer = client.score(target, rows).json()
        client.fault("GET", "/samples/cancer.csv", "slow", seconds=30)
        interrupted = client.submit(
            sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}}
        )
        client.start(sample, interrupted)
        assert client.status(sample, interrupted)["StatusCode"] == "Running"
        process.send_signal(signal.SIGKILL)
        process.wait()

    with running(tmp_path, *options) as (process, after), Client(after) as client:
        assert before == after
        assert client.status(sample, finished)["StatusCode"] == "Finished"
        assert client.status(sample, waiting)["StatusCode"] == "NotStarted"
        assert client.ended(sample, interrupted)["StatusCode"] == "Finished"
        assert answer == client.score(target, rows).json()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_the_model_of_a_new_service_is_fetched_again_so_that_an_expired_grant_shows(
    tmp_path: Path,
) -> None:
    now = {"hours": 0.0}

    def clock() -> float:
        import time

        return time.time() + now["hours"] * 3600

    options = StudioOptions(
        data=tmp_path, with_samples=True, admin=True, propagation_seconds=0, clock=clock
    )
    with Studio(options) as studio, Client(studio.description()) as client:
        client.deployed(client.arm("PUT", "webServices/line", definition(client, 2)))
        assert slope(client) == 2
        now["hours"] = 1
        assert slope(client) == 2, "what was loaded goes on answering"

    with Studio(options) as studio, Client(studio.description()) as client:
        location = client.arm("GET", "webServices/line").json()["properties"]["swaggerLocation"]
        key = client.arm("GET", "webServices/line/listKeys").json()["primary"]
        target = {"api_location": location.removesuffix("/swagger.json"), "api_key": key}
        refused = client.score(target, {"ColumnNames": ["x"], "Values": [["10"]]})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (500, "InternalError")
        assert error["details"][0]["code"] == "ResourceDownload"

        client.deployed(client.arm("PUT", "webServices/line", definition(client, 2, minutes=120)))
        assert slope(client) == 2


def test_a_port_in_use_ends_the_command_with_a_message(tmp_path: Path) -> None:
    with running(tmp_path / "one") as (_, first):
        port = first["base_url"].rsplit(":", 1)[1]
        command = [sys.executable, "-c", COMMAND, "--data", str(tmp_path / "two"), "--port", port]

        second = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ)

    assert second.returncode == 1
    assert "studio cannot start" in second.stderr
    assert "Traceback" not in second.stderr


def test_storage_that_does_not_answer_ends_the_command_with_a_message(tmp_path: Path) -> None:
    storage = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=YQ==;"
        "BlobEndpoint=http://127.0.0.1:9/devstoreaccount1;"
    )
    command = [sys.executable, "-c", COMMAND, "--data", str(tmp_path), "--storage", storage]

    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    assert ended.returncode == 1
    assert "studio cannot start: blob http://127.0.0.1:9/" in ended.stderr
    assert "Traceback" not in ended.stderr
