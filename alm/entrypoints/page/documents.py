"""Documents of ours as the page reads them: what is missing or of another kind is empty.

One broken record must not take the page from somebody who looks for what broke it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from alm.bootstrap import App
from alm.domain.errors import AlmError
from alm.domain.run import Entry, RunState, Trigger

Document = Mapping[str, Any]
BYTES_MAX = 4 << 20


def text(document: Document, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def part(document: Document, name: str) -> Document:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def parts(document: Document, name: str) -> list[Document]:
    value = document.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(document: Document, name: str) -> list[str]:
    value = document.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def history(record: Document) -> list[Entry]:
    """The entries of a run's history that can be read."""
    found = []
    for entry in parts(record, "history"):
        try:
            found.append(Entry.model_validate(entry))
        except ValidationError:
            continue
    return found


def triggers(record: Document) -> list[Trigger]:
    """The triggers of a run that can be read."""
    found = []
    for entry in parts(record, "triggers"):
        try:
            found.append(Trigger.model_validate(entry))
        except ValidationError:
            continue
    return found


def state(record: Document) -> RunState:
    """A run's state; an empty one where it was written by another version of the app."""
    try:
        return RunState.model_validate(part(record, "state"))
    except ValidationError:
        return RunState()


def stored(app: App, path: str) -> Document:
    """A JSON document in a container of ours; empty where it is not there, or is none."""
    try:
        document = json.loads(app.ports.blobs.get(path, bytes_max=BYTES_MAX))
    except (AlmError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
