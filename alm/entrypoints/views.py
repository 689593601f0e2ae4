"""What the API shows: models, versions, targets, runs, the inbox, pipelines. Nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlencode

from alm.bootstrap import App
from alm.domain.errors import AlmError, NotFound, Refused
from alm.domain.ledger import Ledger
from alm.domain.managed_model import Target
from alm.domain.transitions import is_champion
from alm.domain.versions import at_time
from alm.entrypoints.calls import Answer, Order
from alm.entrypoints.standing import model_of
from alm.pipelines import PIPELINES, End, Lead, NextWave
from alm.ports import InboxItem
from alm.stages.context import service_of
from alm.stages.serving import serves

MODELS_MAX, RUNS_MAX, INBOX_MAX, DAYS_MAX = 2000, 1000, 1000, 366
READERS = 8  # targets read back at once: a slow one must not hold up the others
MODEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,89}")


def list_models(app: App, order: Order) -> Answer:
    """Managed models by name, page by page: state, champion, last result."""
    limit = number(order.query, "limit", 500, MODELS_MAX)
    after, state = order.query.get("after", ""), order.query.get("state", "")
    statuses = dict(app.ports.ledgers.list())
    names = sorted(name for name in {*app.declarations.models(), *statuses} if name > after)
    rows = [{"model": name, **statuses.get(name, {"state": "new"})} for name in names]
    fitting = [row for row in rows if state in ("", row["state"])]
    if len(fitting) <= limit:
        return Answer(200, fitting)
    following = {**order.query, "limit": str(limit), "after": fitting[limit - 1]["model"]}
    return Answer(200, fitting[:limit], {"Link": f'<?{urlencode(following)}>; rel="next"'})


def show_model(app: App, order: Order) -> Answer:
    """One managed model: its declaration and its ledger."""
    name = order.values["model"]
    declared = app.ports.models.resolve(name)
    ledger, _ = app.ports.ledgers.get(name)
    document = ledger.model_dump(mode="json", exclude={"seen"})
    if ledger.active:
        document["active"].pop("step", None)
    declaration = declared.model_dump(mode="json")
    shown = {"model": name, "digest": declared.digest, "declaration": declaration}
    return Answer(200, {**shown, "ledger": document})


def list_versions(app: App, order: Order) -> Answer:
    """A managed model's versions, oldest first, with metrics, lineage and aliases."""
    name = order.values["model"]
    app.ports.models.resolve(name)
    ledger, _ = app.ports.ledgers.get(name)
    manifests = app.ports.versions.manifests(name)
    newest = next((m.version for m in reversed(manifests) if not m.version.endswith("-v0")), "")
    return Answer(
        200,
        [
            {
                **manifest.model_dump(mode="json"),
                "aliases": aliases(ledger, manifest.version, newest),
            }
            for manifest in manifests
        ],
    )


def aliases(ledger: Ledger, version: str, newest: str) -> list[str]:
    known = {served.version for served in (*ledger.serves.values(), *ledger.before.values())}
    holds = {
        "champion": is_champion(ledger, version),
        "previous": version in {served.version for served in ledger.before.values()},
        "candidate": version == newest and version not in known and version != ledger.champion,
    }
    return [alias for alias, held in holds.items() if held]


def list_served(app: App, order: Order) -> Answer:
    """What was in service since when, oldest first; with `at`, what was at that time."""
    name = order.values["model"]
    app.ports.models.resolve(name)
    records = app.ports.versions.in_service(name)
    if "at" not in order.query:
        return Answer(200, [record.model_dump(mode="json") for record in records])
    found = at_time(records, _moment(order.query["at"]))
    if found is None:
        raise NotFound(f"nothing of {name!r} was in service at {order.query['at']}")
    return Answer(200, found.model_dump(mode="json"))


