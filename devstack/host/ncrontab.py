"""NCRONTAB: `{second} {minute} {hour} {day} {month} {day of week}`, in UTC.

Five fields mean second 0. Both day fields must match, as in the NCrontab library that the Azure
host uses (cron would be content with one). Sunday is 0; there is no 7.
"""

import calendar
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = tuple(name.lower() for name in calendar.month_abbr)  # ("", "jan", ...)
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_YEARS_AHEAD = 8  # 29 February can be eight years away (1896-1904, 2096-2104)


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True)
class Schedule:
    """The times that match six sets of numbers."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    days_of_week: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        """Return the first matching time later than `moment`.

        Raises ValueError if there is none within eight years (30 February).
        """
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day = start.replace(hour=0, minute=0, second=0)
        floor = (start.hour, start.minute, start.second)
        for _ in range(366 * _YEARS_AHEAD + 2):
            time = self._time_from(floor) if self._day_matches(day) else None
            if time is not None:
                return day.replace(hour=time[0], minute=time[1], second=time[2])
            day += timedelta(days=1)
            floor = (0, 0, 0)
        raise ValueError(f"schedule {self.text!r} never comes due; correct its day and month")

    def _day_matches(self, day: datetime) -> bool:
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.days_of_week
        )

    def _time_from(self, floor: tuple[int, int, int]) -> tuple[int, int, int] | None:
        for hour, minute in itertools.product(self.hours, self.minutes):
            if (hour, minute) < floor[:2]:
                continue
            least = floor[2] if (hour, minute) == floor[:2] else 0
            second = next((s for s in self.seconds if s >= least), None)
            if second is not None:
                return hour, minute, second
        return None


def parse(text: str) -> Schedule:
    """Read a schedule of six (or five) fields. Raises ValueError that names the wrong field."""
    words = text.split()
    if len(words) == 5:
        words = ["0", *words]
    if len(words) != 6:
        raise ValueError(
            f"schedule {text!r} has {len(words)} fields; "
            "write {second} {minute} {hour} {day} {month} {day of week}"
        )
    sets = [_numbers(word, field, text) for word, field in zip(words, _FIELDS, strict=True)]
    return Schedule(
        text=text,
        seconds=tuple(sorted(sets[0])),
        minutes=tuple(sorted(sets[1])),
        hours=tuple(sorted(sets[2])),
        days=frozenset(sets[3]),
        months=frozenset(sets[4]),
        days_of_week=frozenset(sets[5]),
    )


def _numbers(word: str, field: _Field, text: str) -> set[int]:
    numbers: set[int] = set()
    for part in word.split(","):
        numbers |= _part(part, field, text)
    return numbers


def _part(part: str, field: _Field, text: str) -> set[int]:
    span, slash, step_word = part.partition("/")
    step = 1
    if slash:
        if not step_word.isdecimal() or int(step_word) < 1:
            raise ValueError(
                f"{field.name} {part!r} of schedule {text!r}: the step must be 1 or more"
            )
        step = int(step_word)
    if span == "*":
        return set(range(field.low, field.high + 1, step))
    low_word, dash, high_word = span.partition("-")
    low = _number(low_word, field, text)
    last = field.high if slash else low
    high = _number(high_word, field, text) if dash else last
    if high < low:
        raise ValueError(f"{field.name} {part!r} of schedule {text!r} runs backwards")
    return set(range(low, high + 1, step))


def _number(word: str, field: _Field, text: str) -> int:
    lowered = word.lower()
    if lowered and lowered[:3] in field.names and lowered.isalpha():
        return field.names.index(lowered[:3])
    if word.isdecimal() and field.low <= int(word) <= field.high:
        return int(word)
    raise ValueError(
        f"{field.name} {word!r} of schedule {text!r} is not a number "
        f"from {field.low} to {field.high}"
    )
