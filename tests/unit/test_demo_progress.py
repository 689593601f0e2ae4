"""What the demo prints: each claim below its scene, all that was seen where one does not hold."""

from __future__ import annotations

import io
from types import SimpleNamespace

from rich.console import Console

from devstack.demo.progress import SEEN_MAX, Progress
from devstack.demo.story import Story


def told(*claims: tuple[str, bool, object]) -> str:
    def scene(story: Story) -> None:
        """(a) A dataset lands."""
        for text, holds, seen in claims:
            story.claim("a", text, holds, seen)

    output = io.StringIO()
    operator = SimpleNamespace(on_look=None)
    story = Story(operator, None, {}, opening="Once upon a time.", scenes=(scene,))  # type: ignore[arg-type]
    with Progress(story, Console(file=output, width=300)):
        story.tell()
    return " ".join(output.getvalue().split())


def test_claims_stand_below_their_scene_with_what_was_seen():
    assert told(("v1 serves", True, ["v1", "v1"]), ("it answers", True, "")) == (
        "Once upon a time. (a) A dataset lands. ✓ v1 serves: v1, v1 ✓ it answers"
    )


def test_what_was_seen_is_cut_unless_the_claim_does_not_hold():
    seen = "[red] word " * 40
    assert len(told(("it holds", True, seen))) < SEEN_MAX + 80
    failed = told(("it holds", False, seen))
    assert "✗ DOES NOT HOLD: it holds" in failed
    assert failed.count("[red] word") == 40
