"""`alm web-service test`: known rows through a web service, one call (RRS) or as a job (BES).

A batch job reads and writes blobs: its rows go into the app's storage account and are deleted
again. A service that trains takes batch jobs only.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from alm.domain import tables
from alm.domain.errors import Refused
from alm.domain.exchange import Grant, JobStatus, Row, Scores, Submission
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, Target
from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.studio import rows as given
from alm.entrypoints.cli.studio import waiting
from alm.entrypoints.cli.studio.connection import Description
from alm.entrypoints.cli.studio.desk import Desk, command
from alm.entrypoints.cli.studio.web_services import Service, app, is_resource
from alm.entrypoints.studio import finding

LEAVE = timedelta(hours=12)
FOLDER = "alm-jobs/by-hand"  # deleted with all jobs' files after 30 days, should we not come to it

Given = Annotated[
    list[str] | None, typer.Option("--row", help="NAME=VALUE,NAME=VALUE; may repeat.")
]
Parameter = Annotated[list[str] | None, typer.Option("--parameter", help="NAME=VALUE; may repeat.")]


@dataclass(frozen=True)
class Call:
    """What is asked of a service: its input and outputs, rows, global parameters."""

    service: ClassicEndpoint | ArmWebService
    described: Description
    input: str
    output: str
    rows: Sequence[Row]
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """Rows and how they are sent, as a person says it."""

    row: Given = None
    rows: Annotated[str, typer.Option(help="A CSV, TSV or JSON file with rows.")] = ""
    web_input: Annotated[str, typer.Option("--input", help="Its input; default: the first.")] = ""
    output: Annotated[str, typer.Option(help="Its output; default: the first.")] = ""
    parameter: Parameter = None


@command(app, "test", example="churn --endpoint ep2 --row age=23,calls=9")
def test_service(
    desk: Desk,
    service: Service,
    asked: Asked,
    endpoint: Annotated[str, typer.Option(help="Which endpoint of a classic service.")] = "",
    batch: Annotated[bool, typer.Option("--batch", help="As a batch job (BES).")] = False,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to wait for a job.")] = 60,
) -> None:
    """Send rows to a web service, wait, and print what it answers."""
    declared = _service(desk, service, endpoint)
    described = desk.connection.describe(declared)
    rows = [given.row(text) for text in asked.row or ()] + (
        given.of_file(asked.rows) if asked.rows else []
    )
    outputs = described.batch_outputs if batch else described.outputs
    call = Call(
        declared,
        described,
        _one(asked.web_input, described.inputs, "input") if rows else "",
        _one(asked.output, outputs, "output"),
        rows,
        dict(given.pair(text) for text in asked.parameter or ()),
    )
    if batch:
        _batch(desk, call, minutes)
        return
    if not rows:
        raise Refused("nothing to score: give --row or --rows")
    if call.parameters:
        raise Refused("--parameter is for --batch; a call takes the parameters' defaults")
    _show(desk, _scores(desk, call), rows)


def _service(desk: Desk, wanted: str, endpoint: str) -> ClassicEndpoint | ArmWebService:
    if is_resource(wanted):
        return ArmWebService(kind="new", resource=wanted)
    found = finding.service(desk.classic, wanted)
    record = desk.classic.endpoint(found.id, endpoint or found.default_endpoint)
    token = desk.declared.token
    return ClassicEndpoint(kind="classic", endpoint=record.address, token=token)


def _scores(desk: Desk, call: Call) -> Scores:
    target = Target(name="test", service=call.service, trained_model=_model(call.described))
    client = desk.connection.services.target(target)
    return client.score(call.rows, input=call.input, output=call.output)


def _model(described: Description) -> str:
    return described.resources[0] if described.resources else "none"


def _batch(desk: Desk, call: Call, minutes: float) -> None:
    """Run a batch job; every output goes into a file of ours, the wanted one is printed."""
    blobs = desk.connection.storage().blobs
    place, until = f"{FOLDER}/{uuid.uuid4().hex}", desk.clock.now() + LEAVE
    paths = {name: f"{place}/{name}{_ending(call, name)}" for name in call.described.batch_outputs}
    inputs: dict[str, Grant] = {}
    try:
        if call.rows:
            blobs.put(f"{place}/rows.csv", _csv(call.rows))
            inputs[call.input] = blobs.grant(f"{place}/rows.csv", "read", until)
        outputs = {name: blobs.grant(path, "write", until) for name, path in paths.items()}
        _job(desk, call, Submission(inputs, outputs, call.parameters), minutes)
        if _ending(call, call.output) != ".csv":
            size = blobs.properties(paths[call.output]).size
            desk.answer(output=call.output, bytes=size, kind="trained model")
            return
        table = tables.read(blobs.get(paths[call.output]), name="answers.csv")
        _show(desk, Scores(table.columns, table.rows), call.rows)
    finally:
        for path in (f"{place}/rows.csv", *paths.values()):
            blobs.delete(path)


def _job(desk: Desk, call: Call, submission: Submission, minutes: float) -> JobStatus:
    service = desk.connection.services.training(call.service)
    job = service.create_job(submission)
    service.start_job(job)
    desk.tell(f"job {job} started")
    ended = waiting.until(
        desk,
        lambda: service.job(job),
        lambda status: status.state in ("Finished", "Failed", "Cancelled"),
        doing=f"job {job}",
        minutes=minutes,
    )
    if ended.state != "Finished":
        raise Refused(f"job {job} is {ended.state}: {ended.details or 'it is not said why'}")
    return ended


def _ending(call: Call, output: str) -> str:
    return ".ilearner" if output in call.described.files else ".csv"


def _show(desk: Desk, scores: Scores, sent: Sequence[Row]) -> None:
    rows = [dict(zip(scores.columns, row, strict=True)) for row in scores.rows]
    if desk.choice.as_json:
        desk.show(rows)
    else:
        tables_out.show_scores(rows, sent)


def _one(wanted: str, names: Sequence[str], what: str) -> str:
    if wanted and wanted not in names:
        raise Refused(f"the service has no {what} {wanted!r} (it has {', '.join(names) or 'none'})")
    if not wanted and not names:
        raise Refused(f"the service has no {what} for such a call; one that trains needs --batch")
    return wanted or names[0]


def _csv(rows: Sequence[Row]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = tuple(tuple(_text(row.get(name)) for name in names) for row in rows)
    return tables.write(tables.Table(tuple(names), cells))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
