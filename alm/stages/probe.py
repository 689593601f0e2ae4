"""Probe: score a target's known rows, to see which model answers and whether it answers right."""

from __future__ import annotations

from dataclasses import dataclass

from alm.domain import smoke
from alm.domain.errors import AlmError, Misconfigured, Refused
from alm.domain.managed_model import SmokeTest, Target
from alm.domain.run import Served
from alm.domain.tables import Table
from alm.ports import ScoringTarget
from alm.stages.context import Context


@dataclass(frozen=True)
class Answers:
    """What a target said to its known rows. digest: "" where it has no known rows."""

    digest: str
    problems: tuple[str, ...] = ()


def ask(context: Context, target: Target, served: Served | None = None) -> Answers:
    """Score every smoke test of a target, where it serves that model.

    A refused request is an answer too, and a problem.
    """
    tests = context.model.tests_of(target.name)
    if not tests:
        return Answers("")
    tables: list[Table] = []
    problems: list[str] = []
    for test in tests:
        try:
            table = _score(context.target(target, served), test)
        except (Refused, Misconfigured) as error:
            problems.append(f"{test.name}: {error}")
            table = Table(columns=("error",), rows=((str(type(error).__name__),),))
        else:
            problems += [f"{test.name}: {problem}" for problem in smoke.check(test, table)]
        tables.append(table)
    return Answers(smoke.answers_digest(tables), tuple(problems))


def baseline(context: Context, target: Target) -> str:
    """What a target answers before it is touched; "" if it cannot say: then only time proves.

    What is deployed beside a target answers for itself: what the target's own service says tells
    nothing of a new endpoint, which begins with the model of the classic service as a whole.
    """
    if target.deploy != "patch":
        return ""
    try:
        return ask(context, target).digest
    except AlmError:
        return ""


def _score(service: ScoringTarget, test: SmokeTest) -> Table:
    scores = service.score(test.rows, input=test.input, output=test.output)
    return Table(columns=scores.columns, rows=scores.rows)
