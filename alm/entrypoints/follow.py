"""Follow an order until the runs that it started have ended, and say how they did.

The API is asked again and again; an app that is away for a while (a restart, a deployment) is
waited for. Lines and progress go to the error stream: the standard output is the result's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from alm.entrypoints import tables_out
from alm.entrypoints.client import ApiFailed, ApiUnreachable, Client

LOOK_SECONDS = 0.5
AWAY_SECONDS_MAX = 120.0  # a deployment of the app takes less
SEEN_SECONDS_MAX = 15.0  # a run that ends is on record by then; what is not was skipped
AT_ONCE = 8  # members of a family that are asked after at the same time
GOOD = ("ok", "verified", "harvested")

Row = dict[str, Any]


@dataclass
class Followed:
    """One managed model's part of an order, as last seen."""

    model: str
    state: Row = field(default_factory=dict)
    told: int = 0
    last: tuple[str, str] = ("", "")
    seen_since: float | None = None

    @property
    def ended(self) -> bool:
        return self.state.get("state") == "ended"

    @property
    def good(self) -> bool:
        return self.ended and self.state.get("result") in GOOD

    @property
    def summary(self) -> str:
        state, run = self.state.get("state", "sent"), self.state.get("run", "")
        stage = self.state.get("stage", "")
        what = self.state.get("result", "") if self.ended else stage or state
        return " ".join(filter(None, (run or self.model, what)))


@dataclass
class Follower:
    """Asks after an order. `pause` and `now` can be replaced where no time shall pass."""

    client: Client
    console: Console
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _away_since: float | None = None

    def until_ended(self, order: Mapping[str, Any], minutes_max: float) -> list[Row]:
        """Wait for the end of every run of an order; those that take too long stay as they are."""
        try:
            return self._until_ended(order, minutes_max)
        except KeyboardInterrupt:
            self._say("no longer waited for, it goes on: `alm runs` tells how")
            raise

    def _until_ended(self, order: Mapping[str, Any], minutes_max: float) -> list[Row]:
        parts = [Followed(model) for model in order["accepted"]]
        ends = self.now() + minutes_max * 60
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        quiet = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=quiet) as progress:
            task = progress.add_task("sent", total=None)
            while self.now() < ends:
                watched = [part for part in parts if not part.ended][:AT_ONCE]
                if not watched:
                    break
                for part in watched:
                    self._look(part, str(order["id"]))
                left = sum(not part.ended for part in parts)
                more = f" ({left} of {len(parts)} not ended)" if len(parts) > 1 else ""
                progress.update(task, description=escape(watched[0].summary) + more)
                if left:
                    self.pause(LOOK_SECONDS)
        return [{"model": part.model, **part.state} for part in parts]

    def _look(self, part: Followed, order: str) -> None:
        try:
            state = self.client.get("models", part.model, "orders", order)
            record = self.client.get("runs", state["run"]) if state.get("run") else {}
        except (ApiUnreachable, ApiFailed) as error:
            self._away(error)
            return
        self._away_since = None
        before = part.state.get("state")
        part.state = {**state, "stage": record.get("stage", "")}
        self._skipped(part)
        self._tell_history(part, record)
        if part.state["state"] == "held" and before != "held":
            hold = (record.get("active") or {}).get("hold") or {}
            self._say(f"{part.state['run']} is held: {hold.get('why', '')}")
            self._say(f"  to let it go on: alm approve {part.state['run']}")

    def _away(self, error: ApiUnreachable | ApiFailed) -> None:
        """Bear with an app that is away for a while, not with one that refuses us."""
        if isinstance(error, ApiFailed) and error.status < 500:
            raise error
        since = self._away_since = self._away_since or self.now()
        if self.now() - since > AWAY_SECONDS_MAX:
            raise error

    def _skipped(self, part: Followed) -> None:
        if part.state["state"] != "seen":
            part.seen_since = None
            return
        part.seen_since = part.seen_since if part.seen_since is not None else self.now()
        if self.now() - part.seen_since > SEEN_SECONDS_MAX:
            part.state |= {"state": "ended", "result": "skipped"}

    def _tell_history(self, part: Followed, record: Row) -> None:
        """Tell what happened since the last look; a wait of the same stage is told once."""
        for entry in record.get("history", []):
            if entry["n"] <= part.told:
                continue
            part.told = entry["n"]
            if (entry["stage"], entry["outcome"]) == part.last == (entry["stage"], "wait"):
                continue
            part.last = (entry["stage"], entry["outcome"])
            line = f"{entry['at'][11:19]} {record['run']} {entry['stage']}: {entry['outcome']}"
            self._say(line + (f", {entry['why']}" if entry["why"] else ""))

    def _say(self, line: str) -> None:
        tables_out.line(self.console, line)
