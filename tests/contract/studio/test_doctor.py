"""`alm doctor` on local services: all is well, and then one thing after the other is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alm import settings
from alm.adapters.blob import AzureBlobs
from alm.adapters.clock import SystemClock
from alm.entrypoints.cli.doctor import checks
from alm.entrypoints.cli.doctor.findings import Finding
from alm.entrypoints.cli.doctor.surroundings import Asked, Surroundings
from alm.entrypoints.cli.main import cli
from devstack.servicebus import config
from devstack.servicebus.background import BackgroundBroker
from tests.contract.studio.local_studio import LocalStudio
from tests.doubles.storage import FixedClock

ROOT = Path(__file__).resolve().parents[3]
QUEUES = config.load(ROOT / "infra/servicebus.json")


@dataclass
class Practice:
    """An app's folder and settings, and the doctor."""

    folder: Path
    environment: dict[str, str]
    blobs: AzureBlobs = field(init=False)

    def __post_init__(self) -> None:
        text = self.environment["ALM_STORAGE"]
        self.blobs = AzureBlobs.from_connection_string(text, SystemClock())
        self.blobs.ensure_containers()

    def run(self, *words: str, **environment: str) -> Result:
        given = {**self.environment, **environment}
        return CliRunner().invoke(cli, ["doctor", "--app", str(self.folder), *words], env=given)

    def findings(self, only: str, *words: str, **environment: str) -> list[dict[str, str]]:
        result = self.run("--only", only, *words, "--json", **environment)
        assert result.exit_code in (0, 1), (result.stderr, result.exception)
        document: dict[str, Any] = json.loads(result.stdout)
        assert document["well"] == (result.exit_code == 0)
        listed: list[dict[str, str]] = document["findings"]
        return listed

    def wrong(self, only: str, **environment: str) -> list[dict[str, str]]:
        """What is not as it should be; what could not be seen apart."""
        found = self.findings(only, **environment)
        return [one for one in found if one["state"] in ("failed", "warning")]

    def by(self, clock: FixedClock, only: str) -> list[Finding]:
        """The same on a machine whose clock is another."""
        asked = Asked(self.environment, self.folder)
        around = Surroundings(asked, settings.read(self.environment), clock)
        return list(checks.examine(around, checks.chosen(only), lambda _check: None))


