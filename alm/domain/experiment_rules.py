"""Rules for a declaration with `experiment`: it deploys its own service, and has no other."""

from __future__ import annotations

from collections.abc import Iterator

from alm.domain.managed_model import ManagedModel
from alm.domain.mistakes import Finding, Place


def one_way(model: ManagedModel) -> Iterator[Finding]:
    """Targets that are patched, or an experiment that is deployed: one of the two."""
    if model.experiment is None:
        if not model.targets:
            what = "is empty"
            yield Finding(("targets",), what, "declare at least one, or an `experiment`")
        return
    others = {"targets": model.targets, "training": model.training, "staging": model.staging}
    for name, declared in others.items():
        if declared:
            what = "stands beside `experiment`, which trains and deploys by itself"
            yield Finding((name,), what, f"remove `{name}`, or `experiment`")


def starts(model: ManagedModel) -> Iterator[Finding]:
    """What new data starts must be declared, and an experiment needs data."""
    if model.on_dataset is not None and model.on_dataset != model.on_data:
        what = f"is `{model.on_dataset}`, and what is declared is `{model.on_data}`"
        yield Finding(("on_dataset",), what, f"write `on_dataset: {model.on_data}`")
    if model.experiment is not None and not model.dataset:
        what = "uploads a dataset, and no `dataset` says where it lands"
        yield Finding(("experiment",), what, "declare `dataset`, for example `churn/*.csv`")


def owned(model: ManagedModel) -> Iterator[tuple[Place, str]]:
    """What only one managed model may change: experiments in place, the service it deploys."""
    steps = model.experiment
    if steps is None:
        return
    for role, source in (
        ("training", steps.training.source),
        ("predictive", steps.predictive.source),
    ):
        if source.in_place:
            yield ("experiment", role, "source"), f"experiment {source.experiment}"
    if steps.service.resource is not None:
        yield ("experiment", "service", "resource"), steps.service.resource.lower()


def polling(model: ManagedModel) -> Iterator[Finding]:
    """The experiment is looked at in growing steps, within its deadline."""
    steps = model.experiment
    if steps is None:
        return
    if steps.poll_seconds_min > steps.poll_seconds_max:
        what = f"is more than poll_seconds_max ({steps.poll_seconds_max:g})"
        yield Finding(("experiment", "poll_seconds_min"), what, "lower it")
    if steps.poll_seconds_max > steps.deadline_minutes * 60:
        what = f"is longer than the deadline ({steps.deadline_minutes:g} minutes)"
        yield Finding(("experiment", "poll_seconds_max"), what, "lower it")
