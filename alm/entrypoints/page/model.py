"""A managed model: what is declared, what serves, its versions and their metrics, its runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from alm.bootstrap import App
from alm.domain.errors import NotFound, UnknownModel
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.names import MODEL_PATTERN
from alm.domain.nearest import shown
from alm.domain.versions import Manifest
from alm.entrypoints.api import views
from alm.entrypoints.page import declaration, runs
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.chart import Chart, Value, chart
from alm.entrypoints.page.rendering import page

VERSIONS_MAX, SERVED_MAX, RUNS_MAX, RUN_DAYS = 100, 50, 10, 30


@dataclass(frozen=True)
class VersionRow:
    """A version in the table. order: how a roll-back names it."""

    manifest: Manifest
    aliases: tuple[str, ...]
    order: str

    @property
    def is_champion(self) -> bool:
        return "champion" in self.aliases


@dataclass(frozen=True)
class TargetRow:
    """A target: what it should serve; told: what it says itself, if it was just asked."""

    name: str
    kind: str
    wave: int
    serves: str
    deployed_as: str
    state: str
    told: str = ""


def show(ask: Ask) -> Answer:
    """One managed model, declared or not any more."""
    app, name = ask.app, ask.values["model"]
    declared, ledger = known(app, name)
    manifests = app.ports.versions.manifests(name)
    versions = version_rows(ledger, manifests)
    records = app.ports.records.runs(model=name, days=RUN_DAYS, count=RUNS_MAX)
    metrics = metric_names(declared, manifests)
    is_read = ask.query.get("read") == "true"
    view = {
        "name": name,
        "declared": declared,
        "ledger": ledger,
        "facts": declaration.facts(declared) if declared else (),
        "due": declaration.schedules(declared, ask.now) if declared else (),
        "versions": versions[:VERSIONS_MAX],
        "version_count": len(versions),
        "metrics": metrics,
        "charts": charts(declared, versions, metrics),
        "targets": target_rows(app, declared, ledger, read=is_read),
        "is_read": is_read,
        "served": tuple(reversed(app.ports.versions.in_service(name)))[:SERVED_MAX],
        "runs": [runs.row(record, ask.now) for record in records],
        "is_trained": bool(declared and (declared.training or declared.experiment)),
    }
    return page(ask, "model.html", name, view, every=0 if is_read else _every(ask, ledger))


def _every(ask: Ask, ledger: Ledger) -> int:
    """Seconds between looks, each many reads: soon where something is on its way."""
    runs = ledger.active is not None and not ledger.active.held
    return 5 if runs or ask.query.get("done") else 30


def known(app: App, name: str) -> tuple[ManagedModel | None, Ledger]:
    """A declaration and its ledger; None: declared no more. Raises NotFound, UnknownModel."""
    if not re.fullmatch(MODEL_PATTERN, name):
        raise NotFound(f"{shown(name)} is no id of a managed model; the list has those there are")
    ledger, etag = app.ports.ledgers.get(name)
    try:
        return app.ports.models.resolve(name), ledger
    except UnknownModel:
        if not etag:
            raise
        return None, ledger


def version_rows(ledger: Ledger, manifests: Sequence[Manifest]) -> list[VersionRow]:
    """The versions, newest first, then what was there before, with the API's aliases."""
    ours = [each for each in reversed(manifests) if not _is_before(each)]
    before = [each for each in reversed(manifests) if _is_before(each)]
    newest = ours[0].version if ours else ""
    return [
        VersionRow(
            manifest,
            tuple(views.aliases(ledger, manifest.version, newest)),
            "v0" if _is_before(manifest) else manifest.version,
        )
        for manifest in (*ours, *before)
    ]


def _is_before(manifest: Manifest) -> bool:
    """Whether it is what a target served before we first touched it."""
    return manifest.version.endswith("-v0")


def metric_names(declared: ManagedModel | None, manifests: Iterable[Manifest]) -> list[str]:
    """The metrics of any version, those of the gate first."""
    gated = [metric.name for metric in declared.gate.metrics] if declared else []
    found = {name for manifest in manifests for name in manifest.metrics}
    return [*(name for name in gated if name in found), *sorted(found - set(gated))]


def charts(
    declared: ManagedModel | None, versions: Sequence[VersionRow], metrics: Iterable[str]
) -> list[Chart]:
    """A drawing for each metric that two versions or more have."""
    drawn = []
    for name in metrics:
        values = [
            Value(row.manifest.version, row.manifest.metrics[name], row.is_champion)
            for row in reversed(versions)
            if name in row.manifest.metrics
        ]
        levels = declaration.thresholds(declared.gate, name) if declared else ()
        drawn.append(chart(name, values, levels))
    return [each for each in drawn if each is not None]


def target_rows(
    app: App, declared: ManagedModel | None, ledger: Ledger, *, read: bool
) -> list[TargetRow]:
    """Each target that is declared or served; read: ask each one what it serves."""
    if declared is None:
        return [_row(name, None, ledger) for name in ledger.serves]
    named = [
        (name, declared.target(name, ledger.serves.get(name))) for name in declared.served_names
    ]
    if not read:
        return [_row(name, target, ledger) for name, target in named]
    with ThreadPoolExecutor(views.READERS) as readers:
        return list(readers.map(lambda each: _asked(app, ledger, *each), named))


def _row(name: str, target: Target | None, ledger: Ledger, told: str = "") -> TargetRow:
    served = ledger.serves.get(name)
    return TargetRow(
        name=name,
        kind=target.service.kind if target else "",
        wave=target.wave if target else 0,
        serves=served.version if served else "",
        deployed_as=served.service if served else "",
        state="unknown" if name in ledger.unknown else "in order" if served else "not ours yet",
        told=told,
    )


def _asked(app: App, ledger: Ledger, name: str, target: Target | None) -> TargetRow:
    """What a target says, in words."""
    if target is None:
        return _row(name, target, ledger)
    found = views.reading(app, ledger, target)
    if "error" in found:
        return _row(name, target, ledger, f"cannot be read: {found['error']}")
    served, agrees = name in ledger.serves, found["agrees"]
    words = "serves it" if served and agrees else "serves" if agrees else "serves something else:"
    return _row(name, target, ledger, f"{words} {found['location']}")
