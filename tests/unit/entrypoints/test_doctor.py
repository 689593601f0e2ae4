"""What the doctor concludes from what it sees: tables of facts and findings."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alm import settings
from alm.domain.errors import Denied, Misconfigured
from alm.domain.looks import QueueFacts, TokenFacts
from alm.domain.managed_model import SmokeTest, Target, Training
from alm.entrypoints.cli.client import Client
from alm.entrypoints.cli.doctor import checks, identity, outside
from alm.entrypoints.cli.doctor.configuration import doubts, judge_host, unknown_names
from alm.entrypoints.cli.doctor.findings import Finding, Notes, is_well, report
from alm.entrypoints.cli.doctor.queues import Wish, judge_queue, wishes
from alm.entrypoints.cli.doctor.services import judge_target, judge_training
from alm.entrypoints.cli.doctor.storage import judge_clock, judge_overview, told_of_known
from alm.entrypoints.cli.doctor.surroundings import Asked, Surroundings
from alm.entrypoints.cli.studio.connection import Description
from tests.unit.entrypoints.api_server import ApiServer
from tests.unit.entrypoints.app_world import KEYS, AppWorld
from tests.unit.entrypoints.test_settings import AZURE, DIGEST, LOCAL

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text())
OK = Finding("c", "x", "ok", "fine")
WARNING = Finding("c", "x", "warning", "odd", "look")
FAILED = Finding("c", "x", "failed", "bad", "do")


# -- findings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "strict", "well"),
    [
        ([], False, True),
        ([OK, WARNING], False, True),
        ([OK, WARNING], True, False),
        ([OK, FAILED], False, False),
        ([Finding("c", "x", "skipped", "-", "-")], True, True),
    ],
)
def test_nothing_that_failed_is_well(found, strict, well):
    assert is_well(found, strict=strict) is well
    assert report(found, strict=strict)["well"] is well


def test_a_finding_that_is_not_ok_says_what_to_do():
    with pytest.raises(AssertionError):
        Finding("c", "x", "failed", "bad")


def test_an_error_is_told_apart_from_its_remedy():
    found = Notes("c").error("x", Denied("read: it answered 403; give it a role"))
    assert (found.seen, found.remedy) == ("read: it answered 403", "give it a role")
    assert Notes("c").error("x", Denied("403")).remedy


def test_a_check_that_breaks_is_a_finding_and_the_others_are_made():
    def breaks(_around: Surroundings) -> Any:
        yield OK
        raise Misconfigured("no; do")

    around = Surroundings(Asked({}, ROOT), settings.read(LOCAL))
    made = [checks.Check(name, "", breaks) for name in ("one", "two")]
    found = list(checks.examine(around, made, lambda _check: None))
    assert [(one.check, one.state) for one in found] == [
        *(("c", "ok"), ("one", "failed"), ("c", "ok"), ("two", "failed"))
    ]


def test_without_settings_only_what_needs_none_is_looked_at():
    around = Surroundings(Asked({}, ROOT), None)
    found = list(checks.examine(around, checks.chosen("queues,api"), lambda _check: None))
    assert [(one.check, one.state) for one in found] == [("queues", "skipped"), ("api", "skipped")]


@pytest.mark.parametrize(
    ("count", "told"), [(0, "no blob"), (1, "1 blob, it is known"), (7, "7 blobs, each is known")]
)
def test_blobs_that_are_too_young_to_be_looked_at_are_spoken_of(count, told):
    expected = f"of the last 48 h: {told} (younger than 16 min: not looked at yet)"
    assert told_of_known(count) == expected


# -- settings ------------------------------------------------------------------------------------


def test_all_mistakes_are_told_at_once_also_those_between_settings():
    wrong = settings.faults(
        {
            "ALM_API_KEYS": "{",
            "ALM_PLATFORM_AUTH": "maybe",
            "ALM_STORAGE": "x",
            "IDENTITY_ENDPOINT": "x",
        }
    )
    names = [name for name, _ in wrong]
    assert names == ["ALM_API_KEYS", "ALM_PLATFORM_AUTH", "", ""]
    assert settings.faults({**LOCAL, "IDENTITY_ENDPOINT": "x"})[0][0] == "ALM_LOCAL"
    assert settings.faults(LOCAL) == []


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("ALM_ALOWED_HOSTS", "did you mean ALM_ALLOWED_HOSTS?"),
        ("ALM_CHURN_WEBHOK", "did you mean ALM_CHURN_WEBHOOK?"),
        ("ALM_ZZZ", "remove it, or name it in a declaration"),
        ("ALM_STORAGE__queueServiceUri", ""),
        ("ALM_SERVICEBUS__clientId", ""),
        ("ALM_CHURN_WEBHOOK", ""),
        ("ALM_API_URL", ""),
        ("ALM_APPROVER_KEY", ""),
        ("PATH", ""),
    ],
)
def test_a_name_that_nothing_reads_is_told_with_the_nearest(name, remedy):
    found = list(unknown_names({name: "x"}, ["ALM_CHURN_WEBHOOK"]))
    assert [one.remedy for one in found] == ([remedy] if remedy else [])


@pytest.mark.parametrize(
    ("more", "about"),
    [
        ({}, []),
        ({"ALM_API_KEYS": "{}"}, ["ALM_API_KEYS"]),
        ({"ALM_API_KEYS": json.dumps({"reader": DIGEST, "approver": DIGEST})}, ["ALM_API_KEYS"]),
        ({"ALM_PLATFORM_AUTH": "true"}, ["ALM_PLATFORM_AUTH"]),
        ({"ALM_STORAGE__queueServiceUri": ""}, ["ALM_STORAGE__queueServiceUri"]),
        ({"ALM_ARM_URL": "http://arm.example"}, ["ALM_ARM_URL"]),
        ({"ALM_ALLOWED_HOSTS": "*.com"}, ["ALM_ALLOWED_HOSTS"]),
        ({"ALM_ALLOWED_HOSTS": "*.example.com"}, []),
        ({"ALM_STUDIO_ARM_TOKEN": "x"}, ["ALM_STUDIO_ARM_TOKEN"]),
    ],
)
def test_settings_that_are_not_safe_or_do_nothing_are_told(more: Mapping[str, str], about):
    sound = {
        **AZURE,
        "ALM_STORAGE__queueServiceUri": "https://shop.queue.core.windows.net",
        "ALM_API_KEYS": json.dumps({"reader": DIGEST}),
    }
    given = {name: value for name, value in {**sound, **more}.items() if value}
    assert [one.about for one in doubts(settings.read(given), given)] == about


# -- host.json -----------------------------------------------------------------------------------


def test_our_host_json_agrees_with_the_code():
    assert list(judge_host(HOST, "32")) == []


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("maxAutoLockRenewalDuration", "00:05:00", "failed"),
        ("maxAutoLockRenewalDuration", None, "failed"),
        ("maxConcurrentCallsPerSession", 2, "failed"),
        ("prefetchCount", 10, "failed"),
        ("autoCompleteMessages", False, "failed"),
        ("maxConcurrentSessions", 8, "failed"),
        ("sessionIdleTimeout", "00:01:00", "warning"),
    ],
)
def test_what_does_not_agree_in_host_json_is_told(name, value, state):
    host = copy.deepcopy(HOST)
    host["extensions"]["serviceBus"][name] = value
    (found,) = judge_host(host, "32")
    assert found.state == state
    assert found.about in (name, "PYTHON_THREADPOOL_THREAD_COUNT")


@pytest.mark.parametrize(("threads", "state"), [("", "warning"), ("16", "failed")])
def test_threads_that_are_not_as_many_as_sessions_are_told(threads, state):
    (found,) = judge_host(HOST, threads)
    assert (found.about, found.state) == ("PYTHON_THREADPOOL_THREAD_COUNT", state)


# -- storage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, "ok"), (-20, "ok"), (31, "warning"), (-31, "warning"), (301, "failed"), (-301, "failed")],
)
def test_a_clock_is_judged_by_what_grants_and_the_engine_bear(seconds, state):
    assert judge_clock(NOW, NOW + timedelta(seconds=seconds), "host").state == state


@pytest.mark.parametrize(
    ("at", "state"),
    [(None, "failed"), (NOW - timedelta(minutes=6), "failed"), (NOW - timedelta(minutes=1), "ok")],
)
def test_the_age_of_the_overview_tells_whether_it_is_swept(at, state):
    assert judge_overview(at, NOW).state == state


# -- queues --------------------------------------------------------------------------------------

STEPS = Wish("alm-steps", sessions=True, receives=True)
SEEN = QueueFacts(
    "alm-steps",
    sessions=True,
    duplicate_seconds=3600,
    lock_seconds=60,
    deliveries_max=5,
    partitioned=False,
    dead=0,
    may_send=True,
    may_receive=True,
)


@pytest.mark.parametrize(
    ("change", "states", "told"),
    [
        ({}, ["ok"], "with sessions"),
        ({"sessions": False}, ["failed"], "has no sessions"),
        ({"partitioned": True}, ["failed"], "is partitioned"),
        ({"duplicate_seconds": 0}, ["failed"], "does not look for duplicates"),
        ({"duplicate_seconds": 600}, ["warning"], "after 600 s"),
        ({"lock_seconds": 30}, ["warning"], "locks for 30 s"),
        ({"lock_seconds": 57}, ["ok"], "lock 57 s"),
        ({"deliveries_max": 10}, ["warning"], "delivers 10 times"),
        ({"dead": 3}, ["warning"], "3 messages"),
        ({"may_send": False}, ["failed"], "may not be sent to"),
        ({"may_receive": False}, ["failed"], "may not be received from"),
        ({"duplicate_seconds": None, "unseen": "no leave"}, ["ok", "skipped"], "with sessions"),
    ],
)
def test_a_queue_is_held_against_what_the_protocol_needs(change, states, told):
    found = list(judge_queue(STEPS, replace(SEEN, **change)))
    assert [one.state for one in found] == states
    assert told in found[0].seen


def test_a_queue_for_answers_only_has_to_be_there_without_sessions():
    answers = wishes(settings.read({**LOCAL, "ALM_REPLY_QUEUES": "theirs"}))[-1]
    plain = QueueFacts("theirs", sessions=False, may_send=True, may_receive=False)
    assert [one.state for one in judge_queue(answers, plain)] == ["ok"]
    assert [one.state for one in judge_queue(answers, replace(plain, sessions=True))] == ["failed"]


# -- services ------------------------------------------------------------------------------------

SERVICE = {
    "kind": "classic",
    "endpoint": "https://s.example/workspaces/w/webservices/s/endpoints/e",
}
TARGET = Target.model_validate(
    {"name": "us", "service": SERVICE, "trained_model": "m [trained model]"}
)
TESTS = (SmokeTest(rows=({"x": 1},)),)
SCORES = Description(("m [trained model]",), ("input1",), ("output1",))
TRAINING = Training.model_validate({"service": SERVICE, "parameters": {"Trees": "1"}})
TRAINS = Description(
    (), ("input1",), ("output2",), ("output1", "output2"), ("output1",), ("Trees",)
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"resources": ("n",)}, ["has no resource named 'm [trained model]'"]),
        ({"inputs": ("rows",)}, ["has no input 'input1', which smoke test 'smoke' names"]),
        ({"outputs": ()}, ["has no output 'output1', which smoke test 'smoke' names"]),
        ({"why_not": "it is read-only"}, ["takes no model: it is read-only"]),
    ],
)
def test_what_a_scoring_service_lacks_is_told(change, told):
    found = list(judge_target(TARGET, TESTS, replace(SCORES, **change)))
    assert [what for what, _ in found] == told
    assert all(remedy for _, remedy in found)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"files": ()}, ["puts out no trained model named 'output1'"]),
        ({"batch_outputs": ("output1",)}, ["has no output 'output2'"]),
        ({"inputs": ()}, ["has no input 'input1'"]),
        ({"parameters": ("trees",)}, ["has no global parameter 'Trees'"]),
    ],
)
def test_what_a_training_service_lacks_is_told(change, told):
    assert [what for what, _ in judge_training(TRAINING, replace(TRAINS, **change))] == told


# -- who we are ----------------------------------------------------------------------------------


def test_a_token_is_told_by_owner_credential_and_age():
    facts = TokenFacts("ada@example.com", "AzureCliCredential", "t1", NOW + timedelta(minutes=42))
    told = "ada@example.com by AzureCliCredential, tenant t1; the token is good for 42 min"
    assert identity.told(facts, NOW) == told


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("reader", ["reader"]),
        ("operator", ["reader", "operator"]),
        ("approver", ["reader", "approver"]),
    ],
)
def test_the_roles_of_a_key_are_found_out_without_changing_anything(world: AppWorld, role, told):
    with ApiServer(world) as server:
        assert outside.roles(Client(server.url, KEYS[role])) == told
        around = Surroundings(Asked({}, ROOT, api=Client(server.url, KEYS[role])), None)
        (found,) = outside.look_at_api(around)
    assert found.seen == f"answers; our key is {', '.join(told)}"
    assert world.bus.sent == []


@pytest.mark.parametrize(("key", "told"), [("guess", "none of the app's"), ("", "401")])
def test_a_key_that_is_none_is_told(world: AppWorld, key, told):
    with ApiServer(world) as server:
        around = Surroundings(Asked({}, ROOT, api=Client(server.url, key)), None)
        (found,) = outside.look_at_api(around)
    assert found.state == "failed"
    away = Surroundings(Asked({}, ROOT, api=Client("http://127.0.0.1:1/api", "")), None)
    assert "does not answer" in next(outside.look_at_api(away)).seen
