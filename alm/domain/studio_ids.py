"""What the ids and times of Studio say: workspace, family, version, and when a snapshot was taken.

Source: Studio API, identifiers as captured. That the date in a snapshot's id counts backwards is
inferred; it agrees to the second with the times of the captured runs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from alm.domain.errors import Refused
from alm.domain.nearest import shown

GLOBAL_WORKSPACE = "506153734175476c4f62416c57734963"
"""The workspace of Studio's own modules and samples: the same ids everywhere."""

ID_MAX = 512
NODE_ID = re.compile(r"(?P<group>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})-(\d{1,9})")

_ID = re.compile(r"(?P<workspace>[^.\s]+)\.(?P<family>[^.\s]+)\.(?P<instance>[^\s]+)")
_NUMBER = re.compile(r"-(\d{1,9})$")
_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_SNAPSHOT = re.compile(r"\.s-id\.[^.]+\.(\d{4}-\d\d-\d\d)t(\d\d)\.(\d\d)\.(\d\d)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class AssetId(NamedTuple):
    """`workspace.family.instance` of a dataset, trained model, transform or module.

    number: the version at the end of `v1-default-12`; -1 where there is none.
    """

    workspace: str
    family: str
    instance: str
    number: int


def asset_id(text: str) -> AssetId | None:
    """Take an id apart; None: it is not one of that form."""
    match = _ID.fullmatch(text) if len(text) <= ID_MAX else None
    if match is None:
        return None
    number = _NUMBER.search(match["instance"])
    version = int(number[1]) if number else -1
    return AssetId(match["workspace"], match["family"], match["instance"], version)


def family_of(text: str) -> str:
    """The family in an id: the same for all its versions; the text itself where there is none."""
    parts = asset_id(text)
    return parts.family if parts else text


def version_of(text: str) -> int:
    """The version in an id; -1 where there is none."""
    parts = asset_id(text)
    return parts.number if parts else -1


def moment(text: str) -> datetime | None:
    """A time as Studio writes it, `/Date(ms)/`; None where the text is empty.

    Raises Refused for anything else.
    """
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        if match:
            return _EPOCH + timedelta(milliseconds=int(match[1]))
    except OverflowError:
        pass
    raise Refused(f"{shown(text)} is no time of Studio's, which look like /Date(1464199879696)/")


def taken(snapshot: str) -> datetime | None:
    """When a snapshot was taken, to the second; None: the id is not a snapshot's.

    The clock in an id runs backwards, so that ids sort newest first.
    """
    match = _SNAPSHOT.search(snapshot) if len(snapshot) <= ID_MAX else None
    if match is None:
        return None
    try:
        reversed_clock = datetime.fromisoformat(f"{match[1]}T{match[2]}:{match[3]}:{match[4]}Z")
        return _EPOCH + (_END_OF_TIME - reversed_clock)
    except (ValueError, OverflowError):
        return None
