"""Links lead somewhere: to a file of this project, and to a heading of it."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, Page, pages

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = HEADING.findall(BLOCK.sub("", text))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page) -> None:
    here = (ROOT / page.name).parent
    for link in LINK.findall(BLOCK.sub("", page.text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = here / path if path else ROOT / page.name
        assert target.exists(), f"{page.name}: there is no {link}"
        if anchor:
            found = anchors(target.read_text(encoding="utf-8"))
            assert anchor in found, f"{page.name}: {link}; there are {sorted(found)}"
