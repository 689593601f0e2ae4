"""What is valid in declarations, and doubtful all the same: told, never refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from alm.adapters.declaration_reading import Reading
from alm.domain import patterns
from alm.domain.managed_model import Gate, ManagedModel
from alm.domain.mistakes import Finding, Mistake
from alm.domain.patterns import Pattern

ERRORS = frozenset({"log_loss", "mae", "rmse", "rae", "rse"})
ALIKE = 0.9  # one letter of ten
COMPARED_MAX = 300  # each with each: 45,000 pairs take about a second


def doubts(readings: Sequence[Reading]) -> Iterator[Mistake]:
    """Everything doubtful in declarations that could be read."""
    for reading in readings:
        if reading.declared is not None and reading.sample is not None:
            for found in of_model(reading.sample):
                yield reading.document.mistake(found.place, found.what, found.remedy)
    yield from _alike([reading for reading in readings if reading.declared is not None])


def of_model(model: ManagedModel) -> Iterator[Finding]:
    """Doubts about one managed model, of a family its first member."""
    if not model.smoke_tests:
        what = "declares no smoke test: nothing tells whether a changed target answers"
        yield Finding((), what, "add `smoke_tests`: a row and what its answer must be")
    for index, test in enumerate(model.smoke_tests):
        if not test.expect:
            what = "expects nothing of the answers: any answer passes"
            remedy = "add `expect`: a column, and what it must be"
            yield Finding(("smoke_tests", index), what, remedy)
    if model.gate.kind == "smoke-only":
        what = "is smoke-only: a worse model is put into service if it answers"
        yield Finding(("gate", "kind"), what, "add `metrics` with thresholds")
    elif _decides_nothing(model.gate):
        what = "has no threshold and compares with nothing: every model is accepted"
        yield Finding(("gate",), what, "add `min` or `max` to a metric, or `compare`")
    yield from _never_met(model.gate)
    waves = {target.wave for target in model.targets}
    if len(model.targets) > 1 and len(waves) == 1:
        what = f"are {len(model.targets)} in one wave: all change before the first is tested"
        yield Finding(("targets",), what, "give them different `wave`s")


def _never_met(gate: Gate) -> Iterator[Finding]:
    """Thresholds beyond what a metric can be; those of fractions are mistakes (`gate_rules`)."""
    for index, metric in enumerate(gate.metrics):
        if metric.name == "r2" and metric.min is not None and metric.min > 1:
            what = f"is {metric.min:g}, and r2 is at most 1: no model passes"
            yield Finding(("gate", "metrics", index, "min"), what, "write less, for example 0.8")
        if metric.name in ERRORS and metric.max is not None and metric.max < 0:
            what = f"is {metric.max:g}, and {metric.name} is at least 0: no model passes"
            yield Finding(("gate", "metrics", index, "max"), what, "write more than 0")


def _decides_nothing(gate: Gate) -> bool:
    limits = (metric.min is None and metric.max is None for metric in gate.metrics)
    return all(limits) and gate.compare == "none"


def _alike(readings: Sequence[Reading]) -> Iterator[Mistake]:
    """Dataset patterns of two declarations that match one file, or differ by a typing error."""
    listed = [
        (reading, reading.declared.dataset)
        for reading in readings[:COMPARED_MAX]
        if reading.declared is not None and reading.declared.dataset is not None
    ]
    for (one, pattern), (other, others) in itertools.combinations(listed, 2):
        what = _how_alike(pattern, others)
        if what:
            assert one.declared is not None
            where = f"{pattern.text!r} of {one.declared.name!r} ({one.source})"
            remedy = "if that is not meant, give each a folder of its own"
            yield other.document.mistake(("dataset",), f"{what} {where}", remedy)


def _how_alike(one: Pattern, other: Pattern) -> str:
    if patterns.overlap(one, other):
        return "can match the same file as"
    matcher = SequenceMatcher(None, one.text, other.text)
    if matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE:
        return "is nearly the same as"
    return ""
