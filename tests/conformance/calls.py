"""What the probe calls: every function once with success and once with failure.

Data is encoded as the Azure host encodes it (see `wire.py`); behind the entry points stand doubles.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from alm.bootstrap import App
from alm.domain.errors import Unavailable
from alm.entrypoints.access import KEY_HEADER
from tests.conformance import wire
from tests.conformance.wire import TypedData
from tests.unit.entrypoints.app_world import KEYS, AppWorld, trigger

DATASET, MODEL_FILE = "datasets/churn/a b.csv", "trained-models/churn/a.ilearner"
TIMER = {
    "IsPastDue": False,
    "Schedule": {"AdjustForDST": True},
    "ScheduleStatus": {
        "Last": "2026-01-05T11:59:00+00:00",
        "LastUpdated": "2026-01-05T11:59:00+00:00",
        "Next": "2026-01-05T12:00:00+00:00",
    },
}


class World:
    """An app over doubles, furnished with what the calls are about."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._world = AppWorld(Path(self._folder.name) / "managed_models")
        self._world.upload(DATASET)
        self._world.upload(MODEL_FILE)
        self._before = set(self._world.blobs.stored)

    def app(self, *, failing: bool = False) -> App:
        """The app; with `failing`, storage and queues are away."""
        if failing:
            away = Unavailable("away")
            self._world.bus.fail("send", away, times=None)
            self._world.webhook.fail("post", away, times=None)
            self._world.blobs.fail("put", away, times=None)
            self._world.ledgers.fail("get", away, times=None)
            self._world.ledgers.fail("list", away, times=None)
            self._world.records.fail("put_inbox", away, times=None)
        return self._world.app

    def effect(self) -> str:
        """What was sent, kept and written."""
        sent = [f"sent {m.subject} to {m.queue}/{m.session}" for m in self._world.bus.sent]
        kept = [f"kept {item.id}: {item.reason}" for item in self._world.records.items.values()]
        written = {path for path in self._world.blobs.stored if "definitions" not in path}
        ledgers = sorted(self._world.ledgers.texts)
        posted = [f"posted {event['type']}" for event in self._world.webhook.posted]
        texts = [
            *sent,
            *posted,
            *kept,
            *(f"wrote {path}" for path in sorted(written - self._before)),
        ]
        return "; ".join([*texts, *(f"ledger {model}" for model in ledgers)])


@dataclass(frozen=True)
class Call:
    """One invocation, and what it must come to."""

    name: str
    function: str
    inputs: dict[str, TypedData]
    expected: str
    metadata: dict[str, TypedData] = field(default_factory=dict)
    failing: bool = False


def blob(name: str, function: str, path: str, expected: str, *, failing: bool = False) -> Call:
    container, blob_name = path.split("/", 1)
    client = wire.blob_client("ALM_STORAGE", container, blob_name)
    uri = f"http://127.0.0.1:10000/devstoreaccount1/{path}"
    metadata = {
        "BlobTrigger": wire.text(path),
        "Uri": wire.document(uri),
        "Properties": wire.document({"Length": 7}),
        "Metadata": wire.document({}),
        "name": wire.text(blob_name),
    }
    return Call(name, function, {"landed": client}, expected, metadata, failing)


def message(
    name: str,
    function: str,
    body: bytes,
    expected: str,
    *,
    session: str = "",
    failing: bool = False,
    **properties: str,
) -> Call:
    metadata = wire.service_bus_metadata("m1", session)
    for key in ("ReplyTo", "CorrelationId"):
        if key in properties:
            metadata[key] = wire.text(properties.pop(key))
    metadata["ApplicationProperties"] = metadata["UserProperties"] = wire.document(properties)
    return Call(name, function, {"message": wire.octets(body)}, expected, metadata, failing)


def timer(name: str, function: str, expected: str, *, failing: bool = False) -> Call:
    return Call(name, function, {"tick": wire.document(TIMER)}, expected, failing=failing)


def http(
    name: str, method: str, path: str, expected: str, *, body: bytes = b"", failing: bool = False
) -> Call:
    key = KEYS["reader" if method == "GET" else "operator"]
    headers = {KEY_HEADER: key, "content-type": "application/json"}
    url = f"https://alm.azurewebsites.net/api/{path}"
    given = {"req": wire.http(method, url, headers, {"path": path}, body)}
    return Call(name, "api", given, expected, failing=failing)


def page(name: str, path: str, expected: str, *, failing: bool = False) -> Call:
    headers = {KEY_HEADER: KEYS["reader"]}
    url = f"https://alm.azurewebsites.net/{path}"
    given = {"req": wire.http("GET", url, headers, {"path": path} if path else {}, b"")}
    return Call(name, "page", given, expected, failing=failing)


def score(name: str, model: str, expected: str, *, failing: bool = False) -> Call:
    headers = {KEY_HEADER: KEYS["reader"], "content-type": "application/json"}
    url, body = f"https://alm.azurewebsites.net/api/score/{model}", b'{"rows": [{"age": "39"}]}'
    given = {"req": wire.http("POST", url, headers, {"path": f"score/{model}"}, body)}
    return Call(name, "api", given, expected, failing=failing)


