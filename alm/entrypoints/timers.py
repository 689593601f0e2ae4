"""Timers: what is due, and what was lost on the way.

Both timers may run twice or late: what they send has the ids of the facts it is about.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import unquote

from alm import log, telemetry
from alm.bootstrap import App
from alm.domain.errors import AlmError, NotFound, Refused, UnknownModel
from alm.domain.ledger import Ledger
from alm.domain.messages import TriggerMessage
from alm.domain.run import BlobRef
from alm.engine import upkeep
from alm.entrypoints import inbox, intake, overview, tracing, triggers
from alm.entrypoints.triggers import Ignored
from alm.ports import BlobProperties

SCHEDULE = "alm-ledger/_schedule.json"
SWEPT = "alm-ledger/_swept.json"
RUNS, IN_FLIGHT = "alm-runs", "active/"
SWEEP_HORIZON = timedelta(hours=48)  # as far back as a blob is looked for
EVERY_MINUTES = 10  # a missed event costs this much at most
SETTLE = timedelta(minutes=5)  # an event or record younger than this is probably on its way
RECENT = timedelta(hours=1)  # ends that are reconciled again, once in ten minutes
COMMITS_FOR = timedelta(seconds=45)  # of a sweep; one commit may take a minute more
DRIFT_MINUTES = 6 * 60  # how often the targets of a quiet managed model are read back

Statuses = Mapping[str, Mapping[str, str]]


def on_schedule(app: App) -> None:
    """Send the triggers that are due since the last time, then remember until when.

    A crash between the two sends them again with the same ids, which starts nothing.
    """
    with telemetry.span("on_schedule", parent=""):
        _send_due(app)


def _send_due(app: App) -> None:
    now = app.ports.clock.now()
    since = _time_in(app, SCHEDULE, now - timedelta(minutes=1))
    if app.declarations.families():
        _remember(app, (model for model, _ in app.ports.ledgers.list()))
    due = triggers.schedules_due(app.declarations.scheduled(since, now), since, now)
    if due:
        messages = tracing.handed_on("on_schedule", due)
        app.ports.bus.send([triggers.outgoing(message) for message in messages])
    app.ports.blobs.put(SCHEDULE, json.dumps({"until": now.isoformat()}).encode())


def on_sweep(app: App) -> None:
    """Look after every managed model that needs it, announce missed blobs, write the overview.

    What cannot be looked after now is left to the next sweep, and holds up nothing else.
    """
    with telemetry.span("on_sweep", parent=""):
        _sweep_all(app)


def _sweep_all(app: App) -> None:
    now = app.ports.clock.now()
    thorough = now.minute % EVERY_MINUTES == 0
    in_flight = _in_flight(app) if thorough else []
    statuses = dict(app.ports.ledgers.list())  # after the records: none of a live run looks stale
    _remember(app, statuses)
    stuck: list[str] = []
    for model, status in statuses.items():
        _apart(model, partial(_sweep, app, model, status, now, stuck))
    if thorough:
        _apart("records", partial(remove_stale, app, in_flight, statuses, now))
        _apart("rescan", partial(rescan, app, now))
    if now.minute == 0:
        _apart("repeats", partial(_forget_repeats, app, now))
    _apart("commits", partial(_commit, app, now))
    waiting = overview.write(app, statuses, now)
    _show(statuses, waiting, len(stuck))


def _forget_repeats(app: App, now: datetime) -> None:
    from alm.entrypoints.api import repeats  # it belongs to the API, which most workers never load

    repeats.forget_old(app, now)


def _show(statuses: Statuses, inbox_items: int, stuck: int) -> None:
    """Tell telemetry how things stand."""
    states = Counter(status.get("state", "") for status in statuses.values())
    for state in ("running", "held"):
        telemetry.observe("alm.runs.in_flight", states[state], state=state)
    unknown = sum(int(status.get("unknown") or 0) for status in statuses.values())
    telemetry.observe("alm.targets.unknown", unknown)
    telemetry.observe("alm.inbox.items", inbox_items)
    telemetry.observe("alm.runs.stuck", stuck)


def _commit(app: App, now: datetime) -> None:
    """Commit what waits for the repository; a minute's worth, the rest at the next sweep."""
    control = app.ports.version_control
    if control is not None:
        flushed = control.outbox.flush(control.source, now + COMMITS_FOR)
        if flushed.committed or flushed.held or flushed.stopped:
            commits = [commit.id for commit in flushed.committed]
            held = [waiting.id for waiting in flushed.held]
            told = {"committed": commits, "held": held, "left": flushed.left}
            log.info("commits_flushed", **told, stopped=flushed.stopped)


def _in_flight(app: App) -> list[BlobProperties]:
    try:
        return list(app.ports.blobs.list(RUNS, IN_FLIGHT))
    except AlmError as error:  # nothing decides from these records
        log.warning("sweep_failed", part="records", reason=str(error))
        return []


