"""What holds: invariants are demanded, and what the platform promises a switch can take away."""

from __future__ import annotations

from dataclasses import dataclass

from alm.engine.limits import ZOMBIE_SECONDS_MAX


class Violation(Exception):
    """An invariant is broken."""


def demand(holds: bool, message: str) -> None:
    if not holds:
        raise Violation(message)


@dataclass(frozen=True)
class Rules:
    """What holds in a world beside the engine; the switches of the platform take it away.

    sweeps: the timer of the sweep runs. settle_first: messages are completed before they are
    handled. zombie_seconds: how long a holder lives that lost its lock.
    """

    sweeps: bool = True
    settle_first: bool = False
    zombie_seconds: float = ZOMBIE_SECONDS_MAX
    pace: float = 0.0
