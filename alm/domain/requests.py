"""Requests: what other systems put on the queue `alm-requests`, and how each mistake is told.

The JSON schema in docs/schemas/request.json is made from this file:
`python -m alm.entrypoints.published.schemas`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from alm.domain import patterns
from alm.domain.errors import Refused
from alm.domain.experiment_steps import ExperimentId
from alm.domain.frozen import Frozen
from alm.domain.managed_model import ModelId
from alm.domain.nearest import shown, suggestion
from alm.domain.run import PipelineName
from alm.domain.telling import all_told, json_type, told

REQUEST_BYTES_MAX = 64 << 10  # ours have a few hundred; more is a mistake or an attack

RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
QueueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,259}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,128}$")]
NodeName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f/?#\\]{1,128}$")]
VersionName = Annotated[str, StringConstraints(pattern=r"^(v0|v[1-9][0-9]{0,8}|previous)$")]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=915)]
CommitId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,40}$")]
RunId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9._:-]{0,127}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:_-]{1,128}$")]
Kind = Literal[
    "retrain", "experiment", "publish", "harvest", "redeploy", "roll_back", "verify", "smoke_test",
    "approve", "refuse", "cancel",
]  # fmt: skip

TRAINED_MODELS = "trained-models"

NEEDS: Mapping[str, tuple[str, ...]] = {
    "publish": ("blob",),
    "harvest": ("experiment", "node"),
    "roll_back": ("version",),
    "approve": ("model", "run", "digest"),
    "refuse": ("model", "run", "digest"),
    "cancel": ("model", "run"),
}
"""What a request of a kind must name, beside the model or family."""

MAY: Mapping[str, tuple[str, ...]] = {"harvest": ("port",), "redeploy": ("commit",)}
"""What it may name."""

MEANS: Mapping[str, str] = {
    "blob": "the name of the model file in trained-models, for example 'churn/new.ilearner'",
    "experiment": "the id of the experiment, or of one of its snapshots, that ran",
    "node": "the node whose output is meant: its label, its id or its module's name",
    "port": "the output of the node, 'Trained model' unless another is named",
    "commit": "the commit whose definitions are meant; the newest ones if left out",
    "version": "'v3', 'v0' (what was served before we came) or 'previous'",
    "model": "the managed model: a decision is about one run of one model",
    "run": "the id of the run, as the notification and `GET /api/runs` give it",
    "digest": "the digest that the notification of the held run gives",
    "traceparent": "the trace that the run shall continue, where the message has no such property",
}


class Request(Frozen):
    """One order of another system.

    model: a managed model; family: all members of one. id: whatever names the order for its
    sender; the same id again is the same order. smoke_test is another word for verify.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    id: RequestId
    kind: Kind
    model: ModelId | None = None
    family: ModelId | None = None
    version: VersionName | None = None
    blob: FileName | None = None
    experiment: ExperimentId | None = None
    node: NodeName | None = None
    port: NodeName | None = None
    commit: CommitId | None = None
    run: RunId | None = None
    digest: Digest | None = None
    reply_to: QueueName | None = None
    correlation_id: Line = ""
    by: Line = ""
    traceparent: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Request:
        wrong = "; ".join(self._faults())
        if wrong:
            raise PydanticCustomError("incomplete", "{wrong}", {"wrong": wrong})
        return self

    @property
    def pipeline(self) -> PipelineName | None:
        """The pipeline it starts; None for a decision about a run."""
        match self.kind:
            case "smoke_test":
                return "verify"
            case "approve" | "refuse" | "cancel":
                return None
            case _:
                return self.kind

    @property
    def blob_name(self) -> str:
        """The file's name inside trained-models."""
        return (self.blob or "").removeprefix(TRAINED_MODELS + "/")

    def _faults(self) -> Iterator[str]:
        needed = NEEDS.get(self.kind, ())
        for name in needed:
            if getattr(self, name) is None:
                yield f"{name}: missing, {self.kind!r} needs it: {MEANS[name]}"
        if "model" not in needed and (self.model is None) == (self.family is None):
            both = "both given" if self.model else "neither is given"
            yield f"model, family: {both}; name one of them"
        elif "model" in needed and self.family is not None:
            yield f"family: {self.kind!r} is about one run; name its `model` instead"
        allowed = (*needed, *MAY.get(self.kind, ()))
        for name in ("blob", "version", "run", "digest", "experiment", "node", "port", "commit"):
            if name not in allowed and getattr(self, name) is not None:
                yield f"{name}: means nothing to {self.kind!r}; leave it out"
        wrong = patterns.fault(self.blob_name) if self.blob is not None else ""
        if wrong:
            yield f"blob: {wrong}; name a file in {TRAINED_MODELS}"


