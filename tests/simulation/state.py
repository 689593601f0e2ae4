"""The state of a simulated world: everything that can change, as plain containers of values.

It can be copied cheaply (an exploration goes back to where two schedules part) and has a key: two
worlds with the same key go on alike, so that one of them need not be looked at again.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from alm.domain.ledger import Ledger
from alm.domain.versions import Manifest
from alm.ports import JobState
from tests.simulation.bench import StudioState


class Mail(NamedTuple):
    """A message in a mailbox; `place` is its sequence number."""

    id: str
    body: bytes
    place: int


class Endpoint(NamedTuple):
    """A target: what its definition names, how often it was changed, and what it named before.

    patches: counts accepted patches, also those that changed nothing.
    """

    location: str
    changes: int
    history: tuple[tuple[float, str], ...]
    patches: int = 0


class Job(NamedTuple):
    """A training job. files: where its outputs go; looks: how often it was asked while running."""

    run: str
    files: tuple[tuple[str, str], ...]
    state: JobState = "NotStarted"
    looks: int = 0


@dataclass
class Books:
    """What the invariants remember."""

    rightful: dict[str, str] = field(default_factory=dict)
    covers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pipelines: dict[str, str] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    cancels: set[str] = field(default_factory=set)
    approvals: set[tuple[str, str]] = field(default_factory=set)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    results: dict[str, str] = field(default_factory=dict)
    starts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    swept: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    excuses: set[str] = field(default_factory=set)
    strays: dict[str, int] = field(default_factory=dict)
    runs: dict[tuple[str, str, str], int] = field(default_factory=dict)
    doubled: set[str] = field(default_factory=set)

    def stray(self, kind: str) -> None:
        """Somebody may go on beside the chain: who looks then may be too late."""
        self.excuses.add(kind)
        self.strays[kind] = self.strays.get(kind, 0) + 1

    def copy(self) -> Books:
        return Books(**{name: value.copy() for name, value in vars(self).items()})

    def key(self) -> tuple[object, ...]:
        return tuple(
            frozenset(value.items()) if isinstance(value, dict) else frozenset(value)
            for value in vars(self).values()
        )


@dataclass
class State:
    """One managed model's world between two operations."""

    ledger: Ledger
    text: str = ""
    etag: int = 0
    now: float = 0.0
    picks: int = 0
    turns: int = 0
    place: int = 0
    sweeps: int = 0
    timely_sweeps: int = 0
    queue: list[Mail] = field(default_factory=list)
    deliveries: dict[int, int] = field(default_factory=dict)
    scheduled: list[tuple[float, Mail]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    sent: list[Mail] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)
    targets: dict[str, Endpoint] = field(default_factory=dict)
    rotten: set[bytes] = field(default_factory=set)
    jobs: dict[str, Job] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    studio: StudioState = field(default_factory=StudioState)
    books: Books = field(default_factory=Books)

    def copy(self) -> State:
        """A state that goes its own way; the values in it are shared, they never change."""
        other = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, (list, dict, set, Books, StudioState)):
                setattr(other, name, value.copy())
        return other

    def key(self) -> int:
        """Equal for worlds that go on alike, whatever happened before.

        Numbers that only count what happened (places, picks, turns, sent messages) are left out.
        """
        return hash(
            (
                self.now,
                self.etag,
                self.text,
                self.sweeps,
                tuple((m.id, m.body, self.deliveries.get(m.place, 0)) for m in self.queue),
                tuple((due, m.id, m.body) for due, m in self.scheduled),
                frozenset(self.ids),
                frozenset(self.arrived),
                tuple(self.targets.items()),
                frozenset(self.rotten),
                tuple(self.jobs.items()),
                tuple(self.failures.items()),
                frozenset(self.blobs.items()),
                frozenset(self.manifests),
                self.studio.key(),
                self.books.key(),
            )
        )
