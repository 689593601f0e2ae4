"""Log lines: an event's name and its fields, one line per fact. Never a secret, never a body.

    log.info("model_rejected", metric="auc", candidate=0.71, champion=0.74)

What `bound` names (model, run, stage) is added to every line within it. Beside its text a record
has the attributes `alm.event` and `alm.<field>`, for those who look things up by field.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_logger = logging.getLogger("alm")
_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default={})  # noqa: B039 - not changed


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add these fields to every line of the block; empty ones are left out."""
    given = {name: value for name, value in fields.items() if value not in ("", None)}
    token = _bound.set({**_bound.get(), **given})
    try:
        yield
    finally:
        _bound.reset(token)


def info(event: str, /, **fields: object) -> None:
    _write(logging.INFO, event, fields)


def warning(event: str, /, **fields: object) -> None:
    _write(logging.WARNING, event, fields)


def error(event: str, /, **fields: object) -> None:
    _write(logging.ERROR, event, fields)


def _write(level: int, event: str, fields: Mapping[str, object]) -> None:
    if not _logger.isEnabledFor(level):
        return
    told = {**_bound.get(), **fields}
    text = " ".join(f"{name}={json.dumps(value, default=str)}" for name, value in told.items())
    fields = {f"alm.{name}": _plain(value) for name, value in told.items()}
    _logger.log(level, "%s %s", event, text, extra={**fields, "alm.event": event})


def _plain(value: object) -> str | int | float | bool:
    """A value as an attribute can hold it."""
    return value if isinstance(value, str | int | float) else json.dumps(value, default=str)
