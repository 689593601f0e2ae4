"""docs/cli.md and docs/studio.md name commands, functions and tests that there are."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from typer.main import get_command

from alm.entrypoints.cli import studio as nouns
from alm.entrypoints.cli.main import cli
from tests.unit.entrypoints.test_docs import table

ROOT = Path(__file__).resolve().parents[4]
STUDIO = (ROOT / "docs/studio.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`alm ([^`]+)`", STUDIO)))
FUNCTIONS = sorted(set(re.findall(r"`(alm\.[A-Za-z_.]+)`", STUDIO)))
TESTS = sorted(set(re.findall(r"`(tests/[^`]+)`", STUDIO)))


def test_the_commands_about_studio_are_described_as_they_are():
    expected = []
    for app in nouns.NOUNS:
        for command in app.registered_commands:
            assert command.callback is not None
            told = (command.callback.__doc__ or "").splitlines()[0]
            example = (command.epilog or "").removeprefix("Example: ")
            expected.append(f"| `{app.info.name} {command.name}` | {told} | `{example}` |")
    assert table("cli.md", "| Studio command ") == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_named_exists_with_its_options(command):
    words = command.split()
    found = get_command(cli)
    for word in (word for word in words if not word.startswith("--")):
        found = found.commands[word]
    options = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_named_exists(name):
    module, _, function = name.rpartition(".")
    assert hasattr(importlib.import_module(module), function)


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_is_named_exists(name):
    path, _, function = name.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {function}(" in text if function else "def test_" in text


def test_every_row_of_the_article_names_all_three():
    rows = table("studio.md", "| in the article ")
    assert len(rows) > 40
    for row in rows:
        _, _, by_hand, by_itself, test, _ = row.split("|")
        assert "`alm " in by_hand, row
        assert "`alm." in by_itself, row
        assert "`tests/" in test, row


def test_every_cmdlet_has_a_command():
    rows = table("studio.md", "| cmdlet ")
    assert len(rows) > 35
    assert all("`alm " in row.split("|")[2] for row in rows)
