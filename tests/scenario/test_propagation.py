"""Endpoints that answer with the old model for 30 seconds after a change.

The old model would pass each of these smoke tests: what must never happen is that its answers make
the new one champion.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.scenario.world import WORN, Scene, dataset, known_patient, managed

REAL_SECONDS = 30.0


def slow(scene: Scene, model: str) -> None:
    for target in scene.model(model).targets:
        scene.propagation(target, REAL_SECONDS)


def seconds_from_patch_to(outcome: str, record: dict) -> float:
    """How long after the patch a stage of the run had this outcome."""
    patched = next(entry for entry in record["history"] if entry["stage"] == "patch")
    reached = next(entry for entry in record["history"] if entry["outcome"] == outcome)
    between = datetime.fromisoformat(reached["at"]) - datetime.fromisoformat(patched["at"])
    return between.total_seconds()


@pytest.mark.together
@managed("patient", propagation_seconds=35)
def test_a_model_is_champion_only_when_its_own_answers_are_there(scene: Scene) -> None:
    slow(scene, "patient")
    before = scene.answers("patient")

    ended = scene.retrained("patient")

    assert "ok" == ended["result"]
    assert REAL_SECONDS - 1 <= seconds_from_patch_to("ok", ended)
    assert before != scene.answers("patient")


@pytest.mark.together
@managed("bad-news", propagation_seconds=35, changes={"smoke_tests": [known_patient()]})
def test_a_bad_model_is_not_judged_by_the_good_answers_of_the_old_one(scene: Scene) -> None:
    slow(scene, "bad-news")
    before = scene.answers("bad-news")

    ended = scene.retrained("bad-news", rows=dataset(WORN))

    assert "rolled_back" == ended["result"]
    assert REAL_SECONDS - 1 <= seconds_from_patch_to("unfit", ended)
    assert "" == scene.ledger("bad-news")["champion"]
    assert before != scene.answers("bad-news"), "the bad model was never seen"


@pytest.mark.together
@managed("hasty", propagation_seconds=0.5)
def test_a_delay_that_is_longer_than_declared_holds_the_run(scene: Scene) -> None:
    slow(scene, "hasty")
    before = scene.answers("hasty")
    run = scene.next_run("hasty")

    scene.upload("hasty")
    hold = scene.held(run)
    assert before == scene.answers("hasty")
    assert "the same as before the patch" in hold["why"]
    scene.order(f"runs/{run}/refuse", "approver", digest=hold["digest"])
    ended = scene.ended(run)

    assert "refused" == ended["result"]
    ledger = scene.ledger("hasty")
    assert ("", []) == (ledger["champion"], ledger["unknown"])
    assert all("v0" in served["version"] for served in ledger["serves"].values())
    assert "/alm-versions/hasty/" in scene.served("hasty")[0]
    assert before == scene.answers("hasty")
    assert ["held"] == scene.world.notices.events("hasty")
