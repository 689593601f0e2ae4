"""Calls of the workspace API, and how its answers are read.

What names a thing in a URL is checked and quoted. Success is any of 200, 201, 202, 204: which of
them a call is answered with is not documented. Where Studio answers null or nothing instead of a
list, the list is empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from alm.adapters.answers import error_of, json_of, object_of
from alm.adapters.connections import Answer
from alm.adapters.studio.access import Caller
from alm.domain.errors import Misconfigured, NotFound, Refused
from alm.domain.nearest import shown

TOKEN_HEADER = "x-ms-metaanalytics-authorizationtoken"  # noqa: S105 - the name of a header
SUCCESS = (200, 201, 202, 204)
PORT_CHARACTERS_MAX = 200

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,255}")

Record = Mapping[str, Any]


class WorkspaceCalls:
    """One workspace behind `caller`, whose base URL is that of the Studio API."""

    def __init__(self, caller: Caller, workspace: str) -> None:
        self.caller = caller
        self.workspace = workspace
        self.path = f"/workspaces/{workspace}"

    def get(self, path: str, *, doing: str, remedy: str = "") -> Answer:
        """Read something below the workspace. Raises NotFound also if the answer is empty."""
        answer = self.caller.send("GET", self.path + path)
        if answer.status != 200 and answer.status not in SUCCESS:
            raise error_of(answer, doing=doing, remedy=remedy)
        if answer.status == 204 or answer.body.strip() in (b"", b"null"):
            raise NotFound(
                f"{doing}: {answer.request.url} answered {answer.status} without content; "
                f"{remedy or 'check the name, and that it was not deleted'}"
            )
        return answer

    def record(self, path: str, *, doing: str, remedy: str = "") -> dict[str, Any]:
        """Read a JSON object."""
        return object_of(self.get(path, doing=doing, remedy=remedy), doing=doing)

    def records(self, path: str, *, doing: str) -> list[Record]:
        """Read a list of JSON objects; null and nothing are an empty one."""
        answer = self.caller.send("GET", self.path + path)
        if answer.status not in SUCCESS:
            raise error_of(answer, doing=doing)
        listed = json_of(answer, doing=doing) if answer.body.strip() else None
        entries = [] if listed is None else listed
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise Misconfigured(
                f"{doing}: {answer.request.url} answered something that is not a list of objects; "
                "check that the URL is that of the Studio API"
            )
        return entries

    def change(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        doing: str,
        remedy: str = "",
        secrets: Sequence[str] = (),
    ) -> Answer:
        """Ask for a change below the workspace; without a document, with an empty body.

        secrets: what the document holds and a refusal may repeat.
        """
        sent = self.caller.send(
            method, self.path + path, json_body=document, empty_body=document is None
        )
        return accepted(sent, doing=doing, remedy=remedy, secrets=secrets)


def accepted(
    answer: Answer, *, doing: str, remedy: str = "", secrets: Sequence[str] = ()
) -> Answer:
    """The answer to a change that was accepted. Raises what another one means."""
    if answer.status not in SUCCESS:
        raise error_of(answer, doing=doing, remedy=remedy, secrets=secrets)
    return answer


def checked(name: str, thing: str) -> str:
    """An id as it goes into a URL. Raises Refused if it cannot be one."""
    if not _ID.fullmatch(name):
        raise Refused(
            f"{name[:80]!r} is not the id of {thing}; ids are letters, digits, dots and dashes"
        )
    return name


def told_id(text: str, *, doing: str) -> str:
    """An id as Studio told it; it may become part of an address. Raises Misconfigured."""
    if text and not _ID.fullmatch(text):
        raise Misconfigured(
            f"{doing}: Studio answered {shown(text)} where an id stands; ids are letters, digits, "
            "dots and dashes: check that the URL is that of the Studio API"
        )
    return text


def port_in_path(port: str) -> str:
    """The name of a port as it goes into a URL: it is any text, of one line."""
    if not port.isprintable() or port in (".", "..") or not 0 < len(port) <= PORT_CHARACTERS_MAX:
        raise Refused(
            f"{port[:80]!r} is not the name of a port; it is one line of text, "
            f"at most {PORT_CHARACTERS_MAX} characters"
        )
    return quote(port, safe="")


def in_query(text: str) -> str:
    """A text as it goes into the query of a URL."""
    return quote(text, safe="")


def id_told(answer: Answer, *, doing: str, key: str = "Id") -> str:
    """The id that an answer tells, "" if it tells none.

    Studio answers a creation with the id as a JSON text, or as an object that has it under `key`;
    its clients take it without its quotes, whatever is around them.
    """
    text = answer.body.decode("utf-8", "replace").strip()
    document = _json(text)
    if isinstance(document, dict):
        document = document.get(key)
    told = "" if document is None else str(document).strip().strip('"')
    if told and not _ID.fullmatch(told):
        raise Misconfigured(
            f"{doing}: {answer.request.url} answered {answer.status} with something that is not "
            f"an id ({len(answer.body)} bytes); check that the URL is that of the Studio API"
        )
    return told


def _json(text: str) -> object:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return text
