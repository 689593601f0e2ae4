"""What a stage returns. The engine turns an outcome into the next message; no stage sends anything.

`state` replaces the run's state where it is given. `why` is for people: it is kept in the history.
"""

from __future__ import annotations

from dataclasses import dataclass

from alm.domain.run import Result, RunState


@dataclass(frozen=True)
class Done:
    """The stage did its work; go on to `to`, or where the pipeline says."""

    state: RunState | None = None
    to: str | None = None
    why: str = ""


@dataclass(frozen=True)
class Wait:
    """Nothing to decide yet; come back to this stage in `seconds`."""

    seconds: float
    why: str
    state: RunState | None = None


@dataclass(frozen=True)
class Hold:
    """A person must decide. Approval goes on as Done would; `digest` names what is approved."""

    digest: str
    why: str
    to: str | None = None
    state: RunState | None = None


@dataclass(frozen=True)
class Rejected:
    """The candidate is not good enough. Not an error; nothing was changed."""

    why: str
    state: RunState | None = None


@dataclass(frozen=True)
class Failed:
    """The run cannot go on. Before an intent it ends, after one it rolls back."""

    why: str
    state: RunState | None = None


@dataclass(frozen=True)
class Unfit:
    """The right model answers and its smoke test fails: roll back."""

    why: str
    state: RunState | None = None


@dataclass(frozen=True)
class Displaced:
    """A target does not hold what we put there: go back to `to`, a bounded number of rounds."""

    why: str
    to: str
    state: RunState | None = None


@dataclass(frozen=True)
class Finish:
    """The run ends here with `result`; `unknown` lists targets whose content is not verified."""

    result: Result
    why: str = ""
    unknown: tuple[str, ...] = ()
    state: RunState | None = None


Outcome = Done | Wait | Hold | Rejected | Failed | Unfit | Displaced | Finish
