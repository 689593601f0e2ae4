"""What the demo shows while it plays: the scene, and each run as it goes from stage to stage."""

from __future__ import annotations

import time
from types import TracebackType

import requests
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from devstack.demo.story import Claim, Story

LOOK_SECONDS = 0.5
SEEN_MAX = 110  # letters, with the claim some two lines


def _short(seen: str) -> str:
    return seen if len(seen) <= SEEN_MAX else seen[:SEEN_MAX].rsplit(" ", 1)[0] + " …"


class Progress:
    """Scenes with their claims as they are told; below them a live table, in a terminal."""

    def __init__(self, story: Story, console: Console) -> None:
        self._story = story
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._looked = 0.0

    def __enter__(self) -> Progress:
        self._live.start()
        self._story.on_scene = self.scene
        self._story.on_claim = self.claim
        self._story.operator.on_look = self.look
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def scene(self, title: str) -> None:
        self._console.print(f"\n[bold]{escape(title)}[/bold]")
        self._looked = 0.0

    def claim(self, claim: Claim) -> None:
        """Print what was claimed, and in short what was seen; all of it where it does not hold."""
        mark = "[green]✓[/green]" if claim.holds else "[red]✗ DOES NOT HOLD:[/red]"
        seen = claim.seen if not claim.holds else _short(claim.seen)
        line = f"{mark} {escape(claim.text)}" + (f"[dim]: {escape(seen)}[/dim]" if seen else "")
        self._console.print(Padding(line, (0, 0, 0, 2)), highlight=False)

    def look(self) -> None:
        """Show where each model's run is; at most twice a second."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        try:
            models = self._story.operator.get("models")
        except (RuntimeError, requests.RequestException):
            return
        table = Table(box=None)
        for name in ("model", "state", "run", "champion", "waiting", "last result"):
            table.add_column(name)
        for model in models:
            columns = ("model", "state", "run", "champion", "waiting", "last_result")
            table.add_row(*(str(model.get(name, "")) for name in columns))
        self._live.update(table)
