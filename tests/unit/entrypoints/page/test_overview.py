"""The first screen and the list of models: what is counted, read, found, and how far it goes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from alm.domain.errors import Unavailable
from alm.domain.ledger import Ledger
from alm.entrypoints import timers
from alm.entrypoints.overview import OVERVIEW
from alm.entrypoints.page import glance, models, overview
from alm.entrypoints.page.glance import Glance, Row
from tests.unit.entrypoints.app_world import AppWorld
from tests.unit.entrypoints.page.browser import Browser
from tests.unit.entrypoints.test_api import item

MANY = 10_000


def swept(world: AppWorld, **entries: dict[str, str]) -> None:
    """Let a sweep have written an overview with these managed models."""
    document = {"at": world.clock.now().isoformat(), "inbox": 2, "models": entries}
    world.blobs.put(OVERVIEW, json.dumps(document).encode())


def reads(world: AppWorld) -> dict[str, dict[str, int]]:
    ports = {"blobs": world.blobs, "ledgers": world.ledgers, "records": world.records}
    return {name: dict(port.calls) for name, port in ports.items()}


def test_the_sweep_writes_down_what_the_first_screen_shows(world: AppWorld):
    world.active("churn", held=True)
    world.records.put_active(
        "churn", "churn.r7", {"run": "churn.r7", "model": "churn", "stage": "evaluate"}
    )
    world.put_ledger(Ledger(model="shops--north", champion="v3", unknown=("north", "south")))
    world.put_ledger(Ledger(model="gone", champion="v1", last_result="ok"))
    timers.on_sweep(world.app)

    found = {row.name: row for row in glance.read(world.app).rows}

    churn = found["churn"]
    assert (churn.state, churn.run, churn.stage) == ("held", "churn.r7", "evaluate")
    assert (churn.pipeline, bool(churn.began)) == ("retrain", True)
    north = found["shops--north"]
    assert (north.family, north.champion, north.unknown) == ("shops", "v3", "2")
    assert north.unknown_targets == "north south"
    assert found["dropped"] == Row("dropped", "new")
    assert found["gone"].declared == "no"


def test_a_sweep_without_records_of_runs_writes_the_rest_down(world: AppWorld):
    world.active("churn")
    world.records.fail("runs", Unavailable("away"))
    timers.on_sweep(world.app)
    assert [row.state for row in glance.read(world.app).rows if row.name == "churn"] == ["running"]


def test_the_first_screen_reads_one_blob_also_of_ten_thousand(world: AppWorld):
    entries = {
        f"shops--{number:05}": {"state": "idle", "family": "shops", "champion": "v1"}
        for number in range(MANY)
    }
    swept(world, **entries)
    browser = Browser(world, "reader")
    for port in (world.blobs, world.ledgers, world.records):
        port.calls.clear()

    seen = browser.get("/")

    assert reads(world) == {"blobs": {"get": 1}, "ledgers": {}, "records": {}}
    assert "10,000 managed models" in seen.text
    assert "10,000 ○ idle" in seen.text
    assert "shops 10,000 10,000 0 0" in seen.text
    assert len(seen.html) < 20_000


def test_before_the_first_sweep_the_ledgers_tell(world: AppWorld):
    world.active("churn")
    seen = Browser(world, "reader").get("/")
    assert "No sweep has written the overview yet" in seen.text
    assert "/runs/churn.r7" in seen.links
    assert "– ▤ in the inbox" in seen.text


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"models": 3}', b"\xff"])
def test_an_overview_that_is_none_is_as_if_it_were_not_there(world: AppWorld, content: bytes):
    world.blobs.put(OVERVIEW, content)
    assert glance.read(world.app).at is None


def test_an_old_overview_says_so(world: AppWorld):
    swept(world, churn={"state": "idle"})
    world.clock.at += timedelta(minutes=6)
    assert "the last ones did not" in Browser(world, "reader").get("/").text


def test_what_wants_somebody_is_told_with_its_reason(world: AppWorld):
    swept(
        world,
        held={"state": "held", "run": "held.r1", "pipeline": "retrain"},
        lost={"state": "idle", "unknown": "1", "unknown_targets": "eu", "last_result": "failed"},
        fine={"state": "idle", "last_result": "ok"},
    )
    seen = Browser(world, "reader").get("/")
    assert "held ‖ held waits for a decision: held.r1" in seen.text
    assert "lost ? not known to serve: eu ✕ failed" in seen.text
    assert "1 ? failing targets" in seen.text


def test_the_run_in_flight_and_the_one_that_failed_are_told_apart(world: AppWorld):
    again = {"state": "running", "run": "sales.r4", "last_run": "sales.r3"}
    swept(world, sales={**again, "last_result": "failed"})
    seen = Browser(world, "reader").get("/")
    assert "1 managed model needs attention" in seen.text
    assert "sales ✕ failed sales.r3 – a new run is in flight: sales.r4" in seen.text
    assert "sales ▶ running sales.r4 – sales.r3 ✕ failed" in seen.text
    assert "2 items in the inbox : could not be handled" in seen.text.replace("inbox:", "inbox :")
    assert "runs as they are now: Runs" in seen.text


def test_the_listing_names_the_run_that_ended_last(world: AppWorld):
    active = world.active("churn").model_copy(update={"last_run": "churn.r6"})
    world.put_ledger(active.model_copy(update={"last_result": "failed"}))
    found = {row.name: row for row in glance.read(world.app).rows}["churn"]
    assert (found.run, found.ended_run) == ("churn.r7", "churn.r6")


def test_the_oldest_run_in_flight_and_the_newest_end_come_first():
    rows = tuple(
        Row(f"m{n:02}", "running", began=f"2026-01-05T12:{n:02}", finished=f"2026-01-04T12:{n:02}")
        for n in range(20)
    )
    drawn = overview.drawn(Glance(None, None, rows))
    assert [row.name for row in drawn.flying] == [f"m{n:02}" for n in range(overview.SHOWN_MAX)]
    assert drawn.flying_count == 20
    assert drawn.ended[0].name == "m19"


ROWS = [
    Row("churn", "running", run="churn.r1"),
    Row("shops--a", "idle", family="shops", last_result="ok", champion="v1"),
    Row("shops--b", "idle", family="shops", last_result="failed"),
    Row("wines", "held"),
]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["churn", "shops--a", "shops--b", "wines"]),
        ({"q": "SHOP"}, ["shops--a", "shops--b"]),
        ({"state": "held"}, ["wines"]),
        ({"family": "shops", "result": "failed"}, ["shops--b"]),
        ({"attention": "yes"}, ["shops--b", "wines"]),
        ({"q": "zzz"}, []),
        ({"state": "<script>"}, []),
    ],
)
def test_the_list_is_filtered(query, names):
    assert [row.name for row in models.filtered(reversed(ROWS), query)] == names


def test_pages_have_fifty_and_their_addresses_stay_right():
    rows = [Row(f"m{n:03}") for n in range(120)]
    first = models.paged(rows, "")
    second = models.paged(rows, first.following or "")
    third = models.paged(rows, second.following or "")
    assert [len(part.rows) for part in (first, second, third)] == [50, 50, 20]
    assert (first.previous, second.previous, third.previous) == (None, "", "m049")
    assert third.following is None
    without_some = [row for row in rows if row.name not in ("m003", "m049")]
    assert models.paged(without_some, "m049").rows[0].name == "m050"


def test_filters_survive_a_reload_and_a_look_at_the_next_page(world: AppWorld):
    swept(world, **{f"shops--{n:03}": {"state": "idle", "family": "shops"} for n in range(60)})
    browser = Browser(world, "reader")
    seen = browser.get("/models?family=shops&state=idle&q=shops")
    assert '<option value="idle" selected>' in seen.html
    assert 'name="q" type="search" value="shops"' in seen.html
    following = next(link for link in seen.links if "after=" in link)
    assert "family=shops&state=idle&q=shops&after=shops--049" in following
    assert "51–60 of 60" in browser.get(following).text


def test_a_hostile_name_is_shown_as_text(world: AppWorld):
    name = '"><script>alert(1)</script>'
    swept(world, **{name: {"state": "<b>x</b>", "family": "<i>", "champion": "<u>"}})
    browser = Browser(world, "reader")
    for place in ("/", "/models", "/schedule", "/models?q=" + "%22%3E%3Cscript%3E"):
        seen = browser.get(place)
        assert seen.status == 200
        assert "<script>alert" not in seen.html
        assert "<b>x" not in seen.html


def test_the_inbox_is_shown_and_counted(world: AppWorld):
    world.records.put_inbox(item("<script>x</script>", reason="<b>bad</b>", payload="<i>p</i>"))
    browser = Browser(world, "reader")
    listed = browser.get("/inbox")
    assert "<b>bad</b>" in listed.text.replace("&lt;", "<")
    assert "<b>bad" not in listed.html
    place = next(link for link in listed.links if link.startswith("/inbox/"))
    one = browser.get(place)
    assert (one.status, "<i>p</i>" in one.html) == (200, False)
    assert "needs the role operator" in one.text
    assert not any("redrive" in link for link in one.links)


def test_an_empty_inbox_is_good_news(world: AppWorld):
    assert "everything that came could be handled" in Browser(world, "reader").get("/inbox").text


def test_the_schedule_tells_what_is_due_next(world: AppWorld):
    swept(world, churn={"state": "idle", "run": "churn.r1"}, dropped={"state": "new"})
    seen = Browser(world, "reader").get("/schedule")
    assert "retrain in 14 h 2026-01-06 02:00:00" in seen.text
    assert "verify in 18 h 2026-01-06 06:00:00" in seen.text
    assert "0 2 * * *" in seen.text
    assert "no schedule: data and orders start it" in seen.text


def test_a_schedule_that_cannot_be_told_hides_no_other(world: AppWorld):
    swept(world, churn={"state": "idle"}, **{"shops--": {"state": "idle"}})
    seen = Browser(world, "reader").get("/schedule")
    assert "not known" in seen.text
    assert "0 2 * * *" in seen.text


def test_a_part_of_a_page_is_only_its_middle(world: AppWorld):
    swept(world, churn={"state": "idle"})
    browser = Browser(world, "reader")
    seen = browser.get("/models?q=ch", {"hx-request": "true"})
    assert seen.html.strip().startswith('<div id="live" data-hx-get="/models?q=ch"')
    assert "<form" not in seen.html
    assert "churn" in seen.text
