"""Parts that go away: Studio for a while, and everything at once."""

from __future__ import annotations

import time
from pathlib import Path

from tests.scenario.world import Scene, managed, stages

OUTAGE_SECONDS = 20.0
BACK_OFF_SECONDS = 16  # the longest pause between two tries that an outage of 20 s leads to
APPROVAL = {"approval": {"required": True}}


@managed("away-early")
@managed("away-training")
@managed("away-serving", propagation_seconds=4)
def test_while_studio_is_away_runs_are_late_and_none_fails(scene: Scene) -> None:
    models = ("away-early", "away-training", "away-serving")
    scene.propagation(scene.model("away-serving").targets[0], 2)
    job = scene.world.tollgate.hold("GET", r"/datasets/away-training/day1\.csv")
    for model in models[1:]:
        scene.upload(model)
    assert job.caught.wait(30), "the job never ran"
    scene.until("a patched target", lambda: "away-serving-v1" in scene.served("away-serving")[0])

    scene.world.stack.kill("studio")
    job.drop()
    back = time.monotonic() + OUTAGE_SECONDS
    scene.upload("away-early")
    scene.until("a waiting trigger", lambda: scene.ledger("away-early")["waiting"])
    scene.until("the end of the outage", lambda: time.monotonic() > back)
    assert ["idle", "running", "running"] == [state(scene, model) for model in models]
    scene.world.stack.start("studio")
    with scene.later(BACK_OFF_SECONDS):
        ended = [scene.ended(f"{model}.r1") for model in models]

    assert ["ok", "ok", "ok"] == [run["result"] for run in ended]
    assert [["Finished"]] * 3 == [scene.started_jobs(model) for model in models]
    assert all(f"/{model}-v1-" in scene.served(model)[0] for model in models)
    outcomes = [entry["outcome"] for entry in ended[2]["history"] if entry["stage"] == "smoke"]
    assert "retry" in outcomes


def state(scene: Scene, model: str) -> str:
    return str(scene.world.board.row(model)["state"])


@managed("dark-training")
@managed("dark-held", changes=APPROVAL)
@managed("dark-serving", propagation_seconds=14)
def test_a_stack_that_is_killed_and_started_again_ends_its_runs(scene: Scene) -> None:
    stack, models = scene.world.stack, ("dark-training", "dark-held", "dark-serving")
    scene.propagation(scene.model("dark-serving").targets[0], 12)
    job = scene.world.tollgate.hold("GET", r"/datasets/dark-training/day1\.csv")
    for model in models:
        scene.upload(model)
    assert job.caught.wait(30), "the job never ran"
    scene.until("a patched target", lambda: "dark-serving-v1" in scene.served("dark-serving")[0])
    hold = scene.held("dark-held.r1")
    _await_azurite(scene)

    for part in ("worker", "host", "servicebus", "studio", "azurite"):
        stack.kill(part)
    job.drop()
    for part in ("azurite", "servicebus", "studio", "host"):
        stack.start(part)
    scene.until("the app", lambda: scene.operator.get("models"))

    assert hold == scene.held("dark-held.r1")
    scene.order("runs/dark-held.r1/approve", "approver", digest=hold["digest"])
    ended = [scene.ended(f"{model}.r1") for model in models]
    assert ["ok", "ok", "ok"] == [run["result"] for run in ended]
    assert [["Finished"]] * 3 == [scene.started_jobs(model) for model in models]
    assert all(f"/{model}-v1-" in scene.served(model)[0] for model in models)
    assert 1 == stages(ended[2]).count("patch")


def _await_azurite(scene: Scene) -> None:
    """Azurite writes its records every five seconds; what is younger, a kill takes with it."""
    records = Path(str(scene.world.stack.addresses["data"])) / "azurite/__azurite_db_blob__.json"
    now = time.time()
    scene.operator.upload("samples", "to-be-written.txt", b"so that there is something to write")
    scene.until("Azurite's records on disk", lambda: records.stat().st_mtime > now)
