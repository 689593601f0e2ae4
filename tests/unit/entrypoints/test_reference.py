"""The reference is what the code says, and says something of everything."""

from __future__ import annotations

from pathlib import Path

from alm.domain.outcomes import Outcome
from alm.domain.requests import Kind, Request
from alm.domain.run import Result
from alm.domain.source_control import Author, Repository
from alm.entrypoints.published import reference
from alm.entrypoints.published import reference_words as words
from alm.pipelines import PIPELINES
from alm.settings import Settings
from tests.test_tidy import ROOT


def test_the_pages_are_the_ones_that_the_code_makes(tmp_path: Path) -> None:
    reference.write(tmp_path)

    for made in sorted(tmp_path.iterdir()):
        shown = (ROOT / "docs/reference" / made.name).read_text(encoding="utf-8")
        assert made.read_text(encoding="utf-8") == shown, (
            f"{made.name} is old: python -m alm.entrypoints.published.reference"
        )


def test_every_setting_is_explained() -> None:
    assert set(words.SETTINGS) == {field.alias for field in Settings.model_fields.values()}
    assert set(words.REPOSITORY) == set(Repository.model_fields)
    assert set(words.AUTHOR) == set(Author.model_fields)


def test_every_kind_and_field_of_a_request_is_explained() -> None:
    assert set(words.KINDS) == set(Kind.__args__)
    text = reference.pages()["messages.md"]
    for name, field in Request.model_fields.items():
        assert f"| `{field.alias or name}` |" in text


def test_every_result_and_outcome_is_explained() -> None:
    assert set(words.RESULTS) == set(Result.__args__)
    assert set(words.OUTCOMES) == {kind.__name__.lower() for kind in Outcome.__args__}


def test_every_stage_says_what_it_does() -> None:
    silent = {stage.name for s in PIPELINES.values() for stage in s if not stage.visit.__doc__}
    assert silent == set()
