"""The page of a run: timeline, reasons, evidence; and what there is when things are missing."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alm.domain.ledger import Intent, Ledger
from alm.domain.run import BlobRef, Entry, Evidence, RunState, Served
from alm.entrypoints.page import evidence, timeline
from alm.entrypoints.page.remedies import REMEDIES, remedy
from alm.pipelines import PIPELINES
from tests.doubles.storage import EPOCH
from tests.unit.entrypoints.app_world import AppWorld, trigger
from tests.unit.entrypoints.page.browser import Browser

DOCS = Path(__file__).resolve().parents[4] / "docs"
VERDICT = {
    "schema": 1,
    "verdict": "rejected",
    "reasons": ["auc is 0.6, below the minimum 0.7"],
    "candidate": {"rows": 143, "metrics": {}, "source": "", "notes": []},
    "metrics": [
        {
            "name": "auc",
            "min": 0.7,
            "max": None,
            "max_regression": 0.05,
            "candidate": 0.6,
            "champion": 0.8,
            "low": -0.3,
            "high": -0.1,
            "result": "rejected",
            "why": "below",
        }
    ],
}


def entry(stage: str, outcome: str = "done", *, n: int = 1, after: float = 0, **more: Any) -> Entry:
    return Entry(n=n, stage=stage, outcome=outcome, at=EPOCH + timedelta(seconds=after), **more)


def test_entries_tell_how_long_after_the_one_before_they_came():
    history = [
        entry("start", after=2),
        entry("await", "wait", after=5),
        entry("await", after=90_000),
    ]
    visits = timeline.visits(history, EPOCH)
    assert [visit.seconds for visit in visits] == [2, 3, 89_995]
    assert [visit.new_day for visit in visits] == [False, False, True]
    assert timeline.visits(history, None)[0].seconds is None


@pytest.mark.parametrize(
    ("history", "now_at", "state", "told"),
    [
        ([], "start", "running", {"start": "now", "await": "to come", "smoke": "to come"}),
        (["start"], "await", "running", {"start": "done", "await": "now"}),
        (
            ["start", "await", "harvest", "evaluate"],
            "promote",
            "held",
            {"evaluate": "done", "promote": "held", "patch": "to come"},
        ),
        (["start"], "", "failed", {"start": "done", "await": "skipped"}),
    ],
)
def test_stages_are_done_due_or_to_come(history, now_at, state, told):
    entries = [entry(stage, n=n) for n, stage in enumerate(history)]
    steps = {s.stage: s.state for s in timeline.steps("retrain", entries, now_at, state=state)}
    assert steps.items() >= told.items()
    assert "roll_back" not in steps
    assert "restart" not in steps


def test_what_was_undone_is_shown_where_it_was():
    entries = [entry("smoke", "unfit"), entry("roll_back", n=2)]
    steps = {s.stage: s.state for s in timeline.steps("retrain", entries, "", state="rolled_back")}
    assert (steps["smoke"], steps["roll_back"], steps["patch"]) == ("unfit", "done", "skipped")


def test_a_job_that_failed_and_was_tried_again_is_not_called_done():
    names = ["start", "await", "await", "restart", "start", "await"]
    history = [entry(name, n=n) for n, name in enumerate(names)]
    told = [(visit.stage, visit.outcome, visit.told) for visit in timeline.visits(history, EPOCH)]
    assert told[1:4] == [
        ("await", "done", ""),
        ("await", "failed", "job failed, tried once more"),
        ("restart", "done", ""),
    ]
    assert timeline.visits(history[:2], EPOCH, "restart")[1].outcome == "failed"
    steps = timeline.steps("retrain", history, "harvest", state="running")
    assert [step.stage for step in steps][:4] == ["start", "await", "restart", "harvest"]


@pytest.mark.parametrize("pipeline", [*PIPELINES, "unheard of", ""])
def test_every_pipeline_can_be_drawn(pipeline: str):
    first = PIPELINES[pipeline][0].name if pipeline in PIPELINES else ""
    steps = timeline.steps(pipeline, [], first, state="running")
    assert [step.state for step in steps][:1] == (["now"] if first else [])


# -- pages -----------------------------------------------------------------------------------------


def ended(world: AppWorld, result: str, why: str, **more: Any) -> None:
    history = [entry("start"), entry("evaluate", "rejected", n=2, after=3, why=why)]
    world.ended(
        result,
        why=why,
        began=EPOCH.isoformat(),
        history=[each.model_dump(mode="json") for each in history],
        **more,
    )


def test_why_a_run_failed_stands_at_the_top_with_what_to_do(world: AppWorld):
    ended(world, "failed", "POST https://studio.example/x: 401; give the app a token")
    text = Browser(world, "reader").get("/runs/churn.r7").text
    reason = text.index("POST https://studio.example/x: 401; give the app a token")
    assert text.index("Why it ended failed") < reason < text.index("Timeline")
    assert "correct it, then alm start churn" in text


def test_after_a_job_that_failed_a_corrected_file_is_asked_for(world: AppWorld):
    ended(world, "failed", "training job j1 failed: column 'sold' is not in the dataset")
    text = Browser(world, "reader").get("/runs/churn.r7").text
    assert "upload a corrected file to datasets/churn/*.csv" in text


@pytest.mark.parametrize(
    ("state", "why", "words"),
    [
        ("failed", "experiment x was run by somebody else meanwhile", "work in the original"),
        ("failed", "hosting: both must be in one region", "correct `hosting`"),
        ("failed", "anything", "alm start M"),
        ("held", "the gate cannot decide: no rows", "deliver what the reason names"),
        ("held", "us: the propagation delay of 30 s has passed, and …", "accept_identical"),
        ("rejected", "", "`gate.metrics`"),
        ("rolled_back", "", "everything is as before"),
        ("drift", "", "publish that model"),
    ],
)
def test_what_to_do_follows_from_how_it_stands(state, why, words):
    found = remedy(state, why)
    assert found is not None
    assert words in found.do


@pytest.mark.parametrize(("state", "why"), [("ok", ""), ("held", "approval is required"), ("", "")])
def test_where_nothing_is_wrong_nothing_is_to_be_done(state, why):
    assert remedy(state, why) is None


def test_the_remedies_are_those_of_the_operations_document():
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", (DOCS / "operations.md").read_text(), re.M)
    told = {(means, do) for _, means, do in rows}
    assert {(each.means, each.do) for each in REMEDIES} <= told


def test_a_run_in_flight_tells_what_started_it_and_what_is_to_come(world: AppWorld):
    blob = world.upload("datasets/churn/<script>.csv")
    world.active(triggers=(trigger(blob=blob, by="Ann"),), began=EPOCH)
    world.records.put_active(
        "churn",
        "churn.r7",
        {
            "run": "churn.r7",
            "model": "churn",
            "pipeline": "retrain",
            "stage": "await",
            "history": [entry("start").model_dump(mode="json")],
            "state": {},
            "due": (EPOCH + timedelta(seconds=60)).isoformat(),
        },
    )
    seen = Browser(world, "reader").get("/runs/churn.r7")
    assert "datasets/churn/<script>.csv" in seen.text
    assert "<script>.csv" not in seen.html
    assert "by Ann" in seen.text
    assert re.search(r"▶ await now", seen.text)
    assert "to come patch PATCH endpoint or WSD" in seen.text
    assert 'data-hx-get="/runs/churn.r7"' in seen.html


def test_a_run_without_a_record_yet_is_told_from_the_ledger(world: AppWorld):
    previous = Served(version="v1", digest="d", blob="b")
    world.active(triggers=(trigger(),), intent=(Intent(target="us", previous=previous),))
    seen = Browser(world, "reader").get("/runs/churn.r7")
    assert seen.status == 200
    assert "No stage has left a record yet" in seen.text
    assert "us – v1 · changed, or about to be" in seen.text


def test_a_run_whose_record_is_gone_is_told_as_far_as_it_goes(world: AppWorld):
    world.put_ledger(Ledger(model="churn", runs=7, last_run="churn.r7", last_result="ok"))
    browser = Browser(world, "reader")
    assert "it ended ok, and no record of it is left" in browser.get("/runs/churn.r7").text
    assert browser.get("/runs/churn.r7").status == 404
    assert "the last one of churn is churn.r7" in browser.get("/runs/churn.r9").text
    assert browser.get("/runs/<script>").status == 404
    assert browser.get("/runs/never.r1").status == 404


@pytest.mark.parametrize(
    "record",
    [
        {"history": "x", "triggers": [3], "state": {"version": "?"}, "began": "soon"},
        {"history": [{"n": 1}, None], "triggers": [{"id": "<b>"}], "state": [], "why": 7},
        {"result": "<script>", "pipeline": "<i>", "stage": 4, "finished": 5},
    ],
)
def test_a_broken_record_is_shown_as_far_as_it_goes(world: AppWorld, record):
    world.put_ledger(Ledger(model="churn", runs=7))
    world.records.put_ended(
        "churn.r7", "2026-01-05", {"run": "churn.r7", "model": "churn", **record}
    )
    browser = Browser(world, "reader")
    for place in ("/runs/churn.r7", "/runs"):
        seen = browser.get(place)
        assert seen.status == 200
        assert "<script>" not in seen.html
        assert "<b>" not in seen.html


def test_the_verdict_stands_beside_thresholds_and_champion(world: AppWorld):
    path = "alm-jobs/churn/churn.r7/verdict.json"
    world.blobs.put(path, json.dumps(VERDICT).encode())
    state = RunState(evidence=Evidence(verdict=path), verdict="rejected")
    ended(world, "rejected", "auc is 0.6", state=state.model_dump(mode="json"))
    seen = Browser(world, "reader").get("/runs/churn.r7")
    assert "auc at least 0.7, at most 0.05 worse 0.6 0.8 -0.3 to -0.1 ⊘ rejected" in seen.text
    assert "Judged on 143 rows. Differences are intervals" in seen.text
    assert "/runs/churn.r7/evidence/verdict" in seen.links


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"no", b'{"metrics": [{"name": 4}], "reasons": 3}']
)
def test_a_verdict_that_cannot_be_read_hides_nothing_else(world: AppWorld, content: bytes):
    path = "alm-jobs/churn/churn.r7/verdict.json"
    world.blobs.put(path, content)
    state = RunState(evidence=Evidence(verdict=path))
    ended(world, "rejected", "auc is 0.6", state=state.model_dump(mode="json"))
    assert "auc is 0.6" in Browser(world, "reader").get("/runs/churn.r7").text


def on_record(world: AppWorld, result: str, stages: list[str], state: RunState) -> str:
    history = [entry(stage, n=n).model_dump(mode="json") for n, stage in enumerate(stages)]
    world.ended(result, state=state.model_dump(mode="json"), history=history)
    text = Browser(world, "reader").get("/runs/churn.r7").text
    return text.partition("On record")[2]


def test_a_run_tells_which_file_it_was_trained_on(world: AppWorld):
    blob = BlobRef(container="datasets", name="churn/a.csv", size=2048)
    state = RunState(inputs=(blob,)).model_dump(mode="json")
    ended(world, "ok", "", state=state)
    text = Browser(world, "reader").get("/runs/churn.r7").text
    assert "run began datasets/churn/a.csv 2.0 KB" in text
    assert "Dataset datasets/churn/a.csv, 2.0 KB" in text


def test_only_what_happened_is_on_record(world: AppWorld):
    champion = Served(version="v3", digest="d", blob="b")
    state = RunState(version=4, champion=champion, verdict="")
    failed = on_record(world, "failed", ["start"], state)
    assert "Number reserved v4 (not made)" in failed
    assert "Compared with" not in failed
    path = "alm-jobs/churn/churn.r7/verdict.json"
    world.blobs.put(path, json.dumps(VERDICT).encode())
    judged = state.model_copy(update={"evidence": Evidence(verdict=path)})
    made = on_record(world, "rolled_back", ["evaluate", "promote"], judged)
    assert "Version v4" in made
    assert "Compared with v3" in made


def test_evidence_is_downloaded_through_the_app(world: AppWorld):
    path = "alm-jobs/churn/churn.r7/scored.csv"
    world.blobs.put(path, b"<script>alert(1)</script>")
    state = RunState(evidence=Evidence(scored=path))
    ended(world, "ok", "", state=state.model_dump(mode="json"))
    seen = Browser(world, "reader").get("/runs/churn.r7/evidence/scored")
    assert (seen.status, seen.answer.text) == (200, b"<script>alert(1)</script>")
    assert seen.answer.media_type == "application/octet-stream"
    disposition = seen.answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=UTF-8''churn.r7-scored.csv"


@pytest.mark.parametrize(
    "path",
    ["alm-ledger/churn.json", "datasets/churn/a.csv", "alm-inbox/x", "alm-jobs", "alm-jobs/", ""],
)
def test_nothing_but_evidence_is_downloaded(world: AppWorld, path: str):
    if "/" in path.strip("/"):
        world.blobs.put(path, b"secret")
    state = RunState(evidence=Evidence(scored=path))
    ended(world, "ok", "", state=state.model_dump(mode="json"))
    browser = Browser(world, "reader")
    assert browser.get("/runs/churn.r7/evidence/scored").status == 404
    assert browser.get("/runs/churn.r7/evidence/job").status == 404
    assert evidence.pieces(Evidence(scored=path)) == ()


def test_runs_are_filtered_by_the_address(world: AppWorld):
    world.ended("ok", "churn", 1)
    world.ended("failed", "churn", 2)
    world.ended("ok", "dropped", 1)
    world.records.put_active(
        "churn", "churn.r3", {"run": "churn.r3", "model": "churn", "stage": "hold"}
    )
    browser = Browser(world, "reader")

    def listed(query: str) -> list[str]:
        found = re.findall(r'href="/runs/([^"/]+)"', browser.get(f"/runs?{query}").html)
        return sorted(found)

    assert listed("") == ["churn.r1", "churn.r2", "churn.r3", "dropped.r1"]
    assert listed("state=failed") == ["churn.r2"]
    assert listed("state=held") == ["churn.r3"]
    assert listed("model=churn&state=ok") == ["churn.r1"]
    assert listed("pipeline=verify") == []
    assert len(listed("show=2")) == 2
    assert "show=4" in " ".join(browser.get("/runs?show=2").links)


def test_a_list_says_why_a_run_did_not_end_well(world: AppWorld):
    world.ended("failed", "churn", 1, why="POST https://studio.example/x: 401 " + "y " * 100)
    world.ended("ok", "churn", 2, why="all is well")
    for place in ("/runs", "/models/churn"):
        text = Browser(world, "reader").get(place).text
        assert "✕ failed POST https://studio.example/x: 401 y" in text
        assert "…" in text
        assert "all is well" not in text


@pytest.mark.parametrize("query", ["model=<script>", "days=0", "days=x", "show=100000"])
def test_a_filter_that_means_nothing_is_told(world: AppWorld, query: str):
    seen = Browser(world, "reader").get(f"/runs?{query}")
    assert (seen.status, "<script>" in seen.html) == (400, False)


def test_times_are_aware():
    assert timeline.visits([entry("start")], datetime(2026, 1, 1, tzinfo=UTC))[0].seconds
