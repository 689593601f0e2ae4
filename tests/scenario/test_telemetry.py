"""Telemetry of the whole stack, as its collector received it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from alm import pipelines
from alm.telemetry_names import EVENTS, METRICS, SPANS
from tests.scenario.test_secrets import secrets
from tests.scenario.world import Scene, World, managed

STEP = re.compile(r"([a-z_]+)/([a-z_]+)")
CALL = re.compile(r"[A-Z]+ [a-z0-9.:-]+")
ENGINES_STAGES = ("hold", "finish")

Span = dict[str, Any]


def told(world: World, path: str) -> list[dict[str, Any]]:
    """What the collector has."""
    answer = requests.get(f"{world.stack.addresses['collector_url']}/telemetry/{path}", timeout=30)
    found: list[dict[str, Any]] = answer.json()
    return found


def event_of(scene: Scene, blob: str) -> Span:
    """The span of the upload of a blob."""

    def look() -> Span | None:
        found = [s for s in told(scene.world, "spans") if s["attributes"].get("alm.blob") == blob]
        return found[0] if found else None

    return dict(scene.until(f"the span of {blob}", look))


def approve(scene: Scene, run: str, digest: str, **headers: str) -> None:
    """An approval by somebody who is traced too."""
    addresses = scene.world.stack.addresses
    answer = requests.post(
        f"{addresses['functions_url']}/api/runs/{run}/approve",
        json={"digest": digest},
        headers={"x-alm-key": addresses["api_keys"]["approver"], **headers},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text


def trace_of(scene: Scene, run: str, event: Span) -> list[Span]:
    """All of an event's trace, once the end of a run is in it."""

    def look() -> list[Span]:
        spans = told(scene.world, f"spans?trace={event['trace']}")
        return spans if any(is_end(span, run) for span in spans) else []

    return list(scene.until(f"the end of {run} in the trace of its upload", look))


def is_end(span: Span, run: str) -> bool:
    return span["name"].endswith("/finish") and span["attributes"].get("alm.run") == run


@pytest.mark.together
@managed("traced", changes={"approval": {"required": True}})
def test_an_upload_and_all_it_leads_to_is_one_trace(scene: Scene) -> None:
    first, second = scene.next_run("traced"), "traced.r2"
    scene.upload("traced")
    hold = scene.held(first)
    scene.upload("traced", "day2.csv")
    scene.until("a waiting trigger", lambda: scene.ledger("traced")["waiting"])
    caller = "00-c0ffee00c0ffee00c0ffee00c0ffee00-c0ffee00c0ffee00-01"
    approve(scene, first, hold["digest"], traceparent=caller)
    record = scene.ended(first)
    assert record["result"] == "ok"
    scene.order(f"runs/{second}/cancel")
    assert scene.ended(second)["result"] == "cancelled"

    event, later = (event_of(scene, f"datasets/traced/day{n}.csv") for n in (1, 2))
    spans = trace_of(scene, first, event)

    by_id = {span["span"]: span for span in spans}
    assert [span["name"] for span in spans if span["parent"] not in by_id] == ["on_dataset"]
    names = {span["name"] for span in spans if not CALL.fullmatch(span["name"])}
    visited = {f"retrain/{entry['stage']}" for entry in record["history"]} | {"retrain/hold"}
    assert visited | {"on_dataset", "begin"} <= names
    assert {s["trace"] for s in of_run(scene, first) if "/" in s["name"]} == {event["trace"]}
    calls = [span for span in spans if CALL.fullmatch(span["name"])]
    assert {by_id[call["parent"]]["name"] for call in calls} >= {"retrain/start", "retrain/smoke"}
    assert record["trace"][3:35] == event["trace"]

    waited = trace_of(scene, second, later)
    assert later["trace"] != event["trace"]
    assert {"begin", "retrain/finish"} <= {span["name"] for span in waited}
    assert {s["trace"] for s in of_run(scene, second) if "/" in s["name"]} == {later["trace"]}
    (decision,) = [s for s in of_run(scene, first) if s["name"] == "decision"]
    assert decision["trace"] == caller[3:35]
    assert {"trace": event["trace"]}.items() <= decision["links"][0].items()

    ends = [
        record
        for record in told(scene.world, f"logs?trace={event['trace']}")
        if record["attributes"].get("alm.event") == "run_ended"
    ]
    assert [(end["attributes"]["alm.run"], end["attributes"]["alm.result"]) for end in ends] == [
        (first, "ok")
    ]
    assert by_id[ends[0]["span"]]["name"] == "retrain/finish"


def of_run(scene: Scene, run: str) -> list[Span]:
    return [s for s in told(scene.world, "spans") if s["attributes"].get("alm.run") == run]


@pytest.mark.last
@managed("measured")
def test_whatever_happened_is_told_with_names_of_the_tables_and_without_secrets(
    scene: Scene,
) -> None:
    assert scene.retrained("measured")["result"] == "ok"
    stages = {
        f"{pipeline}/{stage}"
        for pipeline, table in pipelines.PIPELINES.items()
        for stage in (*(each.name for each in table), *ENGINES_STAGES)
    }

    def look() -> bool:
        found = {(p["name"], p["attributes"].get("result")) for p in told(scene.world, "metrics")}
        return ("alm.runs.ended", "ok") in found and ("alm.run.duration", "ok") in found

    scene.until("the metrics of an ended run", look)
    spans, logs = told(scene.world, "spans"), told(scene.world, "logs")
    points = told(scene.world, "metrics")

    names = {span["name"] for span in spans}
    assert [] == [n for n in names if not (n in SPANS or n in stages or CALL.fullmatch(n))]
    events = {record["attributes"].get("alm.event") for record in logs}
    assert events <= EVENTS.keys() | {None}
    assert {point["name"] for point in points} <= METRICS.keys()
    assert {"alm.runs.begun", "alm.stage.visits", "alm.stage.duration", "alm.call.duration"} <= {
        point["name"] for point in points
    }
    everything = repr((spans, logs, points))
    assert [] == [name for name, key in secrets(scene.world).items() if key in everything]
