"""What calls of the API may ask: parameters of the query and fields of the body, one class each.

They check what comes in, and the OpenAPI document is made from them. The description of a field is
also what a refusal says is to be written there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
    WithJsonSchema,
)

from alm.domain.errors import Refused
from alm.domain.exchange import Cell
from alm.domain.experiment_steps import ExperimentId
from alm.domain.managed_model import ModelId
from alm.domain.nearest import shown, suggestion
from alm.domain.requests import MEANS, CommitId, Digest, FileName, NodeName, VersionName
from alm.domain.telling import all_told, told, told_of
from alm.entrypoints.api.rows import ROWS_MAX, checked_rows

DAYS_MAX, MODELS_MAX, RUNS_MAX, INBOX_MAX = 366, 2000, 1000, 1000


class Asked(BaseModel):
    """What a call asks. Classes are only built when first used: most processes need few."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


T = TypeVar("T", bound=Asked)


def read(kind: type[T], given: Mapping[str, Any], what: str) -> T:
    """Read what a call asks. what: what its names are called ("a field of this order").

    Raises Refused telling every mistake.
    """
    for name in given:
        if name not in kind.model_fields:
            raise Refused(f"{shown(name)} is not {what}; {suggestion(name, kind.model_fields)}")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        items = error.errors(include_url=False)
        raise Refused(all_told(told(item, told_of(kind)) for item in items)) from error


def _digits(value: object) -> object:
    """A number of the query: plain digits, nothing else that Python takes for a number."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,6}", value) else value


def _moment(value: object) -> object:
    """A time of the query, UTC if it does not say; there a plus becomes a space."""
    text = str(value)
    try:
        moment = datetime.fromisoformat(re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", text))
    except ValueError as error:
        raise Refused(f"at: {text[:40]!r} is no time; write 2026-05-01T12:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Number = Annotated[int, BeforeValidator(_digits)]
Text = Annotated[
    StrictStr | StrictInt,
    WithJsonSchema({"type": ["string", "integer"]}),
]
"""A text of a scoring call; a number is a key like any other."""


class Nothing(Asked):
    """A call that takes nothing."""


class ModelsAsked(Asked):
    limit: Number = Field(500, ge=1, le=MODELS_MAX, description=f"a number, 1 to {MODELS_MAX}")
    after: str = Field("", description="the name after which the page begins")
    state: Literal["", "new", "idle", "running", "held"] = Field(
        "", description="one of new, idle, running, held, or leave it out"
    )


class TargetsAsked(Asked):
    read: Literal["true", "false"] = Field(
        "false", description="read=true to ask the services too, or leave it out"
    )


class ServedAsked(Asked):
    at: Annotated[datetime, BeforeValidator(_moment)] | None = Field(
        None, description="a time, for example 2026-05-01T12:00:00Z"
    )


class RunsAsked(Asked):
    model: ModelId | Literal[""] = Field(
        "", description="the id of a managed model: small letters, digits, . _ -"
    )
    days: Number = Field(7, ge=1, le=DAYS_MAX, description=f"a number, 1 to {DAYS_MAX}")
    limit: Number = Field(200, ge=1, le=RUNS_MAX, description=f"a number, 1 to {RUNS_MAX}")


class InboxAsked(Asked):
    limit: Number = Field(200, ge=1, le=INBOX_MAX, description=f"a number, 1 to {INBOX_MAX}")


class ChoiceAsked(Asked):
    version: Text = Field("", description="a version, for example v3")
    alias: Text = Field("", description="champion or previous")
    key: Text = Field("", description="what always gets the same endpoint: a customer, a session")


class RowsAsked(ChoiceAsked, json_schema_extra={"examples": [{"rows": [{"age": 39}]}]}):
    rows: Annotated[list[dict[str, Cell]], BeforeValidator(checked_rows)] = Field(
        min_length=1,
        max_length=ROWS_MAX,
        description='a list of objects, one per row, for example [{"age": 39}]',
    )
    input: Text = Field("input1", description="the name of the service's input")
    output: Text = Field("output1", description="the name of the service's output")


class FileAsked(Asked, json_schema_extra={"examples": [{"blob": "churn/new.ilearner"}]}):
    blob: FileName = Field(description=MEANS["blob"])


class VersionAsked(Asked, json_schema_extra={"examples": [{"version": "v3"}]}):
    version: VersionName = Field(description=MEANS["version"])


class NodeAsked(
    Asked,
    json_schema_extra={
        "examples": [{"experiment": f"{'0' * 31}1.f-id.{'0' * 31}2", "node": "Train Model"}]
    },
):
    experiment: ExperimentId = Field(description=MEANS["experiment"])
    node: NodeName = Field(description=MEANS["node"])
    port: NodeName | None = Field(None, description=MEANS["port"])


class CommitAsked(Asked, json_schema_extra={"examples": [{"commit": "4fb2ae7"}, {}]}):
    commit: CommitId | None = Field(None, description=MEANS["commit"])


class DigestAsked(Asked, json_schema_extra={"examples": [{"digest": "sha256:c0ffee"}]}):
    digest: Digest = Field(description=MEANS["digest"])
