"""A run as a timeline: what started it, what every stage came to, why it is as it is, what to do.

The ledger tells of a run in flight whether it is held and what it may have to give back; its
record, best effort until it ends, tells the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alm.domain.errors import AlmError, NotFound
from alm.domain.ledger import Active, Ledger
from alm.domain.requests import TRAINED_MODELS
from alm.domain.run import BlobRef, Entry, RunState, Trigger
from alm.entrypoints.page import documents, evidence, remedies, runs, timeline
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.declaration import Fact
from alm.entrypoints.page.documents import Document, text
from alm.entrypoints.page.evidence import Piece, Verdict
from alm.entrypoints.page.remedies import Remedy
from alm.entrypoints.page.rendering import page
from alm.entrypoints.page.telling import moment, size
from alm.entrypoints.page.timeline import Step, Visit
from alm.entrypoints.standing import model_of


@dataclass(frozen=True)
class Touched:
    """A target in this run: what it shall serve, what it is given back, and how far that came."""

    name: str
    wanted: str
    previous: str
    state: str


@dataclass(frozen=True)
class Held:
    """What waits for a decision."""

    digest: str
    why: str
    deadline: datetime


@dataclass(frozen=True)
class RunView:
    """What the page of a run shows. recorded: there is a record, not only the ledger's entry.

    inputs: the files that it works on and no trigger names: those of an order.
    """

    run: str
    model: str
    pipeline: str
    state: str
    why: str
    began: datetime | None
    finished: datetime | None
    seconds: float | None
    due: datetime | None
    stopping: str
    recorded: bool
    held: Held | None
    remedy: Remedy | None
    steps: tuple[Step, ...]
    visits: tuple[Visit, ...]
    triggers: tuple[Trigger, ...]
    inputs: tuple[BlobRef, ...]
    facts: tuple[Fact, ...]
    metrics: Mapping[str, float]
    targets: tuple[Touched, ...]
    pieces: tuple[Piece, ...]

    @property
    def is_over(self) -> bool:
        return self.state not in ("running", "held")


def show(ask: Ask) -> Answer:
    """A run, whether in flight or ended."""
    run = ask.values["run"]
    ledger, _ = ask.app.ports.ledgers.get(model_of(run))
    record = _record(ask, ledger, run)
    verdict: Verdict | None = evidence.verdict(ask.app, documents.state(record).evidence)
    view = drawn(run, record, ledger, ask.now, compared=bool(verdict and verdict.is_compared))
    shown = {"view": view, "verdict": verdict, "dataset": _dataset(ask, ledger.model)}
    return page(ask, "run.html", run, shown, every=0 if view.is_over else 5)


def _dataset(ask: Ask, name: str) -> str:
    """The pattern of a managed model's datasets, for a remedy; what it is where none is known."""
    try:
        return ask.app.ports.models.resolve(name).dataset or "PATTERN"
    except AlmError:
        return "PATTERN"


def _record(ask: Ask, ledger: Ledger, run: str) -> Document:
    """The record of a run; {} where only the ledger knows it yet. Raises NotFound."""
    number = int(run.rpartition(".r")[2])
    if number > ledger.runs:
        last = f"{ledger.model}.r{ledger.runs}" if ledger.runs else "none"
        raise NotFound(f"there is no run {run}; the last one of {ledger.model} is {last}")
    try:
        return ask.app.ports.records.run(run)
    except NotFound:
        if ledger.active is not None and ledger.active.run == run:
            return {}
        ended = f": it ended {ledger.last_result}" if ledger.last_run == run else ""
        raise NotFound(
            f"there was a run {run}{ended}, and no record of it is left (or it is just being "
            "written: reload in a moment)"
        ) from None


