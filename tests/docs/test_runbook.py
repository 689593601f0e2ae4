"""Whatever can go wrong has its section in the runbook, and every section is about something."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

from alm.domain import errors
from alm.domain.exchange import Notice
from tests.docs.pages import ROOT

RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
NOTICES, CLASSES = RUNBOOK.split("\n## Error classes\n")
BESIDE = {"inbox", "died", "silent"}  # what only an alert tells


def sections(text: str) -> dict[str, str]:
    found = re.split(r"^### (.+)\n", text.partition("\n## A part is away")[0], flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_every_class_of_errors_has_a_section() -> None:
    classes = {
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, errors.AlmError)
    }
    assert set(sections(CLASSES)) == classes - {"AlmError"}


def test_every_notice_and_alert_has_a_section() -> None:
    events = set(get_args(get_type_hints(Notice)["event"]))
    assert set(sections(NOTICES)) == events | BESIDE


def test_every_query_of_an_alert_has_a_section() -> None:
    alerts = {path.stem.removeprefix("alert-") for path in ROOT.glob("infra/queries/alert-*.kql")}
    assert alerts <= set(sections(NOTICES))


def test_every_section_says_how_it_shows_what_it_means_and_what_to_do() -> None:
    for name, text in {**sections(NOTICES), **sections(CLASSES)}.items():
        assert text.index("**Shows**") < text.index("**Means**") < text.index("**Do**"), name