def _moment(text: str) -> datetime:
    """A time of the query, UTC if it does not say; there a plus becomes a space."""
    try:
        moment = datetime.fromisoformat(re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", text))
    except ValueError as error:
        raise Refused(f"at: {text[:40]!r} is no time; write 2026-05-01T12:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def list_targets(app: App, order: Order) -> Answer:
    """Each target: what it should serve, and (with `read=true`) what it says it serves."""
    name = order.values["model"]
    declared = app.ports.models.resolve(name)
    ledger, _ = app.ports.ledgers.get(name)
    if order.query.get("read", "false") not in ("true", "false"):
        raise Refused("read: is neither 'true' nor 'false'; leave it out, or write read=true")
    targets = [
        target
        for target_name in declared.served_names
        if (target := declared.target(target_name, ledger.serves.get(target_name)))
    ]
    rows = [_target_row(ledger, target) for target in targets]
    if order.query.get("read") == "true":
        with ThreadPoolExecutor(READERS) as readers:
            readings = readers.map(lambda target: _reading(app, ledger, target), targets)
            rows = [{**row, **reading} for row, reading in zip(rows, readings, strict=True)]
    return Answer(200, rows)


def _target_row(ledger: Ledger, target: Target) -> dict[str, object]:
    served = ledger.serves.get(target.name)
    return {
        "target": target.name,
        "kind": target.service.kind,
        "wave": target.wave,
        "serves": served.version if served else "",
        "deployed_as": served.service if served else "",
        "unknown": target.name in ledger.unknown,
    }


def _reading(app: App, ledger: Ledger, target: Target) -> dict[str, object]:
    """What a target says; one that cannot be read must not hide the others."""
    try:
        reading = service_of(app.ports, target, ledger.serves.get(target.name)).read()
        served = ledger.serves.get(target.name)
        agrees = served is None or serves(reading, served, app.ports.blobs)
        return {"location": reading.location, "settled": reading.settled, "agrees": agrees}
    except AlmError as error:
        return {"error": str(error)}


def list_runs(app: App, order: Order) -> Answer:
    """Runs in flight, then ended ones, newest first; of one managed model, if named."""
    model = order.query.get("model", "")
    if model and not MODEL.fullmatch(model):
        raise Refused("model: is not the id of a managed model: small letters, digits, . _ -")
    days = number(order.query, "days", 7, DAYS_MAX)
    limit = number(order.query, "limit", 200, RUNS_MAX)
    return Answer(200, app.ports.records.runs(model=model, days=days, count=limit))


def show_run(app: App, order: Order) -> Answer:
    """A run's record; of the active one the ledger's entry too, which is what decides."""
    run = order.values["run"]
    model = model_of(run)
    ledger, _ = app.ports.ledgers.get(model)
    if int(run.rpartition(".r")[2]) > ledger.runs:
        raise NotFound(_no_such_run(ledger, run))
    active = ledger.active if ledger.active and ledger.active.run == run else None
    record: dict[str, object] = {"run": run, "model": model}
    try:
        record |= app.ports.records.run(run)
    except NotFound:
        if active is None:
            raise
    if active is not None:
        record.setdefault("pipeline", active.pipeline)
        record["active"] = active.model_dump(mode="json", exclude={"step"})
        record.setdefault("triggers", [t.model_dump(mode="json") for t in active.triggers])
    return Answer(200, record)


def _no_such_run(ledger: Ledger, run: str) -> str:
    last = f"its last run is {ledger.model}.r{ledger.runs}" if ledger.runs else "it has had no run"
    return f"there is no run {run!r} of {ledger.model!r}: {last}; `runs` lists them"


def list_inbox(app: App, order: Order) -> Answer:
    """What could not be handled, newest first: where it came from, why, what to do."""
    limit = number(order.query, "limit", 200, INBOX_MAX)
    return Answer(200, [_item(item) for item in app.ports.records.inbox(limit)])


def show_inbox(app: App, order: Order) -> Answer:
    """One inbox item, payload included."""
    return Answer(200, _item(app.ports.records.inbox_item(order.values["item"])))


def _item(item: InboxItem) -> dict[str, object]:
    return {**item.__dict__, "at": item.at.isoformat()}


def list_pipelines(app: App, order: Order) -> Answer:
    """The stages of each pipeline, and where they lead."""
    return Answer(
        200,
        {
            name: [
                {
                    "stage": stage.name,
                    "then": _lead(stage.then),
                    "failed": _lead(stage.failed),
                    "declares": stage.declare is not None,
                }
                for stage in stages
            ]
            for name, stages in PIPELINES.items()
        },
    )


def _lead(lead: Lead) -> str:
    match lead:
        case End(result=result):
            return f"end: {result}"
        case NextWave():
            return "next wave, or end: ok"
        case str():
            return lead


def number(query: Mapping[str, str], name: str, otherwise: int, most: int) -> int:
    """A number of the query. Raises Refused, saying what it may be."""
    text = query.get(name, str(otherwise))
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 0 < int(text) <= most:
        raise Refused(f"{name}: {text[:40]!r} is not a number from 1 to {most}; correct it")
    return int(text)
