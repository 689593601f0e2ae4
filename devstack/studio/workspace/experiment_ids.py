"""Ids, ETags and times of experiments in the forms that the workspace API uses.

An experiment is `{ws}.f-id.{hex}`; its snapshots are `{ws}.s-id.{hex}.{reversed clock}` with the
same hex. The reversed clock is the last second of the year 9999 minus the seconds since 1970, so
that the newest sorts first.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import quote

from devstack.studio.names import iso, new_id

EXPERIMENT_ID = re.compile(r"([0-9a-f]{32})\.f-id\.([0-9a-f]{32})")
SNAPSHOT_ID = re.compile(
    r"([0-9a-f]{32})\.s-id\.([0-9a-f]{32})\.\d{4}-\d{2}-\d{2}t\d{2}\.\d{2}\.\d{2}"
)

_END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - a form, not a time


def new_experiment_id(workspace_id: str) -> str:
    """The id of a new experiment."""
    return f"{workspace_id}.f-id.{new_id()}"


def snapshot_prefix(experiment_id: str) -> str:
    """What the ids of all snapshots of an experiment begin with."""
    return experiment_id.replace(".f-id.", ".s-id.") + "."


def snapshot_id(experiment_id: str, seconds: int) -> str:
    """The id of the snapshot that was taken at a whole second since 1970."""
    reversed_clock = _END_OF_TIME - timedelta(seconds=seconds)
    return f"{snapshot_prefix(experiment_id)}{reversed_clock:%Y-%m-%dt%H.%M.%S}"


def etag_of(modified: float) -> str:
    """The ETag of an experiment that was last changed at a time."""
    return f"W/\"datetime'{quote(iso(modified))}'\""


def after(modified: float, now: float) -> float:
    """A time of change that gives another ETag than the one before."""
    return now if now > modified + 1e-6 else modified + 2e-6


def date(seconds: float | None) -> str | None:
    """A time as `/Date(milliseconds)/`."""
    return None if seconds is None else f"/Date({round(seconds * 1000)})/"
