"""How commands end: failures are told on the error stream, each kind has its exit code."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from alm.domain.errors import AlmError, Unavailable
from alm.entrypoints.client import ApiFailed, ApiUnreachable

REFUSED, UNREACHABLE = 1, 3  # 0 is done, 2 wrong usage (typer's own)


class Commands(TyperGroup):
    """A group of commands whose errors people can act on."""

    def invoke(self, ctx: Any) -> Any:
        console = Console(stderr=True)
        try:
            return super().invoke(ctx)
        except (ApiUnreachable, Unavailable) as error:
            console.print(f"unreachable: {error}", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(UNREACHABLE) from error
        except (ApiFailed, AlmError) as error:
            console.print(f"failed: {error}", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(REFUSED) from error
