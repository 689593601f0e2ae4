"""Write the published JSON schemas: `python -m alm.entrypoints.schemas [folder]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from alm.domain.events import event_schema
from alm.domain.requests import request_schema

FOLDER = Path("docs/schemas")


def schemas() -> dict[str, str]:
    """The text of each schema file, by file name."""
    found = {"event.json": event_schema(), "request.json": request_schema()}
    return {
        name: json.dumps(schema, indent=2, sort_keys=True) + "\n" for name, schema in found.items()
    }


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
