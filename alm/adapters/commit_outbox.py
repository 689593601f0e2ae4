"""The outbox: changes are kept until they are committed. See `ports.Outbox`.

An entry is deleted only once its commit is known. Several processes may flush at once: what one has
committed, the other finds. A change that the repository refuses is held, and those after it that
touch the same files wait for it: an older content never comes after a newer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alm import log
from alm.adapters.outbox_entries import Entry, Hold, OutboxEntries, Place
from alm.domain.errors import TRANSIENT, AlmError, Denied, Misconfigured
from alm.domain.source_control import Change, Commit, Flushed, Stored, Waiting
from alm.ports import Blobs, Clock, SourceControl

REFUSALS_MAX = 3  # in a row: it is the repository that refuses, not the change
PATIENCE = 10  # times that the repository may be away before a change lets others go first
RETRY_FIRST, RETRY_MAX = timedelta(minutes=1), timedelta(hours=6)
RETRY_FACTOR = 4


@dataclass
class _Flush:
    """What a flush has done so far. blocked: paths that wait for a change before."""

    committed: list[Commit] = field(default_factory=list)
    held: list[Waiting] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    refusals: int = 0
    stopped: str = ""

    def count_refusal(self, reason: str) -> None:
        self.refusals += 1
        if self.refusals >= REFUSALS_MAX:
            self.stopped = f"{self.refusals} changes in a row were refused: {reason}"


class CommitOutbox:
    """The outbox of one storage account; any number of processes may use it."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._entries = OutboxEntries(blobs, clock)
        self._clock = clock

    def put(self, change: Change, stored: Mapping[str, Stored] | None = None) -> None:
        self._entries.put(change, stored or {})

    def pending(self, count: int = 200) -> Sequence[Waiting]:
        places = self._entries.places()[:count]
        return [_waiting(place, self._entries.hold_of(place)) for place in places]

    def flush(
        self, source_control: SourceControl, deadline: datetime, *, again: bool = False
    ) -> Flushed:
        flush, places = _Flush(), self._entries.places()
        for place, entry in self._until(deadline, flush, places):
            paths = entry.files.keys() if isinstance(entry, Entry) else ()
            if flush.blocked.isdisjoint(paths):
                self._next(flush, source_control, place, entry, again)
            else:
                flush.blocked.update(paths)  # waits for a change before it, and others for it
        return Flushed(
            committed=tuple(flush.committed),
            held=tuple(flush.held),
            left=len(places) - len(flush.committed) - len(flush.held),
            stopped=flush.stopped,
        )

    def discard(self, change_id: str) -> None:
        self._entries.delete(change_id)
        log.warning("change_discarded", change=change_id)

    def _until(
        self, deadline: datetime, flush: _Flush, places: list[Place]
    ) -> Iterator[tuple[Place, Entry | Misconfigured]]:
        """Entries until the time is over, or something ends the flush."""
        for found in self._entries.read(places):
            if self._clock.now() >= deadline:
                flush.stopped = "the time is over"
            if flush.stopped:
                return
            yield found

    def _next(
        self,
        flush: _Flush,
        source_control: SourceControl,
        place: Place,
        entry: Entry | Misconfigured,
        again: bool,
    ) -> None:
        hold = self._entries.hold_of(place)
        if hold is None or again or self._clock.now() >= hold.retry_at:
            try:
                self._commit(flush, source_control, entry)
                return
            except Denied as error:
                flush.stopped = str(error)
                log.warning("commits_wait", change=place.id, reason=flush.stopped)
                return
            except TRANSIENT as error:
                hold = self._hold(place, hold, error, PATIENCE)
                flush.stopped = hold.reason
            except AlmError as error:
                hold = self._hold(place, hold, error, 0)
                flush.count_refusal(hold.reason)
        flush.held.append(_waiting(place, hold))
        flush.blocked.update(entry.files if isinstance(entry, Entry) else ())

    def _commit(
        self, flush: _Flush, source_control: SourceControl, entry: Entry | Misconfigured
    ) -> None:
        if isinstance(entry, Misconfigured):
            raise entry
        commit = source_control.commit(self._entries.change(entry))
        flush.committed.append(commit)
        flush.refusals = 0
        log.info("change_committed", change=entry.id, commit=commit.id)
        self._entries.delete(entry.id)

    def _hold(self, place: Place, before: Hold | None, error: AlmError, patience: int) -> Hold:
        """Note that a change failed; after more than `patience` times it pauses, ever longer."""
        tries = before.tries + 1 if before else 1
        retry_at = self._clock.now() + pause(tries - patience)
        hold = Hold(tries=tries, reason=str(error), retry_at=retry_at)
        self._entries.hold(place, hold)
        log.warning("change_waits", change=place.id, tries=tries, reason=hold.reason)
        return hold


def pause(tries: int) -> timedelta:
    """How long a change is left alone after so many failures that count: 1, 4, 16 min … 6 h."""
    if tries < 1:
        return timedelta()
    factor: int = RETRY_FACTOR ** min(tries - 1, 10)
    return min(RETRY_FIRST * factor, RETRY_MAX)


def _waiting(place: Place, hold: Hold | None) -> Waiting:
    if hold is None:
        return Waiting(id=place.id, since=place.since)
    return Waiting(id=place.id, since=place.since, **hold.model_dump())
