"""Names and reasons that others wrote must not steer the terminal of who reads them."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from alm.domain.errors import Misconfigured
from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.exits import Commands

CLEARS = "Churn\x1b[2J\x1b]0;owned\x07\u202e\x9b31m"


def test_a_table_shows_what_would_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tables_out.show([{"id": CLEARS}], as_json=False, columns=[("item", tables_out.field("id"))])

    seen = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in seen)
    assert "Churn" in seen


@pytest.mark.parametrize("as_json", [True, False])
def test_json_and_lines_do_so_too(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    if as_json:
        tables_out.show({"id": CLEARS}, as_json=True)
    else:
        tables_out.show_answer({"id": CLEARS})

    seen = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in seen)


def test_a_failure_is_told_in_plain_characters_and_its_own_lines() -> None:
    root = typer.Typer(cls=Commands)

    @root.command()
    def fails() -> None:
        raise Misconfigured(f"{CLEARS}\nsecond line")

    @root.command()
    def other() -> None: ...

    result = CliRunner().invoke(root, ["fails"])

    assert 1 == result.exit_code
    assert all(character.isprintable() or character == "\n" for character in result.stderr)
    assert "second line" in result.stderr.splitlines()
