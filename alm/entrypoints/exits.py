"""How commands end: failures are told on the error stream, each kind has its exit code."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from alm.domain.errors import AlmError, Unavailable
from alm.domain.nearest import printable_lines
from alm.entrypoints.client import ApiFailed, ApiUnreachable

REFUSED, UNREACHABLE = 1, 3  # 0 is done, 2 wrong usage (typer's own)
INTERRUPTED = 130  # as shells say it: 128 and the number of SIGINT


class Commands(TyperGroup):
    """A group of commands whose errors people can act on."""

    def invoke(self, ctx: Any) -> Any:
        console = Console(stderr=True)
        try:
            return super().invoke(ctx)
        except (ApiUnreachable, Unavailable) as error:
            _fail(console, f"unreachable: {error}")
            raise typer.Exit(UNREACHABLE) from error
        except (ApiFailed, AlmError) as error:
            _fail(console, f"failed: {error}")
            raise typer.Exit(REFUSED) from error
        except KeyboardInterrupt as error:
            console.print("interrupted", style="red")
            raise typer.Exit(INTERRUPTED) from error


def _fail(console: Console, text: str) -> None:
    console.print(printable_lines(text), style="red", markup=False, soft_wrap=True)
