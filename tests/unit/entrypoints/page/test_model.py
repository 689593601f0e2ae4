"""The page of a managed model, and Studio's part of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alm.domain.errors import Unavailable
from alm.domain.experiment import Draft, Graph, StudioWorkspace
from alm.domain.ledger import Ledger
from alm.domain.run import Served
from alm.domain.versions import InService
from alm.entrypoints.page import chart, telling
from alm.entrypoints.page.chart import Value
from tests.doubles.storage import EPOCH
from tests.unit.entrypoints.app_world import AppWorld
from tests.unit.entrypoints.page.browser import Browser

WORKSPACE = "a" * 32


def with_versions(world: AppWorld) -> AppWorld:
    v1, v2 = world.version("v1"), world.version("v2")
    ledger = Ledger(
        model="churn",
        champion="v2",
        serves={"us": v2, "eu": v2},
        before={"us": v1},
        unknown=("eu",),
        last_run="churn.r2",
        last_result="ok",
        runs=2,
    )
    world.put_ledger(ledger)
    targets = {"us": "v2", "eu": "v2"}
    world.versions.put_in_service(
        InService(model="churn", run="churn.r2", at=EPOCH, champion="v2", targets=targets)
    )
    return world


def test_a_model_shows_versions_targets_and_what_served(world: AppWorld):
    seen = Browser(with_versions(world), "operator").get("/models/churn")
    text = seen.text
    assert "★ v2 in service" in text
    assert "? unknown: eu" in text
    assert "v2 ★ champion" in text
    assert "v1 ◁ previous" in text
    assert "eu: v2, us: v2" in text or "us: v2, eu: v2" in text
    assert "retrain is due 2026-01-06 02:00:00" in text
    assert "auc at least 0.7" in text
    assert "/models/churn/rollback?version=v1" in seen.links
    assert "/models/churn/rollback?version=v2" not in seen.links


def test_the_numbers_of_a_drawing_are_in_the_table_too(world: AppWorld):
    html = Browser(with_versions(world), "reader").get("/models/churn").html
    assert '<svg class="chart"' in html
    assert '<title id="chart-1-title">auc over versions</title>' in html
    assert '<desc id="chart-1-text">auc of 2 versions, from v1 (0.81) to v2 (0.81)' in html
    assert html.count('data-label="auc">0.81<') == 2


def test_an_axis_does_not_go_where_the_metric_cannot():
    drawn = chart.chart("auc", [Value("v1", 0.999, True), Value("v2", 0.001, False)])
    assert drawn is not None
    assert ("0", "1") == (drawn.low, drawn.high)
    drawn = chart.chart("rmse", [Value("v1", 40.0, True), Value("v2", -2.0, False)])
    assert drawn is not None
    assert float(drawn.low) < -2
    assert 40 < float(drawn.high)


def test_a_drawing_stays_within_its_bounds():
    values = [Value(f"v{n}", n * 0.1, n == 3) for n in range(5)]
    drawn = chart.chart("auc", values, [("at least 0.2", 0.2), ("at least 9", 9.0)])
    assert drawn is not None
    assert all(chart.LEFT <= point.x <= drawn.right for point in drawn.points)
    assert all(chart.TOP <= point.y <= drawn.foot for point in drawn.points)
    assert [point.champion for point in drawn.points] == [False, False, False, True, False]
    assert [rule.label for rule in drawn.rules] == ["at least 0.2"]
    assert "highest 0.4 (v4), lowest 0 (v0); in service: v3" in drawn.described


@pytest.mark.parametrize("values", [[], [1.0]])
def test_fewer_than_two_values_are_no_drawing(values):
    assert chart.chart("auc", [Value("v1", value, False) for value in values]) is None


def test_the_same_value_twice_is_a_level_line():
    drawn = chart.chart("auc", [Value("v1", 0.0, False), Value("v2", 0.0, False)])
    assert drawn is not None
    assert drawn.points[0].y == drawn.points[1].y


def test_who_may_not_order_is_told_why(world: AppWorld):
    seen = Browser(with_versions(world), "reader").get("/models/churn")
    assert "To start, verify or roll back needs the role operator; you are reader" in seen.text
    assert not any(
        link.endswith(("/start", "/verify")) or "rollback" in link for link in seen.links
    )


def test_targets_are_read_back_when_asked_and_one_that_fails_hides_no_other(world: AppWorld):
    with_versions(world)
    browser = Browser(world, "reader")
    assert "Says itself" not in browser.get("/models/churn").text
    seen = browser.get("/models/churn?read=true")
    assert "Says itself" in seen.text
    assert seen.text.count("cannot be read") + seen.text.count("serves") >= 2
    assert "data-hx-get" not in seen.html


def test_a_model_that_is_declared_no_more_is_shown_as_it_was_left(world: AppWorld):
    served = Served(version="v1", digest="d", blob="b")
    world.put_ledger(Ledger(model="gone", champion="v1", serves={"us": served}, last_run="gone.r1"))
    seen = Browser(world, "operator").get("/models/gone")
    assert seen.status == 200
    assert "not declared any more" in seen.text
    assert not any("/models/gone/" in link for link in seen.links)


@pytest.mark.parametrize("name", ["nobody", "_overview", "<script>", "a" * 200, "shops", ".."])
def test_a_model_that_never_was_is_not_found(world: AppWorld, name: str):
    seen = Browser(world, "reader").get(f"/models/{name}")
    assert (seen.status, "<script>" in seen.html) == (404, False)


def test_a_new_model_has_nothing_yet_and_says_what_will_come(world: AppWorld):
    seen = Browser(world, "operator").get("/models/dropped")
    assert "nothing of ours in service" in seen.text
    assert "the first accepted candidate becomes v1" in seen.text
    assert not any(link.endswith("/start") for link in seen.links)


# -- Studio ----------------------------------------------------------------------------------------


def draft(name: str) -> Draft:
    return Draft(name=name, graph=Graph())


def room(world: AppWorld):
    return world.studio.workspace(StudioWorkspace(workspace=WORKSPACE))


def test_studio_shows_the_experiments_of_declared_workspaces(world: AppWorld):
    id = room(world).create(draft("<b>churn training</b>"))
    browser = Browser(world, "reader")
    seen = browser.get("/studio")
    assert "named by churn" in seen.text
    assert "<b>churn" not in seen.html
    place = next(link for link in seen.links if link.startswith("/studio/"))
    assert id in place
    assert "Run history" in browser.get(place).text


def test_a_run_leaves_a_snapshot_that_can_be_compared(world: AppWorld):
    workspace = room(world)
    id = workspace.create(draft("training"))
    workspace.run(id, draft("training"))
    snapshot = workspace.experiment(id).run
    browser = Browser(world, "reader")
    history = browser.get(f"/studio/{WORKSPACE}/{id}")
    assert "snapshot" in history.text
    shown = browser.get(f"/studio/{WORKSPACE}/{snapshot}")
    assert "a snapshot of a run, locked" in shown.text
    compared = browser.get(f"/studio/{WORKSPACE}/difference?a={snapshot}&b={id}")
    assert "no difference" in compared.text
    assert browser.get(f"/studio/{WORKSPACE}/difference?a={id}").status == 400


def test_if_studio_is_away_that_is_said_and_the_page_stands(world: AppWorld):
    workspace = room(world)
    id = workspace.create(draft("training"))
    for operation in ("experiments", "experiment"):
        workspace.fail(operation, Unavailable("studio.example does not answer"), times=None)
    browser = Browser(world, "reader")
    for place in ("/studio", f"/studio/{WORKSPACE}/{id}",
                  f"/studio/{WORKSPACE}/difference?a={id}&b={id}"):  # fmt: skip
        seen = browser.get(place)
        assert (seen.status, "studio.example does not answer" in seen.text) == (200, True)


def test_no_other_workspace_is_looked_into(world: AppWorld):
    browser = Browser(world, "reader")
    for place in (f"/studio/{'b' * 32}/x", "/studio/<script>/x", f"/studio/{'b' * 32}/difference"):
        assert browser.get(place).status == 404


# -- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "just now"), (59, "59 s ago"), (61, "1 min ago"), (7300, "2 h ago"),
        (200_000, "2 d ago"), (-59, "in 59 s"), (-7500, "in 2 h 5 min"), (-172_800, "in 2 d"),
    ],
)  # fmt: skip
def test_how_long_ago(seconds, told):
    assert telling.ago(EPOCH, EPOCH + timedelta(seconds=seconds)) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.44, "0.4 s"),
        (3, "3 s"),
        (65, "1 min 5 s"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (-1, "0 s"),
    ],
)
def test_how_long(seconds, told):
    assert telling.span(seconds) == told


@pytest.mark.parametrize("text", ["", None, "soon", 7, "2026-99-99", []])
def test_what_is_no_time_is_none(text):
    assert telling.moment(text) is None


def test_a_state_is_told_by_a_word_and_a_symbol_of_its_own():
    states = ("ok", "failed", "held", "running", "rejected", "rolled_back", "unknown", "cancelled")
    assert len({telling.symbol(state) for state in states}) == len(states)
