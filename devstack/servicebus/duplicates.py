"""Duplicate detection: which message ids a queue accepted within its window."""

import uuid
from collections import OrderedDict

from devstack.servicebus.context import Journal
from devstack.servicebus.message import MessageId

_FORGET_PER_MESSAGE = 2  # more than one, so that the record shrinks when the load does


def key_of(message_id: MessageId) -> str:
    """Return a text that is equal for equal ids of the same type only."""
    match message_id:
        case str():
            return "s" + message_id
        case bytes():
            return "b" + message_id.hex()
        case uuid.UUID():
            return "u" + message_id.hex
        case int():
            return f"i{message_id}"


class DuplicateWindow:
    """Remembers message ids for `window_ms`; the journal remembers them across a restart."""

    def __init__(self, queue: int, window_ms: int, journal: Journal) -> None:
        self._queue = queue
        self._window_ms = window_ms
        self._journal = journal
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()  # key: row, expiry

    def first(self, message_id: MessageId, now: int) -> bool:
        """Say whether this id is new within the window, and remember it."""
        self._forget_some(now)
        key = key_of(message_id)
        known = self._seen.get(key)
        if known is not None:
            if now < known[1]:
                return False
            self._journal.forget(self._seen.pop(key)[0])
        expires = now + self._window_ms
        self._seen[key] = self._journal.remember(self._queue, key, expires), expires
        return True

    def restore(self, row: int, key: str, expires: int) -> None:
        """Take back what the journal remembered; called in the order it was remembered."""
        self._seen[key] = row, expires

    def __len__(self) -> int:
        return len(self._seen)

    def _forget_some(self, now: int) -> None:
        for _ in range(_FORGET_PER_MESSAGE):
            if not self._seen:
                return
            key, (row, expires) = next(iter(self._seen.items()))
            if now < expires:
                return
            del self._seen[key]
            self._journal.forget(row)
