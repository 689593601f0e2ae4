"""The gate's rows: read once per visit, scored in pieces, and remembered with their ETag."""

from __future__ import annotations

from alm.domain import tables
from alm.domain.errors import Misconfigured, NotFound
from alm.domain.managed_model import Target
from alm.domain.run import Served
from alm.domain.tables import Table
from alm.stages.context import Context

PROBE_ROWS = 5  # enough to see that another model answers
PIECE_ROWS = 500  # per call of the request/response service, well under its payload limit


def rows_blob(context: Context) -> str:
    path = context.model.gate.rows_blob
    assert path is not None
    return path


def rows_of(context: Context) -> Table:
    """The rows without their label: a service is never told the answer."""
    gate = context.model.gate
    return tables.without(labelled_rows(context), gate.label)


def labelled_rows(context: Context) -> Table:
    path = rows_blob(context)
    try:
        return tables.read(context.ports.blobs.get(path), name=path)
    except NotFound as error:
        raise Misconfigured(
            f"gate rows {path!r} of managed model {context.model.model!r} do not exist; "
            "upload them or correct `gate.rows_blob`"
        ) from error


def score_all(context: Context, target: Target, rows: Table) -> Table:
    """Score every row and put the label back beside the answers."""
    service, pieces = context.target(target), []
    unlabelled = tables.dictionaries(tables.without(rows, context.model.gate.label))
    for start in range(0, len(unlabelled), PIECE_ROWS):
        scores = service.score(
            unlabelled[start : start + PIECE_ROWS], input="input1", output="output1"
        )
        pieces.append(Table(scores.columns, scores.rows))
    return tables.with_column(tables.append(pieces), rows, context.model.gate.label)


def scores_path(context: Context, digest: str, etag: str) -> str:
    """Where the answers of one model to one state of the rows are kept: they never change."""
    name = f"{digest.removeprefix('sha256:')[:24]}-{etag.strip(chr(34))}"
    return f"alm-jobs/{context.step.model}/scores/{name}.csv"


def scored_before(context: Context, served: Served) -> str:
    """The path of the answers that a model already gave to the rows as they are now, or ""."""
    try:
        etag = context.ports.blobs.properties(rows_blob(context)).etag
        return context.ports.blobs.properties(scores_path(context, served.digest, etag)).path
    except NotFound:
        return ""
