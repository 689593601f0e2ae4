"""`python -m bench.first_screen [--models 10000]`: the page with many managed models.

Azurite holds the ledgers' overview, as a sweep would have written it; the page is asked as the
Functions host asks it, in this process. The first look loads the templates and opens a connection;
then medians of looks that find another overview than the last one, and of looks that do not.
`python -m bench.first_paint` looks at it through host and Chromium.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import yaml

from alm import bootstrap, settings
from alm.bootstrap import App
from alm.entrypoints import access, page
from alm.entrypoints.api.calls import Call
from alm.entrypoints.overview import OVERVIEW
from alm.entrypoints.page import glance
from devstack import azurite
from devstack.part import Part, PartPlan
from devstack.ports import is_open

KEY, LOOKS = "bench", 9
PLACES = ("/", "/models", "/models?q=shop-09&state=idle", "/schedule")
START_SECONDS_MAX = 30.0


def main() -> int:
    """Measure and print one line for each place."""
    parser = argparse.ArgumentParser(prog="python -m bench.first_screen", description=__doc__)
    parser.add_argument("--models", type=int, default=10_000)
    count = parser.parse_args().models
    with tempfile.TemporaryDirectory() as folder:
        storage = _azurite(Path(folder))
        try:
            app = _app(Path(folder), azurite.connection_string(storage.ports), count)
            document = overview(count)
            app.ports.blobs.put(OVERVIEW, document)
            size = len(document) / 1e6
            sys.stdout.write(f"{count} managed models, an overview of {size:.1f} MB\n")
            heads = ("first", "after a sweep", "in between")
            sys.stdout.write(f"{'ms (of CPU)':<30}" + "".join(f"{head:>15}" for head in heads))
            sys.stdout.write("\n")
            for place in PLACES:
                sys.stdout.write(f"{place:<30}{_looks(app, place)}\n")
        finally:
            storage.part.end()
            storage.part.join(10)
    return 0


class _Storage:
    def __init__(self, part: Part, ports: azurite.Ports) -> None:
        self.part, self.ports = part, ports


def _azurite(folder: Path) -> _Storage:
    ports = azurite.Ports(*(_free_port() for _ in range(3)))
    node = azurite.find_node()
    azurite.install(node)
    command = azurite.command(node, ports, folder / "azurite")
    plan = PartPlan(
        name="azurite",
        command=tuple(command),
        environment={},
        log=folder / "azurite.log",
        directory=folder,
        probe=lambda: is_open(ports.blob),
    )
    part = Part(plan, lambda _name, _code: None)
    part.wait_ready(time.monotonic() + START_SECONDS_MAX)
    return _Storage(part, ports)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _app(folder: Path, storage: str, count: int) -> App:
    declared = folder / "managed_models"
    declared.mkdir()
    (declared / "shops.yaml").write_text(yaml.safe_dump(family(count)))
    environment = {
        "ALM_LOCAL": "1",
        "ALM_STORAGE": storage,
        "ALM_SERVICEBUS": "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=x;SharedAccessKey=x",
        "ALM_MANAGED_MODELS": str(declared),
        "ALM_API_KEYS": json.dumps({"reader": access.hashed(KEY)}),
    }
    return bootstrap.build(settings.read(environment), environment)


def family(count: int) -> dict[str, object]:
    place = "https://management.azureml.net/workspaces/w/webservices/s/endpoints"
    return {
        "family": "shops",
        "members": {"list": [f"shop-{n:05}" for n in range(count)]},
        "dataset": "sales/{member}/*.csv",
        "training": {"service": {"kind": "classic", "endpoint": f"{place}/training"}},
        "gate": {"metrics": [{"name": "auc", "min": 0.5}]},
        "targets": [
            {
                "name": "{member}",
                "service": {"kind": "classic", "endpoint": f"{place}/" + "{member}"},
                "trained_model": "sales [trained model]",
            }
        ],
        "schedules": {"verify": "15 5 * * *"},
    }


def overview(count: int) -> bytes:
    """What a sweep writes of idle, running, held and failed managed models."""
    now = datetime.now(UTC)
    models = {f"shops--shop-{n:05}": _entry(n, now) for n in range(count)}
    document = {"at": now.isoformat(), "inbox": 3, "models": models}
    return json.dumps(document, sort_keys=True).encode()


def _entry(number: int, now: datetime) -> dict[str, str]:
    at = (now - timedelta(minutes=number)).isoformat()
    run = f"shops--shop-{number:05}.r{number % 9 + 1}"
    told = {"family": "shops", "champion": "v4", "finished": at, "run": run, "last_result": "ok"}
    match number % 100:
        case 0:
            return {
                **told,
                "state": "running",
                "pipeline": "retrain",
                "stage": "await",
                "began": at,
            }
        case 1:
            return {**told, "state": "held", "pipeline": "retrain", "began": at}
        case 2:
            return {**told, "state": "idle", "last_result": "failed", "unknown": "1"}
    return {**told, "state": "idle"}


def _looks(app: App, place: str) -> str:
    """The first look, one after a sweep, and one of the many in between: wall and CPU time."""
    path, _, query = place.partition("?")
    given = dict(part.split("=") for part in query.split("&")) if query else {}
    call = Call("GET", path.strip("/"), {access.KEY_HEADER: KEY}, given)
    first = _milliseconds(app, call)
    anew = []
    for _ in range(LOOKS):
        glance.parsed.cache_clear()
        anew.append(_milliseconds(app, call))
    again = [_milliseconds(app, call) for _ in range(LOOKS)]
    told = [first, *(tuple(map(median, zip(*taken, strict=True))) for taken in (anew, again))]
    return "".join(f"{wall:8.0f} ({cpu:4.0f})" for wall, cpu in told)


def _milliseconds(app: App, call: Call) -> tuple[float, float]:
    began, began_cpu = time.perf_counter(), time.process_time()
    assert page.respond(app, call).status == 200
    return (time.perf_counter() - began) * 1000, (time.process_time() - began_cpu) * 1000


if __name__ == "__main__":
    sys.exit(main())