def read_request(body: bytes, message_id: str, correlation_id: str, reply_to: str) -> Request:
    """Read a message of the queue; its properties stand in for what the body leaves out.

    Raises Refused telling every mistake, whatever the bytes are.
    """
    document = _document(body)
    properties = {"id": message_id, "correlation_id": correlation_id, "reply_to": reply_to}
    given = {name: value for name, value in properties.items() if value}
    try:
        return Request.model_validate({**given, **document}, strict=True)
    except ValidationError as error:
        raise Refused(all_told(map(_told, error.errors(include_url=False)))) from error


def request_schema() -> dict[str, Any]:
    """The JSON schema of a request, for those who send one."""
    schema = Request.model_json_schema(by_alias=True)
    properties = schema["properties"]
    for name, meaning in MEANS.items():
        properties[name]["description"] = meaning
    schema["required"] = ["kind"]
    properties["id"]["description"] = "may be left out where the message has an id of its own"
    either = [{"required": ["model"]}, {"required": ["family"]}]
    schema["oneOf"] = either
    schema["allOf"] = [
        {"if": {"properties": {"kind": {"const": kind}}}, "then": {"required": list(names)}}
        for kind, names in NEEDS.items()
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A message of the queue alm-requests",
    }


def _document(body: bytes) -> dict[str, Any]:
    if len(body) > REQUEST_BYTES_MAX:
        raise Refused(
            f"the body has {len(body)} bytes, at most {REQUEST_BYTES_MAX} are read; "
            "send the request alone, and name files instead of sending them"
        )
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Refused(f"the body is not UTF-8 (byte {error.start}); send UTF-8 JSON") from error
    except RecursionError as error:
        raise Refused("the body is nested too deeply; a request is one flat object") from error
    except ValueError as error:
        where = f" (character {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"the body is not JSON{where}: {_reason(error)}; send one object") from error
    if not isinstance(document, dict):
        raise Refused(f"the body is {json_type(document)}; send one object")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(f"{shown(twice)}: given twice; which one counts would be a guess")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not a JSON number")


def _reason(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else shown(str(error))


def _told(item: ErrorDetails) -> str:
    """Tell one mistake: the field, what was seen, what to write."""
    name = str(item["loc"][0]) if item["loc"] else "request"
    seen = item["input"]
    match item["type"]:
        case "incomplete":
            return item["msg"]
        case "missing" if name == "id":
            return "id: missing, and the message has no id either; give one, the same on a repeat"
        case "extra_forbidden":
            return f"{shown(name)}: no such field; {suggestion(name, _fields())}"
        case "literal_error" if name == "kind" and isinstance(seen, str):
            return f"kind: {shown(seen)} is not a request; {suggestion(seen, _kinds())}"
        case _:
            return told(item, _expected)


def _fields() -> list[str]:
    return [field.alias or name for name, field in Request.model_fields.items()]


def _kinds() -> list[str]:
    return list(get_args(Kind))


def _expected(name: str) -> str:
    named = {
        **MEANS,
        "kind": f"one of {', '.join(_kinds())}",
        "schema": "the number 1, or leave it out",
        "id": "letters, digits and . _ : -, at most 128, the same on a repeat",
        "model": "the id of a managed model: small letters, digits, . _ -",
        "family": "the name of a family: small letters, digits, . _ -",
        "reply_to": "the name of a queue that this app may answer to",
    }
    return f"write {named.get(name, 'one line of text, at most 128 characters')}"
