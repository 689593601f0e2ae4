"""The ledger, one small document per managed model, and the step message that carries it along.

A step holds the ledger as last written, so that the next write needs no read; the ledger holds the
step that a sweep sends again. `transitions.py` has the rules that change a ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from alm.domain.frozen import Frozen
from alm.domain.run import BlobRef, Entry, PipelineName, Result, RunState, Served, Trigger


class Token(Frozen):
    """The last ledger write of a run: the step that made it, and what exactly it did."""

    n: int
    operation: str


class Message(Frozen):
    """What every message carries."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    model: str


class Step(Message):
    """Stage `stage` of run `run` is due.

    n: grows by one with every message of the chain, waits included. base: the ledger's token as
    the chain last saw it. suffix: tells chains apart that were started anew. wave: the group of
    targets now being patched. rounds: patches tried in this wave. tries: failed visits of this
    stage. waits: visits that had nothing to decide. result, unknown, why: what `finish` writes.
    shown: people have been shown this run as in flight. trace: the context that all steps of the
    run continue (W3C traceparent).
    ledger, etag: the document as last written; both are missing from a step that was swept up, and
    from one that would be too large with them. Without its ETag a ledger is only what the end of a
    run needs of it.
    """

    kind: Literal["step"] = "step"
    run: str
    n: int
    pipeline: PipelineName
    stage: str
    base: Token
    configuration: str
    suffix: str = ""
    wave: int = 0
    rounds: int = 0
    tries: int = 0
    waits: int = 0
    then: str = ""
    hold_digest: str = ""
    result: Result | Literal[""] = ""
    unknown: tuple[str, ...] = ()
    why: str = ""
    shown: bool = False
    trace: str = ""
    state: RunState = RunState()
    history: tuple[Entry, ...] = ()
    ledger: Ledger | None = None
    etag: str = ""

    @property
    def id(self) -> str:
        return f"{self.run}:{self.n}{self.suffix}"

    def bare(self) -> Step:
        """The step without the document it travelled with: it reads the ledger again."""
        return self.model_copy(update={"ledger": None, "etag": ""})

    def light(self) -> Step:
        """The step with what it needs of the ledger to end its run: why it was started."""
        active = self.ledger.active if self.ledger else None
        if active is None:
            return self.bare()
        brief = active.step.bare().model_copy(update={"state": RunState(), "history": ()})
        ledger = Ledger(model=self.model, active=active.model_copy(update={"step": brief}))
        return self.model_copy(update={"ledger": ledger, "etag": ""})


class Seen(Frozen):
    """A trigger that a run has covered; its next announcement starts nothing."""

    id: str
    at: datetime


class Intent(Frozen):
    """What a touched target is to be given back, and what it answered before we touched it.

    makes: the deployment that this run makes beside the target; one that was there is not named.
    """

    target: str
    previous: Served
    baseline: str = ""
    makes: str = ""


class HoldRecord(Frozen):
    """A held run: exactly what is waiting for a decision, since when and until when."""

    digest: str
    why: str
    deadline: datetime


class Active(Frozen):
    """The run that owns the managed model now."""

    run: str
    pipeline: str
    token: Token
    triggers: tuple[Trigger, ...]
    configuration: str
    began: datetime
    due: datetime
    job: str = ""
    starts: int = 0
    intent: tuple[Intent, ...] = ()
    cancel: str = ""
    hold: HoldRecord | None = None
    attempts: int = 0
    step: Step

    @property
    def held(self) -> bool:
        return self.token.operation.startswith("hold:")

    @property
    def approved(self) -> bool:
        return self.token.operation.startswith("approved:")

    def covers(self, trigger_id: str) -> bool:
        return any(trigger.id == trigger_id for trigger in self.triggers)


class Ledger(Frozen):
    """What is true of one managed model: who owns it, what waits, what each target should serve.

    serves: target -> what it should serve. before: the same, as it was before the last ok run.
    unknown: targets not known to serve what `serves` says. dataset: the last one trained on.
    runs, versions: the last numbers given.
    """

    model: str
    active: Active | None = None
    waiting: tuple[Trigger, ...] = ()
    seen: tuple[Seen, ...] = ()
    champion: str = ""
    dataset: BlobRef | None = None
    serves: dict[str, Served] = {}
    before: dict[str, Served] = {}
    unknown: tuple[str, ...] = ()
    last_run: str = ""
    last_result: str = ""
    finished_at: datetime | None = None
    runs: int = 0
    versions: int = 0

    def has_seen(self, trigger_id: str) -> bool:
        return any(seen.id == trigger_id for seen in self.seen)

    def awaits(self, trigger_id: str) -> bool:
        return any(trigger.id == trigger_id for trigger in self.waiting)

    def with_waiting(self, trigger: Trigger) -> Ledger:
        return self.model_copy(update={"waiting": (*self.waiting, trigger)})

    def with_active(self, **changes: object) -> Ledger:
        assert self.active is not None
        return self.model_copy(update={"active": self.active.model_copy(update=changes)})
