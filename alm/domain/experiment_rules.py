"""Rules for a declaration with `experiment`: it deploys its own service, and has no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alm.domain.experiment_steps import ExperimentSteps, PredictiveExperiment, TrainingExperiment
from alm.domain.managed_model import ManagedModel
from alm.domain.mistakes import Finding, Place

NAMED: Mapping[str, str] = {
    "training.name": TrainingExperiment.model_fields["name"].default,
    "predictive.name": PredictiveExperiment.model_fields["name"].default,
    "dataset": ExperimentSteps.model_fields["dataset"].default,
    "trained_model": ExperimentSteps.model_fields["trained_model"].default,
}
"""Names of what a managed model has in the workspace, with their defaults."""


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


def owned(steps: Mapping[str, Any], model: str) -> Iterator[tuple[Place, str]]:
    """What only one managed model may change, as texts: experiments, assets, the service.

    steps: the section as it is declared, defaults left out.
    """
    here = str(_at(steps, "workspace", "workspace"))
    for name, default in NAMED.items():
        place = name.split(".")
        section = steps.get(place[0])
        source = section.get("source") if isinstance(section, Mapping) else None
        if isinstance(source, Mapping) and source.get("in_place"):
            yield ("experiment", place[0], "source"), f"{here}: {source.get('experiment')}"
            continue
        title = str(_at(steps, *place) or default).replace("{model}", model)
        yield ("experiment", *place), f"{here}: {place[0]} {title}"
    resource = _at(steps, "service", "resource")
    if resource:
        yield ("experiment", "service", "resource"), str(resource)


def _at(section: object, *place: str) -> object:
    for name in place:
        section = section.get(name) if isinstance(section, Mapping) else None
    return section


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
