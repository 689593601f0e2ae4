"""What a declaration says, in the words of its page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alm.domain import cron
from alm.domain.managed_model import Gate, ManagedModel, Metric

Fact = tuple[str, str]


@dataclass(frozen=True)
class Due:
    """A schedule and when it is due next."""

    pipeline: str
    line: str
    at: datetime


def schedules(model: ManagedModel, now: datetime) -> tuple[Due, ...]:
    """The schedules of a managed model, each with its next time."""
    declared = ((model.on_data, model.schedules.retrain), ("verify", model.schedules.verify))
    return tuple(Due(name, line, cron.next_due(line, now)) for name, line in declared if line)


def facts(model: ManagedModel) -> tuple[Fact, ...]:
    """A declaration in a few lines; what is as usual is left out."""
    told = (
        ("Family", model.family),
        ("Datasets", model.dataset),
        ("Model files", model.model_pattern),
        ("Training", training(model)),
        ("Gate", gate(model.gate)),
        ("Approval", _approval(model)),
        ("Waves", _waves(model)),
        ("Smoke tests", ", ".join(test.name for test in model.smoke_tests)),
        ("While a run is active", model.concurrency if model.concurrency != "queue" else ""),
        ("Quiet period", f"{model.quiet_seconds:g} s" if model.quiet_seconds else ""),
        ("When unwell", "rolls back by itself" if model.on_unwell == "roll_back" else ""),
        ("Webhook", "told of failed, held and rolled-back runs" if model.notify.webhook else ""),
        ("Version files kept", str(model.keep_versions or "")),
        ("Configuration", model.digest),
    )
    return tuple((name, value) for name, value in told if value)


def training(model: ManagedModel) -> str:
    """How it is trained; "" where it only takes model files."""
    if model.experiment is not None:
        return "two experiments of Studio, in ten steps"
    if model.training is None:
        return ""
    service = model.training.service
    match service.kind:
        case "classic":
            return service.endpoint
        case "new":
            return service.resource
        case _:
            return service.url


def gate(rules: Gate) -> str:
    """The gate in one line."""
    if rules.kind == "smoke-only":
        return "none but the smoke tests"
    compared = {
        "same-rows": f"champion and candidate answer the same rows, {rules.rows_min} at least",
        "stored": "compared with the champion's stored numbers",
        "none": "not compared with the champion",
    }
    metrics = "; ".join(metric(each) for each in rules.metrics)
    return f"{metrics} ({compared[rules.compare]})"


def metric(rule: Metric) -> str:
    """`auc at least 0.75, at most 0.01 worse`."""
    parts = [
        f"at least {rule.min:g}" if rule.min is not None else "",
        f"at most {rule.max:g}" if rule.max is not None else "",
        f"at most {rule.max_regression:g} worse" if rule.max_regression is not None else "",
    ]
    return f"{rule.name} " + ", ".join(part for part in parts if part)


def thresholds(rules: Gate, name: str) -> tuple[tuple[str, float], ...]:
    """The levels that the gate wants of a metric."""
    found = next((each for each in rules.metrics if each.name == name), None)
    named = (("at least", found.min), ("at most", found.max)) if found else ()
    return tuple((f"{words} {level:g}", level) for words, level in named if level is not None)


def _approval(model: ManagedModel) -> str:
    if not model.approval.required:
        return ""
    return f"a person decides before any target changes, within {model.approval.hold_hours:g} h"


def _waves(model: ManagedModel) -> str:
    return ", then ".join(" and ".join(target.name for target in wave) for wave in model.waves)
