"""`alm training-service create`: from a training experiment to a web service that retrains.

The steps are Studio's: a web-service output at the module that trains, a run, a deployment. Each
looks first, so that a repeat goes on where an earlier call ended: what is prepared, ran and was
deployed is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from alm.domain.drafts import graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Experiment
from alm.domain.graph.references import check
from alm.domain.graph.training import Prepared, TrainingWishes, prepare_training
from alm.domain.run_history import label
from alm.entrypoints.cli.studio import assets, binding, hosting, waiting
from alm.entrypoints.cli.studio.desk import Desk, command
from alm.entrypoints.cli.studio.experiment_runs import begin
from alm.entrypoints.cli.studio.web_services import deployed
from alm.entrypoints.studio import finding
from alm.studio_ports import Workspace

app = typer.Typer(
    name="training-service", help="Web services that retrain a model.", no_args_is_help=True
)

Kind = Annotated[str, typer.Option(help="classic, or new (Resource Manager).")]


@dataclass(frozen=True)
class Chosen:
    """What a person decides where the graph leaves a choice."""

    train: Annotated[str, typer.Option(help="The node that trains, if there are several.")] = ""
    evaluate: Annotated[str, typer.Option(help="The node that evaluates, likewise.")] = ""
    score: Annotated[str, typer.Option(help="The node that scores the holdout, likewise.")] = ""
    web_input: Annotated[str, typer.Option("--input", help="Where rows enter: node:port.")] = ""
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", help="NAME=node:parameter; may be repeated.")
    ] = None

    @property
    def wishes(self) -> TrainingWishes:
        return TrainingWishes(
            train=self.train,
            evaluation=self.evaluate,
            scored=self.score,
            input=self.web_input,
            parameters=dict(_pair(text) for text in self.parameter or ()),
        )


@dataclass(frozen=True)
class Place(hosting.Hosted):
    """Where a new training service goes."""

    name: Annotated[str, typer.Option(help="New: its name, or its whole resource id.")] = ""


@dataclass(frozen=True)
class Deployed:
    """A training service as a declaration names it."""

    service: dict[str, Any]
    prepared: Prepared

    @property
    def training(self) -> dict[str, Any]:
        """The section `training` of a managed model."""
        outputs = self.prepared.outputs.model_dump()
        return {"service": self.service, "input": self.prepared.input, "outputs": outputs}


@command(app, "create", example='"churn training" --bind churn')
def create(
    desk: Desk,
    experiment: assets.Experiment,
    kind: Kind = "classic",
    bind: Annotated[
        str, typer.Option(help="Write it into the declaration of this managed model or family.")
    ] = "",
    *,
    chosen: Chosen,
    hosted: Place,
) -> None:
    """Make a retraining web service of a training experiment: prepare, run, deploy, and bind.

    Repeat it after an interruption: it goes on.
    """
    is_new = _is_new(kind)
    if is_new:
        hosted.check()
        hosted.resource(hosted.name)
    if bind:
        binding.file_of(desk.connection.folder, bind)
    workspace, minutes = desk.workspace, hosted.minutes
    prepared, found = ready(desk, workspace, experiment, chosen.wishes, minutes)
    if is_new:
        definition = workspace.definition(found.id)
        answer = hosting.deploy(desk, hosted.name, definition, hosted, trains=True)
        service = {"kind": "new", "resource": answer["id"]}
    else:
        service = _classic(desk, workspace, found, minutes)
    _answer(desk, Deployed(service, prepared), bind)


def ready(
    desk: Desk, workspace: Workspace, wanted: str, wishes: TrainingWishes, minutes: float
) -> tuple[Prepared, Experiment]:
    """Check, prepare and run an experiment; returns it with a run that ended well."""
    found = finding.editable(workspace, wanted, "prepare")
    graph = graph_of(found)
    missing = [str(one) for one in check(graph, finding.known(workspace, graph))]
    if missing:
        raise Refused(f"{found.name!r} cannot run:\n  " + "\n  ".join(missing))
    prepared = prepare_training(found, wishes)
    for note in prepared.notes:
        desk.tell(note)
    if prepared.changed:
        workspace.save(found.id, prepared.draft)
        desk.tell(f"prepared {found.name!r}: outputs {_told(prepared)}")
        found = workspace.experiment(found.id)
    if found.state not in ("Finished", "Running"):
        desk.tell(f"{found.name!r} is {label(found)}: it is run")
        begin(workspace, found)
    ended = waiting.run_ended(desk, workspace, found, minutes)
    return prepared, waiting.finished(ended)


def _classic(desk: Desk, workspace: Workspace, found: Experiment, minutes: float) -> dict[str, Any]:
    """Deploy the run, unless it is deployed already."""
    block = found.service
    service = block.service if block else ""
    served = str(block.document.get("RunId") or "") if block else ""
    if service and served == found.run:
        desk.tell(f"web service {service} was deployed from this run before")
    else:
        service = deployed(desk, workspace, found, update=True, minutes=minutes)
    record = desk.classic.service(service)
    endpoint = desk.classic.endpoint(service, record.default_endpoint)
    return {"kind": "classic", "endpoint": endpoint.address, "token": desk.declared.token}


def _answer(desk: Desk, made: Deployed, bind: str) -> None:
    if bind:
        connection = desk.connection
        path = binding.bind(
            connection.folder, bind, "training", made.training, connection.check_declarations
        )
        desk.answer(bound=bind, file=str(path), training=made.training)
    elif desk.choice.as_json:
        desk.show({"training": made.training})
    else:
        typer.echo(binding.dumped({"training": made.training}), nl=False)


def _told(prepared: Prepared) -> str:
    outputs = prepared.outputs.model_dump()
    return ", ".join(f"{name} ({what})" for what, name in outputs.items() if name)


def _is_new(kind: str) -> bool:
    if kind not in ("classic", "new"):
        raise Refused(f"--kind {kind!r}: a training service is classic or new")
    return kind == "new"


def _pair(text: str) -> tuple[str, str]:
    name, equals, at = text.partition("=")
    if not (equals and name.strip() and at.strip()):
        raise Refused(f"{text!r} is no parameter; write NAME=node:parameter")
    return name.strip(), at.strip()
