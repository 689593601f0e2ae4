"""Holds documents of Resource Manager against the specification, on their way over the wire.

    http = Http(["127.0.0.1"], transport=Checked(Connections()))

Every call to a web service, plan or operation is checked, what is sent and what is answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime

from alm.adapters.connections import Answer, Request, Transport
from tests.contract.studio.arm_facts import PLANS, WEB_SERVICES_2016, WEB_SERVICES_2017

Fields = dict[str, tuple[str, str]]
Definitions = dict[str, Fields]

_FIELD = re.compile(r"(?P<name>[\w-]+?)(?P<marks>!?-?):(?P<type>\S+)")
_PROVIDER = "/providers/microsoft.machinelearning"
_ONE, _MANY = r"/webservices/[^/]+$", r"/webservices$"

EXTRA = {"AsyncOperationStatus": ("status", "error")}
"""What answers have beside: published clients poll `status`, and read `error` where it failed."""

SENT_ALL_THE_SAME = {"PatchedWebService": ("location",)}
"""Read-only, and yet in the specification's own example of a PATCH."""

NEVER_ANSWERED = ("keys", "commitmentPlan", "storageAccount.key")
"""The descriptions of these properties say that calls to GET do not return them."""


def _definitions(text: str) -> Definitions:
    found: Definitions = {}
    for line in text.strip().splitlines():
        if not line.startswith(" "):
            fields = found.setdefault(line.strip(), {})
            continue
        for match in _FIELD.finditer(line):
            fields[match["name"]] = (match["marks"], match["type"])
    return found


SPEC_2017 = _definitions(WEB_SERVICES_2017)
SPEC_2016 = {
    name: fields
    for name, fields in (SPEC_2017 | _definitions(WEB_SERVICES_2016)).items()
    if name not in ("PatchedWebService", "BlobLocation", "WebServiceParameter")
}
SPEC_PLANS = _definitions(PLANS)


class Checked(Transport):
    """Passes calls on, and fails on the first that is not as the specification says.

    seen: what was checked, as `METHOD definition`.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.seen: list[str] = []

    def exchange(self, request: Request, seconds: float) -> Answer:
        self._check_sent(request)
        answer = self._inner.exchange(request, seconds)
        self._check_answered(answer)
        return answer

    def open(self, request: Request, seconds: float) -> Answer:
        return self._inner.open(request, seconds)

    def close(self) -> None:
        self._inner.close()

    def _check_sent(self, request: Request) -> None:
        path, version = _place(request)
        if _PROVIDER not in path:
            return
        assert version in ("2016-05-01-preview", "2017-01-01"), request.target
        if request.body is None:
            return
        is_patch = request.method == "PATCH" and version == "2017-01-01"
        name = "PatchedWebService" if is_patch else "WebService"
        mistakes = list(wrong(_spec(path, version), name, json.loads(request.body), sent=True))
        assert mistakes == [], f"{request.method} {request.url}: {mistakes}"
        self.seen.append(f"{request.method} {name} {version}")

    def _check_answered(self, answer: Answer) -> None:
        path, version = _place(answer.request)
        name = _answered(answer.request.method, path)
        if answer.status not in (200, 201) or not name or not answer.body:
            return
        document = json.loads(answer.body)
        mistakes = list(wrong(_spec(path, version), name, document, sent=False))
        assert mistakes == [], f"answer to {answer.request.url}: {mistakes}"
        self.seen.append(f"answer {name} {version}")


def wrong(
    spec: Definitions, name: str, document: object, *, sent: bool, place: str = ""
) -> Iterator[str]:
    """Everything in a document that the specification does not say."""
    if not isinstance(document, dict):
        yield f"{place or name} is no object"
        return
    fields = spec[name]
    allowed = {*fields, *(() if sent else EXTRA.get(name, ()))}
    for field in document.keys() - allowed:
        yield f"{place}{field} is no field of {name}"
    for field, (marks, kind) in fields.items():
        here = f"{place}{field}"
        if field not in document:
            if "!" in marks:
                yield f"{here} is missing"
        elif sent and "-" in marks and field not in SENT_ALL_THE_SAME.get(name, ()):
            yield f"{here} is read-only"
        elif not sent and _is_never_answered(here):
            yield f"{here} is never answered"
        else:
            yield from _wrong_value(spec, kind, document[field], sent, here)


def _wrong_value(
    spec: Definitions, kind: str, value: object, sent: bool, place: str
) -> Iterator[str]:
    if kind[0] == "{" and isinstance(value, dict):
        for key, item in value.items():
            yield from _wrong_value(spec, kind[1:-1], item, sent, f"{place}.{key}")
    elif kind[0] == "[" and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _wrong_value(spec, kind[1:-1], item, sent, f"{place}[{number}]")
    elif kind in spec:
        yield from wrong(spec, kind, value, sent=sent, place=f"{place}.")
    elif not _fits(kind, value):
        yield f"{place} is {value!r:.80}, not {kind}"


def _fits(kind: str, value: object) -> bool:
    form = re.fullmatch(r"(?P<name>\w+)(?:\((?P<limits>.*)\))?", kind)
    if form is None:  # an object or a list was wanted
        return False
    if form["limits"] and form["name"] == "text":
        return value in form["limits"].split("|")
    if form["limits"]:
        low, _, high = form["limits"].partition("..")
        return isinstance(value, int) and int(low) <= value <= int(high)
    return _SCALARS[kind](value)


def _is_time(value: object) -> bool:
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SCALARS: dict[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "whole": lambda value: _is_number(value) and isinstance(value, int),
    "number": _is_number,
    "time": _is_time,
    "any": lambda value: True,
}


def _is_never_answered(place: str) -> bool:
    return any(place.endswith(f"properties.{name}") for name in NEVER_ANSWERED)


def _place(request: Request) -> tuple[str, str]:
    path, _, query = request.target.partition("?")
    version = re.search(r"(?:^|&)api-version=([^&]*)", query)
    return path.lower(), version[1] if version else ""


def _spec(path: str, version: str) -> Definitions:
    if "/commitmentplans" in path:
        return SPEC_PLANS
    return SPEC_2016 if version.startswith("2016") else SPEC_2017


def _answered(method: str, path: str) -> str:
    """The definition that an answer follows; "" for what is not checked."""
    if _PROVIDER not in path or method == "DELETE":
        return ""
    kinds = {
        _ONE: "WebService",
        _MANY: "PaginatedWebServicesList",
        r"/listkeys$": "WebServiceKeys",
        r"/operationsstatus/[^/]+$": "AsyncOperationStatus",
        r"/commitmentplans/[^/]+$": "CommitmentPlan",
        r"/commitmentplans$": "CommitmentPlanListResult",
        r"/commitmentassociations$": "CommitmentAssociationListResult",
    }
    return next((name for form, name in kinds.items() if re.search(form, path)), "")
