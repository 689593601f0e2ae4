"""Rules for the gate of a declaration: one that gates nothing, or nobody can pass, is a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from alm.domain.managed_model import ManagedModel, Metric
from alm.domain.mistakes import Finding, Place
from alm.domain.nearest import suggestion

FRACTIONS = frozenset({"accuracy", "precision", "recall", "f_score", "auc"})
MEASURED: dict[str, frozenset[str]] = {
    "two-class": FRACTIONS | {"log_loss"},
    "multi-class": FRACTIONS - {"auc"} | {"log_loss"},
    "regression": frozenset({"mae", "rmse", "r2", "rae", "rse"}),
}


def evidence(model: ManagedModel) -> Iterator[Finding]:
    """What a comparison needs must be there."""
    gate = model.gate
    staging = model.staging.name if model.staging else ""
    if gate.staging and gate.staging != staging:
        known = [staging] if staging else []
        what = f"{gate.staging!r} is not the staging target"
        yield Finding(
            ("gate", "staging"), what, f"{suggestion(gate.staging, known)} (see `staging`)"
        )
    if gate.compare == "same-rows":
        given = {"gate.rows_blob": gate.rows_blob, "gate.label": gate.label, "staging": staging}
        for name, value in given.items():
            if not value:
                what = f"is `same-rows`, which needs `{name}`"
                remedy = f"declare {name}, or write `compare: none` or `stored`"
                yield Finding(("gate", "compare"), what, remedy)
    if gate.rows_blob and gate.compare != "same-rows":
        for name, value in {"gate.label": gate.label, "staging": staging}.items():
            if not value:
                what = f"is scored through the staging target, which needs `{name}`"
                yield Finding(
                    ("gate", "rows_blob"), what, f"declare {name}, or leave rows_blob out"
                )


def sources(model: ManagedModel) -> Iterator[Finding]:
    """Metrics must come from somewhere: rows, a scored holdout or an evaluation table."""
    gate, training = model.gate, model.training
    if training is None or gate.kind == "smoke-only" or gate.rows_blob:
        return
    if training.outputs.scored and not gate.label:
        what = "is missing, and training.outputs.scored cannot be judged without it"
        yield Finding(("gate", "label"), what, "name the label column of the scored rows")
    if not (training.outputs.evaluation or training.outputs.scored):
        what = "have no source: training puts out neither an evaluation nor scored rows"
        remedy = "declare `training.outputs.evaluation`, `scored`, or `gate.rows_blob`"
        yield Finding(("gate", "metrics"), what, remedy)


def metrics(model: ManagedModel) -> Iterator[Finding]:
    """A gate must be able to reject, and a model able to pass it."""
    gate = model.gate
    if gate.kind == "smoke-only":
        if not model.smoke_tests:
            what = "is `smoke-only`, and there is no smoke test"
            yield Finding(("gate", "kind"), what, "declare `smoke_tests`, or metrics")
        return
    if not gate.metrics:
        what = "are missing: this gate would let anything through"
        yield Finding(("gate", "metrics"), what, "name a metric, or write `kind: smoke-only`")
    compared = [metric for metric in gate.metrics if metric.max_regression is not None]
    if gate.metrics and gate.compare != "none" and not compared:
        what = f"is `{gate.compare}`, and no metric says how much worse is accepted"
        yield Finding(("gate", "compare"), what, "give a metric `max_regression` (0: no worse)")
    for index, metric in enumerate(gate.metrics):
        place: Place = ("gate", "metrics", index)
        if metric.name in [other.name for other in gate.metrics[:index]]:
            yield Finding((*place, "name"), f"{metric.name!r} is there twice", "merge the two")
        if metric.name not in MEASURED[gate.task]:
            what = f"{metric.name!r} is not measured for {gate.task}"
            remedy = f"use {', '.join(sorted(MEASURED[gate.task]))}, or correct `gate.task`"
            yield Finding((*place, "name"), what, remedy)
        yield from _metric(place, metric, gate.compare)


def _metric(place: Place, metric: Metric, compare: str) -> Iterator[Finding]:
    numbers = {"min": metric.min, "max": metric.max, "max_regression": metric.max_regression}
    if not any(number is not None for number in numbers.values()):
        yield Finding(place, "asks for nothing", "add `min`, `max` or `max_regression`")
    if metric.max_regression is not None and compare == "none":
        what = "compares with the champion, and gate.compare is `none`"
        yield Finding((*place, "max_regression"), what, "write `compare: same-rows` or `stored`")
    if metric.min is not None and metric.max is not None and metric.min > metric.max:
        yield Finding((*place, "min"), "is more than max", "no model could pass; correct one")
    for name, number in numbers.items():
        if number is None:
            continue
        if metric.name in FRACTIONS and not 0 <= number <= 1:
            what = f"is {number:g}, and {metric.name} lies between 0 and 1"
            yield Finding((*place, name), what, "write a fraction, for example 0.8")
        elif name == "max_regression" and number < 0:
            yield Finding((*place, name), f"is {number:g}", "write 0 or more")
