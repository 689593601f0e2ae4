"""Tables fit the terminal; without one, a row is a line."""

from __future__ import annotations

import io

from rich.cells import cell_len
from rich.console import Console

from alm.entrypoints.cli.table_layout import lines

ID = "7d64aa18a0984c25aaf91c9dfe68ccda.f-id.34079d216ff049728c05c19b33bdfee1"


def laid_out(names: list[str], *rows: tuple[str, ...], width: int | None) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    return [line.plain for line in lines(console, names, rows, width)]


def test_a_row_is_a_line_without_a_terminal():
    rows = [("churn training", "Draft", ID), ("b\nc", "", "x" * 200)]
    assert laid_out(["name", "status", "id"], *rows, width=None) == [
        "name            status  id",
        f"churn training  Draft   {ID}",
        f"b c                     {'x' * 200}",
    ]


def test_an_id_that_does_not_fit_goes_below_its_row_whole():
    rows = [("churn training", "Draft", ID), ("other", "Finished", "short")]
    assert laid_out(["name", "status", "id"], *rows, width=80) == [
        "name            status",
        "churn training  Draft",
        f"  {ID}",
        "other           Finished",
        "  short",
    ]


def test_an_id_that_fits_stays_beside():
    shown = laid_out(["name", "id"], ("a", "1"), width=80)
    assert shown == ["name  id", "a     1"]


def test_the_widest_columns_fold_at_words():
    why = "the gate cannot decide because the interval is too wide for that"
    shown = laid_out(["run", "why"], ("churn.r7", why), width=40)
    assert all(len(line) <= 40 for line in shown)
    assert shown[1].startswith("churn.r7  the gate cannot decide")
    assert " ".join(line[10:] for line in shown[1:]) == why


def test_keys_and_addresses_go_below_with_their_names():
    shown = laid_out(["name", "api", "primary key"], ("ep2", "http://a" + "b" * 70, "k"), width=80)
    assert shown == ["name", "ep2", "  api http://a" + "b" * 70, "  primary key k"]


def test_words_are_broken_last():
    row = ("a dataset with a long name", "2026-11-27T10:03:15", "the team of the shop")
    shown = laid_out(["name", "created", "owner"], row, width=50)
    assert "2026-11-27T10:03:15" in shown[1]
    assert max(map(len, shown)) <= 50
    assert laid_out(["file"], ("x" * 90,), width=50)[1:] == ["x" * 50, "x" * 40]


def test_more_columns_than_a_line_holds_become_lines():
    names = [f"column {at}" for at in range(12)]
    shown = laid_out(names, tuple("abcdefghijkl"), tuple("abcdefghijkl"), width=60)
    assert shown[:3] == ["row 1", "  column 0   a", "  column 1   b"]
    assert (len(shown), shown[13]) == (26, "row 2")


def test_wide_characters_take_two_cells():
    shown = laid_out(["name", "status"], ("名前 🚀", "Draft"), ("plain", "Ran"), width=80)
    assert {cell_len(line[: line.index("Draft")]) for line in shown if "Draft" in line} == {9}
    assert shown[2] == "plain    Ran"


def test_what_would_move_the_cursor_is_escaped():
    shown = laid_out(["name"], ("a\x1b[2Jb\u202e",), width=80)
    assert shown[1] == "a\\x1b[2Jb\\u202e"
