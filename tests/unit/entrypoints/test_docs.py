"""The documents name every route, command and setting, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alm.entrypoints.access import CSRF_HEADER, KEY_HEADER
from alm.entrypoints.api import responding
from alm.entrypoints.api.problems import KINDS
from alm.entrypoints.cli.main import cli
from alm.settings import Settings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def table(document: str, heading: str) -> list[str]:
    """The rows of the first table whose heading begins like this."""
    lines = (DOCS / document).read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(heading))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(line)
    return rows


def test_the_routes_are_described_as_they_are():
    expected = []
    for route in responding.ROUTES:
        takes = ", ".join(f"`{name}`" for name in route.names)
        told = (route.handler.__doc__ or "").splitlines()[0]
        call = f"`{route.method} /api/{route.path}`"
        expected.append(f"| {call} | {route.role} | {takes} | {told} |")
    assert table("api.md", "| call ") == expected


def test_the_commands_are_described_as_they_are():
    expected = []
    for command in cli.registered_commands:
        assert command.callback is not None
        told = (command.callback.__doc__ or "").splitlines()[0]
        example = (command.epilog or "").removeprefix("Example: ")
        expected.append(f"| `{command.name}` | {told} | `{example}` |")
    assert table("cli.md", "| command ") == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_problem_is_explained(kind):
    assert f"| {kind.status} |" in (DOCS / "api.md").read_text(encoding="utf-8")
    errors = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert f"\n## {kind.name}\n\n{kind.status}. " in errors


def test_no_kind_of_problem_is_explained_that_there_is_not():
    errors = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)$", errors, re.MULTILINE) == [kind.name for kind in KINDS]


def test_the_security_document_names_headers_and_settings_that_there_are():
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    for name in (KEY_HEADER, CSRF_HEADER, "x-ms-client-principal"):
        assert f"`{name}`" in text
    known = {field.alias for field in Settings.model_fields.values()}
    named = set(re.findall(r"`((?:ALM|WEBSITE|AZURE)_\w+)`", text))
    assert named <= known | {"ALM_STUDIO_ARM_TOKEN"}
    assert {"ALM_API_KEYS", "ALM_PLATFORM_AUTH", "WEBSITE_AUTH_ENABLED", "ALM_LOCAL"} <= named
