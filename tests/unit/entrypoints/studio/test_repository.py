"""The Git repository by hand: what was committed, and what still waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alm.domain.source_control import Change


@pytest.fixture
def exported(desk) -> tuple[str, str]:
    """An export that was committed twice; the ids of both commits."""
    made = desk.experiment()
    first = desk.json("experiment", "export", made, "--commit")["commit"]
    desk.ok("experiment", "set-parameter", made, "split-1", "Random seed", "5")
    more = ("--commit", "--message", "Another seed\n\nmore")
    return first, desk.json("experiment", "export", made, *more)["commit"]


def test_commits_are_listed_newest_first(desk, exported):
    found = desk.json("repository", "log")
    assert [row["commit"] for row in found] == list(reversed(exported))
    assert [row["message"] for row in found] == ["Another seed", "Export 'churn'"]
    assert desk.json("repository", "log", "experiments", "--count", "1")[0] == found[0]
    assert desk.json("repository", "log", "definitions") == []
    assert f"{exported[1][:12]}  2026-" in desk.ok("repository", "log")


def test_files_are_listed_and_shown_as_they_were(desk, exported):
    assert desk.json("repository", "list") == [{"path": "experiments/churn.json"}]
    assert desk.json("repository", "list", "definitions/") == []
    path = "experiments/churn.json"
    now, before = (desk.ok("repository", "show", f"{path}{at}") for at in ("", f"@{exported[0]}"))
    assert now == desk.ok("experiment", "export", "churn")
    assert now != before
    assert before == desk.ok("repository", "show", f"{path}@{exported[0][:12]}")
    assert "no commit" in desk.refused("repository", "show", f"{path}@{'0' * 12}")
    target = desk.folder / "before.json"
    desk.ok("repository", "show", f"repo:{path}@{exported[0]}", "--to", str(target))
    assert target.read_text() == before


def test_a_file_that_is_not_there_is_told_with_the_command_that_lists(desk, exported):
    assert "no file 'nope.json'" in desk.refused("repository", "show", "nope.json")
    assert "../x" in desk.refused("repository", "log", "../x")


def test_changes_that_wait_are_told_with_their_reason(desk):
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    change = Change(id="churn.r7:4", message="churn v3", at=at, files={"churn/v3.json": b"{}"})
    desk.outbox.put(change)
    assert [row["change"] for row in desk.json("repository", "pending")] == ["churn.r7:4"]
    assert "churn.r7:4" in desk.ok("repository", "pending")
    desk.outbox.discard(change.id)
    assert desk.ok("repository", "pending").strip() == "none"
