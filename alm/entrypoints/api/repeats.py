"""Repeats: a call that changes something and names an idempotency key is answered once.

Its answer is kept under caller and key before the last part of the change (`Route.closing`); the
same call again gets that answer, and the closing is done again. A crash before the answer is kept
leaves nothing that the repeat could not do again: the messages that an order sends have ids made of
the order's, and duplicates are dropped.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from alm.bootstrap import App
from alm.domain.errors import Conflict, NotFound
from alm.entrypoints.api.calls import Answer, Call, Order

CONTAINER, FOLDER = "alm-runs", "orders/"
KEPT_FOR = timedelta(days=7)  # as long as the run of an order is looked for
REPLAYED = {"Idempotent-Replayed": "true"}


@dataclass(frozen=True)
class Kept:
    """The answer that a key has got. order: the id of the order, made of the whole call."""

    order: str
    call: str
    at: datetime
    status: int
    body: object

    def answers(self, order: Order) -> bool:
        """Whether it is the answer to this call; otherwise its key was used for another."""
        return self.order == order.id

    @property
    def again(self) -> Answer:
        return Answer(self.status, self.body, REPLAYED)


def kept(app: App, order: Order) -> Kept | None:
    """What was answered to the key of this call; None: nothing yet, or the call has no key."""
    return _read(app, _path(order)) if order.key else None


def keep(app: App, order: Order, call: Call, answer: Answer) -> None:
    """Keep the answer to a call that has a key; of two at once the first one's."""
    if not order.key:
        return
    at = app.ports.clock.now()
    made = Kept(order.id, f"{call.method} {call.path}", at, answer.status, answer.body)
    content = json.dumps({**made.__dict__, "at": at.isoformat()}).encode()
    with suppress(Conflict):
        app.ports.blobs.put(_path(order), content, if_absent=True)


def forget_old(app: App, now: datetime) -> None:
    """Delete what was kept long enough."""
    for blob in app.ports.blobs.list(CONTAINER, FOLDER):
        if blob.modified < now - KEPT_FOR:
            app.ports.blobs.delete(blob.path)


def _read(app: App, path: str) -> Kept | None:
    """None also for one that is not readable: to do an order again is harmless."""
    try:
        document = json.loads(app.ports.blobs.get(path))
        return Kept(**{**document, "at": datetime.fromisoformat(document["at"])})
    except (NotFound, ValueError, KeyError, TypeError):
        return None


def _path(order: Order) -> str:
    """Callers do not share keys; neither a caller's name nor a key is fit for a path."""
    name = hashlib.sha256(f"{order.caller}\n{order.key}".encode()).hexdigest()
    return f"{CONTAINER}/{FOLDER}{name}.json"
