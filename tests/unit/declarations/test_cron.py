"""Cron lines: the latest missed time, at most a day back, in UTC."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest

from alm.domain import cron

NOON = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)  # a Monday
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("line", "since", "until", "due"),
    [
        ("0 12 * * *", NOON - timedelta(minutes=1), NOON, [NOON]),
        ("0 12 * * *", NOON, NOON + timedelta(minutes=1), []),
        ("0 12 * * *", NOON - timedelta(seconds=1), NOON + timedelta(seconds=1), [NOON]),
        ("0 * * * *", NOON - timedelta(hours=5), NOON, [NOON]),
        ("0 * * * *", NOON - 5 * HOUR, NOON - MINUTE, [NOON - HOUR]),
        ("0 12 * * 0", NOON - timedelta(days=6), NOON, []),
        ("0 12 * * 0", NOON - 25 * HOUR, NOON - MINUTE, [NOON - 24 * HOUR]),
        ("0 13 5 5 *", NOON - timedelta(days=400), NOON, [NOON - timedelta(hours=23)]),
        ("0 11 5 5 *", NOON - timedelta(days=400), NOON, []),
        ("0 12 * * mon-fri", NOON - timedelta(minutes=1), NOON, [NOON]),
        ("0 12 * * *", NOON, NOON - timedelta(hours=1), []),
    ],
)
def test_the_latest_missed_time_is_due(line, since, until, due):
    assert cron.due(line, since, until) == due


def test_times_of_other_zones_are_understood_as_utc():
    two_hours_east = timezone(timedelta(hours=2))
    until = NOON.astimezone(two_hours_east)
    assert cron.due("0 12 * * *", until - timedelta(minutes=1), until) == [NOON]


def test_ticks_that_meet_cover_every_due_time_once():
    ticks = [NOON + timedelta(seconds=37 * tick) for tick in range(500)]

    found = [
        due
        for since, until in itertools.pairwise(ticks)
        for due in cron.due("*/7 * * * *", since, until)
    ]

    minutes = [NOON + timedelta(minutes=minute) for minute in range(1, 500)]
    assert found == [at for at in minutes if at.minute % 7 == 0 and at <= ticks[-1]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("@daily", "has 1 fields; write five"),
        ("* * * * * *", "has 6 fields"),
        ("61 * * * *", "out of range"),
        ("* 25 * * *", "out of range"),
        ("*/0 * * * *", "step"),
        ("0 0 30 2 *", "never due"),
        ("R * * * *", "field 'R'"),
        ("H * * * *", "field 'H'"),
        ("a b c d e", "field 'a'"),
        ("0 0 * * 8", "out of range"),
    ],
)
def test_a_wrong_line_is_told(line, words):
    assert words in cron.fault(line)


@pytest.mark.parametrize("line", ["* * * * *", "0 2 * * 1", "0 0 29 2 *", "15,45 1-5/2 1 jan sun"])
def test_a_right_line_has_no_fault(line):
    assert cron.fault(line) == ""
