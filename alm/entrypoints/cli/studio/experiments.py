"""`alm experiment`: what experiments there are, what is in them, and their run history.

A snapshot is named by its id, or by its place in the history: `churn training@1` is the newest one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from alm.domain.drafts import graph_of
from alm.domain.experiment import Experiment, Status
from alm.domain.graph.finding import split_place
from alm.domain.graph.modules import titles
from alm.domain.graph.references import WORDS, references
from alm.domain.run_history import label
from alm.domain.studio_ids import moment, taken, version_of
from alm.entrypoints.cli.studio import assets
from alm.entrypoints.cli.studio.desk import Desk, columns, command
from alm.entrypoints.cli.tables_out import Columns
from alm.entrypoints.studio import finding
from alm.entrypoints.studio.nodes import node_rows

app = typer.Typer(
    name="experiment",
    help="Experiments of a workspace: history, files, edits, runs.",
    no_args_is_help=True,
)

NODES: Columns = (
    ("node", lambda row: str(row["label"] or row["module"])),
    ("module", lambda row: "" if row["module"] == row["label"] else str(row["module"])),
    *columns("state", "outputs"),
)

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many entries at most.")]


@command(app, "list", example="--json")
def list_experiments(desk: Desk) -> None:
    """List experiments: name, state, last run."""
    found = sorted(desk.workspace.experiments(), key=lambda one: one.name.lower())
    desk.show([summary(one) for one in found], columns("name", "status", "ran", "creator", "id"))


@command(app, "show", example='"churn training"')
def show(desk: Desk, experiment: assets.Experiment) -> None:
    """Show an experiment: state, what it uses, its web-service inputs and outputs, its nodes."""
    _show(desk, finding.experiment(desk.workspace, experiment))


@command(app, "nodes", example='"churn training"')
def nodes(desk: Desk, experiment: assets.Experiment) -> None:
    """List the nodes of an experiment with their state, their outputs and parameters."""
    found = finding.experiment(desk.workspace, experiment)
    desk.show(node_rows(found), (*NODES, *columns("detail", "id")))


@command(app, "history", example='"churn training" --limit 20')
def history(desk: Desk, experiment: assets.Experiment, limit: Limit = 50) -> None:
    """List the run history: the current experiment, which can be edited, then locked snapshots."""
    workspace = desk.workspace
    first = finding.experiment(workspace, experiment)
    found = list(finding.walk(workspace, first, limit))
    rows = [{**_entry(one), "place": f"@{at}" if at else ""} for at, one in enumerate(found)]
    renamed = ("name", lambda row: "" if row["name"] == first.name else str(row["name"]))
    shown = columns("place", "edit", "status", "time", "creator", place="@")
    desk.show(rows, (*shown, renamed, *columns("id")))


@command(app, "open", example='"churn training@1"')
def open_snapshot(
    desk: Desk, snapshot: Annotated[str, typer.Argument(help="A snapshot: its id, or NAME@N.")]
) -> None:
    """Show a snapshot of the run history, locked as it was when it ran."""
    _show(desk, finding.experiment(desk.workspace, snapshot))


def summary(experiment: Experiment) -> dict[str, object]:
    """An experiment as a row. ran: when its last run ended, or began."""
    return {
        "id": experiment.id,
        "name": experiment.name,
        "status": label(experiment),
        "ran": _time(experiment.status.ended or experiment.status.started),
        "creator": experiment.creator,
        "run": experiment.run,
        "summary": experiment.summary,
        "locked": experiment.is_snapshot,
    }


def _show(desk: Desk, found: Experiment) -> None:
    if desk.choice.as_json:
        used = [
            {"kind": one.kind, "id": one.id, "node": one.node, "port": one.port}
            for one in references(graph_of(found))
            if one.kind != "module"
        ]
        service = found.service.document if found.service else None
        desk.show({**summary(found), "uses": used, "service": service, "nodes": node_rows(found)})
        return
    told = summary(found)
    state = "no: locked, a snapshot of a run" if told.pop("locked") else "yes"
    run = "" if found.is_snapshot else told.pop("run")
    facts = {**told, "run": run, "can be edited": state, **_service(found)}
    desk.answer(**facts, **_uses(found, finding.names(desk.workspace, graph_of(found))))
    desk.show(node_rows(found), NODES)


def _service(found: Experiment) -> dict[str, object]:
    if found.service is None:
        return {}
    sides = (("inputs", found.service.inputs), ("outputs", found.service.outputs))
    known = titles(graph_of(found).nodes)
    told = {
        f"web-service {side}": ", ".join(f"{one.name} ({_at(one.port, known)})" for one in at)
        for side, at in sides
    }
    return {**told, "deployed as": found.service.service}


def _at(port: str, known: Mapping[str, str]) -> str:
    node, name = split_place(port)
    return f"{name!r} of {known.get(node, node)}" if port else "not connected"


def _uses(found: Experiment, names: Mapping[str, str]) -> dict[str, object]:
    uses: dict[str, dict[str, None]] = {}
    for one in references(graph_of(found)):
        if one.kind != "module":
            name = f"{names[one.id]!r} version {version_of(one.id)} " if one.id in names else ""
            uses.setdefault(WORDS[one.kind] + "s", {})[f"{name}({one.id})"] = None
    return {what: ", ".join(shown) for what, shown in uses.items()}


def _entry(experiment: Experiment) -> dict[str, object]:
    is_locked = experiment.is_snapshot
    return {
        **summary(experiment),
        "edit": "locked" if is_locked else "editable",
        "time": _taken(experiment) if is_locked else _last(experiment.status),
    }


def _taken(snapshot: Experiment) -> str:
    """When a snapshot was taken; where its id does not tell, when its run was created."""
    at = taken(snapshot.id) or moment(snapshot.status.created)
    return at.isoformat()[:19] if at else _last(snapshot.status)


def _last(status: Status) -> str:
    return _time(status.ended or status.started or status.created)


def _time(text: str) -> str:
    at = moment(text)
    return at.isoformat()[:19] if at else ""
