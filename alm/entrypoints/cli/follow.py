"""Follow an order, or a run, until what it started has ended, and say how it did.

The API is asked again and again; an app that is away for a while (a restart, a deployment) is
waited for. Lines and progress go to the error stream: the standard output is the result's. On a
terminal one live line tells stage, age and what is waited for; everywhere each change is a line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from alm.domain.nearest import printable
from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.client import ApiFailed, ApiUnreachable, Client
from alm.entrypoints.cli.exits import DONE, GOES_ON, HELD, REFUSED

LOOK_SECONDS = 0.5
AWAY_SECONDS_MAX = 120.0  # a deployment of the app takes less
SEEN_SECONDS_MAX = 15.0  # a run that ends is on record by then; what is not was skipped
QUIET_SECONDS_MAX = 60.0  # without a terminal: whoever reads the log shall see that it goes on
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
    at: tuple[str, float] = ("", 0.0)
    why: str = ""

    @property
    def ended(self) -> bool:
        return self.state.get("state") == "ended"

    @property
    def held(self) -> bool:
        return self.state.get("state") == "held"

    def summary(self, now: float) -> str:
        """Where it is, since when, and what it waits for; in one line."""
        where, since = self.at
        age = f" for {clock(now - since)}" if where else ""
        why = f": {printable(self.why)}" if self.why else ""
        return f"{self.state.get('run') or self.model} {where or 'sent'}{age}{why}"


def clock(seconds: float) -> str:
    """A span as people read it: 45 s, 3:20, 1:02:05."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def exit_code(rows: Sequence[Mapping[str, Any]]) -> int:
    """How a wait ends: badly if any run did, else held or going on if any is, else well."""
    states = [row.get("state") for row in rows]
    if any(row.get("state") == "ended" and row.get("result") not in GOOD for row in rows):
        return REFUSED
    if "held" in states:
        return HELD
    return DONE if all(state == "ended" for state in states) else GOES_ON


def again(rows: Sequence[Mapping[str, Any]], order: str) -> str:
    """The command that goes on waiting for what has not ended."""
    left = [row for row in rows if row.get("state") != "ended"]
    if len(left) == 1 and left[0].get("run"):
        return f"alm wait {left[0]['run']}"
    if not order:
        return "alm runs"
    models = "".join(f" --model {row['model']}" for row in left[:AT_ONCE])
    return f"alm wait {order}{models}"


@dataclass
class Follower:
    """Asks after an order. `pause` and `now` can be replaced where no time shall pass.

    no_hold: do not wait for people; a run that is held is left as it is.
    """

    client: Client
    console: Console
    no_hold: bool = False
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _away_since: float | None = None
    _told_at: float = 0.0

    def until_ended(self, order: str, models: Iterable[str], minutes_max: float) -> list[Row]:
        """Wait for the end of every run of an order; those that take too long stay as they are."""
        return self._watched([Followed(model) for model in models], order, minutes_max)

    def until_run_ended(self, run: str, minutes_max: float) -> Row:
        """Wait for the end of one run."""
        model = run.rpartition(".r")[0]
        return self._watched([Followed(model, {"run": run})], "", minutes_max)[0]

    def _watched(self, parts: list[Followed], order: str, minutes_max: float) -> list[Row]:
        try:
            self._watch(parts, order, self.now() + minutes_max * 60)
        except KeyboardInterrupt:
            command = again(_rows(parts), order)
            self._say(f"no longer waited for, it goes on; to follow it again: {command}")
            raise
        return _rows(parts)

    def _watch(self, parts: list[Followed], order: str, ends: float) -> None:
        self._told_at = self.now()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        quiet = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=quiet) as progress:
            task = progress.add_task("sent", total=None)
            while self.now() < ends:
                watched = [part for part in parts if not self._is_over(part)][:AT_ONCE]
                if not watched:
                    return
                for part in watched:
                    self._look(part, order)
                left = [part for part in parts if not self._is_over(part)]
                if left:
                    live = self._live(left, len(parts))
                    progress.update(task, description=escape(live))
                    self._tell_that_it_goes_on(live)
                    self.pause(LOOK_SECONDS)

    def _is_over(self, part: Followed) -> bool:
        return part.ended or (self.no_hold and part.held)

    def _live(self, left: Sequence[Followed], count: int) -> str:
        more = f" ({len(left)} of {count} not ended)" if count > 1 else ""
        return left[0].summary(self.now()) + more

    def _tell_that_it_goes_on(self, live: str) -> None:
        """In a log a long wait must not look like a dead one."""
        if not self.console.is_terminal and self.now() - self._told_at >= QUIET_SECONDS_MAX:
            self._say(live)

    def _look(self, part: Followed, order: str) -> None:
        try:
            state, record = self._asked(part, order)
        except (ApiUnreachable, ApiFailed) as error:
            self._away(error)
            return
        self._away_since = None
        before = part.state.get("state")
        part.state = {**state, "stage": record.get("stage", "")}
        self._skipped(part)
        self._placed(part, record)
        self._tell_history(part, record)
        if part.held and before != "held":
            hold = (record.get("active") or {}).get("hold") or {}
            self._say(f"{part.state['run']} is held: {hold.get('why', '')}")
            self._say(f"  to let it go on: alm approve {part.state['run']}")

    def _asked(self, part: Followed, order: str) -> tuple[Row, Row]:
        """What became of the order, and the record of its run; of a run, both from the record."""
        if order:
            state = self.client.get("models", part.model, "orders", order)
            return state, self.client.get("runs", state["run"]) if state.get("run") else {}
        record = self.client.get("runs", part.state["run"])
        return _state_of(record), record

    def _away(self, error: ApiUnreachable | ApiFailed) -> None:
        """Bear with an app that is away for a while, not with one that refuses us."""
        if isinstance(error, ApiFailed) and error.status < 500:
            raise error
        if self._away_since is None:
            self._away_since = self.now()
            self._say(f"waiting for the app: {error}")
        if self.now() - self._away_since > AWAY_SECONDS_MAX:
            raise error

    def _skipped(self, part: Followed) -> None:
        if part.state["state"] != "seen":
            part.seen_since = None
            return
        part.seen_since = part.seen_since if part.seen_since is not None else self.now()
        if self.now() - part.seen_since > SEEN_SECONDS_MAX:
            part.state |= {"state": "ended", "result": "skipped"}

    def _placed(self, part: Followed, record: Row) -> None:
        """Note where a run is, since when, and what it waits for; tell of an order that waits."""
        state = str(part.state.get("state", ""))
        where = part.state["stage"] if state == "running" and part.state["stage"] else state
        behind = part.state.get("behind", "")
        history = record.get("history") or [{}]
        hold = (record.get("active") or {}).get("hold") or {}
        part.why = hold.get("why") or history[-1].get("why") or (behind and f"behind {behind}")
        if where != part.at[0]:
            part.at = (where, self.now())
            if state == "waiting":
                self._say(f"{part.model} waits{f' behind {behind}' if behind else ''}")

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
        self._told_at = self.now()
        tables_out.line(self.console, line)


def _rows(parts: Sequence[Followed]) -> list[Row]:
    return [{"model": part.model, **part.state} for part in parts]


def _state_of(record: Row) -> Row:
    """How a run stands, in the words that orders use."""
    run = {"run": record["run"]}
    if record.get("result"):
        return {**run, "state": "ended", "result": record["result"], "why": record.get("why", "")}
    return {**run, "state": "held" if (record.get("active") or {}).get("hold") else "running"}
