"""Tests about the code itself: who imports whom, sizes, and files that must agree."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

from alm import pipelines
from alm.engine import limits
from alm.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
LINES_MAX = 300
FUNCTION_LINES_MAX = 40
SOURCES = sorted(
    path
    for folder in ("alm", "devstack", "bench")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def importing(folder: str, *forbidden: str) -> list[str]:
    """Files under `folder` that import one of these modules."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in sorted(imports(path))
        if any(name == module or name.startswith(module + ".") for module in forbidden)
    ]


def test_the_domain_knows_nothing_but_itself():
    outside = ("alm.ports", "alm.stages", "alm.engine", "alm.adapters", "alm.entrypoints")
    outside = (*outside, "alm.version_control")
    assert importing("alm/domain", *outside, "azure", "requests", "os") == []


def test_stages_know_domain_and_ports_only():
    outside = ("alm.adapters", "alm.entrypoints", "alm.bootstrap", "alm.settings", "azure", "os")
    assert importing("alm/stages", *outside, "time") == []


def test_the_engine_knows_no_adapter_and_no_environment():
    outside = ("alm.adapters", "alm.entrypoints", "alm.bootstrap", "alm.settings", "azure", "os")
    assert importing("alm/engine", *outside, "time") == []


def test_the_page_and_the_api_know_nothing_of_the_command_line():
    outside = ("alm.entrypoints.cli", "alm.entrypoints.published", "typer", "rich")
    rooms = ("alm/entrypoints/page", "alm/entrypoints/api", "alm/entrypoints/studio")
    found = [item for room in rooms for item in importing(room, *outside)]
    assert found == []


def test_only_bootstrap_and_the_command_line_name_adapters():
    named = importing("alm/entrypoints", "alm.adapters")
    named += importing("alm", "alm.adapters")
    allowed = ("alm/adapters/", "alm/bootstrap.py", "alm/entrypoints/cli/main.py")
    allowed = (*allowed, "alm/entrypoints/cli/init", "alm/entrypoints/cli/studio/connection.py")
    allowed = (
        *allowed,
        "alm/entrypoints/cli/doctor/surroundings.py",
        "alm/entrypoints/cli/validating.py",
    )
    assert [item for item in set(named) if not item.startswith(allowed)] == []


def test_azure_functions_is_visible_in_one_file():
    assert importing("alm", "azure.functions", "azurefunctions") == []


def test_opentelemetry_is_named_only_where_it_is_set_up():
    named = importing("alm", "opentelemetry", "azure.monitor")
    allowed = ("alm/adapters/open_telemetry.py", "alm/adapters/telemetry_export.py")
    assert [item for item in named if not item.startswith(allowed)] == []


def test_the_local_stack_and_the_app_do_not_know_each_other():
    assert importing("devstack", "alm") == []
    assert importing("alm", "devstack", "tests") == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path):
    text = path.read_text()
    assert len(text.splitlines()) <= LINES_MAX
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_the_map_shows_the_pipelines_as_they_are():
    text = (ROOT / "function_app.py").read_text()
    shown = re.search(r"with the call each makes:\n((?:#.*\n)+)", text)
    assert shown is not None
    assert [line[2:] for line in shown.group(1).splitlines()] == pipelines.chain_text()
    assert len(text.splitlines()) <= 180


def test_every_lead_of_a_table_goes_somewhere():
    for name, stages in pipelines.PIPELINES.items():
        names = {stage.name for stage in stages}
        leads = {lead for s in stages for lead in (s.then, s.failed) if isinstance(lead, str)}
        assert leads <= names, name


def test_the_sample_settings_are_complete():
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    read = {field.alias for field in Settings.model_fields.values()}
    assert read <= set(sample)


def test_host_json_agrees_with_the_engines_limits():
    host = json.loads((ROOT / "host.json").read_text())
    bus = host["extensions"]["serviceBus"]
    assert seconds(host["functionTimeout"]) == limits.FUNCTION_TIMEOUT_SECONDS
    assert seconds(bus["maxAutoLockRenewalDuration"]) == limits.LOCK_RENEWAL_SECONDS
    assert bus["maxConcurrentCallsPerSession"] == 1
    assert bus["prefetchCount"] == 0
    assert bus["autoCompleteMessages"] is True
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert int(sample["PYTHON_THREADPOOL_THREAD_COUNT"]) == bus["maxConcurrentSessions"]


def test_the_queues_are_as_the_protocol_wants_them():
    namespace = json.loads((ROOT / "infra/servicebus.json").read_text())["UserConfig"]
    queues = {q["Name"]: q["Properties"] for q in namespace["Namespaces"][0]["Queues"]}
    steps = queues["alm-steps"]
    assert steps["RequiresSession"] is True
    assert steps["RequiresDuplicateDetection"] is True
    assert steps["LockDuration"] == "PT1M"
    assert steps["MaxDeliveryCount"] == 5
    assert queues["alm-requests"]["RequiresDuplicateDetection"] is True


def test_no_path_of_one_machine_is_in_the_project():
    names = ("/home/", "/Users/", "C:\\\\Users")
    for path in SOURCES:
        assert not any(name in path.read_text() for name in names), path


def test_the_python_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == ">=3.11"
    pins = (ROOT / "requirements.txt").read_text()
    assert 'azure-functions>=1.26,<2; python_version<"3.13"' in pins
    assert 'azure-functions>=2.3,<3; python_version>="3.13"' in pins


def seconds(span: str) -> int:
    hours, minutes, rest = (int(part) for part in span.split(":"))
    return hours * 3600 + minutes * 60 + rest