def _trigger() -> bytes:
    document = {"schema": 1, "kind": "trigger", "model": "churn"}
    document["trigger"] = trigger().model_dump(mode="json")
    return json.dumps(document).encode()


def _step() -> bytes:
    document = {
        "schema": 1,
        "kind": "step",
        "model": "churn",
        "run": "churn.r7",
        "n": 4,
        "pipeline": "retrain",
        "stage": "patch",
        "base": {"n": 3, "operation": "begin"},
        "configuration": "c",
    }
    return json.dumps(document).encode()


EVENT = b'{"schema": 1, "tries": 0, "event": {"id": "e1", "type": "alm.run.ended"}}'
VERIFY = json.dumps({"kind": "verify", "model": "churn", "id": "r1"}).encode()
TYPO = b'{"kind": "verfy", "model": "churn"}'
AWAY = "failure: Unavailable: away"
HTML = "text/html cookie alm-form Strict"
JSON, PROBLEM = "application/json", "application/problem+json"
TO_CHURN = "to alm-steps/churn"
DIED = {"DeadLetterReason": "MaxDeliveryCountExceeded"}

CALLS = (
    blob("a dataset", "on_dataset", DATASET, f"success sent trigger {TO_CHURN}"),
    blob("a dataset, queue away", "on_dataset", DATASET, AWAY, failing=True),
    blob("a model file", "on_trained_model", MODEL_FILE, f"success sent trigger {TO_CHURN}"),
    blob("a model file, queue away", "on_trained_model", MODEL_FILE, AWAY, failing=True),
    message(
        "a request with a reply queue",
        "on_request",
        VERIFY,
        f"success sent trigger {TO_CHURN}; sent accepted to answers/None",
        ReplyTo="answers",
        CorrelationId="c1",
    ),
    message("a request, queue away", "on_request", VERIFY, AWAY, failing=True),
    message(
        "bytes that are no text",
        "on_request",
        b"\xff\x00\xfe",
        "success kept alm-requests:m1:af9ceddc: the body is not UTF-8 (byte 0); send UTF-8 JSON",
    ),
    message(
        "a trigger in its mailbox",
        "on_step",
        _trigger(),
        f"success sent retrain/start {TO_CHURN}; ledger churn",
        session="churn",
    ),
    message("a step, storage away", "on_step", _trigger(), AWAY, session="churn", failing=True),
    message(
        "a dead step",
        "on_dead_letter",
        _step(),
        f"success sent fail {TO_CHURN}; kept alm-steps:m1:d9437299: MaxDeliveryCountExceeded",
        session="churn",
        **DIED,
    ),
    message("a dead step, storage away", "on_dead_letter", _step(), AWAY, failing=True, **DIED),
    message(
        "a dead request",
        "on_request_dead_letter",
        TYPO,
        "success kept alm-requests:m1:95757aae: MaxDeliveryCountExceeded",
        **DIED,
    ),
    message(
        "a dead request, storage away", "on_request_dead_letter", TYPO, AWAY, failing=True, **DIED
    ),
    message("an event", "on_event", EVENT, "success posted alm.run.ended"),
    message("an event, webhook and queue away", "on_event", EVENT, AWAY, failing=True),
    message(
        "a dead event",
        "on_event_dead_letter",
        EVENT,
        "success kept alm-events:m1:6c3d35de: MaxDeliveryCountExceeded",
        **DIED,
    ),
    message(
        "a dead event, storage away", "on_event_dead_letter", EVENT, AWAY, failing=True, **DIED
    ),
    timer("the schedule", "on_schedule", "success wrote alm-ledger/_schedule.json"),
    timer("the schedule, storage away", "on_schedule", AWAY, failing=True),
    timer(
        "the sweep",
        "on_sweep",
        "success wrote alm-ledger/_overview.json; wrote alm-ledger/_swept.json",
    ),
    timer("the sweep, storage away", "on_sweep", AWAY, failing=True),
    http("a look", "GET", "models/churn", f"http 200 {JSON}"),
    http(
        "an order",
        "POST",
        "models/churn/verify",
        f"http 202 {JSON} sent trigger {TO_CHURN}",
        body=b"{}",
    ),
    http(
        "a path with everything", "GET", 'inbox/blob:datasets%2Fü b.csv@"1"', f"http 404 {PROBLEM}"
    ),
    page("the first screen", "", f"http 200 {HTML}"),
    page("the first screen, storage away", "", f"http 503 {HTML}", failing=True),
    page("a page that is not there", "nowhere", f"http 404 {HTML}"),
    score("rows to score before anything is deployed", "churn", f"http 400 {PROBLEM}"),
    score("rows to score, storage away", "churn", f"http 503 {PROBLEM}", failing=True),
    http("a look, storage away", "GET", "models", f"http 503 {PROBLEM}", failing=True),
)