def _apart(what: str, work: Callable[[], None]) -> bool:
    """Do one part of the sweep; says whether it could be done.

    This is the one place that must go on whatever happens: a ledger that somebody broke by hand,
    or a bug that one managed model brings to light, must not leave all others without a sweep.
    """
    try:
        work()
    except Exception as error:  # noqa: BLE001
        log.warning("sweep_failed", part=what, reason=f"{type(error).__name__}: {error}")
        return False
    return True


def _sweep(
    app: App, model: str, status: Mapping[str, str], now: datetime, stuck: list[str]
) -> None:
    if not needs_sweep(model, status, now):
        return
    if status.get("state") == "idle" and not _declared(app, model):
        return  # nobody could begin its runs, or say what its targets are
    if upkeep.sweep(app.ports, model, tick=now.strftime("%Y%m%d%H%M")):
        stuck.append(model)


def needs_sweep(model: str, status: Mapping[str, str], now: datetime) -> bool:
    """Decide from a ledger's status alone, so that ten thousand quiet models cost one listing."""
    if status.get("state") in ("running", "held"):
        due = status.get("due", "")
        return bool(due) and datetime.fromisoformat(due) < now
    if status.get("waiting", "0") not in ("", "0"):
        return True
    finished = status.get("finished", "")
    if not finished:
        return False
    recent = now - datetime.fromisoformat(finished) < RECENT
    if recent or status.get("unknown", "0") not in ("", "0"):
        return now.minute % EVERY_MINUTES == 0
    minute = int(now.timestamp() // 60)
    return minute % DRIFT_MINUTES == zlib.crc32(model.encode()) % DRIFT_MINUTES


def remove_stale(
    app: App, in_flight: Iterable[BlobProperties], statuses: Statuses, now: datetime
) -> None:
    """Remove records of runs in flight that are none any more (a crash left them behind)."""
    for record in in_flight:
        folder, _, name = record.path.partition(f"{RUNS}/{IN_FLIGHT}")[2].partition("/")
        status = statuses.get(unquote(folder), {})
        flying = status.get("state") in ("running", "held")
        same = status.get("run") == unquote(name).removesuffix(".json")
        if not (flying and same) and record.modified < now - SETTLE:
            app.ports.blobs.delete(record.path)


def rescan(app: App, now: datetime) -> None:
    """Announce blobs that landed since the last look and that no run knows of.

    The look moves on only when every blob could be dealt with.
    """
    newest = now - SETTLE
    oldest = max(_time_in(app, SWEPT, now - SWEEP_HORIZON), now - SWEEP_HORIZON)
    landed = [
        blob
        for container in ("datasets", "trained-models")
        for blob in app.ports.blobs.list(container)
        if oldest <= blob.modified < newest
    ]
    done = [_apart(blob.path, partial(_announce, app, blob, now)) for blob in landed]
    if all(done):
        app.ports.blobs.put(SWEPT, json.dumps({"until": newest.isoformat()}).encode())


def _announce(app: App, blob: BlobProperties, now: datetime) -> None:
    container, name = blob.path.split("/", 1)
    landed = BlobRef(container=container, name=name, etag=blob.etag, size=blob.size)
    try:
        found = intake.announced(app, landed, blob.modified)
    except Refused as error:
        inbox.keep_blob(app, landed, str(error))  # once, if its own event did so already
        return
    if isinstance(found, Ignored):
        return
    tick = now.strftime("%Y%m%d%H%M")
    unknown = [message for message in found if not _known(app, message)]
    missed = tracing.handed_on("on_sweep", unknown) if unknown else []
    if missed:
        app.ports.bus.send([triggers.outgoing(message, id_suffix=tick) for message in missed])


def _known(app: App, message: TriggerMessage) -> bool:
    ledger: Ledger = app.ports.ledgers.get(message.model)[0]
    name = message.trigger.id
    active = ledger.active is not None and ledger.active.covers(name)
    return active or ledger.has_seen(name) or ledger.awaits(name)


def _time_in(app: App, path: str, otherwise: datetime) -> datetime:
    """The time that a document of ours holds; `otherwise` if it is not there or not readable."""
    try:
        found = datetime.fromisoformat(json.loads(app.ports.blobs.get(path))["until"])
    except (NotFound, ValueError, KeyError, TypeError):
        return otherwise
    return found if found.tzinfo else otherwise


def _remember(app: App, models: Iterable[str]) -> None:
    """Members by captures exist from their first ledger on; a new process learns them here."""
    for model in models:
        app.declarations.remember(model)


def _declared(app: App, model: str) -> bool:
    try:
        app.ports.models.resolve(model)
    except UnknownModel:
        return False
    return True