@pytest.fixture(scope="module")
def practice(
    azurite: str, studio: LocalStudio, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("doctor")
    shutil.copy(ROOT / "host.json", folder)
    with BackgroundBroker(QUEUES, folder / "broker") as broker:
        environment = {
            "ALM_LOCAL": "1",
            "ALM_STUDIO_URL": studio.url,
            "ALM_STUDIO_WORKSPACE_TOKEN": str(studio.description["workspace_token"]),
            "ALM_STUDIO_ARM_TOKEN": str(studio.description["arm_token"]),
            "ALM_STORAGE": azurite,
            "ALM_SERVICEBUS": broker.connection_string,
            "ALM_REPLY_QUEUES": "alm-answers",
            "ALM_API_KEYS": json.dumps({"reader": "a" * 64}),
            "PYTHON_THREADPOOL_THREAD_COUNT": "32",
            "COLUMNS": "250",
        }
        declare(studio, folder / "managed_models", environment)
        yield Practice(folder, environment)


def declare(studio: LocalStudio, folder: Path, environment: dict[str, str]) -> None:
    endpoint = studio.classic(
        studio.sample("scoring", "classic", endpoint="ep2")["web_service_id"], "ep2"
    ).endpoint
    training = str(studio.sample("training", "new")["arm_resource_id"])
    words = ["init", "churn", "--target", endpoint, "--training", training]
    made = CliRunner().invoke(cli, [*words, "--folder", str(folder)], env=environment)
    assert made.exit_code == 0, made.stderr


def test_where_all_is_well_nothing_is_left_behind(practice):
    swept = {"at": datetime.now(UTC).isoformat(), "models": {}, "inbox": 0}
    practice.blobs.put("alm-ledger/_overview.json", json.dumps(swept).encode())
    before = everything(practice.blobs)

    found = practice.findings("")

    assert {one["state"] for one in found} == {"ok", "skipped"}
    assert everything(practice.blobs) == before
    states = {(one["check"], one["state"]) for one in found}
    for check in ("containers", "queues", "services", "clock", "secrets", "events", "host"):
        assert (check, "ok") in states
    for check in ("api", "repository", "identity"):
        assert (check, "skipped") in states
    (unseen,) = (one for one in found if (one["about"], one["state"]) == ("alm-steps", "skipped"))
    assert "duplicate detection, deliveries, partitioning" in unseen["seen"]
    assert "Azure Service Bus Data Owner" in unseen["remedy"]
    (seen,) = (one for one in found if (one["about"], one["state"]) == ("alm-steps", "ok"))
    assert seen["seen"].startswith("with sessions, lock ")


def test_people_get_a_table_and_a_line_for_each_check(practice):
    result = practice.run("--only", "settings,clock")
    assert result.exit_code == 0
    assert "all is well" in result.stdout
    assert result.stderr.splitlines() == [
        "checking settings: values, unknown names, safety",
        "checking clock: against that of storage",
    ]


def everything(blobs: AzureBlobs) -> list[tuple[str, str]]:
    containers = ("alm-jobs", "alm-versions", "alm-ledger", "alm-runs", "alm-inbox")
    return [(blob.path, blob.etag) for name in containers for blob in blobs.list(name)]


def test_queues_of_another_kind_are_named_with_their_remedy(practice, tmp_path):
    changed = {
        "alm-steps": {"requires_session": False},
        "alm-requests": {"requires_session": True, "lock_ms": 20_000},
        "alm-answers": {"name": "other"},
        "alm-events": {},
    }
    queues = [replace(one, **changed[one.name]) for one in QUEUES if one.name in changed]
    with BackgroundBroker(queues, tmp_path / "broker") as broker:
        wrong = practice.wrong("queues", ALM_SERVICEBUS=broker.connection_string)
    told = [(one["about"], one["seen"][:19], one["remedy"][:16]) for one in wrong]
    assert told == [
        ("alm-steps", "has no sessions: me", "require sessions"),
        ("alm-requests", "has sessions: nothi", "it cannot be cha"),
        ("alm-requests", wrong[2]["seen"][:19], "set the lock dur"),
        ("alm-answers", "queue alm-answers d", "create it (infra"),
    ]
    assert wrong[2]["seen"].replace("19", "20").startswith("locks for 20 s")


def test_a_broker_that_is_away_is_told(practice):
    text = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=k;SharedAccessKey=canary"
    wrong = practice.wrong("queues", ALM_SERVICEBUS=f"{text};UseDevelopmentEmulator=true")
    assert {one["about"] for one in wrong} == {queue.name for queue in QUEUES}
    assert "cannot be reached" in wrong[0]["seen"]
    assert "canary" not in str(wrong)


def test_a_missing_container_is_named(practice):
    service = practice.blobs._service  # what the app itself never does
    service.delete_container("alm-inbox")
    try:
        (wrong,) = practice.wrong("containers")
    finally:
        practice.blobs.ensure_containers()
    assert (wrong["about"], wrong["state"]) == ("alm-inbox", "failed")
    assert "create it" in wrong["remedy"]


def test_a_wrong_storage_key_is_told_and_not_shown(practice):
    wrong_key = practice.environment["ALM_STORAGE"].replace("AccountKey=", "AccountKey=AAAA")
    wrong = practice.wrong("containers", ALM_STORAGE=wrong_key)
    assert {one["state"] for one in wrong} == {"failed"}
    assert "403" in wrong[0]["seen"]
    assert "AAAA" not in str(wrong)


def test_a_wrong_token_of_a_workspace_is_told(practice):
    (wrong,) = practice.wrong("services", ALM_STUDIO_WORKSPACE_TOKEN="canary")
    assert wrong["about"] == "churn: target churn-1"
    assert "401" in wrong["seen"]
    assert "renew or correct the key or token" in wrong["remedy"]
    assert "canary" not in str(wrong)
    (unset,) = practice.wrong("secrets", ALM_STUDIO_WORKSPACE_TOKEN="")
    assert "env:ALM_STUDIO_WORKSPACE_TOKEN" in unset["about"]
    assert "set ALM_STUDIO_WORKSPACE_TOKEN" in unset["remedy"]


def test_names_that_a_service_has_not_are_told_with_those_it_has(practice, tmp_path):
    shutil.copytree(practice.folder / "managed_models", tmp_path / "managed_models")
    path = tmp_path / "managed_models/churn.yaml"
    text = path.read_text().replace("model: output1", "model: outputt1")
    path.write_text(text.replace("[trained model]", "[trained modell]"))
    wrong = practice.wrong("services", ALM_MANAGED_MODELS=str(tmp_path / "managed_models"))
    assert len(wrong) == 2, wrong
    assert all("did you mean" in one["remedy"] for one in wrong)


@pytest.mark.parametrize(("minutes", "state"), [(10, "failed"), (-10, "failed"), (1.5, "warning")])
def test_a_skewed_clock_is_told(practice, minutes, state):
    ahead = datetime.now(UTC) + timedelta(minutes=minutes)
    (finding,) = practice.by(FixedClock(ahead), "clock")
    assert (finding.state, "synchronise" in finding.remedy) == (state, True)
    assert ("ahead of" if minutes > 0 else "behind") in finding.seen


def test_an_unknown_setting_is_told_with_the_one_that_was_meant(practice):
    (wrong,) = practice.wrong("settings", ALM_ALOWED_HOSTS="example.com")
    assert (wrong["about"], wrong["state"]) == ("ALM_ALOWED_HOSTS", "warning")
    assert wrong["remedy"] == "did you mean ALM_ALLOWED_HOSTS?"
    assert practice.run("--only", "settings", "--strict", ALM_ALOWED_HOSTS="x").exit_code == 1
    assert practice.run("--only", "settings", ALM_ALOWED_HOSTS="x").exit_code == 0


def test_a_sweep_that_stopped_and_a_blob_that_nobody_knows_are_told(practice):
    practice.blobs.put("datasets/churn/lost.csv", b"a,b\n1,2\n")
    try:
        later = FixedClock(datetime.now(UTC) + timedelta(minutes=30))
        found = {finding.about: finding for finding in practice.by(later, "events")}
    finally:
        practice.blobs.delete("datasets/churn/lost.csv")
    assert found["sweep"].state == "failed"
    assert found["datasets/churn/lost.csv"].state == "warning"
    assert "Event Grid" in found["datasets/churn/lost.csv"].remedy


def test_only_the_named_managed_model_is_looked_at(practice):
    assert practice.findings("services", "--model", "churn")[0]["state"] == "ok"
    result = practice.run("--only", "services", "--model", "chrun")
    assert (result.exit_code, "did you mean 'churn'?" in result.stderr) == (1, True)