def drawn(
    run: str, record: Document, ledger: Ledger, now: datetime, *, compared: bool = False
) -> RunView:
    """Put together what the record and the ledger tell. compared: with the champion, by the gate"""
    active = ledger.active if ledger.active and ledger.active.run == run else None
    row, state, history = runs.row(record, now), documents.state(record), documents.history(record)
    standing = ("held" if active.held else "running") if active else row.state
    began = active.began if active else row.began
    until = row.finished or (now if active else None)
    held = _held(active)
    why = (held.why if held else "") or row.why
    pipeline = row.pipeline or (active.pipeline if active else "")
    due = _due(record, row.stage, active)
    triggers = active.triggers if active else tuple(documents.triggers(record))
    named = {trigger.blob.path for trigger in triggers if trigger.blob}
    return RunView(
        run=run,
        model=ledger.model,
        pipeline=pipeline,
        state=standing,
        why=why,
        began=began,
        finished=row.finished,
        seconds=(until - began).total_seconds() if until and began else None,
        due=moment(record.get("due")) if active else None,
        stopping=active.cancel if active else "",
        recorded=bool(record),
        held=held,
        remedy=remedies.remedy(standing, why),
        steps=timeline.steps(pipeline, history, due, state=standing),
        visits=timeline.visits(history, began, due),
        triggers=triggers,
        inputs=tuple(each for each in state.inputs if each.path not in named),
        facts=facts(record, state, standing, compared=compared),
        metrics=state.metrics,
        targets=touched(state, active, standing, documents.texts(record, "unknown")),
        pieces=evidence.pieces(state.evidence),
    )


def _held(active: Active | None) -> Held | None:
    if active is None or not active.held or active.hold is None:
        return None
    return Held(active.hold.digest, active.hold.why, active.hold.deadline)


def _due(record: Document, stage: str, active: Active | None) -> str:
    """The stage that is due; of a held run, the one that an approval leads to."""
    if active is None:
        return ""
    return active.step.stage if active.held or not record else stage


def _inputs(state: RunState) -> tuple[Fact, ...]:
    """The files that the run works on, each with its size where that is known."""
    return tuple(
        (
            "Model file" if blob.container == TRAINED_MODELS else "Dataset",
            f"{blob.path}, {size(blob.size)}" if blob.size else blob.path,
        )
        for blob in state.inputs
    )


def _version(state: RunState, history: Sequence[Entry], standing: str) -> tuple[Fact, ...]:
    """The version that the run made, or the number that was kept for it."""
    if not state.version:
        return ()
    name = f"v{state.version}"
    promoted = any((each.stage, each.outcome) == ("promote", "done") for each in history)
    wanted = any(served.version == name for served in state.want.values())
    if promoted or wanted or standing in ("ok", "harvested"):  # of a long history the tail is kept
        return (("Version", name),)
    made = "not made yet" if standing in ("running", "held") else "not made"
    return (("Number reserved", f"{name} ({made})"),)


def facts(record: Document, state: RunState, standing: str, *, compared: bool) -> tuple[Fact, ...]:
    """What the run carried along, as far as there is any."""
    champion = state.champion.version if state.champion and compared else ""
    told = (
        *_inputs(state),
        *_version(state, documents.history(record), standing),
        ("Champion afterwards", text(record, "champion")),
        ("Compared with", champion),
        ("Job", state.job),
        ("Jobs started", str(state.starts) if state.starts else ""),
        ("Candidate", state.digest),
        ("Verdict", state.verdict),
        ("Training experiment", state.studio.training),
        ("Predictive experiment", state.studio.predictive),
        ("Dataset in Studio", state.studio.dataset),
        ("Configuration", text(record, "configuration")),
    )
    return tuple((name, value) for name, value in told if value)


def touched(
    state: RunState, active: Active | None, standing: str, unknown: list[str]
) -> tuple[Touched, ...]:
    """The targets of the run, in the order of its waves."""
    before = {intent.target: intent.previous.version for intent in active.intent} if active else {}
    return tuple(
        Touched(
            name,
            state.want[name].version if name in state.want else "",
            before.get(name, ""),
            "unknown" if name in unknown else _state_of(name, state, standing, name in before),
        )
        for name in dict.fromkeys([*state.want, *before])
    )


def _state_of(name: str, state: RunState, standing: str, declared: bool) -> str:
    """How far a target came; of an ended run its result tells."""
    if standing not in ("running", "held"):
        return "serves it" if standing in ("ok", "verified") else "as before"
    if name in state.restored:
        return "given back"
    if name in state.patched:
        return "patched"
    return "changed, or about to be" if declared else "not touched yet"
