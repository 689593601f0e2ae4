"""Write what is published about data: `python -m alm.entrypoints.published.schemas [folder]`.

The folder is `docs`. The messages of a mailbox (`alm-steps`) have no schema: they are the app's
own, and change with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from alm.domain.events import event_schema
from alm.domain.replies import Replied
from alm.domain.requests import request_schema
from alm.entrypoints.api import openapi
from alm.entrypoints.api.json_schemas import DIALECT, Schemas, portable, rewritten
from alm.entrypoints.api.routes import ROUTES
from alm.entrypoints.published.declaration_schema import declaration_schema

FOLDER = Path("docs")


def schemas() -> dict[str, str]:
    """The text of each file, by its name in the folder."""
    documents = {
        "openapi.json": openapi.document(ROUTES),
        "schemas/answer.json": _answer(),
        "schemas/event.json": event_schema(),
        "schemas/managed-model.json": declaration_schema(),
        "schemas/request.json": request_schema(),
    }
    return {name: _text(document) for name, document in documents.items()}


def write(folder: Path = FOLDER) -> None:
    for name, text in schemas().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _answer() -> dict[str, Any]:
    """Open: a field may be added to it one day."""
    schema = Replied.model_json_schema(mode="serialization", schema_generator=Schemas)
    del schema["additionalProperties"]
    title = "A message to the queue that a request named in reply_to"
    return {"$schema": DIALECT, **rewritten(schema, portable), "title": title}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
