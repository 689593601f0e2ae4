"""The engine's numbers, with their reasons, and the relations between them."""

from __future__ import annotations

from datetime import timedelta

FUNCTION_TIMEOUT_SECONDS = 300  # host.json functionTimeout
LOCK_RENEWAL_SECONDS = 360  # host.json maxAutoLockRenewalDuration: longer than any function lives
CALL_SECONDS_MAX = 60  # total deadline of one call
FILE_CALL_SECONDS_MAX = 180  # total deadline of one call that moves a model file
CLOCK_SKEW_SECONDS = 30

ZOMBIE_SECONDS_MAX = FUNCTION_TIMEOUT_SECONDS + FILE_CALL_SECONDS_MAX + CLOCK_SKEW_SECONDS
"""T_max: how long a holder that lost its lock can still change something. A patch of a classic
endpoint is a call that moves a model file: the service copies it while it answers."""

TRIES_MAX = 10  # visits of one stage that met a transient error: about six minutes in all
RETRY_SECONDS_MAX = 60.0
ROUNDS_MAX = 2  # patches of a wave beyond the first, when what was put there is not there
RECONCILES_MAX = 3
SWEEPS = 4  # sweeps that re-send the step; then as many that ask to fail; then as many by force
WRITES_MAX = 50  # attempts of one conditional write: more means a storm, let the broker redeliver

KICK_SECONDS_MAX = 300.0
LEAVE_RENEWED = timedelta(days=3)  # of 6: a quiet target is looked at every six hours
RUN_MARGIN = timedelta(minutes=30)  # on top of all declared waits before a run counts as late
ACTIVE_RECORD_SECONDS = 10.0  # waits at least this long are shown to people

assert CALL_SECONDS_MAX < FILE_CALL_SECONDS_MAX < FUNCTION_TIMEOUT_SECONDS < LOCK_RENEWAL_SECONDS


def retry_seconds(tries: int) -> float:
    """How long to wait before the visit after `tries` failed ones: 1, 2, 4 … 60."""
    return min(2.0 ** max(0, tries - 1), RETRY_SECONDS_MAX)
