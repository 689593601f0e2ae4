"""Smoke checks: what is a right answer, when answers are the same, and what proves a new model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.domain import smoke
from alm.domain.managed_model import Expectation, SmokeTest
from alm.domain.smoke import NotYet, Proved, Unproven
from alm.domain.tables import Table

CHANGED_AT = datetime(2024, 5, 1, 12, tzinfo=UTC)


def one_row(**expectation: Any) -> SmokeTest:
    return SmokeTest(rows=({"x": 1},), expect=(Expectation(**expectation),))


def answer(**cells: str | None) -> Table:
    return Table(tuple(cells), (tuple(cells.values()),))


@pytest.mark.parametrize(
    ("expectation", "cell"),
    [
        ({"equals": "0.5"}, "0.50"),
        ({"equals": "0.50"}, "0.5"),
        ({"equals": "0.3333333333"}, "0.33333333333333"),
        ({"equals": "yes"}, " yes "),
        ({"equals": "true"}, "True"),
        ({"one_of": ("no", "yes")}, "yes"),
        ({"one_of": ("0", "1")}, "1.0"),
        ({"min": 0, "max": 1}, "0"),
        ({"min": 0, "max": 1}, "1"),
        ({"min": -1e-3}, "-1E-3"),
        ({}, "anything"),
    ],
)
def test_a_right_answer_has_no_problem(expectation: dict[str, Any], cell: str) -> None:
    assert smoke.check(one_row(column="Score", **expectation), answer(Score=cell)) == []


@pytest.mark.parametrize(
    ("expectation", "cell", "problem"),
    [
        ({"equals": "0.5"}, "0.51", "'Score' is '0.51', not '0.5' (row 1)"),
        ({"equals": "yes"}, "Yes", "'Score' is 'Yes', not 'yes' (row 1)"),
        ({"equals": "yes"}, None, "'Score' has no value (row 1)"),
        ({"one_of": ("no", "yes")}, "maybe", "'Score' is 'maybe', none of 'no', 'yes' (row 1)"),
        ({"min": 0.5}, "0.25", "'Score' is 0.25, below 0.5 (row 1)"),
        ({"max": 0.5}, "0.75", "'Score' is 0.75, above 0.5 (row 1)"),
        ({"max": 0.002}, "0.03720716038228921", "'Score' is 0.0372072, above 0.002 (row 1)"),
        ({"max": 0.5}, "0.50000001", "'Score' is 0.50000001, above 0.5 (row 1)"),
        ({"max": 0.5}, "low", "'Score' is 'low', which is not a number (row 1)"),
        ({"max": 0.5}, "inf", "'Score' is 'inf', which is not a number (row 1)"),
        ({"max": 0.5}, "NaN", "'Score' has no value (row 1)"),
        ({"max": 0.5}, "", "'Score' has no value (row 1)"),
        ({}, "  ", "'Score' has no value (row 1)"),
    ],
)
def test_a_wrong_answer_is_described(
    expectation: dict[str, Any], cell: str | None, problem: str
) -> None:
    answers = Table(("id", "Score"), (("7", cell),))

    assert smoke.check(one_row(column="Score", **expectation), answers) == [problem]


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        (Table(("Scored Labels",), ()), "1 rows were sent, 0 were answered"),
        (Table(("Scored Labels",), (("1",), ("1",))), "1 rows were sent, 2 were answered"),
        (answer(x="1"), "the answers have no column 'Scored Labels' (they have 'x')"),
        (answer(x="1", **{"Scored Labels": None}), "'Scored Labels' has no value (row 1)"),
        (
            answer(**{"Scored Labels": "Error 0018: bad value"}),
            "'Scored Labels' is the error 'Error 0018: bad value' (row 1)",
        ),
        (answer(error="Error: no such model"), "'error' is the error 'Error: no such model'"),
        (answer(x=None), "the answer is empty (row 1)"),
    ],
)
def test_an_answer_that_is_none_is_a_problem(answers: Table, problem: str) -> None:
    problems = smoke.check(one_row(column="Scored Labels"), answers)

    assert problem in "; ".join(problems)


def test_the_same_problem_is_told_once_with_its_rows() -> None:
    test = SmokeTest(
        rows=tuple({"x": 1} for _ in range(6)), expect=(Expectation(column="a", max=1),)
    )
    answers = Table(("a",), (("1",), ("2",), ("2",), ("2",), ("2",), ("2",)))

    assert smoke.check(test, answers) == ["'a' is 2, above 1 (row 2, 3, 4 and 2 more)"]


def test_a_test_without_expectations_still_wants_answers() -> None:
    test = SmokeTest(rows=({"x": 1},))

    assert smoke.check(test, answer(**{"Scored Labels": "1"})) == []
    assert smoke.check(test, answer(**{"Scored Labels": None})) != []


LABELS = Table(("x", "Scored Labels", "Scored Probabilities"), (("1", "yes", "0.50"),))


@pytest.mark.parametrize(
    "alike",
    [
        Table(("Scored Probabilities", "Scored Labels", "x"), (("0.5", "yes", "1"),)),
        Table(("x", "Scored Labels", "Scored Probabilities"), (("2", "yes", "5e-1"),)),
        Table(("Scored Labels", "Scored Probabilities"), (("yes", ".5"),)),
    ],
)
def test_the_same_answers_have_the_same_digest(alike: Table) -> None:
    assert smoke.answers_digest([LABELS]) == smoke.answers_digest([alike])


@pytest.mark.parametrize(
    "other",
    [
        [],
        [LABELS, LABELS],
        [Table(LABELS.columns, (("1", "no", "0.5"),))],
        [Table(LABELS.columns, (("1", "yes", "0.5000000001"),))],
        [Table(LABELS.columns, (("1", "yes", None),))],
        [Table(("Scored Labels",), (("yes",),))],
        [Table(("error",), (("Refused",),))],
    ],
)
def test_other_answers_have_another_digest(other: list[Table]) -> None:
    assert smoke.answers_digest([LABELS]) != smoke.answers_digest(other)


def test_no_question_has_no_digest() -> None:
    assert smoke.answers_digest([]) == ""


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=4))
def test_a_digest_does_not_depend_on_the_order_of_columns(rows: list[tuple[str, str]]) -> None:
    table = Table(("a", "b"), tuple(rows))
    turned = Table(("b", "a"), tuple((b, a) for a, b in rows))

    assert smoke.answers_digest([table]) == smoke.answers_digest([turned])


def test_rows_in_another_order_have_another_digest() -> None:
    rows = (("1",), ("2",))

    assert smoke.answers_digest([Table(("a",), rows)]) != smoke.answers_digest(
        [Table(("a",), rows[::-1])]
    )


def prove(elapsed: float, **given: Any) -> Proved | NotYet | Unproven:
    facts: dict[str, Any] = {
        "baseline": "old",
        "answers": "old",
        "identical_expected": False,
        "accept_identical": False,
    }
    now = CHANGED_AT + timedelta(seconds=elapsed)
    return smoke.prove(now, CHANGED_AT, 30.0, **(facts | given))


@pytest.mark.parametrize(
    ("elapsed", "facts", "expected", "said"),
    [
        (0, {"answers": "new"}, Proved, "changed"),
        (-5, {}, NotYet, "another 30.0 s"),
        (29, {}, NotYet, "another 1.0 s"),
        (29, {"identical_expected": True, "accept_identical": True}, NotYet, "another 1.0 s"),
        (29, {"baseline": "", "answers": "new"}, NotYet, "another 1.0 s"),
        (29, {"answers": ""}, NotYet, "another 1.0 s"),
        (30, {}, Unproven, "`accept_identical: true`"),
        (30, {"answers": ""}, Unproven, "not answered any more"),
        (30, {"answers": "new"}, Proved, "changed"),
        (30, {"identical_expected": True}, Proved, "the same model was served before"),
        (30, {"accept_identical": True}, Proved, "`accept_identical` allows"),
        (30, {"baseline": "", "answers": "new"}, Proved, "the wait alone is the proof"),
        (30, {"baseline": "", "answers": ""}, Proved, "the wait alone is the proof"),
    ],
)
def test_a_changed_answer_or_the_delay_proves_a_model(
    elapsed: float, facts: dict[str, Any], expected: type, said: str
) -> None:
    verdict = prove(elapsed, **facts)

    assert type(verdict) is expected
    assert said in verdict.why


@pytest.mark.parametrize(
    ("elapsed", "seconds"),
    [(-5, 0.25), (0, 0.25), (0.4, 0.25), (4, 2), (18, 9), (19.5, 9.75), (29, 1), (29.9, 0.1)],
)
def test_the_next_look_is_soon_at_first_and_never_after_the_delay(
    elapsed: float, seconds: float
) -> None:
    verdict = prove(elapsed)

    assert isinstance(verdict, NotYet)
    assert verdict.seconds == pytest.approx(seconds)


@given(st.floats(0.0, 3600.0))
def test_a_slow_target_is_looked_at_a_bounded_number_of_times(propagation_seconds: float) -> None:
    elapsed, looks = 0.0, 0
    while True:
        looks += 1
        now = CHANGED_AT + timedelta(seconds=elapsed)
        verdict = smoke.prove(
            now,
            CHANGED_AT,
            propagation_seconds,
            baseline="old",
            answers="old",
            identical_expected=False,
            accept_identical=False,
        )
        if not isinstance(verdict, NotYet):
            break
        assert verdict.seconds <= smoke.LOOK_SECONDS_MAX
        elapsed += verdict.seconds + 1e-6  # the clock counts microseconds

    assert looks <= 14 + propagation_seconds / smoke.LOOK_SECONDS_MAX
