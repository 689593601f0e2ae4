"""The command line over the API: tables, JSON, exit codes, and what it waits for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from alm.domain.ledger import Ledger
from alm.domain.messages import trigger_id
from alm.domain.run import BlobRef, RunState, Served
from alm.entrypoints.api.calls import Answer, Call
from alm.entrypoints.cli.main import cli
from tests.unit.entrypoints.api_server import ApiServer
from tests.unit.entrypoints.app_world import CHURN, DIGEST, KEYS, AppWorld, covered, trigger
from tests.unit.entrypoints.test_api import furnished, item

Alm = Callable[..., Result]
SERVED = Served(version="v3", digest="d", blob="alm-versions/churn/v3.ilearner")
EXPERIMENT = f"{'a' * 32}.f-id.{'b' * 32}"


@pytest.fixture
def server(world: AppWorld) -> Iterator[ApiServer]:
    with ApiServer(world) as running:
        yield running


@pytest.fixture
def alm(server: ApiServer) -> Alm:
    def run(*arguments: str, role: str = "operator", url: str = "") -> Result:
        environment = {
            "ALM_API_URL": url or server.url,
            "ALM_API_KEY": KEYS[role],
            "COLUMNS": "200",
        }
        return CliRunner().invoke(cli, list(arguments), env=environment)

    return run


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


# -- help and usage ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("start",), ("runs", "--days", "0"), ("nothing",), ("run", "a", "b")]
)
def test_wrong_usage_is_2(alm, words):
    assert alm(*words).exit_code == 2


def test_an_app_that_does_not_answer_is_3(alm):
    result = alm("models", url="http://127.0.0.1:1/api")
    assert result.exit_code == 3
    assert "does not answer" in result.stderr
    assert "--url" in result.stderr


def test_what_is_not_the_api_is_told(alm, server):
    result = alm("models", url=server.url.removesuffix("/api"))
    assert (result.exit_code, "It ends in /api" in result.stderr or "404" in result.stderr) == (
        1,
        True,
    )


@pytest.mark.parametrize("role", ["reader", "approver"])
def test_what_a_key_may_not_do_is_1(alm, role):
    result = alm("start", "churn", role=role)
    assert result.exit_code == 1
    assert "needs the role operator" in result.stderr
    assert result.stdout == ""


# -- looking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("models",), ["churn", "held", "dropped", "new"]),
        (("versions", "churn"), ["v1", "auc 0.81", "champion"]),
        (("targets", "churn"), ["us", "eu", "classic"]),
        (("targets", "churn", "--read"), ["models/v0.ilearner", "agrees"]),
        (("runs",), ["churn.r7"]),
        (("runs", "--model", "churn", "--days", "3", "--limit", "5"), ["churn.r7"]),
        (("run", "churn.r7"), ["churn.r7", "in flight", DIGEST]),
        (("model", "churn"), ["champion      v1", "held because", "churn/*.csv", "us serves v3"]),
        (("order", "churn", "o1"), ["id: o1", "state: sent"]),
        (("inbox", "alm-requests:1"), ["reason: wrong", "payload: "]),
        (("choose", "churn", "--key", "anna"), ["target: ", "version: v3"]),
        (("score", "churn", "--row", "age=3"), ["Scored Labels"]),
        (("inbox",), ["alm-requests:1", "wrong", "correct it"]),
        (("pipelines",), ["retrain", "roll_back", "next wave"]),
    ],
)
def test_looking_gives_a_table_and_the_same_as_json(alm, world, words, told):
    furnished(world)
    ledger, etag = world.ledgers.get("churn")
    now = {"champion": "v1", "serves": {"us": SERVED, "eu": SERVED}}
    world.ledgers.put(ledger.model_copy(update=now), etag)
    shown = alm(*words)
    assert shown.exit_code == 0, shown.stderr
    for text in told:
        assert text in shown.stdout
    document = parsed(alm(*words, "--json"))
    assert document


def test_the_app_says_which_endpoint_it_would_choose(alm, world):
    world.put_ledger(Ledger(model="churn", champion="v3", serves={"us": SERVED, "eu": SERVED}))
    assert parsed(alm("choose", "churn", "--key", "anna", "--json"))["target"] in ("us", "eu")
    assert "target: " in alm("choose", "churn").stdout
    refused = alm("choose", "churn", "--version", "v9")
    assert (refused.exit_code, "no endpoint has version" in refused.stderr) == (1, True)


def test_rows_are_scored_from_a_file_and_the_answer_says_by_which_target(alm, world, tmp_path):
    world.put_ledger(Ledger(model="churn", champion="v3", serves={"us": SERVED, "eu": SERVED}))
    (tmp_path / "rows.csv").write_text("age\n3\n4\n")
    answer = parsed(alm("score", "churn", str(tmp_path / "rows.csv"), "--key", "anna", "--json"))
    assert (answer["version"], len(answer["rows"])) == ("v3", 2)
    assert "nothing to score" in alm("score", "churn").stderr


def test_the_pages_address_is_printed(alm):
    url = "https://app.example/api"
    assert alm("open", "models/churn", url=url).stdout == "https://app.example/models/churn\n"
    assert parsed(alm("open", "--json", url=url)) == {"url": "https://app.example/"}


def test_nothing_to_show_is_said(alm):
    assert alm("inbox").stdout.strip() == "none"
    assert parsed(alm("inbox", "--json")) == []


def test_all_pages_are_fetched(alm, world):
    for place in range(1100):
        world.put_ledger(Ledger(model=f"shops--s{place}"))
    assert len(parsed(alm("models", "--json"))) == 1102
    assert len(parsed(alm("models", "--state", "new", "--json"))) == 2


def test_whoever_is_not_recognised_learns_where_the_key_is_given(alm):
    refused = alm("--key", "wrong", "models")
    assert refused.exit_code == 1
    assert "give it with --key or ALM_API_KEY (HTTP 401)" in refused.stderr


def test_text_of_strangers_is_not_taken_for_markup(alm, world):
    world.records.put_inbox(item("[red]x[/red]", reason="[link=http://x]y[/link] [/]"))
    shown = alm("inbox")
    assert (shown.exit_code, "[red]x[/red]" in shown.stdout) == (0, True)


def test_an_ended_run_is_shown_as_a_timeline(alm, world):
    entry = {
        "n": 3,
        "stage": "evaluate",
        "outcome": "rejected",
        "why": "auc 0.6",
        "at": "2026-01-05T12:00:00",
    }
    started = covered("t", blob=BlobRef(container="datasets", name="a.csv"))
    world.ended("rejected", history=[entry], triggers=started)
    shown = alm("run", "churn.r7").stdout
    for text in ("rejected", "evaluate", "auc 0.6", "started by dataset datasets/a.csv"):
        assert text in shown
    assert re.search(r" at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", shown)


# -- ordering ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (("start", "churn"), "operator"),
        (("publish", "churn", "churn/new.ilearner"), "operator"),
        (("rollback", "churn", "--to", "v1"), "operator"),
        (("verify", "churn"), "operator"),
        (("harvest", "churn", EXPERIMENT, "Train Model", "--port", "p"), "operator"),
        (("approve", "churn.r7"), "approver"),
        (("approve", "churn.r7", "--digest", DIGEST), "approver"),
        (("refuse", "churn.r7"), "approver"),
        (("cancel", "churn.r7"), "operator"),
        (("redrive", "alm-requests:1"), "operator"),
        (("discard", "alm-requests:1"), "operator"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_orders_are_given(alm, world, words, role, as_json):
    furnished(world)
    result = alm(*words, *(["--json"] if as_json else []), role=role)
    assert result.exit_code == 0, result.stderr
    if as_json:
        assert "id" in parsed(result)
    assert len(world.bus.sent) == (0 if words[0] == "discard" else 1)


def test_a_version_that_is_not_there_is_refused_with_those_that_are(alm, world):
    world.version("v1")
    result = alm("rollback", "churn", "--to", "v7")
    assert (result.exit_code, "there are: v1" in result.stderr) == (1, True)


def test_any_inbox_item_can_be_named(alm, world):
    name = 'blob:datasets/a b/../ü%2F?#.csv@"0x8D"'
    world.records.put_inbox(item(name))
    assert parsed(alm("discard", name, "--json"))["discarded"] == name


def test_names_cannot_lead_elsewhere(alm, world):
    for name in ("../inbox", "..", ".", "a/b", "?x=1", "#"):
        result = alm("run", name)
        assert (result.exit_code, "not the name of a run" in result.stderr) == (1, True)


# -- deciding ------------------------------------------------------------------------------------


def test_approve_shows_what_is_approved(alm, world):
    furnished(world)
    champion = Served(version="v3", digest="d", blob="alm-versions/churn/v3.ilearner")
    state = RunState(version=4, metrics={"auc": 0.8123}, champion=champion).model_dump()
    record = {"run": "churn.r7", "model": "churn", "pipeline": "retrain", "state": state}
    world.records.put_active("churn", "churn.r7", record)
    shown = alm("approve", "churn.r7", role="approver").stdout
    for text in ("approval is required", DIGEST, "v4", "auc 0.8123", "v3", "accepted: churn"):
        assert text in shown
    (decision,) = world.messages()
    assert decision.digest == DIGEST
    as_json = alm("approve", "churn.r7", "--json", role="approver")
    assert "approval is required" in as_json.stderr
    assert parsed(as_json)["accepted"] == ["churn"]


def test_approving_what_is_not_held_or_over_says_so(alm, world):
    world.active()
    result = alm("approve", "churn.r7", role="approver")
    assert (result.exit_code, "is not held" in result.stderr) == (1, True)
    world.ended("expired")
    result = alm("approve", "churn.r7", role="approver")
    assert (result.exit_code, "it ended expired" in result.stderr) == (1, True)


# -- waiting -------------------------------------------------------------------------------------


def ends(world: AppWorld, result: str) -> Callable[[Call, Answer], None]:
    """Let the run of an order have ended by the time that anybody asks."""

    def after(call: Call, answer: Answer) -> None:
        if call.method != "POST":
            return
        for number, model in enumerate(answer.body["accepted"], start=7):
            name = trigger_id(model, answer.body["id"])
            at = "2026-01-05T12:00:00"
            entry = {"n": 9, "stage": "smoke", "outcome": "done", "why": "proved", "at": at}
            world.ended(result, model, number, triggers=covered(name), why="told", history=[entry])

    return after


@pytest.mark.parametrize(
    ("words", "result", "code"),
    [
        (("start", "churn"), "ok", 0),
        (("start", "churn"), "rejected", 1),
        (("start", "churn"), "rolled_back", 1),
        (("publish", "churn", "churn/new.ilearner"), "ok", 0),
        (("publish", "churn", "churn/new.ilearner"), "failed", 1),
        (("rollback", "churn", "--to", "v1"), "ok", 0),
        (("verify", "churn"), "verified", 0),
        (("verify", "churn"), "drift", 1),
    ],
)
def test_waiting_ends_with_the_run_and_says_how_it_did(alm, world, server, words, result, code):
    furnished(world)
    server.after = ends(world, result)
    waited = alm(*words, "--wait")
    assert waited.exit_code == code, waited.stderr
    assert result in waited.stdout
    assert "smoke: done, proved" in waited.stderr
    waited = alm(*words, "--wait", "--json")
    assert waited.exit_code == code
    (row,) = json.loads(waited.stdout)["runs"]
    assert (row["run"], row["result"], row["why"]) == ("churn.r7", result, "told")


def test_of_a_family_every_run_must_end_well(alm, world, server):
    for shop in ("north", "south"):
        world.put_ledger(Ledger(model=f"shops--{shop}"))
    server.after = ends(world, "verified")
    waited = alm("verify", "shops", "--wait", "--json")
    assert [row["model"] for row in parsed(waited)["runs"]] == ["shops--north", "shops--south"]


def test_waiting_has_an_end_and_says_how_to_go_on(alm, world):
    waited = alm("start", "churn", "--wait", "--minutes", "0.01")
    assert (waited.exit_code, "NO, sent" in waited.stdout) == (5, True)
    assert re.search(r"to follow it again: alm wait \S+ --model churn\n", waited.stderr)


def test_a_held_run_is_4_where_people_are_not_waited_for(alm, world, server):
    def held(call: Call, answer: Answer) -> None:
        if call.method == "POST":
            world.active(triggers=(trigger(trigger_id("churn", answer.body["id"])),), held=True)

    server.after = held
    waited = alm("start", "churn", "--wait", "--no-hold", "--json")
    assert waited.exit_code == 4
    assert json.loads(waited.stdout)["runs"][0]["state"] == "held"
    assert "alm approve churn.r7" in waited.stderr
    assert "to follow it again: alm wait churn.r7" in waited.stderr


@pytest.mark.parametrize(("result", "code"), [("ok", 0), ("rejected", 1)])
def test_a_run_or_an_order_can_be_attached_to_again(alm, world, result, code):
    world.ended(result, triggers=covered(trigger_id("churn", "o1")))
    for words in (("churn.r7",), ("o1", "--model", "churn")):
        waited = alm("wait", *words, "--json")
        assert (waited.exit_code, json.loads(waited.stdout)["runs"][0]["result"]) == (code, result)


def test_an_order_to_a_family_is_attached_to_by_the_familys_name(alm, world):
    for number, shop in enumerate(("north", "south"), start=1):
        world.put_ledger(Ledger(model=f"shops--{shop}"))
        name = trigger_id(f"shops--{shop}", "o1")
        world.ended("verified", f"shops--{shop}", number, triggers=covered(name))
    rows = parsed(alm("wait", "o1", "--model", "shops", "--json"))["runs"]
    assert [row["run"] for row in rows] == ["shops--north.r1", "shops--south.r2"]
    assert alm("wait", "o1", "--model", "nobody").exit_code == 1
    assert "--model" in alm("wait", "o1").stderr


# -- files ---------------------------------------------------------------------------------------


def test_declarations_are_checked(alm, tmp_path):
    folder = tmp_path / "declared"
    folder.mkdir()
    (folder / "churn.yaml").write_text(yaml.safe_dump(CHURN))
    assert "1 managed model" in alm("validate", str(folder)).stdout
    assert parsed(alm("validate", str(folder), "--json"))["models"] == ["churn"]
    (folder / "churn.yaml").write_text(yaml.safe_dump({**CHURN, "gaet": {}}))
    result = alm("validate", str(folder))
    assert (result.exit_code, "declared/churn.yaml" in result.stderr) == (1, True)
    assert alm("validate", str(tmp_path / "none")).exit_code == 1


def test_init_does_not_write_over_a_file(alm, tmp_path):
    (tmp_path / "churn.yaml").write_text("mine")
    result = alm("init", "churn", "--target", "https://x/y", "--folder", str(tmp_path))
    assert (result.exit_code, "exists; choose another name" in result.stderr) == (1, True)
    assert (tmp_path / "churn.yaml").read_text() == "mine"


def test_init_says_what_names_a_service(alm, tmp_path):
    result = alm("init", "churn", "--target", "https://x/y", "--folder", str(tmp_path))
    assert (result.exit_code, "resource id of" in result.stderr) == (1, True)
    assert list(Path(tmp_path).glob("*.yaml")) == []


def test_a_served_version_is_shown(alm, world):
    world.put_ledger(Ledger(model="churn", serves={"us": SERVED}))
    assert "v3" in alm("targets", "churn").stdout
