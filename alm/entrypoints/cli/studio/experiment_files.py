"""`alm experiment export | import | diff`: experiments as files that can be kept under control.

A file refers to datasets, trained models and transforms by id and does not contain them. What a
workspace lacks is told before anything is written there, with what is near it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from alm.domain.canonical import canonical_json
from alm.domain.drafts import graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Draft, Experiment
from alm.domain.exported import ExportedExperiment, draft_of, export, read_export, withheld_in
from alm.domain.graph.comparing import diff
from alm.domain.graph.modules import named
from alm.domain.graph.references import Known, check, references, version_notes
from alm.domain.graph.remapping import parse_mapping, remap
from alm.domain.graph.structure import structure
from alm.domain.secret_texts import WITHHELD
from alm.domain.source_control import segment
from alm.domain.studio_ids import asset_id
from alm.entrypoints.cli.studio import assets, differences, repository
from alm.entrypoints.cli.studio.desk import Desk, command
from alm.entrypoints.cli.studio.experiment_copies import create
from alm.entrypoints.cli.studio.experiments import app
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="OLD=NEW: an asset (id or name) or module (id); may be repeated."),
]
Side = Annotated[
    str, typer.Argument(help="An experiment, a snapshot, an exported file or repo:PATH@COMMIT.")
]


@command(app, "export", example='"churn training" --to experiments/churn-training.json')
def export_experiment(
    desk: Desk,
    experiment: assets.Experiment,
    out: assets.Destination,
    keeping: repository.Keeping,
) -> None:
    """Export an experiment or a snapshot: the same experiment is the same bytes, no secrets in it.

    It goes to the standard output, to a file, or into the Git repository.
    """
    workspace = desk.workspace
    found = finding.experiment(workspace, experiment)
    called = finding.names(workspace, graph_of(found))
    content = canonical_json(export(found, called))
    for withheld in withheld_in(read_export(content)):
        desk.tell(f"withheld, it may be a secret: {withheld}")
    path = f"experiments/{segment(found.name)}.json"
    answer = repository.put_out(desk, content, found.name, path, (out, keeping))
    if answer is not None:
        desk.answer(id=found.id, name=found.name, **answer)


@command(app, "import", example="churn.json --name churn --map OLD-ID=NEW-ID")
def import_experiment(
    desk: Desk,
    file: Annotated[str, typer.Argument(help="An exported file, or repo:PATH@COMMIT.")],
    name: Annotated[str, typer.Option(help="Its name; default: as it was exported.")] = "",
    overwrite: Annotated[
        str, typer.Option(help="Replace the graph of this experiment (name or id).")
    ] = "",
    mapped: Map = None,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only check whether it would be accepted.")
    ] = False,
) -> None:
    """Make an experiment of an exported file, after checking all that it refers to."""
    workspace = desk.workspace
    exported = read_export(repository.content_of(desk, file))
    mapping = _by_id(workspace, exported, parse_mapping(mapped or []))
    known = finding.known(workspace, remap(exported.graph, mapping))
    graph = remap(exported.graph, mapping, known)
    exported = exported.changed(graph=graph)
    onto = finding.editable(workspace, overwrite, "overwrite") if overwrite else None
    _check(desk, exported, known)
    draft = draft_of(exported, name or (onto.name if onto else ""), onto)
    if check_only:
        desk.answer(name=draft.name, nodes=len(graph.nodes), accepted="yes")
    elif onto:
        workspace.save(onto.id, draft)
        desk.answer(id=onto.id, name=draft.name, overwritten="yes")
    else:
        desk.answer(id=create(workspace, draft), name=draft.name)
    _tell_withheld(desk, exported, draft)


@command(app, "diff", example='churn.json "churn training"')
def diff_experiments(
    desk: Desk, old: Side, new: Side, exit_code: differences.ExitCode = False
) -> None:
    """Say what is different between two experiments, snapshots or exported files."""
    sides = [_version(desk, side) for side in (old, new)]
    graphs = [graph_of(side) for side in sides if isinstance(side, Experiment)]
    called = finding.names(desk.workspace, *graphs) if graphs else {}
    differences.show(desk, diff(sides[0], sides[1], called), exit_code, ids=False)


def _by_id(
    workspace: Workspace, exported: ExportedExperiment, mapping: Mapping[str, str]
) -> dict[str, str]:
    """A mapping of ids, of one in which people may have named assets. Raises NotFound, Refused."""
    kinds = {one.id: one.kind for one in references(exported.graph)}
    called = {name: id for id, name in exported.provenance.names.items()}
    found = {}
    for old, new in mapping.items():
        id = old if old in kinds else called.get(old, old)
        kind = kinds.get(id, "module")
        if kind == "module" or asset_id(new):
            found[id] = new
        else:
            found[id] = finding.asset(workspace, kind, new).id
    return found


def _check(desk: Desk, exported: ExportedExperiment, known: Known) -> None:
    """Raises Refused with everything that the workspace lacks, or that is wrong with the graph."""
    missing = [str(one) for one in check(exported.graph, known, exported.provenance.names)]
    wrong = [*missing, *structure(exported.graph, exported.service)]
    if wrong:
        raise Refused(
            f"{exported.name!r} cannot be imported, nothing was written:\n  " + "\n  ".join(wrong)
        )
    for note in version_notes(exported.graph, known):
        desk.tell(note)


def _tell_withheld(desk: Desk, exported: ExportedExperiment, draft: Draft) -> None:
    """Say which values were withheld from the file and are not known here either."""
    filled = {
        (node.id, item.name): item.value for node in draft.graph.nodes for item in node.parameters
    }
    for node in exported.graph.nodes:
        for item in node.parameters:
            if WITHHELD in item.value and not filled.get((node.id, item.name)):
                desk.tell(f"set it again, it was withheld: {item.name!r} of {named(node)}")


def _version(desk: Desk, side: str) -> Experiment | ExportedExperiment:
    if repository.is_document(side):
        return read_export(repository.content_of(desk, side))
    if Path(side).suffix == ".json":
        raise Refused(f"there is no file {side}; correct its name, or write repo:PATH")
    return finding.experiment(desk.workspace, side)
