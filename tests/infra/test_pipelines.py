"""azd, its hooks and the pipelines name things that exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra import deployment
from tests.infra.deployment import INFRA, ROOT
from tests.infra.test_lint import PLANTED

WORKFLOWS = [
    *sorted((ROOT / ".github/workflows").glob("*.yml")),
    *sorted((ROOT / "examples/pipelines").rglob("*.yml")),
    ROOT / "azure-pipelines.yml",
]
SCRIPTS = sorted((INFRA / "hooks").iterdir())
OF_AZD = {"AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_RESOURCE_GROUP"}


def document(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict)
    return found


def commands(node: Any) -> list[str]:
    """Every `run`, `script` and `inlineScript` of a pipeline, line by line."""
    if isinstance(node, list):
        return [line for item in node for line in commands(item)]
    if not isinstance(node, dict):
        return []
    found: list[str] = []
    for key, value in node.items():
        if key in ("run", "script", "inlineScript") and isinstance(value, str):
            found += [line.strip() for line in value.splitlines() if line.strip()]
        found += commands(value)
    return found


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))


def outputs() -> set[str]:
    return set(deployment.file("main.bicep").of("output"))


def test_azd_packs_this_folder_as_the_app_that_the_bicep_tags():
    azd = document(ROOT / "azure.yaml")
    (name,) = azd["services"]
    service = azd["services"][name]
    assert (ROOT / service["project"] / "function_app.py").is_file()
    assert (service["host"], service["language"]) == ("function", "python")
    assert f"'azd-service-name': '{name}'" in (INFRA / "main.bicep").read_text()
    assert (ROOT / azd["infra"]["path"] / f"{azd['infra']['module']}.bicep").is_file()


def test_hooks_of_azd_exist_for_both_kinds_of_machines():
    azd = document(ROOT / "azure.yaml")
    hooks = [*azd["hooks"].values(), *azd["services"]["app"]["hooks"].values()]
    for hook in hooks:
        assert (hook["posix"]["shell"], hook["windows"]["shell"]) == ("sh", "pwsh")
    for hook in azd["hooks"].values():
        for kind in ("posix", "windows"):
            assert (ROOT / hook[kind]["run"]).is_file()
        assert os.access(ROOT / hook["posix"]["run"], os.X_OK)


def test_every_file_of_hooks_is_used():
    text = (ROOT / "azure.yaml").read_text()
    assert [p.name for p in SCRIPTS if f"infra/hooks/{p.name}" not in text] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_hook_reads_variables_that_azd_has(path: Path):
    named = set(re.findall(r"\b(?:AZURE|ALM)_[A-Z_]+\b", path.read_text()))
    assert named <= outputs() | OF_AZD
    assert named


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_hook_gives_the_parameters_of_the_bicep_it_deploys(path: Path):
    given = set(re.findall(r"(\w+)=\"?\$", path.read_text())) - {"tries"}
    assert set(deployment.file("events.bicep").of("param")) == given


def test_parameters_are_those_of_the_bicep():
    parameters = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    declared = deployment.file("main.bicep").of("param")
    assert set(parameters) == set(declared)
    needed = {name for name, param in declared.items() if param.value is None}
    assert needed == {"environmentName", "location"}


def test_only_text_comes_from_the_environment():
    """What azd puts into numbers and lists differs by its version; text is text in each."""
    parameters = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    declared = deployment.file("main.bicep").of("param")
    from_outside = {name for name, p in parameters.items() if "${" in str(p["value"])}
    assert {declared[name].type for name in from_outside} == {"string"}
    literal = {name: p["value"] for name, p in parameters.items() if name not in from_outside}
    kinds = {"int": int, "bool": bool, "array": list, "object": dict, "string": str}
    for name, value in literal.items():
        assert isinstance(value, kinds[declared[name].type]), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_pipeline_runs_commands_that_exist(path: Path):
    lines = commands(document(path))
    assert lines
    for line in lines:
        for target in re.findall(r"\bmake ([\w-]+)", line):
            assert target in targets()
        for script in re.findall(r"\bbash (\S+)", line):
            assert (ROOT / script).is_file()
        for bicep in re.findall(r"--file (\S+)", line):
            assert (ROOT / bicep).is_file()
        for verb in re.findall(r"\bazd (\w+)", line):
            assert verb in ("auth", "config", "env", "provision", "deploy")
        for verb in re.findall(r"-m alm (\w+)", line):
            assert verb == "validate"


@pytest.mark.parametrize(
    "path", [ROOT / ".github/workflows/ci.yml", ROOT / "azure-pipelines.yml"], ids=lambda p: p.name
)
def test_both_kinds_of_pipelines_run_what_ci_runs_and_compile_the_bicep(path: Path):
    lines = commands(document(path))
    assert "bash .ci/run" in lines
    compiled = {name for line in lines for name in re.findall(r"bicep build --file (\S+)", line)}
    assert compiled == {"infra/main.bicep", "infra/events.bicep"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_pipeline_keeps_no_secret(path: Path):
    text = path.read_text()
    assert "secrets." not in text
    assert not re.search(r"client.secret|password|connection.?string", text, re.IGNORECASE)


def test_deployments_are_not_cut_off_by_the_next():
    for path in (
        ROOT / ".github/workflows/deploy.yml",
        ROOT / "examples/pipelines/github/deploy.yml",
    ):
        workflow = document(path)
        assert workflow["concurrency"]["cancel-in-progress"] is False
        assert workflow["permissions"]["id-token"] == "write"
        assert all("environment" in j for j in workflow["jobs"].values() if "steps" in j)


def test_a_deployment_is_given_every_variable_that_parameters_read():
    """One that is not given is empty there, and takes back what was chosen from a laptop."""
    parameters = (INFRA / "main.parameters.json").read_text()
    read = set(re.findall(r"\${(\w+)", parameters))
    env = document(ROOT / ".github/workflows/deploy.yml")["jobs"]["deploy"]["env"]
    of_azure = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}
    assert set(env) - of_azure == read


def test_what_is_not_the_app_stays_out_of_the_package():
    left_out = (ROOT / ".funcignore").read_text().split()
    for name in ("infra", "tests", "devstack", "examples", ".azure", "azure.yaml", "docs"):
        assert name in left_out
    for name in ("alm", "managed_models", "host.json", "function_app.py", "requirements.txt"):
        assert name not in left_out
    assert ".azure/" in (ROOT / ".gitignore").read_text().split()


def test_the_documentation_names_what_can_be_chosen():
    page = (ROOT / "docs/deploy.md").read_text()
    parameters = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    for name, parameter in parameters.items():
        asked = re.match(r"\${(\w+)", str(parameter["value"]))
        if name != "environmentName":  # `azd env new` asks for it
            assert (asked[1] if asked else name) in page


def test_the_documentation_names_nothing_that_is_not_there():
    page = (ROOT / "docs/deploy.md").read_text()
    read = set(re.findall(r"\${(\w+)", (INFRA / "main.parameters.json").read_text()))
    known = read | outputs() | OF_AZD | set(deployment.settings())
    named = set(re.findall(r"\bALM_[A-Z_]+\b", page))
    assert named <= known
    for folder in ("infra", "tests/infra", ".github/workflows"):
        for path in re.findall(rf"`({folder}/[\w./-]+)`", page):
            assert (ROOT / path).exists(), path
    assert f"{len(PLANTED)} planted mistakes" in page


FAKE_AZ = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$1" in
functionapp)
    if [ "$(grep -c functionapp "$CALLS")" -lt "$READY_AT" ]; then echo false; else echo true; fi ;;
deployment) exit "${FAILS:-0}" ;;
esac
"""


