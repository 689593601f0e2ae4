"""What all commands about Studio have in common."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from alm.domain.errors import Misconfigured
from alm.entrypoints.cli import studio as nouns
from alm.entrypoints.cli.main import cli
from alm.entrypoints.cli.studio.connection import connect, hosts, repository

OPTIONS = ("--workspace", "--region", "--token", "--of", "--json")
IN_NO_WORKSPACE = ("repository",)


def commands() -> Iterator[tuple[str, str, str]]:
    """Noun, verb and epilog of every command."""
    for app in nouns.NOUNS:
        for command in app.registered_commands:
            yield str(app.info.name), str(command.name), str(command.epilog)


@pytest.mark.parametrize(("noun", "verb", "epilog"), list(commands()))
def test_every_command_has_help_an_example_and_the_common_options(desk, noun, verb, epilog):
    shown = desk.ok(noun, verb, "--help")
    assert epilog.startswith(f"Example: alm {noun} {verb}")
    for option in OPTIONS:
        assert (option in shown) == (noun not in IN_NO_WORKSPACE or option == "--json")
    told = re.sub(r"\s+", " ", shown)
    assert f"Example: alm {noun} {verb}" in told


@pytest.mark.parametrize(("noun", "verb", "epilog"), list(commands()))
def test_every_example_is_accepted_as_usage(desk, noun, verb, epilog):
    words = shlex.split(epilog.removeprefix("Example: alm "))
    result = desk.run(*words, ALM_STUDIO_WORKSPACE="")
    assert result.exit_code != 2, result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_the_nouns_are_on_the_command_line():
    registered = {group.typer_instance for group in cli.registered_groups}
    assert set(nouns.NOUNS) <= registered


@pytest.mark.parametrize(
    "words",
    [
        ("experiment", "show"),
        ("experiment", "nothing"),
        ("endpoint", "create", "x", "--count", "0"),
        ("dataset", "upload", "x", "--minutes", "-1"),
    ],
)
def test_wrong_usage_is_2(desk, words):
    assert desk.run(*words).exit_code == 2


def test_a_value_that_cannot_be_is_told_without_a_trace(desk):
    why = desk.refused("web-service", "test", "/subscriptions/x", "--row", "a=1")
    assert "correct the arguments" in why


def test_nothing_is_called_to_find_what_is_connected():
    connection = connect({"ALM_STUDIO_URL": "http://127.0.0.1:1", "ALM_LOCAL": "1"})
    assert connection.folder.name == "managed_models"
    with pytest.raises(Misconfigured, match="ALM_GIT"):
        connection.source_control()
    with pytest.raises(Misconfigured, match="ALM_STORAGE__blobServiceUri"):
        connection.storage()
    with pytest.raises(Misconfigured, match="is not set"):
        connection.secret("env:NONE")


def test_calls_go_to_studio_and_where_the_environment_says():
    assert "*.azureml.net" in hosts({})
    assert "management.azure.com" in hosts({})
    local = hosts({"ALM_LOCAL": "1", "ALM_STUDIO_URL": "http://127.0.0.1:7000"})
    assert ("127.0.0.1:7000" in local, "management.azure.com" in local) == (True, False)
    assert "git.example" in hosts({"ALM_GIT": '{"url": "https://git.example/alm"}'})
    assert "other.example" in hosts({"ALM_ALLOWED_HOSTS": "other.example, "})


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "is configured"), ("{", "is not JSON"), ('{"url": "ssh://x"}', "ALM_GIT: url")],
)
def test_a_repository_that_is_not_declared_well_is_told(text, why):
    with pytest.raises(Misconfigured, match=why):
        repository({"ALM_GIT": text})


def test_a_workspace_is_named_by_options_too(desk):
    shown = desk.json("workspace", "show", "--workspace", "e" * 32, "--region", "West Europe")
    assert shown["id"] == "e" * 32


def test_groups_show_their_help():
    assert all(isinstance(app, typer.Typer) and app.info.help for app in nouns.NOUNS)
