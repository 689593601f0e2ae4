"""Telemetry over the wire: to the local collector, to Application Insights, and to nobody."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from devstack.collector.server import Collector

ROOT = Path(__file__).resolve().parents[2]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PROGRAM = f"""
import os, threading
from alm import bootstrap, log, telemetry
builders = [threading.Thread(target=bootstrap._telemetry, args=(os.environ,)) for _ in range(8)]
for builder in builders:
    builder.start()
for builder in builders:
    builder.join()
context = "00-{TRACE}-00f067aa0ba902b7-01"
with telemetry.span("retrain/finish", parent=context, model="churn", result="ok"):
    log.warning("run_ended", model="churn", result="ok")
    telemetry.count("alm.runs.ended", pipeline="retrain", result="ok")
    telemetry.observe("alm.run.duration", 33.5, pipeline="retrain", result="ok")
    telemetry.observe("alm.runs.in_flight", 3, state="held")
print("on" if telemetry.is_on() else "off")
"""
SECONDS_MAX = 20  # a hang would be minutes


def run(settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A process with these settings tells something and ends, as a worker does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", PROGRAM],
        cwd=ROOT,
        env={**kept, **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    threading.Thread(target=found.serve, daemon=True).start()
    yield found
    found.close()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_collector_is_told_everything_before_the_process_ends(
    collector: Collector, compression: str
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_COMPRESSION": compression, "WEBSITE_SITE_NAME": "alm-weu"}

    ran = run({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **settings})

    assert ran.stdout == "on\n"
    (span,) = collector.store.spans(TRACE)
    assert (span["name"], span["parent"]) == ("retrain/finish", "00f067aa0ba902b7")
    assert (span["kind"], span["service"]) == ("internal", "alm-weu")
    assert span["attributes"] == {"alm.model": "churn", "alm.result": "ok"}
    (record,) = collector.store.records(TRACE)
    assert record["span"] == span["span"]
    assert record["attributes"]["alm.event"] == "run_ended"
    points = {point["name"]: point for point in collector.store.points()}
    assert points["alm.runs.ended"]["value"] == 1
    assert points["alm.runs.in_flight"]["attributes"] == {"state": "held"}
    duration = points["alm.run.duration"]
    assert (duration["kind"], duration["count"], duration["unit"]) == ("histogram", 1, "s")
    assert duration["counts"][duration["bounds"].index(60.0)] == 1


class Ingestion(BaseHTTPRequestHandler):
    """Takes what is sent to Application Insights."""

    items: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        found = json.loads(body)
        self.items += found if isinstance(found, list) else [found]
        answer = {"itemsReceived": len(found), "itemsAccepted": len(found), "errors": []}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def ingestion() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    items: list[dict[str, Any]] = []
    handler = type("Kept", (Ingestion,), {"items": items})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    key = "00000000-0000-0000-0000-000000000001"
    yield (
        f"InstrumentationKey={key};IngestionEndpoint=http://127.0.0.1:{server.server_port}/",
        items,
    )
    server.shutdown()
    server.server_close()


def test_application_insights_is_told_where_the_workbook_looks(
    ingestion: tuple[str, list[dict[str, Any]]],
) -> None:
    connection, items = ingestion
    quiet = {"APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true"}

    ran = run({"APPLICATIONINSIGHTS_CONNECTION_STRING": connection, **quiet})

    assert ran.stdout == "on\n"
    found = {item["data"]["baseType"]: item for item in items}
    span, record = found["RemoteDependencyData"], found["MessageData"]
    assert span["data"]["baseData"]["name"] == "retrain/finish"
    assert span["data"]["baseData"]["type"] == "InProc"
    assert span["tags"]["ai.operation.id"] == record["tags"]["ai.operation.id"] == TRACE
    assert record["tags"]["ai.operation.parentId"] == span["data"]["baseData"]["id"]
    dimensions = record["data"]["baseData"]["properties"]
    assert (dimensions["alm.event"], dimensions["alm.result"]) == ("run_ended", "ok")
    metrics = [i["data"]["baseData"] for i in items if i["data"]["baseType"] == "MetricData"]
    values = {m["metrics"][0]["name"]: m["metrics"][0]["value"] for m in metrics}
    assert {"alm.runs.ended": 1, "alm.run.duration": 33.5, "alm.runs.in_flight": 3} == {
        name: value for name, value in values.items() if name.startswith("alm.")
    }


def test_a_collector_that_is_away_holds_up_nothing() -> None:
    ran = run({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})

    assert ran.stdout == "on\n"


def test_a_collector_that_never_answers_holds_up_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        assert run({"OTEL_EXPORTER_OTLP_ENDPOINT": url}).stdout == "on\n"


@pytest.mark.parametrize(
    "settings",
    [
        {"APPLICATIONINSIGHTS_CONNECTION_STRING": "junk"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"},
    ],
    ids=["connection", "queue"],
)
def test_a_mistake_in_its_settings_turns_telemetry_off_and_not_the_app(
    settings: dict[str, str],
) -> None:
    ran = run(settings)

    assert ran.stdout == "off\n"
    assert "telemetry_off" in ran.stderr


def test_without_settings_it_is_off() -> None:
    assert run({}).stdout == "off\n"
