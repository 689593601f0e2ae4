"""Where the running stack is, kept in its data folder for the commands that work at it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "addresses.json"
DATA = Path(".local/up")


class NoStack(Exception):
    """No stack has been started on that folder; says what to do."""


def keep_addresses(folder: Path, addresses: Mapping[str, Any]) -> None:
    """Write them anew, for the folder's owner only: keys are among them."""
    path = folder / NAME
    path.unlink(missing_ok=True)
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(dict(addresses), file)


def kept_addresses(folder: Path) -> dict[str, Any]:
    """The addresses of the stack that was started last on a folder. Raises NoStack."""
    try:
        addresses: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NoStack(
            f"no stack was started on {folder}; start one (make dev), or name its folder: --data"
        ) from error
    return addresses
