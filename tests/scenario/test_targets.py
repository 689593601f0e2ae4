"""What happens to targets when a model is not good, or a service does not do what it says."""

from __future__ import annotations

import pytest

from tests.scenario.world import WORN, Scene, dataset, known_patient, managed, stages


@pytest.mark.together
@managed(
    "by-hand",
    targets=("classic", "new"),
    changes={"smoke_tests": [known_patient(targets=["by-hand-2"])]},
)
def test_a_first_run_whose_smoke_test_fails_gives_back_what_was_deployed_by_hand(
    scene: Scene,
) -> None:
    found = scene.served("by-hand")
    before = scene.answers("by-hand")

    ended = scene.retrained("by-hand", rows=dataset(WORN))

    assert "rolled_back" == ended["result"]
    served = scene.served("by-hand")
    assert all("/alm-versions/by-hand/" in place for place in served), served
    assert not set(found) & set(served), "given back from the place it was found, not our own copy"
    scene.until("the answers of before", lambda: scene.answers("by-hand") == before)
    ledger = scene.ledger("by-hand")
    assert ["by-hand-1-v0", "by-hand-2-v0"] == [
        served["version"] for _, served in sorted(ledger["serves"].items())
    ]
    assert ("", []) == (ledger["champion"], ledger["unknown"])


@pytest.mark.together
@managed("deaf", targets=("classic", "classic"))
def test_a_patch_that_answers_200_and_changes_nothing_is_rolled_back(scene: Scene) -> None:
    found, before = scene.served("deaf"), scene.answers("deaf")

    with scene.fault("change_nothing", "PATCH", "endpoints/deaf-2$") as fault:
        ended = scene.retrained("deaf")
        assert 3 <= fault.seen, "it was not tried again"

    assert "failed" == ended["result"]
    assert "not changed by an accepted patch" in ended["why"]
    assert "roll_back" in stages(ended)
    first, second = scene.served("deaf")
    assert "/alm-versions/deaf/" in first
    assert found[1] == second
    scene.until("the answers of before", lambda: scene.answers("deaf") == before)
    assert "" == scene.ledger("deaf")["champion"]
