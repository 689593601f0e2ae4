"""A target that somebody changes by hand, behind the app's back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from alm.engine.limits import ZOMBIE_SECONDS_MAX
from tests.scenario.world import Scene, managed, stages

BEGAN = datetime.now(UTC)
DUE_BEFORE = f"{(BEGAN - timedelta(minutes=3)).minute} * * * *"  # not again while tests run


@managed("watched", changes={"schedules": {"verify": DUE_BEFORE}})
def test_a_scheduled_verify_tells_of_drift_and_the_reconcile_repairs_it(scene: Scene) -> None:
    (target,) = scene.model("watched").targets
    by_hand = scene.studio.model_place(target)
    scene.retrained("watched")
    served, answers = scene.served("watched"), scene.answers("watched")

    resource = scene.model("watched").declaration["targets"][0]["trained_model"]
    scene.studio.patch_by_hand(target, by_hand, resource)
    changed = scene.served("watched")
    run = scene.next_run("watched")
    until = {"until": (BEGAN - timedelta(minutes=5)).isoformat()}  # as if the timer had been away
    scene.operator.upload("alm-ledger", "_schedule.json", json.dumps(until).encode())
    scene.world.host("POST", "admin/functions/on_schedule?wait=true", {})
    ended = scene.ended(run)

    assert ("verify", "drift") == (ended["pipeline"], ended["result"])
    assert "smoke" not in stages(ended)
    assert changed == scene.served("watched") != served, "a verify changes nothing"
    assert ["drift"] == scene.world.notices.events("watched")

    with scene.later(ZOMBIE_SECONDS_MAX + 10):
        scene.until("the champion's definition", lambda: scene.served("watched") == served)
        scene.until("the champion's answers", lambda: scene.answers("watched") == answers)
        scene.until("an empty mailbox", lambda: scene.quiet("watched"))
    ledger = scene.ledger("watched")
    assert ("v1", []) == (ledger["champion"], ledger["unknown"])
    assert {"drift"} == set(scene.world.notices.events("watched"))
