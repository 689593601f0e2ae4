"""Storage: the clock, the containers, grants, and whether events and sweeps keep up.

The only thing that is ever written is a probe blob under a name of its own, and that is removed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from alm.domain.errors import AlmError, Denied, Misconfigured, NotFound, Refused
from alm.domain.managed_model import ManagedModel
from alm.domain.run import BlobRef
from alm.engine import limits
from alm.entrypoints import triggers
from alm.entrypoints.cli.doctor import named
from alm.entrypoints.cli.doctor.findings import Finding, Notes
from alm.entrypoints.cli.doctor.surroundings import Surroundings
from alm.entrypoints.overview import OVERVIEW
from alm.entrypoints.timers import EVERY_MINUTES, SETTLE, SWEEP_HORIZON
from alm.entrypoints.triggers import Ignored
from alm.ports import BlobProperties

CLOCK, CONTAINERS, EVENTS = Notes("clock"), Notes("containers"), Notes("events")
LANDING_ZONES = ("datasets", "trained-models")
PROBE = b"alm doctor"
GRANT_BEGINS_BEFORE = timedelta(minutes=5)  # as grants are made; a clock that is more ahead than
GRANT_LEAVE = timedelta(minutes=10)  # that makes grants which are not valid yet
SWEPT_AGE_MAX = timedelta(minutes=5)  # it is swept every minute
BLOBS_LOOKED_AT_MAX = 200
UNSETTLED = SETTLE + timedelta(minutes=EVERY_MINUTES + 1)  # by then event or sweep must have come
CREATE = "create it (the deployment does; locally the app does when it is first called)"
ROLE = "give the app's identity the role Storage Blob Data Contributor on the account"


def look_at_clock(around: Surroundings) -> Iterator[Finding]:
    """How far our clock is from that of storage, which decides whether a grant is valid."""
    before = around.clock.now()
    theirs = around.storage.container(LANDING_ZONES[0])
    after = around.clock.now()
    yield judge_clock(theirs, before + (after - before) / 2, around.storage.host)


def judge_clock(theirs: datetime, ours: datetime, host: str) -> Finding:
    """Judge a difference of clocks; theirs is told to the second."""
    ahead = (ours - theirs).total_seconds()
    told = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {host}"
    remedy = (
        "synchronise this machine's clock (NTP): tokens and grants are only valid in their time"
    )
    if abs(ahead) > GRANT_BEGINS_BEFORE.total_seconds():
        return CLOCK.failed("this machine", f"{told}: grants would not be valid", remedy)
    if abs(ahead) > limits.CLOCK_SKEW_SECONDS:
        return CLOCK.warning("this machine", f"{told}: more than the code reckons with", remedy)
    return CLOCK.ok("this machine", f"agrees with {host} to {max(1, round(abs(ahead)))} s")


def look_at_containers(around: Surroundings) -> Iterator[Finding]:
    """Each container: is it there, can it be read and written; and can grants be used."""
    there = []
    for name in around.containers:
        try:
            around.storage.container(name)
            there.append(name)
        except NotFound:
            yield CONTAINERS.failed(name, "there is no container of this name", CREATE)
        except AlmError as error:
            yield CONTAINERS.error(name, error)
    for name in there:
        yield _landing_zone(around, name) if name in LANDING_ZONES else _probed(around, name)
    if "alm-jobs" in there:
        yield _granted(around)
    yield from _named_blobs(around)


def _landing_zone(around: Surroundings, name: str) -> Finding:
    """The app never writes there, and nor does this."""
    try:
        next(iter(around.blobs.list(name)), None)
    except AlmError as error:
        return CONTAINERS.error(name, error)
    return CONTAINERS.ok(name, "can be read")


def _probed(around: Surroundings, name: str) -> Finding:
    path = f"{name}/_doctor-{uuid.uuid4().hex}.probe"
    try:
        around.blobs.put(path, PROBE, if_absent=True)
        if around.blobs.get(path) != PROBE:
            return CONTAINERS.failed(name, "what was written is not what is read", "look at it")
    except Denied as error:
        return CONTAINERS.error(name, error, ROLE)
    except AlmError as error:
        return CONTAINERS.error(name, error)
    finally:
        with suppress(AlmError):
            around.blobs.delete(path)
    return CONTAINERS.ok(name, "can be read and written")


def _granted(around: Surroundings) -> Finding:
    """Read and write a blob by grants, as services do."""
    path, until = f"alm-jobs/_doctor-{uuid.uuid4().hex}.probe", around.clock.now() + GRANT_LEAVE
    kind = "account key" if around.has_keys else "user delegation"
    try:
        around.by_url("PUT", around.blobs.grant(path, "write", until).url, PROBE)
        seen = around.by_url("GET", around.blobs.grant(path, "read", until).url)
    except Denied as error:
        remedy = (
            "compare the clocks (--only clock), look at the account's network rules, and give the "
            "app's identity the role Storage Blob Delegator"
        )
        return CONTAINERS.error("grants", error, remedy)
    except AlmError as error:
        return CONTAINERS.error("grants", error)
    finally:
        with suppress(AlmError):
            around.blobs.delete(path)
    if seen != PROBE:
        return CONTAINERS.failed("grants", "what was written is not what is read", "look at it")
    return CONTAINERS.ok("grants", f"can be made and used ({kind})")


def _named_blobs(around: Surroundings) -> Iterator[Finding]:
    """Blobs that declarations name: held-out rows, datasets, experiments."""
    for path, model in blobs_of(named.models(around)).items():
        try:
            around.blobs.properties(path)
            yield CONTAINERS.ok(path, f"is there (of {model})")
        except NotFound:
            remedy = f"upload it, or correct the declaration of {model}"
            yield CONTAINERS.failed(path, "there is no such blob", remedy)
        except AlmError as error:
            yield CONTAINERS.error(path, error)


def blobs_of(models: list[ManagedModel]) -> dict[str, str]:
    """The blobs that declarations name, each with the first who does."""
    found: dict[str, str] = {}
    for model in models:
        paths = [model.gate.rows_blob, model.training.trained_on if model.training else None]
        if model.experiment:
            sources = (model.experiment.training.source, model.experiment.predictive.source)
            paths += [source.file for source in sources]
        for path in filter(None, paths):
            found.setdefault(path, model.model)
    return found


def look_at_events(around: Surroundings) -> Iterator[Finding]:
    """Whether the app sweeps, and whether blobs landed that no run knows of."""
    now = around.clock.now()
    yield judge_overview(_overview(around), now)
    landed = _landed(around, now)
    unknown = [blob for blob in landed[:BLOBS_LOOKED_AT_MAX] if not _is_known(around, blob)]
    for blob in unknown:
        yield EVENTS.warning(
            blob.path,
            f"landed at {blob.modified:%Y-%m-%d %H:%M} UTC, and no run knows of it",
            "look at the Event Grid subscription of the account (alm inbox may have it, too); the "
            "sweep announces what it finds within ten minutes",
        )
    if not unknown:
        yield EVENTS.ok("landing zones", told_of_known(min(len(landed), BLOBS_LOOKED_AT_MAX)))


def told_of_known(count: int) -> str:
    """What was seen if no blob is unknown. count: how many were looked at."""
    known = {0: "no blob", 1: "1 blob, it is known"}.get(count, f"{count} blobs, each is known")
    age = int(UNSETTLED.total_seconds() // 60)
    return f"of the last 48 h: {known} (younger than {age} min: not looked at yet)"


def judge_overview(at: datetime | None, now: datetime) -> Finding:
    """Judge when the app last swept."""
    remedy = "look at whether the app runs, and at the log of on_sweep (`sweep_failed`)"
    if at is None:
        return EVENTS.failed("sweep", "the app has not swept yet: there is no overview", remedy)
    age = now - at
    if age > SWEPT_AGE_MAX:
        return EVENTS.failed("sweep", f"the last sweep was {_told(age)} ago", remedy)
    return EVENTS.ok("sweep", f"the last one was {_told(age)} ago")


def _overview(around: Surroundings) -> datetime | None:
    try:
        at = datetime.fromisoformat(json.loads(around.blobs.get(OVERVIEW))["at"])
    except NotFound:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{OVERVIEW} cannot be read; delete it, it is written anew") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _landed(around: Surroundings, now: datetime) -> list[BlobProperties]:
    """Blobs whose event, and the sweep after it, must have come by now; the newest first."""
    newest = now - UNSETTLED
    found = [
        blob
        for container in LANDING_ZONES
        for blob in around.blobs.list(container)
        if now - SWEEP_HORIZON < blob.modified < newest
    ]
    return sorted(found, key=lambda blob: blob.modified, reverse=True)


def _is_known(around: Surroundings, blob: BlobProperties) -> bool:
    container, name = blob.path.split("/", 1)
    landed = BlobRef(container=container, name=name, etag=blob.etag, size=blob.size)
    try:
        if container == LANDING_ZONES[0]:
            models = around.declared.matching_dataset(name)
            messages = triggers.dataset_arrived(landed, models, blob.modified)
        else:
            models = around.declared.matching_model_file(name)
            messages = triggers.model_file_arrived(landed, models, blob.modified)
    except Refused:
        return True  # the inbox has it
    if isinstance(messages, Ignored):
        return True
    for message in messages:
        ledger, _ = around.ledgers.get(message.model)
        trigger = message.trigger.id
        active = ledger.active is not None and ledger.active.covers(trigger)
        if not (active or ledger.has_seen(trigger) or ledger.awaits(trigger)):
            return False
    return True


def _told(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} min" if minutes else f"{max(0, int(age.total_seconds()))} s"
