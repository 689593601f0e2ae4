"""Services that declarations name: there, taking our key, with the names that are declared.

Records and descriptions are read, and a job that cannot exist is asked for; nothing is scored, run
or changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from alm.domain.errors import AlmError, NotFound
from alm.domain.experiment_steps import ExperimentSteps
from alm.domain.managed_model import (
    ExecutionUrl,
    ManagedModel,
    Service,
    SmokeTest,
    Target,
    Training,
)
from alm.domain.nearest import suggestion
from alm.entrypoints.cli.doctor import named
from alm.entrypoints.cli.doctor.findings import Finding, Notes
from alm.entrypoints.cli.doctor.surroundings import Surroundings
from alm.entrypoints.cli.studio.connection import Description

SERVICES = Notes("services")
AT_ONCE = 8  # of one service many endpoints: more would only be throttled
NO_JOB = "0" * 32

Wrong = tuple[str, str]
"""What is wrong, and what to do."""


@dataclass(frozen=True)
class Place:
    """One service that a declaration names, and what is asked about it.

    key: the same for members of a family that share the service, of which one stands for all.
    """

    key: str
    about: str
    look: Callable[[Surroundings], Iterable[Wrong]]


def look_at_services(around: Surroundings) -> Iterator[Finding]:
    """Every endpoint, web service and workspace that is declared, several at a time."""
    listed = (place for model in named.models(around) for place in places_of(model))
    places = list({place.key: place for place in listed}.values())
    with ThreadPoolExecutor(AT_ONCE) as lookers:
        for found in lookers.map(lambda place: _looked(around, place), places):
            yield from found
    for family in named.without_members(around):
        remedy = "its services can be looked at when it has: upload the first dataset of one"
        yield SERVICES.skipped(family, "this family has no member yet", remedy)
    if not places:
        yield SERVICES.ok("services", "no managed model names one")


def places_of(model: ManagedModel) -> Iterator[Place]:
    """The services of one managed model."""
    if model.training is not None:
        training = model.training
        about, key = f"{model.model}: training", training.model_dump_json()
        yield Place(key, about, lambda around: _training(around, training))
    targets = [("target", target) for target in model.targets]
    targets += [("staging", model.staging)] if model.staging else []
    for role, target in targets:
        yield _place(model, role, target)
    if model.experiment is not None:
        steps = model.experiment
        about, key = f"{model.model}: workspace", steps.model_dump_json()
        yield Place(key, about, lambda around: _experiments(around, steps))


def _place(model: ManagedModel, role: str, target: Target) -> Place:
    tests = model.tests_of(target.name) if role == "target" else ()
    about = f"{model.model}: {role} {target.name}"
    return Place(about, about, lambda around: _target(around, target, tests))


def _looked(around: Surroundings, place: Place) -> list[Finding]:
    try:
        wrong = list(place.look(around))
    except AlmError as error:
        return [SERVICES.error(place.about, error)]
    if wrong:
        return [SERVICES.failed(place.about, what, remedy) for what, remedy in wrong]
    return [SERVICES.ok(place.about, "answers, takes our key, has what is declared")]


def _target(around: Surroundings, target: Target, tests: Iterable[SmokeTest]) -> Iterator[Wrong]:
    yield from judge_target(target, tests, around.describe(target.service))
    _takes_our_key(around, target.service)


def judge_target(target: Target, tests: Iterable[SmokeTest], seen: Description) -> Iterator[Wrong]:
    """Hold what a scoring service says of itself against what is declared of it."""
    if target.deploy == "patch" and seen.why_not:
        yield f"takes no model: {seen.why_not}", "name another endpoint or service"
    if target.trained_model not in seen.resources:
        what = f"has no resource named {target.trained_model!r}"
        yield what, f"correct `trained_model`: {suggestion(target.trained_model, seen.resources)}"
    for test in tests:
        for kind, name, known in (
            ("input", test.input, seen.inputs),
            ("output", test.output, seen.outputs),
        ):
            if name not in known:
                what = f"has no {kind} {name!r}, which smoke test {test.name!r} names"
                yield what, f"correct it: {suggestion(name, known)}"


def _training(around: Surroundings, training: Training) -> Iterator[Wrong]:
    if not isinstance(training.service, ExecutionUrl):
        yield from judge_training(training, around.describe(training.service))
    _takes_our_key(around, training.service)


def judge_training(training: Training, seen: Description) -> Iterator[Wrong]:
    """Hold what a training service says of itself against what is declared of it."""
    outputs = training.outputs
    if outputs.model not in seen.files:
        what = f"puts out no trained model named {outputs.model!r}"
        yield what, f"correct `outputs.model`: {suggestion(outputs.model, seen.files)}"
    for field, name in (("evaluation", outputs.evaluation), ("scored", outputs.scored)):
        if name and name not in seen.batch_outputs:
            near = suggestion(name, seen.batch_outputs)
            yield f"has no output {name!r}", f"correct `outputs.{field}`: {near}"
    if training.input and training.input not in seen.inputs:
        near = suggestion(training.input, seen.inputs)
        yield f"has no input {training.input!r}", f"correct `input`: {near}"
    for name in training.parameters:
        if name not in seen.parameters:
            near = suggestion(name, seen.parameters)
            yield f"has no global parameter {name!r}", f"correct `parameters`: {near}"


def _takes_our_key(around: Surroundings, service: Service) -> None:
    """Ask for a job that cannot exist: whoever is let in is told that there is none.

    Raises Denied if the key is refused, Unavailable and others as the service answers.
    """
    with suppress(NotFound):
        around.batch(service).job(NO_JOB)


def _experiments(around: Surroundings, steps: ExperimentSteps) -> Iterator[Wrong]:
    workspace = around.studio.workspace(steps.workspace)
    workspace.facts()
    for role, source in (
        ("training", steps.training.source),
        ("predictive", steps.predictive.source),
    ):
        if source.experiment is None:
            continue
        place = around.studio.workspace(source.workspace) if source.workspace else workspace
        try:
            place.experiment(source.experiment)
        except NotFound:
            what = f"has no {role} experiment {source.experiment}"
            yield what, "`alm experiment list` names those there are"
