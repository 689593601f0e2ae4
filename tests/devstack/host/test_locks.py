"""When a lock is renewed."""

from datetime import UTC, datetime, timedelta

import pytest

from devstack.host.locks import renewal_seconds

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left_seconds", "expected"),
    [(60, 10), (5, 2.5), (1, 0.5), (3600, 2), (-1, 2)],
)
def test_half_of_what_is_left_and_often_when_the_clocks_differ(left_seconds, expected):
    assert renewal_seconds(NOW + timedelta(seconds=left_seconds), NOW) == expected


def test_an_unknown_end_is_renewed_often():
    assert renewal_seconds(None, NOW) == 2
