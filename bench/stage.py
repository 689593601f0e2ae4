"""The stage of the measurements: the local stack, managed models over real Studio, and runs.

Everything is what `make dev` starts: Azurite, the broker, local Studio (it really trains, on a
small table), the host with its worker. Progress is read from storage and the broker's admin port,
never from the app's API, so that looking costs the worker nothing.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml
from azure.storage.blob import BlobServiceClient, ContainerClient

from bench.processes import cpu_ms
from devstack.demo import tables
from devstack.demo.studio import Studio
from devstack.stack import Stack, StackOptions

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / ".local" / "bench"
SAMPLE = "diabetes"  # ten columns, a regression: the smallest real training there is
ROWS = 80  # of a dataset: enough to train, small enough that Studio is not what is measured
LOOK_SECONDS = 0.1
PAST_RECONCILE_SECONDS = 600  # later than any reconcile is scheduled after its run's end
RUN_SECONDS_MAX = 60.0
FAILED_MAX = 3  # runs that may end otherwise than ok on a busy machine; each is told


class RunMissing(Exception):
    """Runs did not end, or did not end ok: nothing can be said of their cost."""


class Stage:
    """The stack with `count` managed models, each with one target of its own."""

    def __init__(self, stack: Stack, models: Sequence[str]) -> None:
        self.stack = stack
        self.models = tuple(models)
        self.failed: dict[str, str] = {}
        self._runs = dict.fromkeys(models, 0)
        self._table = tables.diabetes()
        self._session = requests.Session()
        self._session.trust_env = False
        storage = stack.addresses["storage_connection_string"]
        self._storage = BlobServiceClient.from_connection_string(storage)
        self._ledgers = self._container("alm-ledger")
        self._datasets = self._container("datasets")
        self._uploaders = ThreadPoolExecutor(8)

    def run(self, models: Sequence[str]) -> None:
        """Upload a new dataset for each of these models and wait until each has a new champion."""
        for model in models:
            self._runs[model] += 1
        list(self._uploaders.map(self._upload, models))
        self._await(f"{len(models)} runs", lambda: self._ended(models))

    def reconcile(self) -> int:
        """Move the broker's clock past the reconciles of ended runs; returns their number."""
        count = self._steps("scheduled")
        self._admin("POST", "clock/advance", {"seconds": PAST_RECONCILE_SECONDS})
        self._await("the reconciles", lambda: not self._steps("active", "scheduled", "locked"))
        return count

    def cpu_ms(self) -> dict[str, float]:
        """CPU that each process of the stack has used since it started."""
        return {name: cpu_ms(pid) for name, pid in self.stack.pids().items()}

    def visits(self, model: str) -> int:
        """How many messages the stages of the model's last run took, waits included."""
        return int(self.history(model)[-1]["n"]) - 1

    def history(self, model: str) -> list[dict[str, Any]]:
        """What happened in the model's last run."""
        run = f"{model}.r{self._runs[model]}"
        records = self._storage.get_container_client("alm-runs")
        found: list[str] = []

        def look() -> bool:  # it is written after the ledger's last word
            names = (blob.name for blob in records.list_blobs())
            found.extend(name for name in names if name.endswith(f"/{run}.json"))
            return bool(found)

        self._await(f"the record of {run}", look)
        return list(json.loads(records.download_blob(found[0]).readall())["history"])

    def close(self) -> None:
        self._uploaders.shutdown()
        self._session.close()
        self._storage.close()

    def _upload(self, model: str) -> None:
        at = random.Random(f"{model} {self._runs[model]}").sample(range(442), ROWS)
        self._datasets.upload_blob(f"{model}/{self._runs[model]}.csv", self._table.part(at).csv)

    def _ended(self, models: Sequence[str]) -> bool:
        status = {
            blob.name.removesuffix(".json"): blob.metadata or {}
            for blob in self._ledgers.list_blobs(include=["metadata"])
        }
        ended = [model for model in models if self._has_ended(model, status.get(model, {}))]
        return len(ended) == len(models)

    def _has_ended(self, model: str, status: dict[str, str]) -> bool:
        wanted = f"{model}.r{self._runs[model]}"
        if status.get("state") != "idle" or status.get("run") != wanted:
            return False
        if status["last_result"] != "ok" and wanted not in self.failed:
            self.failed[wanted] = f"{status['last_result']}: {self.history(model)[-1]['why']}"
        if len(self.failed) > FAILED_MAX:
            raise RunMissing(f"runs did not end ok: {self.failed}")
        return True

    def _steps(self, *states: str) -> int:
        queues = self._admin("GET", "queues")["queues"]
        steps = next(queue for queue in queues if queue["name"] == "alm-steps")
        return sum(int(steps[state]) for state in states)

    def _admin(self, method: str, path: str, document: object = None) -> Any:
        url = f"{self.stack.addresses['servicebus_admin_url']}/{path}"
        answer = self._session.request(method, url, json=document, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def _await(self, what: str, look: Callable[[], bool]) -> None:
        ends = time.monotonic() + RUN_SECONDS_MAX
        while not look():
            if time.monotonic() > ends:
                tail = self.stack.log_tail("host")
                raise RunMissing(f"{what}: not within {RUN_SECONDS_MAX:g} s; {tail}")
            time.sleep(LOOK_SECONDS)

    def _container(self, name: str) -> ContainerClient:
        client = self._storage.get_container_client(name)
        if not client.exists():
            client.create_container()
        return client


@contextmanager
def set_up(count: int, app: Path, environment: dict[str, str]) -> Iterator[Stage]:
    """Start the stack afresh, declare `count` models, start the host with `app`."""
    shutil.rmtree(DATA, ignore_errors=True)
    folder = DATA / "managed_models"
    options = StackOptions(
        app=app,
        data=DATA,
        servicebus_config=ROOT / "infra" / "servicebus.json",
        with_samples=True,
        admin=True,
        host=False,
        propagation_seconds=0,
        environment={"ALM_MANAGED_MODELS": str(folder), **environment},
    )
    folder.mkdir(parents=True)
    names = [f"bench-{number:03d}" for number in range(count)]
    with Stack(options) as stack:
        _declare(Studio(stack.addresses), folder, names)
        stack.start("host")
        stage = Stage(stack, names)
        try:
            yield stage
        finally:
            stage.close()


def _declare(studio: Studio, folder: Path, names: Sequence[str]) -> None:
    """Give each model an endpoint of its own, and write what an operator would declare."""
    scoring = studio.sample(SAMPLE, "scoring", "classic", "ep2")
    training = studio.sample(SAMPLE, "training", "classic")
    trained_by = studio.endpoint_url(training["web_service_id"], training["endpoint"])
    known = [tables.diabetes().features(at) for at in (0, 7, 21)]
    for name in names:
        target = studio.add_endpoint(scoring["web_service_id"], name)
        declaration = _declaration(name, trained_by, target.service, scoring["resource_name"])
        declaration["smoke_tests"] = [{"name": "known-rows", "rows": known}]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(declaration, sort_keys=False))


def _declaration(name: str, trained_by: str, target: object, resource: str) -> dict[str, Any]:
    return {
        "model": name,
        "dataset": f"{name}/*.csv",
        "training": {
            "service": {"kind": "classic", "endpoint": trained_by},
            "outputs": {"model": "output1", "evaluation": "output2", "scored": "output3"},
            "parameters": {"Random seed": "7"},
            "poll_seconds_min": 0.5,
            "poll_seconds_max": 5,
        },
        "gate": {
            "task": "regression",
            "label": tables.LABEL,
            "rows_min": 10,
            "metrics": [{"name": "rmse", "max": 1000}],
        },
        "targets": [
            {
                "name": "live",
                "service": target,
                "trained_model": resource,
                "propagation_seconds": 0,
            }
        ],
    }