@pytest.fixture
def hook(tmp_path: Path):
    """Run the hook with an `az` that answers as told; gives its result and the calls of `az`."""
    for name, body in {"az": FAKE_AZ, "sleep": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(body)
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()

    def run(ready_at: int, **more: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        environment = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "READY_AT": str(ready_at),
            "AZURE_SUBSCRIPTION_ID": "sub",
            "AZURE_RESOURCE_GROUP": "rg",
            "ALM_APP_NAME": "app",
            "ALM_DATA_ACCOUNT": "data",
            "ALM_EVENT_TOPIC": "topic",
        }
        ran = subprocess.run(
            [INFRA / "hooks/postdeploy.sh"],
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=30,
        )
        return ran, calls.read_text().splitlines()

    return run


def test_the_hook_waits_for_the_app_then_subscribes_it(hook):
    ran, calls = hook(ready_at=3)

    assert ran.returncode == 0, ran.stderr
    assert len([call for call in calls if call.startswith("functionapp keys list")]) == 3
    assert calls[-1].startswith("deployment group create --subscription sub --resource-group rg ")
    assert calls[-1].endswith("--parameters appName=app dataName=data topicName=topic")
    assert (
        Path(calls[-1].split("--template-file ")[1].split()[0])
    ).resolve() == INFRA / "events.bicep"


def test_the_hook_always_says_which_subscription_it_means(hook):
    _, calls = hook(ready_at=2)

    assert all("--subscription sub " in call for call in calls)
    windows = (INFRA / "hooks/postdeploy.ps1").read_text()
    assert windows.count("--subscription $env:AZURE_SUBSCRIPTION_ID") == 2


def test_the_hook_gives_up_on_an_app_that_does_not_start(hook):
    ran, calls = hook(ready_at=1000)

    assert ran.returncode == 1
    assert "docs/deploy.md" in ran.stderr
    assert not any(call.startswith("deployment") for call in calls)


def test_the_hook_fails_when_the_subscriptions_cannot_be_made(hook):
    ran, _ = hook(ready_at=1, FAILS="1")

    assert ran.returncode == 1
    assert "subscribed" not in ran.stdout


def test_the_hook_says_which_variable_is_missing(hook):
    ran, calls = hook(ready_at=1, ALM_EVENT_TOPIC="")

    assert ran.returncode != 0
    assert "ALM_EVENT_TOPIC" in ran.stderr
    assert calls == []


def test_the_hook_never_asks_for_the_key_itself(hook):
    _, calls = hook(ready_at=1)
    (asked,) = [call for call in calls if "keys list" in call]
    assert "--query systemKeys.blobs_extension != null" in asked
