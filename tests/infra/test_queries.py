"""Queries ask for what the code tells, and each is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alm.telemetry_names import EVENTS, FIELDS, METRICS, SPANS
from tests.infra import deployment
from tests.infra.bicep import properties, text
from tests.infra.deployment import INFRA

QUERIES = sorted((INFRA / "queries").glob("*.kql"))
TABLES = {  # of Application Insights, with the columns that are ours to use
    "customMetrics": {
        "name",
        "timestamp",
        "valueSum",
        "valueCount",
        "valueMax",
        "customDimensions",
    },
    "traces": {"timestamp", "message", "customDimensions", "operation_Id", "itemType"},
    "requests": {
        *("timestamp", "name", "customDimensions", "operation_Id", "itemType"),
        *("duration", "resultCode"),
    },
    "dependencies": {
        *("timestamp", "name", "customDimensions", "operation_Id", "itemType"),
        *("duration", "resultCode"),
    },
    "exceptions": {"timestamp", "outerMessage", "customDimensions", "operation_Id", "itemType"},
}
KEYWORDS = {  # of Kusto; what a query names itself begins with a capital
    *("where", "summarize", "project", "extend", "order", "by", "asc", "desc", "take"),
    *("union", "let", "distinct", "and", "or", "grain"),
}


def code(path: Path) -> str:
    return re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_names_metrics_events_and_fields_that_the_code_tells(path: Path):
    query = code(path)
    dimensions = set(re.findall(r'customDimensions\["([^"]+)"\]', query))
    named = re.findall(r'name == "(alm\.[^"]+)"', query)
    for metric in named:
        assert dimensions <= set(METRICS[metric].attributes)
    told = re.findall(r'customDimensions\["alm\.event"\]\) == "([^"]+)"', query)
    fields = {name.removeprefix("alm.") for name in dimensions if name.startswith("alm.")}
    for event in told:
        assert fields - {"event"} <= set(EVENTS[event])
    assert set(re.findall(r'name == "(on_\w+)"', query)) <= set(SPANS)
    if not named and not told:
        assert {f"alm.{name}" for name in fields - {"event"}} <= set(FIELDS)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_uses_tables_and_columns_of_application_insights(path: Path):
    query = code(path)
    used = {table for table in TABLES if re.search(rf"(?<![\w.\"]){table}\b", query)}
    assert used
    columns = set().union(*(TABLES[table] for table in used))
    words = set(re.findall(r"(?<![\w.{])[a-z]\w*\b(?!\s*\()", re.sub(r'"[^"]*"', "", query)))
    assert words - columns - used - KEYWORDS == set()


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_is_closed_and_pipes_from_a_table(path: Path):
    query = code(path)
    for opening, closing in ("()", "[]", "{}"):
        assert query.count(opening) == query.count(closing)
    assert query.count('"') % 2 == 0
    assert ";\n" in query or query.strip().split("\n")[0] in TABLES


@pytest.mark.parametrize(
    "path", [p for p in QUERIES if p.stem.startswith("alert-")], ids=lambda path: path.stem
)
def test_an_alert_answers_one_number_named_value(path: Path):
    last = code(path).strip().split("\n")[-1]
    assert re.match(r"\| (summarize|project) Value = ", last)
    assert " by " not in last


def loaded(module: str, variable: str) -> set[str]:
    node = deployment.file(module).of("var")[variable].value
    return set(re.findall(r"loadTextContent\('\.\./queries/([\w-]+)\.kql'\)", text(node)))


def test_each_query_is_used_once():
    alerts, panels = (
        loaded("modules/alerts.bicep", "rules"),
        loaded("modules/workbook.bicep", "panels"),
    )
    assert alerts == {p.stem for p in QUERIES if p.stem.startswith("alert-")}
    assert panels == {p.stem for p in QUERIES if not p.stem.startswith("alert-")}


def test_alerts_watch_what_needs_a_person():
    assert loaded("modules/alerts.bicep", "rules") >= {
        *("alert-failed", "alert-stuck", "alert-inbox", "alert-died", "alert-silent"),
    }


def test_placeholders_of_queries_are_parameters_of_the_workbook():
    asked = {name for path in QUERIES for name in re.findall(r"{(\w+)[:}]", code(path))}
    parameters = properties(deployment.file("modules/workbook.bicep").of("var")["parameters"].value)
    assert asked == set(re.findall(r"name: '(TimeRange|Run)'", text(parameters["content"])))
