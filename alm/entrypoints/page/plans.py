"""What an order will do, said before it is given: the thing by its name, then line by line.

Raises what the order itself would raise, where that can be seen now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alm.domain.errors import Conflict, Refused
from alm.domain.ledger import Active, Ledger
from alm.domain.managed_model import ManagedModel
from alm.entrypoints.api.calls import encoded
from alm.entrypoints.page import declaration
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.telling import words
from alm.entrypoints.standing import model_of
from alm.ports import InboxItem


@dataclass(frozen=True)
class Plan:
    """title: a question that names the thing. lines: what will happen. back: where no leads."""

    title: str
    lines: tuple[str, ...]
    button: str
    back: str
    danger: bool = False


def start(ask: Ask) -> Plan:
    model, ledger = _declared(ask)
    lines = tuple(_starting(model, ledger))
    return Plan(f"Start a run of {model.model}?", lines, "Start it", _model_page(model))


def _starting(model: ManagedModel, ledger: Ledger) -> Iterator[str]:
    if model.training is None and model.experiment is None:
        raise Refused(
            f"managed model {model.model!r} is not trained here: upload a model file to "
            "`trained-models`, or declare `training`"
        )
    how = "the training service" if model.training else "its experiments in Studio, in ten steps"
    yield f"A candidate is trained by {how}."
    yield from _trained_on(model, ledger)
    yield f"The gate judges it: {declaration.gate(model.gate)}."
    if model.approval.required:
        yield "An accepted candidate is held until somebody approves it."
    yield f"An accepted one becomes a version and is put into {_targets(model)}."
    yield "Smoke tests follow each change; if one fails, what was there before is put back."
    yield from _in_the_way(ledger)


def _trained_on(model: ManagedModel, ledger: Ledger) -> Iterator[str]:
    """Which file an ordered run takes (`stages.first_step.inputs`), as far as it is known now."""
    if model.training is not None and not model.training.input:
        return
    if model.training is not None and model.training.trained_on:
        yield f"It is trained on {model.training.trained_on}, as declared."
    elif ledger.dataset is not None:
        yield (
            f"It is trained on {ledger.dataset.path}: the dataset that was taken last, whatever "
            "became of that run. For another one, upload a file instead: that starts a run."
        )
    elif model.dataset:
        yield (
            f"It is trained on the newest file in datasets/ that matches {model.dataset}, "
            "whatever became of it before."
        )
    if any(trigger.blob for trigger in ledger.waiting):
        yield "A dataset waits for the next run: if this run covers it too, that one is taken."


def verify(ask: Ask) -> Plan:
    model, ledger = _declared(ask)
    changes = "Nothing is changed"
    if model.on_unwell == "roll_back":
        changes += ", unless a test fails: then this model rolls back by itself"
    tested = f"The targets are read back and smoke-tested: {_targets(model)}."
    lines = (tested, f"{changes}.", *_in_the_way(ledger))
    return Plan(f"Verify {model.model}?", lines, "Verify it", _model_page(model))


def roll_back(ask: Ask) -> Plan:
    model, ledger = _declared(ask)
    version = ask.query.get("version", "")
    if not version:
        raise Refused("no version is named; choose one in the table of versions")
    if version not in ("v0", "previous"):
        ask.app.ports.versions.manifest(model.model, version)
    lines = [
        f"{version} is put into {_targets(model)}.",
        f"In service now: {ledger.champion or 'nothing of ours'}.",
        "The targets are read back and smoke-tested; if that fails, what is there now comes back.",
        "There is no gate and no approval: this is the way back.",
        *_in_the_way(ledger),
    ]
    title, back = f"Roll {model.model} back to {version}?", _model_page(model)
    return Plan(title, tuple(lines), "Roll back", back, danger=True)


def approve(ask: Ask) -> Plan:
    active = _held(ask)
    lines = (*_deciding(active), "The run goes on with exactly this; anything else is refused.")
    return Plan(f"Approve run {active.run}?", lines, "Approve", _run_page(active))


def refuse(ask: Ask) -> Plan:
    active = _held(ask)
    lines = (*_deciding(active), f"The run ends refused. {_undoing(active)}")
    return Plan(f"Refuse run {active.run}?", lines, "Refuse", _run_page(active), danger=True)


def cancel(ask: Ask) -> Plan:
    active = _active(ask)
    lines = (f"The run ({words(active.pipeline)}) ends at its next step. {_undoing(active)}",)
    title, back = f"Cancel run {active.run}?", _run_page(active)
    return Plan(title, lines, "Cancel the run", back, danger=True)


def redrive(ask: Ask) -> Plan:
    item = ask.app.ports.records.inbox_item(ask.values["item"])
    if not item.queue:
        raise Refused(f"item {item.id!r} did not come from a queue; {item.remedy}")
    lines = (
        f"Its message is sent to the queue {item.queue} once more, then the item leaves the inbox.",
        f"It is here because: {item.reason}",
        "If the cause is still there it comes back.",
    )
    return Plan(f"Send {item.id} again?", lines, "Send it again", _item_page(item))


def discard(ask: Ask) -> Plan:
    item = ask.app.ports.records.inbox_item(ask.values["item"])
    gone = "The item and what came with it are deleted; nobody can send it again."
    if item.source.startswith("container "):
        gone = f"Only this note goes: the file {item.payload} stays where it is."
    lines = (
        gone,
        f"It is here because: {item.reason}",
    )
    return Plan(f"Discard {item.id}?", lines, "Discard it", _item_page(item), danger=True)


def _declared(ask: Ask) -> tuple[ManagedModel, Ledger]:
    name = ask.values["model"]
    return ask.app.ports.models.resolve(name), ask.app.ports.ledgers.get(name)[0]


def _active(ask: Ask) -> Active:
    run = ask.values["run"]
    active = ask.app.ports.ledgers.get(model_of(run))[0].active
    if active is None or active.run != run:
        raise Conflict(f"run {run} is not in flight any more; its page says how it ended")
    return active


def _held(ask: Ask) -> Active:
    """The held run, if exactly what the address names is what is held."""
    active, digest = _active(ask), ask.query.get("digest", "")
    if active.hold is None or not active.held:
        raise Conflict(f"run {active.run} is not held any more; look at its page")
    if active.hold.digest != digest:
        raise Conflict(
            f"run {active.run} is held for {active.hold.digest}, and another digest was shown; "
            "look at its page again, then decide"
        )
    return active


def _deciding(active: Active) -> Iterator[str]:
    assert active.hold is not None
    yield f"Held is {active.hold.digest}."
    yield f"Because: {active.hold.why}."


def _undoing(active: Active) -> str:
    names = ", ".join(intent.target for intent in active.intent)
    if not names:
        return "No target was changed by it."
    return f"What it may have changed is put back: {names}."


def _targets(model: ManagedModel) -> str:
    if model.experiment is not None:
        return "the web service that is deployed from its experiment"
    waves = [", ".join(target.name for target in wave) for wave in model.waves]
    return "; then ".join(waves) or "no target: none is declared"


def _in_the_way(ledger: Ledger) -> Iterator[str]:
    if ledger.active is not None:
        yield f"Run {ledger.active.run} is in flight: this one waits until it has ended."


def _model_page(model: ManagedModel) -> str:
    return f"/models/{encoded(model.model)}"


def _run_page(active: Active) -> str:
    return f"/runs/{encoded(active.run)}"


def _item_page(item: InboxItem) -> str:
    return f"/inbox/{encoded(item.id)}"
