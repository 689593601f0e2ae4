"""What the API shows: models, versions, targets, runs, the inbox, pipelines. Nothing is changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import ValidationError

from alm.bootstrap import App
from alm.domain.errors import AlmError, Misconfigured, NotFound
from alm.domain.ledger import Ledger
from alm.domain.managed_model import Target
from alm.domain.messages import describe
from alm.domain.transitions import is_champion
from alm.domain.versions import at_time
from alm.entrypoints.api import asks
from alm.entrypoints.api.answers import (
    ActiveRun,
    InboxEntry,
    ModelRow,
    ModelShown,
    RunRecord,
    RunShown,
    ShownLedger,
    Stage,
    TargetRow,
    Version,
    readable,
)
from alm.entrypoints.api.calls import Answer, Order, shown
from alm.entrypoints.standing import model_of
from alm.pipelines import PIPELINES, End, Lead, NextWave
from alm.stages.context import service_of
from alm.stages.serving import serves

Alias = Literal["champion", "previous", "candidate"]
READERS = 8  # targets read back at once: a slow one must not hold up the others


def list_models(app: App, order: Order) -> Answer:
    """Managed models by name, page by page: state, champion, last result."""
    asked = order.asks(asks.ModelsAsked)
    statuses = dict(app.ports.ledgers.list())
    names = sorted(name for name in {*app.declarations.models(), *statuses} if name > asked.after)
    new = {"state": "new"}
    fitting = [name for name in names if asked.state in ("", statuses.get(name, new)["state"])]
    page = fitting[: asked.limit]
    rows = [ModelRow.model_validate({"model": name, **statuses.get(name, new)}) for name in page]
    if page == fitting:
        return shown(200, rows)
    following = {**asked.model_dump(exclude_defaults=True), "limit": asked.limit, "after": page[-1]}
    return shown(200, rows, Link=f'<?{urlencode(following)}>; rel="next"')


def show_model(app: App, order: Order) -> Answer:
    """One managed model: its declaration and its ledger."""
    name = order.values["model"]
    declared = app.ports.models.resolve(name)
    ledger, etag = app.ports.ledgers.get(name)
    found = ModelShown(
        model=name,
        digest=declared.digest,
        declaration=declared,
        ledger=ShownLedger.model_validate(ledger),
    )
    return shown(200, found, seed=etag)


def list_versions(app: App, order: Order) -> Answer:
    """A managed model's versions, oldest first, with metrics, lineage and aliases."""
    name = order.values["model"]
    app.ports.models.resolve(name)
    ledger, _ = app.ports.ledgers.get(name)
    manifests = app.ports.versions.manifests(name)
    newest = next((m.version for m in reversed(manifests) if not m.version.endswith("-v0")), "")
    return shown(
        200,
        [
            Version(**manifest.model_dump(), aliases=aliases(ledger, manifest.version, newest))
            for manifest in manifests
        ],
    )


def aliases(ledger: Ledger, version: str, newest: str) -> tuple[Alias, ...]:
    known = {served.version for served in (*ledger.serves.values(), *ledger.before.values())}
    holds: dict[Alias, bool] = {
        "champion": is_champion(ledger, version),
        "previous": version in {served.version for served in ledger.before.values()},
        "candidate": version == newest and version not in known and version != ledger.champion,
    }
    return tuple(alias for alias, held in holds.items() if held)


def list_served(app: App, order: Order) -> Answer:
    """What was in service since when, oldest first; with `at`, what was at that time."""
    name = order.values["model"]
    app.ports.models.resolve(name)
    records = app.ports.versions.in_service(name)
    at = order.asks(asks.ServedAsked).at
    if at is None:
        return shown(200, records)
    found = at_time(records, at)
    if found is None:
        raise NotFound(f"nothing of {name!r} was in service at {at.isoformat()}")
    return shown(200, found)


