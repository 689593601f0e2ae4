"""Copying: the managed model's own training and predictive experiment.

A copy is made once and kept under its declared name; later runs find it by that name and leave one
more snapshot in its history. From another workspace, or the Gallery, it comes as a package.
"""

from __future__ import annotations

from alm.domain import exported
from alm.domain.drafts import draft_from, graph_of, unbound
from alm.domain.errors import Misconfigured
from alm.domain.experiment import Activity, Draft, Experiment
from alm.domain.experiment_steps import ExperimentSource
from alm.domain.outcomes import Done, Failed, Outcome, Wait
from alm.stages.context import Context
from alm.stages.experiment import workbench
from alm.studio_ports import Workspace

LOOKS_MAX = 400  # about half an hour: packages hold datasets
EXPORT_BYTES_MAX = 32 << 20


def training(context: Context) -> Outcome:
    """Find or make the training experiment."""
    declared = workbench.steps(context).training
    return _visit(context, declared.source, workbench.title(context, declared.name), "training")


def predictive(context: Context) -> Outcome:
    """Find or make the predictive experiment."""
    declared = workbench.steps(context).predictive
    return _visit(context, declared.source, workbench.title(context, declared.name), "predictive")


def _visit(context: Context, source: ExperimentSource, name: str, role: str) -> Outcome:
    here = workbench.workspace(context)
    if source.in_place:
        assert source.experiment is not None
        return _found(context, here.experiment(source.experiment), role)
    ours = [found for found in here.experiments() if found.name == name]
    if len(ours) > 1:
        listed = ", ".join(found.id for found in ours)
        return Failed(f"{len(ours)} experiments are named {name!r} ({listed}); rename all but one")
    if ours:
        return _found(context, ours[0], role)
    if source.experiment and source.workspace is None:
        original = here.experiment(source.experiment)
        return _made(here, draft_from(original, graph=graph_of(original), name=name))
    if source.file:
        content = context.ports.blobs.get(source.file, bytes_max=EXPORT_BYTES_MAX)
        return _made(here, exported.draft_of(exported.read_export(content), name))
    if context.step.waits > LOOKS_MAX:
        return Failed(f"the package of {name!r} is not ready after {LOOKS_MAX} looks")
    return _packaged(context, source, here, name)


def _found(context: Context, experiment: Experiment, role: str) -> Done:
    changes = {role: experiment.id, "packing": "", "unpacking": "", "ran": ""}
    state = workbench.made(context.state, **changes)
    return Done(state, why=f"{experiment.name!r} is {experiment.id}")


def _made(here: Workspace, draft: Draft) -> Wait:
    """The next visit finds it by its name; so does one after a crash."""
    here.create(draft.model_copy(update={"service": unbound(draft.service), "previous": ""}))
    return Wait(0, f"{draft.name!r} created")


def _packaged(context: Context, source: ExperimentSource, here: Workspace, name: str) -> Outcome:
    """Pack where it is, unpack here, give it our name: each a visit of its own or more.

    A crash between two of them may leave a copy under its old name; nobody uses it.
    """
    studio, seconds = context.state.studio, workbench.look_seconds(context)
    if studio.unpacking:
        activity = _ended(here.unpacking(studio.unpacking), "unpacked")
        if not activity.done:
            return workbench.waiting(context, seconds, "the package is being unpacked")
        return _renamed(context, here, activity, name)
    if source.package:
        begun = here.unpack(source.package, gallery=source.gallery or "")
        return workbench.waiting(context, seconds, "unpacking began", unpacking=begun.id)
    assert source.workspace is not None
    assert source.experiment is not None
    there = context.ports.studio.workspace(source.workspace)
    if not studio.packing:
        begun = there.pack(source.experiment)
        return workbench.waiting(context, seconds, "packing began", packing=begun.id)
    activity = _ended(there.packing(studio.packing), "packed")
    if not activity.done:
        return workbench.waiting(context, seconds, "the experiment is being packed")
    begun = here.unpack(activity.location, region=source.workspace.region)
    return workbench.waiting(context, seconds, "unpacking began", unpacking=begun.id)


def _ended(activity: Activity, what: str) -> Activity:
    if activity.failed:
        raise Misconfigured(f"the experiment could not be {what}: {activity.failed}")
    return activity


def _renamed(context: Context, here: Workspace, activity: Activity, name: str) -> Outcome:
    if not activity.experiment:
        return Failed("the package was unpacked, and Studio does not say as which experiment")
    unpacked = here.experiment(activity.experiment)
    here.save(unpacked.id, draft_from(unpacked, graph=graph_of(unpacked), name=name))
    return Wait(0, f"{unpacked.name!r} is now {name!r}", context.state)
