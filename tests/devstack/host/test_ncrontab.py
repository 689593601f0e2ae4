"""Six-field schedules."""

from datetime import UTC, datetime

import pytest

from devstack.host import ncrontab

START = datetime(2026, 11, 23, 21, 30, 15, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * * *", "2026-11-23 21:30:16"),
        ("0 * * * * *", "2026-11-23 21:31:00"),
        ("*/20 * * * * *", "2026-11-23 21:30:20"),
        ("15 30 21 * * *", "2026-11-24 21:30:15"),
        ("0 */5 * * * *", "2026-11-23 21:35:00"),
        ("0 0 3 * * *", "2026-11-24 03:00:00"),
        ("0 0 9-17 * * MON-FRI", "2026-11-24 09:00:00"),
        ("0 0 12 * * sun", "2026-11-29 12:00:00"),
        ("0 0 0 1 1 *", "2027-01-01 00:00:00"),
        ("0 0 0 1 Jan,Dec *", "2026-12-01 00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 0 0 13 * Fri", "2027-08-13 00:00:00"),
        ("0 10,50/5 * * * *", "2026-11-23 21:50:00"),
        ("0 0 22/2 * * *", "2026-11-23 22:00:00"),
        ("30 * * * *", "2026-11-23 22:30:00"),
    ],
)
def test_the_next_time(text, expected):
    found = ncrontab.parse(text).next_after(START)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_matching_moment_is_not_its_own_successor():
    schedule = ncrontab.parse("0 0 * * * *")
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert schedule.next_after(noon) == datetime(2026, 11, 23, 13, tzinfo=UTC)


def test_fractions_of_a_second_count_as_passed():
    moment = datetime(2026, 11, 23, 12, 0, 0, 1, tzinfo=UTC)
    expected = datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC)
    assert ncrontab.parse("* * * * * *").next_after(moment) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("* * * *", "4 fields"),
        ("60 * * * * *", "second '60'"),
        ("0 0 24 * * *", "hour '24'"),
        ("0 0 0 0 * *", "day '0'"),
        ("0 0 0 * 13 *", "month '13'"),
        ("0 0 0 * * 7", "day of week '7'"),
        ("0 0 0 * * noday", "day of week 'noday'"),
        ("*/0 * * * * *", "step"),
        ("30-10 * * * * *", "backwards"),
        ("00:05:00", "1 fields"),
    ],
)
def test_a_mistake_is_named(text, named):
    with pytest.raises(ValueError, match=named):
        ncrontab.parse(text)


def test_a_day_that_never_comes_is_an_error():
    with pytest.raises(ValueError, match="never comes due"):
        ncrontab.parse("0 0 0 30 2 *").next_after(START)