def list_targets(app: App, order: Order) -> Answer:
    """Each target: what it should serve, and (with `read=true`) what it says it serves."""
    name = order.values["model"]
    declared = app.ports.models.resolve(name)
    ledger, _ = app.ports.ledgers.get(name)
    targets = [
        target
        for target_name in declared.served_names
        if (target := declared.target(target_name, ledger.serves.get(target_name)))
    ]
    rows = [_target_row(ledger, target) for target in targets]
    if order.asks(asks.TargetsAsked).read == "true":
        with ThreadPoolExecutor(READERS) as readers:
            readings = readers.map(lambda target: reading(app, ledger, target), targets)
            rows = [{**row, **reading} for row, reading in zip(rows, readings, strict=True)]
    return shown(200, [TargetRow(**row) for row in rows])


def _target_row(ledger: Ledger, target: Target) -> dict[str, Any]:
    served = ledger.serves.get(target.name)
    return {
        "target": target.name,
        "kind": target.service.kind,
        "wave": target.wave,
        "serves": served.version if served else "",
        "deployed_as": served.service if served else "",
        "unknown": target.name in ledger.unknown,
    }


def reading(app: App, ledger: Ledger, target: Target) -> dict[str, Any]:
    """What a target says; one that cannot be read must not hide the others."""
    try:
        served = ledger.serves.get(target.name)
        found = service_of(app.ports, target, served).read()
        agrees = served is None or serves(found, served, app.ports.blobs)
        return {"location": found.location, "settled": found.settled, "agrees": agrees}
    except AlmError as error:
        return {"error": str(error)}


def list_runs(app: App, order: Order) -> Answer:
    """Runs in flight, then ended ones, newest first; of one managed model, if named."""
    asked = order.asks(asks.RunsAsked)
    found = app.ports.records.runs(model=asked.model, days=asked.days, count=asked.limit)
    return shown(200, readable(RunRecord, found))


def show_run(app: App, order: Order) -> Answer:
    """A run's record; of the active one the ledger's entry too, which is what decides."""
    run = order.values["run"]
    model = model_of(run)
    ledger, _ = app.ports.ledgers.get(model)
    if int(run.rpartition(".r")[2]) > ledger.runs:
        raise NotFound(_no_such_run(ledger, run))
    active = ledger.active if ledger.active and ledger.active.run == run else None
    try:
        record = _on_record(app, run)
    except (NotFound, Misconfigured):
        if active is None:
            raise
        record = RunRecord(run=run, model=model)  # the ledger is what decides
    if active is None:
        return shown(200, record)
    known = {"pipeline": active.pipeline, "triggers": active.triggers, **record.model_dump()}
    return shown(200, RunShown(**known, active=ActiveRun.model_validate(active)))


def _on_record(app: App, run: str) -> RunRecord:
    try:
        return RunRecord.model_validate(app.ports.records.run(run), extra="ignore")
    except ValidationError as error:
        raise Misconfigured(
            f"the record of run {run} cannot be read ({describe(error)}); restore an earlier "
            "version of its blob in alm-runs"
        ) from error


def _no_such_run(ledger: Ledger, run: str) -> str:
    last = f"its last run is {ledger.model}.r{ledger.runs}" if ledger.runs else "it has had no run"
    return f"there is no run {run!r} of {ledger.model!r}: {last}; `runs` lists them"


def list_inbox(app: App, order: Order) -> Answer:
    """What could not be handled, newest first: where it came from, why, what to do."""
    found = app.ports.records.inbox(order.asks(asks.InboxAsked).limit)
    return shown(200, readable(InboxEntry, found))


def show_inbox(app: App, order: Order) -> Answer:
    """One inbox item, payload included."""
    item = app.ports.records.inbox_item(order.values["item"])
    return shown(200, InboxEntry.model_validate(item))


def list_pipelines(app: App, order: Order) -> Answer:
    """The stages of each pipeline, and where they lead."""
    return shown(
        200,
        {
            name: [
                Stage(
                    stage=stage.name,
                    then=_lead(stage.then),
                    failed=_lead(stage.failed),
                    declares=stage.declare is not None,
                )
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
