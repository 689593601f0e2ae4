"""The page over doubles behind real HTTP: ten thousand managed models, and hostile records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from alm.entrypoints.overview import OVERVIEW
from tests.browser.person import Place
from tests.unit.entrypoints.api_server import PageServer
from tests.unit.entrypoints.app_world import KEYS, AppWorld

COUNT = 10_000
SHOPS = 9_000  # of them are members of a family
EVERY_HELD, EVERY_FAILED, EVERY_UNKNOWN = 1000, 333, 2500
SCRIPT = "<script>alert('run')</script>"
PICTURE = "<img src=x onerror=\"alert('run')\">"


def overview(world: AppWorld) -> bytes:
    """The document of a sweep that found ten thousand managed models."""
    now = world.clock.now()
    models = {name(number): _entry(number, (now - timedelta(minutes=number)).isoformat())
              for number in range(COUNT)}  # fmt: skip
    return json.dumps({"at": now.isoformat(), "inbox": 3, "models": models}).encode()


def name(number: int) -> str:
    return f"shops--s{number:05}" if number < SHOPS else f"single-{number:05}"


def _entry(number: int, at: str) -> dict[str, str]:
    entry = {"state": "idle", "run": f"{name(number)}.r3", "champion": "v2", "finished": at}
    entry |= {"last_result": "failed" if number % EVERY_FAILED == 1 else "ok"}
    if number < SHOPS:
        entry["family"] = "shops"
    if number % EVERY_UNKNOWN == 2:
        entry |= {"unknown": "1", "unknown_targets": "eu"}
    if number % EVERY_HELD == 0:
        entry |= {"state": "held", "stage": "patch", "pipeline": "retrain", "began": at}
    return entry


def furnish(world: AppWorld) -> None:
    """The overview, and a run whose every text was written by somebody hostile."""
    world.blobs.put(OVERVIEW, overview(world))
    at = world.clock.now().isoformat()
    entry = {"n": 1, "stage": "begin", "outcome": "failed", "at": at, "why": f"{SCRIPT}{PICTURE}"}
    blob = {"container": "datasets", "name": f"churn/{PICTURE}.csv", "etag": "x", "size": 4}
    trigger = {"id": SCRIPT, "pipeline": "retrain", "source": "dataset", "at": at, "by": PICTURE}
    world.ended(
        "failed",
        why=f'{SCRIPT}{PICTURE}"><svg onload=alert(2)>',
        history=[entry],
        triggers=[{**trigger, "blob": blob}],
    )


@contextmanager
def serving(folder: Path) -> Iterator[Place]:
    """Serve the page of a furnished world until the `with` ends."""
    world = AppWorld(folder)
    furnish(world)
    with PageServer(world) as server:
        yield Place(server.origin, KEYS)
