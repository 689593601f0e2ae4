"""Names: what the tables promise is what the code emits, no more and no less."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from alm import pipelines
from alm.domain.errors import Unavailable
from alm.entrypoints import dead_letters, events, intake, timers
from alm.entrypoints.inbox import Received
from alm.telemetry_names import EVENTS, FIELDS, METRICS, SPANS
from tests.recorded import Recorded, recording
from tests.unit.engine_world import EngineWorld, fails_first
from tests.unit.entrypoints.app_world import AppWorld

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "alm").rglob("*.py"))
ENGINES_STAGES = ("hold", "finish")


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of one of these functions in the app, with its first argument."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in names and node.args:
                yield ast.unparse(node.args[0]).strip("'\""), node


def test_every_log_event_of_the_code_is_in_the_table_with_its_fields():
    found: dict[str, set[str]] = {}
    for event, call in calls("log.info", "log.warning", "log.error"):
        named = {keyword.arg for keyword in call.keywords if keyword.arg}
        found.setdefault(event, set()).update(named)

    assert found.keys() == EVENTS.keys()
    assert {event: fields - set(EVENTS[event]) for event, fields in found.items()} == (
        {event: set() for event in found}
    )


def test_every_metric_of_the_code_is_in_the_table():
    named = {name for name, _ in calls("telemetry.count", "telemetry.observe")}

    assert named == METRICS.keys()


def test_the_documentation_has_every_name_and_no_other():
    rows = [f"| `{name}` | {means} |" for name, means in (SPANS | FIELDS).items()]
    for name, metric in METRICS.items():
        attributes = ", ".join(f"`{each}`" for each in metric.attributes) or "-"
        rows.append(f"| `{name}` | {metric.kind} | {attributes} | {metric.means} |")
    for event, fields in EVENTS.items():
        rows.append(f"| `{event}` | {', '.join(f'`{field}`' for field in fields)} |")
    text = (ROOT / "docs/telemetry.md").read_text()
    documented = text.partition("## Spans\n")[2].partition("## In Azure\n")[0].splitlines()

    assert [line for line in documented if line.startswith("| `")] == rows


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """What is told of everything that the tables name, by the engine and at the door."""
    with recording() as recorded:
        _run_everything()
        _knock_everywhere(AppWorld(tmp_path_factory.mktemp("app") / "models"))
        yield recorded


def _run_everything() -> None:
    """Runs that end well, that are held, that retry, and that are rolled back."""
    world = EngineWorld(approval=True)
    world.trigger("retrain", "day1")
    world.trigger("retrain", "day2")
    world.settle(seconds=3600)
    world.decide("approve")
    world.settle(seconds=3600)
    rough = EngineWorld(bad=("r1",), quiet_seconds=5)
    rough.targets["t1"].fail("patch", Unavailable("away"))
    rough.training.fault_of = fails_first(1)
    rough.trigger("retrain", "day1")
    rough.settle()


def _knock_everywhere(world: AppWorld) -> None:
    blob = world.upload("datasets/churn/day1.csv")
    intake.on_blob(world.app, blob.container, blob.name)
    stray = world.upload("trained-models/nobody/m.ilearner")
    intake.on_blob(world.app, stray.container, stray.name)
    intake.on_request(
        world.app, Received(b'{"kind": "verify", "model": "churn"}', "q1", "alm-requests")
    )
    intake.on_step(world.app, Received(b"junk", "j1", "alm-steps"))
    dead_letters.on_dead_letter(world.app, Received(b"junk", "j2", "alm-steps"))
    dead_letters.on_dead_letter(world.app, Received(b"junk", "j3", "alm-requests"))
    events.on_event(world.app, Received(b"junk", "e1", "alm-events"))
    dead_letters.on_dead_letter(world.app, Received(b"junk", "e2", "alm-events"))
    world.call("POST", "models/churn/verify")
    world.call("POST", "score/churn", {"rows": [{"a": 1}]})
    timers.on_schedule(world.app)
    timers.on_sweep(world.app)


def test_every_span_has_a_name_of_the_table_and_each_of_those_is_used(told: Recorded):
    stages = {
        f"{pipeline}/{stage}"
        for pipeline, table in pipelines.PIPELINES.items()
        for stage in (*(each.name for each in table), *ENGINES_STAGES)
    }
    named = {"{pipeline}/{stage}" if span.name in stages else span.name for span in told.spans()}

    assert named | {"{method} {host}"} == SPANS.keys()


def test_every_field_of_a_span_is_in_the_table_and_each_of_those_is_used(told: Recorded):
    used = {name for span in told.spans() for name in span.fields if name.startswith("alm.")}

    assert used | {"alm.repeated"} == FIELDS.keys()


def test_every_metric_is_told_with_exactly_its_attributes(told: Recorded):
    found = told.metrics()

    assert found.keys() | {"alm.call.duration"} == METRICS.keys()
    for name, series in found.items():
        for labels in series:
            assert set(re.findall(r"(\w+)=", labels)) == set(METRICS[name].attributes), name


def test_no_metric_names_a_managed_model_or_a_run(told: Recorded):
    labels = " ".join(label for series in told.metrics().values() for label in series)

    assert "churn" not in labels


def test_runs_and_stages_are_counted_once_and_told_as_they_went(told: Recorded):
    found = told.metrics()

    assert found["alm.runs.begun"] == {"pipeline=retrain source=dataset": 3}
    assert sum(found["alm.runs.ended"].values()) == 2
    visits = found["alm.stage.visits"]
    assert visits["outcome=retry pipeline=retrain stage=patch"] == 1
    assert visits["outcome=finish pipeline=retrain stage=roll_back"] == 1
