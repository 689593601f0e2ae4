"""Smoke: are the answers to known rows right, and do they come from the model that was put there?

An endpoint names no model and may answer with the old one for a while after a patch. What proves
the new one: its definition (read by the caller), and answers that changed, or time that passed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isclose

from alm.domain import tables
from alm.domain.managed_model import Expectation, SmokeTest
from alm.domain.scored import is_scored
from alm.domain.tables import Table

ROWS_NAMED_MAX = 3  # of the rows with the same problem; the count says the rest
EQUAL_WITHIN = 1e-9  # relative: services print the same number with more or fewer digits
LOOK_SECONDS_MIN = 0.25
LOOK_SECONDS_MAX = 10.0  # a change is seen at most this much late

Problem = Callable[[str | None], str]


@dataclass(frozen=True)
class Proved:
    """The answers are those of the model that was put there."""

    why: str


@dataclass(frozen=True)
class NotYet:
    """It cannot be told yet; look again in `seconds`."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Unproven:
    """The time is over and nothing shows that the model changed: a person decides."""

    why: str


def check(test: SmokeTest, answers: Table) -> list[str]:
    """Problems of the answers to a smoke test's rows; an empty list: they are right.

    One answer per row, no scored cell missing or an error text, and every expectation met by every
    row. Numbers are compared as numbers, whatever their text.
    """
    if len(answers.rows) != len(test.rows):
        return [f"{len(test.rows)} rows were sent, {len(answers.rows)} were answered"]
    problems = _unanswered(answers)
    for expectation in test.expect:
        problems += _unmet(expectation, answers)
    return problems


def answers_digest(answers: Sequence[Table]) -> str:
    """A name for these answers: another model gives another one, unless it answers alike.

    Depends on the order of tables and rows, not on that of columns nor on how numbers are printed.
    Only the scored columns count where there are any. "" where nothing was asked.
    """
    if not answers:
        return ""
    content = json.dumps([_comparable(table) for table in answers])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def prove(  # noqa: PLR0913 - each is one fact of one decision
    now: datetime,
    changed_at: datetime,
    propagation_seconds: float,
    *,
    baseline: str,
    answers: str,
    identical_expected: bool,
    accept_identical: bool,
) -> Proved | NotYet | Unproven:
    """Decide whether answers after a patch are known to come from the patched-in model.

    baseline, answers: digests before the patch and now. propagation_seconds: how long the old model
    may go on answering. identical_expected: the target served the very same model before.
    accept_identical: the operator takes the wait alone as proof.
    """
    if baseline and answers and answers != baseline:
        return Proved("the answers to the known rows changed")
    elapsed = max(0.0, (now - changed_at).total_seconds())
    remaining = propagation_seconds - elapsed
    if remaining > 0:
        seconds = min(max(LOOK_SECONDS_MIN, elapsed / 2), LOOK_SECONDS_MAX, remaining)
        return NotYet(seconds, f"the old model may answer for another {remaining:.1f} s")
    waited = f"the propagation delay of {propagation_seconds:g} s has passed"
    if not baseline:
        return Proved(
            f"{waited}; no known rows were answered before the patch: the wait alone is the proof"
        )
    if not answers:
        return Unproven(f"{waited}, and the known rows are not answered any more")
    if identical_expected:
        return Proved(f"{waited}; the same model was served before, so the answers are the same")
    if accept_identical:
        return Proved(f"{waited}; the answers are the same, which `accept_identical` allows")
    return Unproven(
        f"{waited}, and the answers to the known rows are the same as before the patch: approve, "
        "add smoke rows that the two models answer differently, or declare `accept_identical: true`"
    )


def _unanswered(answers: Table) -> list[str]:
    """Answers that are none: missing, or an error's text."""
    places = [place for place, column in enumerate(answers.columns) if is_scored(column)]
    if places:
        found = [_of_column(answers, answers.columns[place], _no_answer) for place in places]
        return [problem for problems in found for problem in problems]
    empty = [
        place
        for place, row in enumerate(answers.rows, start=1)
        if all(tables.normalised(cell) is None for cell in row)
    ]
    errors = [column for column in answers.columns if column.strip().lower() == "error"]
    problems = [f"the answer is empty ({_rows(empty)})"] if empty else []
    return problems + [p for column in errors for p in _of_column(answers, column, _is_error)]


def _unmet(expectation: Expectation, answers: Table) -> list[str]:
    if expectation.column not in answers.columns:
        there = tables.named(answers.columns)
        return [f"the answers have no column {expectation.column!r} (they have {there})"]
    return _of_column(answers, expectation.column, lambda cell: _wrong(expectation, cell))


def _of_column(answers: Table, column: str, problem_of: Problem) -> list[str]:
    """What is wrong with the cells of a column, each problem once with the rows that have it."""
    found: dict[str, list[int]] = {}
    for place, cell in enumerate(answers.column(column), start=1):
        problem = problem_of(cell)
        if problem:
            found.setdefault(problem, []).append(place)
    return [f"{column!r} {problem} ({_rows(places)})" for problem, places in found.items()]


def _rows(places: Sequence[int]) -> str:
    shown = ", ".join(str(place) for place in places[:ROWS_NAMED_MAX])
    more = len(places) - ROWS_NAMED_MAX
    return f"row {shown}" + (f" and {more} more" if more > 0 else "")


def _no_answer(cell: str | None) -> str:
    return "has no value" if tables.normalised(cell) is None else _is_error(cell)


def _is_error(cell: str | None) -> str:
    text = (cell or "").strip()
    if text.lower().startswith(("error", "exception")):
        return f"is the error {text[:80]!r}"
    return ""


def _wrong(expectation: Expectation, cell: str | None) -> str:
    """Say how a cell differs from what is expected, "" if it does not."""
    if tables.normalised(cell) is None:
        return "has no value"
    if expectation.equals is not None and not _same(cell, expectation.equals):
        return f"is {cell!r}, not {expectation.equals!r}"
    if expectation.one_of and not any(_same(cell, wanted) for wanted in expectation.one_of):
        return f"is {cell!r}, none of {', '.join(map(repr, expectation.one_of))}"
    if expectation.min is None and expectation.max is None:
        return ""
    value = tables.number(cell)
    if value is None:
        return f"is {cell!r}, which is not a number"
    if expectation.min is not None and not value >= expectation.min:
        return f"is {_told(value, expectation.min)}, below {expectation.min:g}"
    if expectation.max is not None and not value <= expectation.max:
        return f"is {_told(value, expectation.max)}, above {expectation.max:g}"
    return ""


def _told(value: float, bound: float) -> str:
    """A number in six digits; in all of them where six would make it the bound."""
    short = f"{value:.6g}"
    return repr(value) if float(short) == bound else short


def _same(cell: str | None, wanted: str) -> bool:
    ours, theirs = tables.number(cell), tables.number(wanted)
    if ours is not None and theirs is not None:
        return isclose(ours, theirs, rel_tol=EQUAL_WITHIN, abs_tol=EQUAL_WITHIN)
    return tables.normalised(cell) == tables.normalised(wanted)


def _comparable(table: Table) -> list[list[str | None]]:
    """Columns by name, then each row's cells in that order, numbers in one spelling."""
    places = [place for place, column in enumerate(table.columns) if is_scored(column)]
    kept = sorted(places or range(len(table.columns)), key=lambda place: table.columns[place])
    names: list[str | None] = [table.columns[place] for place in kept]
    return [names, *([tables.normalised(row[place]) for place in kept] for row in table.rows)]
