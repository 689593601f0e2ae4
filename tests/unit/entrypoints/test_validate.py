"""`alm validate`: what it finds, how builds are told, and what is only doubtful."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from typer.testing import CliRunner, Result

from alm.domain.mistakes import Mistake
from alm.entrypoints.cli.main import cli
from alm.entrypoints.cli.verdict import Verdict, azure, github, junit
from tests.unit.entrypoints.app_world import CHURN, DROPPED, GATE, SHOPS, TRAINING, target

SMOKE = [{"rows": [{"age": 3}], "expect": [{"column": "Scored Labels", "equals": "1"}]}]
SOUND = {**CHURN, "smoke_tests": SMOKE, "targets": [target("us"), {**target("eu"), "wave": 2}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "declared"
    made.mkdir()
    return made


def declare(folder: Path, *documents: Mapping[str, Any]) -> None:
    for document in documents:
        name = document.get("model") or document["family"]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(dict(document), sort_keys=False))


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["validate", str(folder), *words], env={"COLUMNS": "250"})


def document(folder: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(folder, "--json", *words).stdout)
    return found


def test_what_is_sound_is_valid_and_told(folder):
    declare(folder, SOUND)
    assert run(folder, "--strict").exit_code == 0
    assert run(folder).stdout == f"1 managed model, 0 families in {folder}\n"
    assert document(folder) == {
        "valid": True,
        "models": ["churn"],
        "families": [],
        "mistakes": [],
        "doubts": [],
    }


def test_a_mistake_is_told_with_file_line_column_field_and_remedy(folder):
    declare(folder, {**SOUND, "gaet": {}})
    result = run(folder, "--json")
    (mistake,) = json.loads(result.stdout)["mistakes"]
    line = (folder / "churn.yaml").read_text().splitlines().index("gaet: {}") + 1
    assert (result.exit_code, result.stderr) == (1, "")
    assert mistake == {
        "file": str(folder / "churn.yaml"),
        "line": line,
        "column": 1,
        "field": "gaet",
        "what": "is no known field",
        "remedy": "did you mean 'gate'?",
    }


def test_the_column_of_a_nested_field_is_told(folder):
    (folder / "churn.yaml").write_text("model: churn\ntargets:\n  - name: us\n    wave: 99\n")
    found = {one["field"]: (one["line"], one["column"]) for one in document(folder)["mistakes"]}
    assert found["targets[0].wave"] == (4, 5)


def test_a_member_that_cannot_be_is_a_mistake_at_its_family(folder):
    shops = {**SHOPS, "dataset": "sales/{shop}.csv", "members": {"list": ["north", "x" * 64]}}
    declare(folder, {**shops, "targets": [target("{shop}{shop}", "shops")]})
    (mistake,) = document(folder)["mistakes"]
    assert (mistake["file"], mistake["line"]) == (str(folder / "shops.yaml"), 1)
    assert "member" in mistake["what"]
    assert mistake["remedy"] == "correct the declaration or the member's row"


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path):
    result = run(tmp_path / "none")
    assert (result.exit_code, "there is no folder 'none'" in result.stderr) == (1, True)


def test_members_are_shown_filled_in(folder):
    declare(folder, {**SHOPS, "smoke_tests": SMOKE, "members": {"list": ["north", "south"]}})
    rows = document(folder, "--members")["members"]
    assert [row["model"] for row in rows] == ["shops--north", "shops--south"]
    assert rows[0]["targets"]["north"].endswith("/endpoints/north")
    assert "shops--south" in run(folder, "--members").stdout
    declare(folder, {**SHOPS, "smoke_tests": SMOKE})
    assert "members come with their first dataset" in run(folder, "--members").stdout


def test_without_a_folder_that_of_the_setting_is_checked(folder):
    declare(folder, SOUND)
    told = CliRunner().invoke(cli, ["validate"], env={"ALM_MANAGED_MODELS": str(folder)})
    assert told.stdout == f"1 managed model, 0 families in {folder}\n"


def test_one_file_is_checked_by_itself(folder, monkeypatch):
    declare(folder, SOUND, {**SHOPS, "gaet": {}})
    assert run(folder / "churn.yaml", "--strict").exit_code == 0
    path = folder / "shops.yaml"
    assert {one["file"] for one in document(path)["mistakes"]} == {str(path)}
    monkeypatch.chdir(folder)
    assert {one["file"] for one in document(Path("shops.yaml"))["mistakes"]} == {"shops.yaml"}
    assert {one["file"] for one in document(Path())["mistakes"]} == {"shops.yaml"}
    other = folder / "churn.yaml"
    (mistake,) = document(other.rename(folder / "churn.txt"))["mistakes"]
    assert (mistake["what"], mistake["remedy"]) == ("would not be read", "rename it to .yaml")


# -- doubts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"smoke_tests": []}, "declaration", "declares no smoke test"),
        ({"smoke_tests": [{"rows": [{"a": 1}]}]}, "smoke_tests[0]", "expects nothing"),
        ({"gate": {"kind": "smoke-only"}}, "gate.kind", "is smoke-only"),
        ({"targets": [target("us"), target("eu")]}, "targets", "are 2 in one wave"),
    ],
)
def test_what_is_valid_and_doubtful_is_told_and_fails_only_if_strict(folder, change, field, told):
    declare(folder, {**SOUND, **change})
    found = document(folder)
    assert found["valid"]
    (doubt,) = found["doubts"]
    assert (doubt["field"], doubt["what"][: len(told)]) == (field, told)
    assert doubt["remedy"]
    assert (run(folder).exit_code, run(folder, "--strict").exit_code) == (0, 1)
    assert "1 doubtful" in run(folder).stdout


@pytest.mark.parametrize(
    ("metric", "field"),
    [
        ({"name": "r2", "min": 1.2}, "gate.metrics[0].min"),
        ({"name": "r2", "min": 1}, ""),
        ({"name": "rmse", "max": -1}, "gate.metrics[0].max"),
        ({"name": "rmse", "max": 0}, ""),
    ],
)
def test_a_threshold_that_no_model_can_meet_is_doubtful(folder, metric, field):
    gate = {"task": "regression", "label": "sold", "compare": "none", "metrics": [metric]}
    declare(folder, {**SOUND, "gate": gate})
    assert [one["field"] for one in document(folder)["doubts"]] == ([field] if field else [])


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("churn/*.csv", "can match the same file as 'churn/*.csv' of 'churn'"),
        ("chrun/*.csv", "is nearly the same as 'churn/*.csv' of 'churn'"),
        ("sales/*.csv", ""),
    ],
)
def test_patterns_that_are_nearly_alike_are_doubtful(folder, pattern, told):
    other = {"model": "zeta", "dataset": pattern, "training": TRAINING, "gate": GATE}
    declare(folder, SOUND, {**other, "smoke_tests": SMOKE, "targets": [target("one", "z")]})
    doubts = [one["what"] for one in document(folder)["doubts"]]
    assert [what[: len(told)] for what in doubts] == ([told] if told else [])


# -- settings ------------------------------------------------------------------------------------

VALUES = {
    "ALM_STORAGE__blobServiceUri": "https://shop.blob.core.windows.net",
    "ALM_STORAGE__queueServiceUri": "https://shop.queue.core.windows.net",
    "ALM_SERVICEBUS__fullyQualifiedNamespace": "shop.servicebus.windows.net",
    "ALM_API_KEYS": json.dumps({"reader": "a" * 64}),
}


@pytest.mark.parametrize(
    "form",
    [
        lambda values: {"IsEncrypted": False, "Values": values},
        lambda values: values,
        lambda values: [
            {"name": name, "value": v, "slotSetting": False} for name, v in values.items()
        ],
    ],
)
def test_settings_are_checked_in_each_form_that_they_are_kept_in(folder, tmp_path, form):
    declare(folder, SOUND)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(form(VALUES), indent=1))
    assert document(folder, "--settings", str(path))["doubts"] == []
    wrong = {**VALUES, "ALM_API_KEYS": "{", "ALM_ALOWED_HOSTS": "x"}
    path.write_text(json.dumps(form(wrong), indent=1))
    found = document(folder, "--settings", str(path))
    (mistake,), (doubt,) = found["mistakes"], found["doubts"]
    assert '"ALM_API_KEYS"' in path.read_text().splitlines()[mistake["line"] - 1]
    assert (doubt["field"], doubt["remedy"]) == (
        "ALM_ALOWED_HOSTS",
        "did you mean ALM_ALLOWED_HOSTS?",
    )


def test_a_secret_that_a_declaration_names_is_no_unknown_setting(folder, tmp_path):
    declare(folder, {**SOUND, "notify": {"webhook": "env:ALM_CHURN_WEBHOOK"}})
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({**VALUES, "ALM_CHURN_WEBHOOK": "https://x"}))
    assert document(folder, "--settings", str(path))["doubts"] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "is not JSON"), ("3", "holds no settings"), ('{"A": 1}', "write it in quotes")],
)
def test_what_is_no_file_of_settings_is_refused(folder, tmp_path, text, told):
    path = tmp_path / "settings.json"
    path.write_text(text)
    assert told in run(folder, "--settings", str(path)).stderr
    assert "cannot be read" in run(folder, "--settings", str(tmp_path / "none")).stderr


# -- formats -------------------------------------------------------------------------------------

FOUND = Verdict(
    ("a,b.yaml", "c.yaml"),
    (Mistake("a,b.yaml", 3, ("gate",), "is 100% <wrong>\n::error::x", "correct] it; now", 5),),
    (Mistake("c.yaml", 1, (), "is odd", "look"),),
)


def test_github_is_told_by_workflow_commands_that_cannot_be_broken_out_of():
    assert github(FOUND).splitlines() == [
        "::error file=a%2Cb.yaml,line=3,col=5::"
        "gate: is 100%25 <wrong>\\n::error::x; correct] it; now",
        "::warning file=c.yaml,line=1::declaration: is odd; look",
    ]


def test_azure_pipelines_are_told_by_logging_commands():
    assert azure(FOUND).splitlines() == [
        "##vso[task.logissue type=error;sourcepath=a,b.yaml;linenumber=3;columnnumber=5;]"
        "gate: is 100%AZP25 <wrong>\\n::error::x; correct] it; now",
        "##vso[task.logissue type=warning;sourcepath=c.yaml;linenumber=1;]"
        "declaration: is odd; look",
    ]


def test_a_test_report_has_a_test_for_each_file():
    suite = ElementTree.fromstring(junit(FOUND))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failing, passing = suite.findall("testcase")
    assert "a,b.yaml:3: gate: is 100% <wrong>" in str(failing.findtext("failure"))
    assert passing.find("failure") is None
    assert passing.findtext("system-out") == "c.yaml:1: declaration: is odd; look"


@pytest.mark.parametrize(
    ("form", "begins"), [("github", "::error"), ("azure", "##vso"), ("junit", "<?xml")]
)
def test_a_format_is_chosen_and_the_exit_code_stays(folder, form, begins):
    declare(folder, {**DROPPED, "gaet": {}})
    result = run(folder, "--format", form)
    assert (result.exit_code, result.stdout.startswith(begins)) == (1, True)
    assert run(folder, "--format", "gihub").exit_code == 2
