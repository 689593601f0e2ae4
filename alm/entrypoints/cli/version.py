"""Which version this is: of the installed package, or of the source tree it runs from."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

PACKAGE = "azure-studio-alm"
_PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def version() -> str:
    """The version; of a deployed app, which has neither, "unknown"."""
    if _PROJECT.is_file():
        project = tomllib.loads(_PROJECT.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == PACKAGE:
            return str(project["version"])
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "unknown"
