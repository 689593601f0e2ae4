"""Scoring calls through the API: which endpoint gets them, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alm.domain.errors import Denied, NotFound, Refused, Unavailable, Unknown
from alm.domain.ledger import Ledger
from alm.domain.versions import InService
from tests.doubles.deployer import DoubleDeployer
from tests.doubles.studio import BASE, DoubleTarget
from tests.unit.entrypoints.app_world import EPOCH, GATE, AppWorld, target

ROWS = [{"age": 39}]


@pytest.fixture
def patched(tmp_path: Path) -> AppWorld:
    """Two regions that hold the same version; us takes three calls of four."""
    declared = {
        "model": "churn",
        "gate": GATE,
        "targets": [{**target("us"), "weight": 3}, {**target("eu"), "weight": 1}],
    }
    world = AppWorld(tmp_path / "declared", declared=[declared])
    served = world.version("v2")
    world.put_ledger(Ledger(model="churn", champion="v2", serves={"us": served, "eu": served}))
    return world


@pytest.fixture
def beside(tmp_path: Path) -> AppWorld:
    """One target whose versions stand beside each other: v2 in service, v1 before."""
    declared = {
        "model": "churn",
        "gate": GATE,
        "targets": [{**target("live"), "deploy": "new-endpoint"}],
    }
    world = AppWorld(tmp_path / "declared", declared=[declared])
    (there,) = world.app.declarations.resolve("churn").targets
    deployer = DoubleDeployer(world.clock, there, DoubleTarget(world.clock))
    for name in ("ep1", "ep2"):
        location = f"{BASE}models/{name}.ilearner"
        deployer.deployed[name] = DoubleTarget(world.clock, location)
    world.studio.put_deployer(there, deployer)
    served = {
        number: world.version(f"v{number}").model_copy(update={"service": f"ep{number}"})
        for number in (1, 2)
    }
    ledger = Ledger(model="churn", champion="v2", serves={"live": served[2]})
    world.put_ledger(ledger.model_copy(update={"before": {"live": served[1]}}))
    return world


def score(world: AppWorld, **body: Any) -> Any:
    return world.call("POST", "score/churn", {"rows": ROWS, **body}, role="reader")


def test_the_answers_come_with_target_and_version(beside):
    answer = score(beside)

    assert 200 == answer.status, answer.body
    assert {
        "model": "churn",
        "target": "live",
        "version": "v2",
        "endpoint": "ep2",
        "rows": [{"Scored Labels": "ep2.ilearner"}],
    } == answer.body


@pytest.mark.parametrize(
    ("asked", "endpoint"),
    [
        ({}, "ep2"),
        ({"alias": "champion"}, "ep2"),
        ({"alias": "previous"}, "ep1"),
        ({"version": "v1"}, "ep1"),
        ({"version": "v2", "key": "customer-7"}, "ep2"),
        ({"key": 7}, "ep2"),
    ],
    ids=str,
)
def test_a_version_is_asked_for_by_its_name_or_alias(beside, asked, endpoint):
    assert endpoint == score(beside, **asked).body["endpoint"]
    asked = {name: str(value) for name, value in asked.items()}
    assert endpoint == beside.call("GET", "models/churn/choose", query=asked).body["endpoint"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"version": "v9"}, "v2, previous"),
        ({"alias": "candidate"}, "champion"),
        ({"alias": "champoin"}, "champion"),
        ({"version": "v1", "alias": "champion"}, "ask for one of them"),
        ({"version": 1.5}, "version: 1.5 is not accepted"),
        ({"key": True}, "key: true is not accepted"),
        ({"alias": None}, "alias: null is not accepted"),
        ({"input": ["a"]}, 'input: ["a"] is not accepted'),
    ],
    ids=str,
)
def test_what_cannot_be_chosen_is_told(beside, asked, words):
    answer = score(beside, **asked)

    assert 400 == answer.status
    assert all(word in answer.body["detail"] for word in words.split(", "))


def test_weights_share_the_calls_and_a_key_stays_where_it_is(patched):
    keys = [f"customer-{number}" for number in range(400)]

    chosen = [score(patched, key=key).body["target"] for key in keys]

    assert 260 <= Counter(chosen)["us"] <= 340
    assert chosen == [score(patched, key=key).body["target"] for key in keys]


def test_a_key_stays_with_its_target_when_the_version_changes(patched):
    keys = [f"customer-{number}" for number in range(50)]
    before = [score(patched, key=key).body["target"] for key in keys]
    served = patched.version("v3")
    patched.put_ledger(Ledger(model="churn", champion="v3", serves={"us": served, "eu": served}))

    assert before == [score(patched, key=key).body["target"] for key in keys]


def test_what_people_deployed_first_is_the_champion_too(beside):
    served = beside.version("live-v0")
    beside.put_ledger(Ledger(model="churn", champion="v0", serves={"live": served}))
    (there,) = beside.app.declarations.resolve("churn").targets
    beside.services.put_target(there, DoubleTarget(beside.clock, f"{BASE}models/hand.ilearner"))

    answer = score(beside, alias="champion")

    assert "live-v0" == answer.body["version"]
    assert [{"Scored Labels": "hand.ilearner"}] == answer.body["rows"]
    assert ["champion"] == [
        alias
        for row in beside.call("GET", "models/churn/versions").body
        if row["version"] == "live-v0"
        for alias in row["aliases"]
    ]


def test_before_anything_is_served_there_is_nothing_to_choose(patched):
    patched.put_ledger(Ledger(model="churn"))

    assert "no endpoint to choose from" in score(patched).body["detail"]


@pytest.mark.parametrize(
    "rows",
    [None, {}, [], "age", [1], [[1]], [{}], [{"age": {}}], [{"age": [1]}], [{"a": 1}] * 1001],
    ids=lambda rows: str(rows)[:20],
)
def test_rows_that_are_none_are_refused(beside, rows):
    answer = score(beside, rows=rows)

    assert 400 == answer.status
    assert answer.body["detail"].startswith("rows: ")


def test_a_number_that_is_none_is_refused(beside):
    body = json.dumps({"rows": [{"age": float("nan")}]}).encode()

    answer = beside.call("POST", "score/churn", body, role="reader")

    assert 400 == answer.status
    assert "row 1 has nan in 'age'" in answer.body["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("503"), 503),
        (Unknown("no answer in 60 s"), 503),
        (NotFound("there is no endpoint ep2"), 503),
        (Denied("wrong key"), 502),
        (Refused("the model cannot score these rows"), 400),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_endpoint_that_is_away_says_to_try_again(beside, error, status):
    (there,) = beside.app.declarations.resolve("churn").targets
    beside.studio.deployer(there).deployed["ep2"].fail("score", error)

    answer = score(beside)

    assert status == answer.status
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_rows_may_be_larger_than_orders_and_not_without_end(beside):
    row = {"text": "x" * 1000}

    assert 200 == score(beside, rows=[row] * 1000).status
    assert 413 == score(beside, rows=[{"text": "x" * 5000}] * 1000).status
    big = beside.call("POST", "models/churn/rollback", {"version": "v1", "blob": "x" * 70_000})
    assert 413 == big.status


def test_scoring_needs_a_role_and_a_model_that_is_declared(beside):
    headers = {"x-alm-key": "wrong"}

    assert 401 == beside.call("POST", "score/churn", {"rows": ROWS}, headers=headers).status
    assert 404 == beside.call("POST", "score/other", {"rows": ROWS}).status
    assert 400 == score(beside, target="live").status, "a field that nobody takes"


def test_nothing_of_the_rows_is_kept(beside):
    before = set(beside.blobs.stored)

    score(beside, rows=[{"age": "canary-row"}])

    assert before == set(beside.blobs.stored)
    assert [] == beside.sent()


def in_service(world: AppWorld, run: int, minutes: int, version: str) -> None:
    at = EPOCH.replace(minute=minutes)
    world.versions.put_in_service(
        InService(
            model="churn",
            run=f"churn.r{run}",
            at=at,
            champion=version,
            targets={"us": version, "eu": version},
        )
    )


@pytest.mark.parametrize(
    ("at", "version"),
    [
        ("2026-01-05T12:10:00Z", "v1"),
        ("2026-01-05T12:29:59.999Z", "v1"),
        ("2026-01-05T12:30:00Z", "v2"),
        ("2026-01-05T12:31:00", "v2"),
        ("2026-01-05T14:31:00+02:00", "v2"),
        ("2026-01-05T14:31:00 02:00", "v2"),
        ("2027-01-05", "v2"),
    ],
)
def test_what_served_at_a_time_is_told(patched, at, version):
    in_service(patched, 1, 10, "v1")
    in_service(patched, 4, 30, "v2")

    answer = patched.call("GET", "models/churn/served", query={"at": at})

    assert 200 == answer.status, answer.body
    assert (version, {"us": version, "eu": version}) == (
        answer.body["champion"],
        answer.body["targets"],
    )


def test_before_the_first_nothing_of_ours_served(patched):
    in_service(patched, 1, 10, "v1")

    early = patched.call("GET", "models/churn/served", query={"at": "2026-01-05T12:09:59Z"})
    wrong = patched.call("GET", "models/churn/served", query={"at": "yesterday"})

    assert 404 == early.status
    assert (400, True) == (wrong.status, "write 2026-05-01T12:00:00Z" in wrong.body["detail"])


def test_the_history_of_service_comes_oldest_first(patched):
    in_service(patched, 4, 30, "v2")
    in_service(patched, 1, 10, "v1")

    rows = patched.call("GET", "models/churn/served").body

    assert ["v1", "v2"] == [row["champion"] for row in rows]
    assert 404 == patched.call("GET", "models/nothing/served").status


def test_versions_have_the_aliases_of_the_three_that_matter(beside):
    beside.clock.advance(60)
    beside.version("v3")

    rows = beside.call("GET", "models/churn/versions").body

    assert {"v1": ["previous"], "v2": ["champion"], "v3": ["candidate"]} == {
        row["version"]: row["aliases"] for row in rows
    }


def test_an_order_to_redeploy_names_its_commit(patched):
    answer = patched.call("POST", "models/churn/redeploy", {"commit": "ab12cd34"})

    (message,) = patched.messages()
    assert 202 == answer.status
    assert ("redeploy", "ab12cd34") == (message.trigger.pipeline, message.trigger.commit)
    wrong = patched.call("POST", "models/churn/redeploy", {"commit": "../main"})
    assert 400 == wrong.status
