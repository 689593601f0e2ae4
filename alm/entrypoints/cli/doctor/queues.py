"""Queues: there, with the sessions and the duplicate detection of the protocol; dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from alm.bootstrap import REQUESTS_QUEUE
from alm.domain.errors import AlmError, NotFound
from alm.domain.looks import QueueFacts
from alm.engine.announcing import EVENTS_QUEUE
from alm.engine.sending import STEPS_QUEUE
from alm.entrypoints.cli.doctor.findings import Finding, Notes
from alm.entrypoints.cli.doctor.surroundings import Surroundings
from alm.settings import Settings

QUEUES = Notes("queues")
AT_ONCE = 4
OWNER = "to see all of it, give whoever runs this the role Azure Service Bus Data Owner"
ANEW = "it cannot be changed on a queue that exists: delete it and create it anew"


@dataclass(frozen=True)
class Wish:
    """What a queue must be like. sessions None: either; receives: the app takes from it.

    Seconds and deliveries are those of infra/servicebus.json; 0: they do not matter.
    """

    name: str
    sessions: bool | None
    receives: bool
    duplicate_seconds: float = 3600
    lock_seconds: float = 60
    deliveries_max: int = 5


def wishes(settings: Settings) -> list[Wish]:
    """The queues of the app, and those of others that it answers to and tells events to."""
    own = [Wish(STEPS_QUEUE, True, True)]
    own += [Wish(name, False, True) for name in (REQUESTS_QUEUE, EVENTS_QUEUE)]
    others = (*settings.reply_queues, *filter(None, [settings.events_queue]))
    return own + [Wish(name, False, False, 0, 0, 0) for name in others]


def look_at_queues(around: Surroundings) -> Iterator[Finding]:
    """Each queue, several at a time."""
    with ThreadPoolExecutor(AT_ONCE) as lookers:
        yield from (
            finding
            for found in lookers.map(lambda wish: _looked(around, wish), wishes(around.settings))
            for finding in found
        )


def _looked(around: Surroundings, wish: Wish) -> list[Finding]:
    try:
        return list(judge_queue(wish, around.queues.look(wish.name)))
    except NotFound as error:
        remedy = "create it (infra/servicebus.json has its properties), or correct its name"
        return [QUEUES.error(wish.name, error, remedy)]
    except AlmError as error:
        remedy = "check the namespace's name, the network, and that the queue is not disabled"
        return [QUEUES.error(wish.name, error, remedy)]


def judge_queue(wish: Wish, seen: QueueFacts) -> Iterator[Finding]:
    """Hold what could be seen of a queue against what it must be like."""
    found = [*_kind(wish, seen), *_numbers(wish, seen), *_rights(wish, seen), *_dead(wish, seen)]
    yield from found
    if not any(finding.state in ("failed", "warning") for finding in found):
        yield QUEUES.ok(wish.name, _told(seen))
    missing = [name for name, (wanted, value) in _facts(wish, seen).items()
               if wanted and value is None]  # fmt: skip
    if missing:
        yield QUEUES.skipped(wish.name, f"not seen: {', '.join(missing)} ({seen.unseen})", OWNER)


def _kind(wish: Wish, seen: QueueFacts) -> Iterator[Finding]:
    if wish.sessions and seen.sessions is False:
        why = "has no sessions: messages of one managed model would be handled beside each other"
        yield QUEUES.failed(wish.name, why, f"require sessions; {ANEW}")
    if wish.sessions is False and seen.sessions:
        yield QUEUES.failed(wish.name, "has sessions: nothing sent to it is read", ANEW)
    if seen.partitioned and wish.sessions is not None and wish.receives:
        why = "is partitioned: order and duplicate detection then hold per partition only"
        yield QUEUES.failed(wish.name, why, f"switch partitioning off; {ANEW}")


def _numbers(wish: Wish, seen: QueueFacts) -> Iterator[Finding]:
    window, lock, most = seen.duplicate_seconds, seen.lock_seconds, seen.deliveries_max
    if wish.duplicate_seconds and window == 0:
        why = "does not look for duplicates: what is sent twice is done twice"
        yield QUEUES.failed(wish.name, why, f"require duplicate detection; {ANEW}")
    elif wish.duplicate_seconds and window is not None and window < wish.duplicate_seconds:
        why = f"forgets message ids after {window:g} s; a sweep may repeat one later"
        yield QUEUES.warning(wish.name, why, "set the duplicate detection window to PT1H")
    if wish.lock_seconds and lock is not None and abs(lock - wish.lock_seconds) > 5:
        why = f"locks for {lock:g} s, the code reckons with {wish.lock_seconds:g} s"
        yield QUEUES.warning(wish.name, why, "set the lock duration to PT1M")
    if wish.deliveries_max and most is not None and most != wish.deliveries_max:
        why = f"delivers {most} times before it gives up, the code reckons with 5"
        yield QUEUES.warning(wish.name, why, "set the maximum delivery count to 5")


def _rights(wish: Wish, seen: QueueFacts) -> Iterator[Finding]:
    if seen.may_send is False:
        remedy = "give the app's identity the role Azure Service Bus Data Sender"
        yield QUEUES.failed(wish.name, "may not be sent to", remedy)
    if wish.receives and seen.may_receive is False:
        remedy = "give the app's identity the role Azure Service Bus Data Receiver"
        yield QUEUES.failed(wish.name, "may not be received from", remedy)


def _dead(wish: Wish, seen: QueueFacts) -> Iterator[Finding]:
    if wish.receives and seen.dead:
        why = f"{seen.dead} messages are in its dead-letter queue"
        remedy = "the app copies them to the inbox: look at `alm inbox`, and that the app runs"
        yield QUEUES.warning(wish.name, why, remedy)


def _facts(wish: Wish, seen: QueueFacts) -> dict[str, tuple[object, object]]:
    """What can be seen of a queue: whether it matters, and what was seen."""
    return {
        "duplicate detection": (wish.duplicate_seconds, seen.duplicate_seconds),
        "lock duration": (wish.lock_seconds, seen.lock_seconds),
        "deliveries": (wish.deliveries_max, seen.deliveries_max),
        "partitioning": (wish.receives, seen.partitioned),
        "dead letters": (wish.receives, seen.dead),
    }


def _told(seen: QueueFacts) -> str:
    parts = ["with sessions" if seen.sessions else "without sessions"]
    if seen.duplicate_seconds:
        parts.append(f"duplicates found for {seen.duplicate_seconds:g} s")
    if seen.lock_seconds is not None:
        parts.append(f"lock {seen.lock_seconds:g} s")
    if seen.dead is not None:
        parts.append(f"{seen.dead} dead")
    return ", ".join(parts)
