"""Cron lines: five fields (minute, hour, day, month, weekday), always UTC.

Only the latest missed time counts: a retraining that was due three times while the app was down
is wanted once, on the newest data, and not three times over. Times more than a day past are not
made up for at all: by then people have looked, and a surprise run helps nobody.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from croniter import CroniterError, croniter  # type: ignore[import-untyped]

from alm.domain.nearest import shown

CATCH_UP_MAX = timedelta(hours=24)
_FIELD = re.compile(
    r"(?:[0-9*,/#-]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|l)+",
    re.IGNORECASE,
)  # no H or R: croniter draws those at random
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)  # due times are searched from here, years ahead


def fault(cron: str) -> str:
    """What is wrong with a cron line, and what to write; "" if nothing is."""
    fields = cron.split()
    if len(fields) != 5:
        return (
            f"{shown(cron)} has {len(fields)} fields; write five: minute hour day month weekday, "
            "for example '30 2 * * 1' for Mondays at 02:30 UTC"
        )
    bad = next((field for field in fields if not _FIELD.fullmatch(field)), None)
    if bad is not None:
        return f"{shown(cron)} has the field {shown(bad)}; use numbers, names, * , - / and #"
    try:
        croniter(cron, _SOME_DAY).get_next(datetime)
    except (CroniterError, ValueError) as error:
        return f"{shown(cron)} is never due ({error}); correct the field it complains about"
    return ""


def due(cron: str, since: datetime, until: datetime) -> list[datetime]:
    """The latest time that `cron` was due after `since`, up to and including `until`: one or none.

    since, until: aware. Looks back 24 h at most.
    """
    assert since.tzinfo is not None
    assert until.tzinfo is not None
    start = max(since, until - CATCH_UP_MAX)
    latest = _latest(cron, until.astimezone(UTC))
    return [latest] if start < latest <= until else []


@lru_cache(64)  # ten thousand members of a family share a line and ask within one tick
def _latest(cron: str, until: datetime) -> datetime:
    just_after = until.replace(microsecond=0) + timedelta(seconds=1)
    found: datetime = croniter(cron, just_after).get_prev(datetime)
    return found.replace(fold=0)  # croniter marks some; UTC has no folds


def next_due(cron: str, after: datetime) -> datetime:
    """The first time after `after` that `cron` is due."""
    assert after.tzinfo is not None
    found: datetime = croniter(cron, after.astimezone(UTC)).get_next(datetime)
    return found.replace(fold=0)
