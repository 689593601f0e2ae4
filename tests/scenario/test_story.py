"""The demo's five scenes, each claim by itself."""

from __future__ import annotations

import pytest

from devstack.demo.story import Story

CLAIMS = {
    "a": "both models are trained, judged and in service as v1",
    "b": "shuffled labels are rejected and nothing is touched",
    "c": "a failing smoke test on the second target rolls both back",
    "d": "a dropped model is judged and published",
    "e": "a request with a typo is kept with its reason, a right one is answered",
}
CLAIMS_MIN = {"a": 8, "b": 2, "c": 5, "d": 4, "e": 3}


@pytest.mark.parametrize("scene", CLAIMS, ids=CLAIMS.values())
def test_the_story_holds(story: Story, scene: str) -> None:
    claims = [claim for claim in story.claims if claim.scene == scene]

    assert [] == [f"{claim.text}: {claim.seen}" for claim in claims if not claim.holds]
    assert CLAIMS_MIN[scene] <= len(claims)
