"""Holds documents of Resource Manager against the specification, on their way over the wire.

    http = Http(["127.0.0.1"], transport=Checked(Connections()))

Every call to a web service, plan or operation is checked, what is sent and what is answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from alm.adapters.connections import Answer, Request, Transport
from tests.contract.studio import arm_facts

Fields = dict[str, tuple[str, str]]
Definitions = dict[str, Fields]

_FIELD = re.compile(r"(?P<name>[\w-]+?)(?P<marks>!?-?):(?P<type>\S+)")
_PROVIDER = "/providers/microsoft.machinelearning"

EXTRA = {"AsyncOperationStatus": ("status", "error"), "ErrorResponse": ("error",)}
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


SPEC_2017 = _definitions(arm_facts.WEB_SERVICES_2017)
SPEC_2016 = {
    name: fields
    for name, fields in (SPEC_2017 | _definitions(arm_facts.WEB_SERVICES_2016)).items()
    if name not in ("PatchedWebService", "BlobLocation", "WebServiceParameter")
}
SPEC_PLANS = _definitions(arm_facts.PLANS)
SPEC_WORKSPACES = _definitions(arm_facts.WORKSPACES_2019)
SPECS = {
    ("webservices", "2017-01-01"): SPEC_2017,
    ("webservices", "2016-05-01-preview"): SPEC_2016,
    ("commitmentplans", "2016-05-01-preview"): SPEC_PLANS,
    ("workspaces", "2019-10-01"): SPEC_WORKSPACES,
    ("workspaces", "2016-04-01"): SPEC_WORKSPACES | _definitions(arm_facts.WORKSPACES_2016),
}


@dataclass(frozen=True)
class Call:
    """A call of the specification: where it is, what is sent and answered, how it succeeds."""

    version: str
    spec: Definitions
    method: str
    path: str
    sent: str
    statuses: tuple[int, ...]
    answered: str


def _calls(text: str) -> Iterator[Call]:
    kind, versions = "", list[str]()
    for line in text.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            kind, *versions = words
            continue
        method, path, sent, statuses, answered = words
        allowed = tuple(map(int, statuses.split(",")))
        for version in versions:
            spec = SPECS[kind, version]
            is_in = sent == "-" or sent in spec
            name = sent if is_in else "WebService"  # the PATCH of 2016 sends a whole one
            yield Call(version, spec, method, path, name, allowed, answered)


CALLS = list(_calls(arm_facts.CALLS))


class Checked(Transport):
    """Passes calls on, and fails on the first that is not as the specification says.

    seen: what was checked, as `METHOD definition`.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.seen: list[str] = []

    def exchange(self, request: Request, seconds: float) -> Answer:
        self._note(check_sent(request.method, request.target, request.body))
        answer = self._inner.exchange(request, seconds)
        self._note(check_answered(request.method, request.target, answer.status, answer.body))
        return answer

    def open(self, request: Request, seconds: float, piece_seconds: float) -> Answer:
        return self._inner.open(request, seconds, piece_seconds)

    def close(self) -> None:
        self._inner.close()

    def _note(self, found: tuple[str, list[str]]) -> None:
        what, mistakes = found
        assert mistakes == [], mistakes
        if what:
            self.seen.append(what)


def check_sent(method: str, target: str, body: bytes | None) -> tuple[str, list[str]]:
    """What is sent, as `METHOD definition version`, "" if no document is; and what is wrong."""
    path, version = _place(target)
    if not path:
        return "", []
    call = _call(method, path, version)
    if call is None:
        return "", [f"{method} {path} is no call of api-version {version!r}"]
    if call.sent == "-":
        return "", []
    mistakes = wrong(call.spec, call.sent, json.loads(body or b"null"), sent=True)
    return f"{method} {call.sent} {version}", [
        f"{method} {path}: {mistake}" for mistake in mistakes
    ]


def check_answered(method: str, target: str, status: int, body: bytes) -> tuple[str, list[str]]:
    """What is answered, as `answer definition version`, "" if no document is; what is wrong.

    Only for workspaces does the specification say how an error looks.
    """
    path, version = _place(target)
    call = _call(method, path, version) if path else None
    if call is None:
        return "", []
    name, here = call.answered, f"answer {status} to {method} {path}"
    if status >= 400:
        name = "ErrorResponse"
        if name not in call.spec:
            return "", []
    elif status not in call.statuses:
        return "", [f"{here}: the status is none of {call.statuses}"]
    if name == "-" or not body:
        return "", []
    mistakes = wrong(call.spec, name, json.loads(body), sent=False)
    return f"answer {name} {version}", [f"{here}: {mistake}" for mistake in mistakes]


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


def _place(target: str) -> tuple[str, str]:
    """The path below the provider in lower case, "" when it is none of its; and the api-version."""
    path, _, query = target.partition("?")
    below = re.search(re.escape(_PROVIDER) + r"/(.*)", path.lower())
    version = re.search(r"(?:^|&)api-version=([^&]*)", query)
    return below[1].rstrip("/") if below else "", version[1] if version else ""


def _call(method: str, path: str, version: str) -> Call | None:
    for call in CALLS:
        form = re.escape(call.path).replace(r"\*", "[^/]+")
        if call.method == method and version == call.version and re.fullmatch(form, path):
            return call
    return None
