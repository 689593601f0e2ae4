"""Every word that a page stresses, and every word of the design, is in the glossary, once."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, pages

STRESSED = re.compile(r"(?<![*\w`])\*([A-Za-z][A-Za-z -]*)\*(?![*\w])")
NAMES = {  # of columns, roles in Azure, web services, or stressed as in speech
    "agrees", "azure service bus data sender", "churn model scoring", "data receiver", "inferred",
    "miss", "name", "pass", "takes", "failed", "ok", "skipped", "warning",
}  # fmt: skip
OTHERS = ("docs/decisions/", "docs/deploy.md")  # of their time; quotes what Azure says
DESIGN = {
    "managed model", "family", "trigger", "run", "pipeline", "stage", "outcome", "step message",
    "mailbox", "ledger", "candidate", "version", "champion", "promote", "target", "staging target",
    "gate", "smoke test", "adopt", "reconcile", "inbox",
}  # fmt: skip


def terms() -> list[str]:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)[1:]
    return [word.strip().lower() for row in rows for word in re.split(r"[,:]", row)]


def words() -> set[str]:
    """Without what tells two meanings of a word apart."""
    return {re.sub(r" \(.*?\)", "", term) for term in terms()}


def test_the_words_of_the_design_are_in_the_glossary() -> None:
    assert set() == DESIGN - words()


def test_a_word_is_told_once() -> None:
    assert [] == [term for term in terms() if terms().count(term) > 1]


def test_what_is_stressed_on_a_page_is_a_word_of_the_glossary_or_a_name() -> None:
    known = words() | NAMES
    for page in pages():
        if page.name.startswith(OTHERS):
            continue
        stressed = {word.lower() for word in STRESSED.findall(page.text)}
        unknown = {word for word in stressed if word not in known and word + "s" not in known}
        assert set() == {w for w in unknown if w.rstrip("s") not in known}, page.name
