"""Rules that one declaration must keep beyond its shape; each yields what is wrong and the remedy.

A rule names the sections it reads: where one of them could not be read, it is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from alm.domain import cron, deployments, experiment_rules
from alm.domain.gate_rules import evidence, metrics, sources
from alm.domain.managed_model import (
    DEPLOYED,
    ArmWebService,
    ClassicEndpoint,
    ExecutionUrl,
    ManagedModel,
    Service,
    SmokeTest,
)
from alm.domain.mistakes import Finding, Place
from alm.domain.nearest import suggestion
from alm.domain.requests import TRAINED_MODELS

_MANAGEMENT_URL = re.compile(r"/workspaces/[^/]+/webservices/[^/]+/endpoints/([^/]+)/?$")

Rule = Callable[[ManagedModel], Iterator[Finding]]


def findings(model: ManagedModel, faulty: frozenset[str]) -> Iterator[Finding]:
    """Everything that is wrong with a declaration, `faulty` sections apart."""
    for sections, rule in RULES:
        if faulty.isdisjoint(sections):
            yield from rule(model)


def services(model: ManagedModel) -> Iterator[tuple[Place, str]]:
    """The services whose model we change, by place; the same service has the same name.

    A service beside which versions are deployed is not changed: these deployments stand for it.
    """
    for index, target in enumerate(model.targets):
        name = service_name(target.service)
        if target.deploy == "patch":
            yield ("targets", index, "service"), name
        else:
            names = target.name_template.replace("{model}", model.model)
            yield ("targets", index, "name_template"), deployments.deployed_as(name, names).lower()
    if model.staging is not None:
        yield ("staging", "service"), service_name(model.staging.service)
    if model.experiment is not None:
        steps = model.experiment.model_dump(mode="json")
        for place, name in experiment_rules.owned(steps, model.model):
            yield place, name.lower()


def service_name(service: Service) -> str:
    match service:
        case ClassicEndpoint():
            return service.endpoint.rstrip("/").lower()
        case ArmWebService():
            return service.resource.lower()
        case ExecutionUrl():
            return service.url.rstrip("/").lower()


def _names(model: ManagedModel) -> Iterator[Finding]:
    names = [target.name for target in model.targets]
    for index, name in enumerate(names):
        if name == DEPLOYED:
            what = f"is {name!r}, as ledgers call what is deployed from an experiment"
            yield Finding(("targets", index, "name"), what, "give the target another name")
        if name in names[:index]:
            place: Place = ("targets", index, "name")
            yield Finding(place, f"{name!r} is the name of two targets", "rename one of them")
    if model.staging is not None and model.staging.name in names:
        what = f"{model.staging.name!r} is the name of a target too"
        yield Finding(("staging", "name"), what, "give the staging target a name of its own")


def _shared_services(model: ManagedModel) -> Iterator[Finding]:
    first: dict[str, Place] = {}
    for place, name in services(model):
        if name in first:
            other = "staging" if "staging" in (place[0], first[name][0]) else "another target"
            verb = "makes the names" if place[-1] == "name_template" else "is the service"
            what = f"{verb} of {other} as well"
            yield Finding(place, what, "each target needs an endpoint or service of its own")
        first.setdefault(name, place)


def _endpoints(model: ManagedModel) -> Iterator[Finding]:
    listed: list[tuple[Place, Service, bool]] = [
        (("targets", index, "service"), target.service, target.deploy == "patch")
        for index, target in enumerate(model.targets)
    ]
    if model.staging is not None:
        listed.append((("staging", "service"), model.staging.service, True))
    if model.training is not None:
        listed.append((("training", "service"), model.training.service, False))
    for place, service, patched in listed:
        if isinstance(service, ClassicEndpoint):
            yield from _endpoint((*place, "endpoint"), service.endpoint, patched)


def _endpoint(place: Place, url: str, patched: bool) -> Iterator[Finding]:
    found = _MANAGEMENT_URL.search(url)
    if found is None:
        yield Finding(
            place,
            "is not the management URL of an endpoint",
            "write `https://management.azureml.net/workspaces/…/webservices/…/endpoints/…`",
        )
    elif patched and found.group(1).lower() == "default":
        yield Finding(
            place,
            "is the default endpoint, which follows its service and refuses a model of its own",
            "add an endpoint to the service and name that one",
        )


def _training(model: ManagedModel) -> Iterator[Finding]:
    training = model.training
    if training is None and model.experiment is None:
        starts = {("dataset",): model.dataset, ("schedules", "retrain"): model.schedules.retrain}
        for place, declared in starts.items():
            if declared:
                what = "starts retraining, and there is no training service"
                yield Finding(place, what, "declare `training` or `experiment`, or remove it")
    if training is None:
        return
    if training.input and not (model.dataset or training.trained_on):
        what = "has an input and no dataset to give it"
        remedy = "declare `dataset` or `training.trained_on`, or an empty `input`"
        yield Finding(("training", "input"), what, remedy)
    if training.poll_seconds_min > training.poll_seconds_max:
        what = f"is more than poll_seconds_max ({training.poll_seconds_max:g})"
        yield Finding(("training", "poll_seconds_min"), what, "lower it")
    if training.poll_seconds_max > training.deadline_minutes * 60:
        what = f"is longer than the deadline ({training.deadline_minutes:g} minutes)"
        yield Finding(("training", "poll_seconds_max"), what, "lower it")


def _outputs(model: ManagedModel) -> Iterator[Finding]:
    if model.training is None:
        return
    outputs = model.training.outputs
    named = [name for name in (outputs.model, outputs.evaluation, outputs.scored) if name]
    if len(set(named)) < len(named):
        what = "name one output twice"
        yield Finding(("training", "outputs"), what, "each output has a name of its own")
    for name, value in model.training.parameters.items():
        container = value.lstrip("/").split("/", 1)[0]
        if "/" in value and container == TRAINED_MODELS:
            yield Finding(
                ("training", "parameters", name),
                f"points into the landing zone {container}: what is written there starts a publish",
                "leave outputs to the app (it takes them from the job), or use another container",
            )


def _smoke_tests(model: ManagedModel) -> Iterator[Finding]:
    names = [test.name for test in model.smoke_tests]
    targets = list(model.served_names)
    targets += [model.staging.name] if model.staging else []
    for index, test in enumerate(model.smoke_tests):
        place: Place = ("smoke_tests", index)
        if test.name in names[:index]:
            yield Finding(place, f"{test.name!r} is the name of two smoke tests", "name them apart")
        for number, target in enumerate(test.targets):
            if target not in targets:
                what = f"{target!r} is not a target"
                yield Finding((*place, "targets", number), what, suggestion(target, targets))
        yield from _smoke_rows(place, test)
        yield from _expectations(place, test)


def _smoke_rows(place: Place, test: SmokeTest) -> Iterator[Finding]:
    columns = set(test.rows[0])
    if not columns:
        yield Finding((*place, "rows", 0), "has no column", "write the row as `{column: value}`")
    for index, row in enumerate(test.rows):
        if set(row) != columns:
            different = ", ".join(sorted(columns ^ set(row)))
            what = f"has other columns than the first row ({different})"
            yield Finding((*place, "rows", index), what, "give every row the same columns")


def _expectations(place: Place, test: SmokeTest) -> Iterator[Finding]:
    for index, expected in enumerate(test.expect):
        here: Place = (*place, "expect", index)
        bounds = (expected.min, expected.max)
        if expected.equals is None and not expected.one_of and bounds == (None, None):
            what = f"expects nothing of {expected.column!r}"
            yield Finding(here, what, "add `equals`, `one_of`, `min` or `max`")
        if expected.min is not None and expected.max is not None and expected.min > expected.max:
            yield Finding(here, "has a min above its max", "nothing could pass; correct one")


def _schedules(model: ManagedModel) -> Iterator[Finding]:
    for name, line in (("retrain", model.schedules.retrain), ("verify", model.schedules.verify)):
        wrong = cron.fault(line) if line else ""
        if wrong:
            what, _, remedy = wrong.partition("; ")
            yield Finding(("schedules", name), what, remedy)


RULES: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("targets", "staging"), _names),
    (("targets", "staging"), _shared_services),
    (("targets", "staging"), deployments.findings),
    (("targets", "staging", "training"), _endpoints),
    (("training", "dataset", "schedules"), _training),
    (("training",), _outputs),
    (("gate", "staging"), evidence),
    (("gate", "training"), sources),
    (("gate", "smoke_tests"), metrics),
    (("smoke_tests", "targets", "staging"), _smoke_tests),
    (("schedules",), _schedules),
    (("targets", "training", "staging", "experiment"), experiment_rules.one_way),
    (("on_dataset", "experiment", "dataset"), experiment_rules.starts),
    (("experiment",), experiment_rules.polling),
)
