"""Every command has help, an example that can be typed, and JSON; every route has a command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from alm.domain.errors import Misconfigured, Refused, Unavailable, Unknown
from alm.entrypoints.api import responding
from alm.entrypoints.api.calls import Answer, Call
from alm.entrypoints.cli.client import ApiFailed, ApiUnreachable
from alm.entrypoints.cli.exits import EPILOG, EXITS, StillGoing, code_of
from alm.entrypoints.cli.main import cli
from tests.unit.entrypoints.api_server import ApiServer
from tests.unit.entrypoints.app_world import KEYS, AppWorld
from tests.unit.entrypoints.test_api import furnished
from tests.unit.entrypoints.test_docs import table

ROOT: Any = get_command(cli)
LOCAL = ("doctor", "init", "open", "validate", "wait")
"""Commands that look for themselves, and those whose calls others make as well."""


def commands(group: Any, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


EVERY = sorted(commands(ROOT))


def command_of(path: tuple[str, ...]) -> Any:
    found = ROOT
    for name in path:
        found = found.commands[name]
    return found


def example(path: tuple[str, ...]) -> list[str]:
    """The words of a command's example, its own name left out."""
    epilog = command_of(path).epilog or ""
    words = shlex.split(epilog.removeprefix("Example: alm "))
    assert tuple(words[: len(path)]) == path, epilog
    return words[len(path) :]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_a_command_has_help_an_example_that_parses_and_json(path):
    command = command_of(path)
    assert command.help
    assert command.epilog.startswith("Example: alm ")
    options = [option for parameter in command.params for option in parameter.opts]
    assert "--json" in options
    for parameter in command.params:
        assert parameter.help or parameter.param_type_name == "argument", parameter.name
    command.make_context(path[-1], example(path))


def test_every_command_is_listed():
    listed = CliRunner().invoke(cli, ["--help"]).stdout
    for path in EVERY:
        assert re.search(rf"\b{path[0]}\b", listed), path


def test_every_route_has_a_command(world: AppWorld):
    """The examples of all commands, typed one after the other, call every route there is."""
    furnished(world)
    called: set[str] = set()

    def after(call: Call, answer: Answer) -> None:
        for route in responding.ROUTES:
            if route.method == call.method and route.match(call.path.strip("/")) is not None:
                called.add(f"{route.method} {route.path}")

    with ApiServer(world) as server:
        server.after = after
        environment = {"ALM_API_URL": server.url, "ALM_API_KEY": KEYS["operator"]}
        for path in EVERY:
            if len(path) == 1 and path[0] not in LOCAL:
                words = [word for word in example(path) if word != "--wait"]
                CliRunner().invoke(cli, [*path, *words], env=environment)
        CliRunner().invoke(cli, ["inbox", "alm-requests:1"], env=environment)

    assert {f"{route.method} {route.path}" for route in responding.ROUTES} == called


def test_the_version_is_told():
    told = CliRunner().invoke(cli, ["--version"])
    assert re.fullmatch(r"alm \d+\.\d+\.\d+\n", told.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell):
    words = {"COMP_WORDS": "alm mod", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "alm mod"}
    environment = {**words, "_ALM_COMPLETE": f"complete_{shell}"}
    if shell == "fish":
        environment["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    told = CliRunner().invoke(cli, [], prog_name="alm", env=environment)
    assert "model" in told.stdout
    assert "models" in told.stdout
    assert "--install-completion" in CliRunner().invoke(cli, ["--help"]).stdout


# -- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ApiUnreachable("away"), 3),
        (Unavailable("away"), 3),
        (ApiFailed(503, "not now"), 3),
        (ApiFailed(502, "a service refused"), 1),
        (ApiFailed(404, "none"), 1),
        (Refused("no"), 1),
        (Misconfigured("no"), 1),
        (Unknown("perhaps"), 1),
        (StillGoing("later"), 5),
    ],
)
def test_an_error_has_its_exit_code(error, code):
    assert code_of(error) == code


def test_the_exit_codes_are_documented_as_they_are():
    assert table("cli.md", "| exit code ") == [
        f"| {code} | {what} |" for code, what in EXITS.items()
    ]
    assert [int(code) for code in re.findall(r"(?<![\w])(\d+) [a-z]", EPILOG)] == list(EXITS)
