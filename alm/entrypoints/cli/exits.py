"""How commands end: each ending has its exit code, failures are told on the error stream.

`EXITS` is the only place that says which codes there are; docs/cli.md repeats it, and a test holds
the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from alm.domain.errors import AlmError, Refused, Unavailable
from alm.domain.nearest import printable_lines
from alm.entrypoints.cli.client import ApiFailed, ApiUnreachable

DONE, REFUSED, USAGE, UNREACHABLE, HELD, GOES_ON = range(6)
INTERRUPTED = 130  # as shells say it: 128 and the number of SIGINT

EXITS: Mapping[int, str] = {
    DONE: "done; what was waited for ended well; nothing is wrong",
    REFUSED: "refused or failed; what was waited for ended badly; a check found something wrong",
    USAGE: "wrong usage: an unknown command or option, a value that cannot be one",
    UNREACHABLE: "the app, Studio or a service behind them cannot be reached: try again later",
    HELD: "a run is held: a person must decide (--no-hold, or the time was up)",
    GOES_ON: "the time was up (--minutes); what was waited for goes on",
    INTERRUPTED: "interrupted (Ctrl-C); what was waited for goes on",
}
EPILOG = (
    "Where the app is: --url or ALM_API_URL; who you are: --key or ALM_API_KEY. Exit codes: "
    "0 done, 1 refused or failed, 2 wrong usage, 3 not reachable now, 4 held for a decision "
    "(--no-hold), 5 not over in time (--minutes), 130 interrupted."
)


class StillGoing(Refused):
    """The time to wait is up; what was waited for goes on."""


class Commands(TyperGroup):
    """A group of commands whose errors people can act on."""

    def invoke(self, ctx: Any) -> Any:
        console = Console(stderr=True)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            console.print("interrupted", style="red")
            raise typer.Exit(INTERRUPTED) from error
        except (ApiUnreachable, ApiFailed, AlmError) as error:
            code = code_of(error)
            word = {UNREACHABLE: "unreachable", GOES_ON: "not over"}.get(code, "failed")
            text = printable_lines(f"{word}: {error}")
            console.print(text, style="red", markup=False, soft_wrap=True)
            raise typer.Exit(code) from error


def code_of(error: ApiUnreachable | ApiFailed | AlmError) -> int:
    """The exit code that an error ends a command with."""
    match error:
        case ApiUnreachable() | Unavailable() | ApiFailed(status=503):
            return UNREACHABLE
        case StillGoing():
            return GOES_ON
        case _:
            return REFUSED
