"""Telemetry: spans, metrics, and the context that travels from message to message.

Off until `turn_on`, which only `bootstrap` calls: until then nothing is recorded, nothing is
imported and `current()` is "". What is recorded, and under which names, stands in
`telemetry_names.py`; docs/telemetry.md explains it.

    with telemetry.span("on_dataset", parent="", blob=blob.path):
        telemetry.count("alm.runs.begun", pipeline="retrain", source="dataset")
        headers = {"traceparent": telemetry.current()}

Fields are told as `alm.<field>`. A context is a W3C `traceparent`; one from outside is believed
only if it is well-formed. Nothing here raises, and nothing waits for a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

NOTHING: Mapping[str, object] = {}
_TRACEPARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-[!-~]{0,200})?"
)


class Recorder(Protocol):
    """What telemetry is told to while it is on."""

    def span(
        self,
        name: str,
        parent: str | None,
        links: Iterable[str],
        fields: Mapping[str, object],
        *,
        outbound: bool,
    ) -> AbstractContextManager[object]: ...

    def note(self, fields: Mapping[str, object]) -> None: ...

    def link(self, traceparent: str) -> None: ...

    def failed(self, why: str) -> None: ...

    def current(self) -> str: ...

    def record(self, metric: str, value: float, attributes: Mapping[str, str]) -> None: ...


class _Nothing:
    """The span of what is not recorded."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


_NOT_RECORDED = _Nothing()
_recorder: Recorder | None = None


def turn_on(recorder: Recorder) -> None:
    global _recorder
    _recorder = recorder


def turn_off() -> None:
    global _recorder
    _recorder = None


def is_on() -> bool:
    return _recorder is not None


def span(
    name: str,
    *,
    parent: str | None = None,
    links: Iterable[str] = (),
    outbound: bool = False,
    attributes: Mapping[str, object] = NOTHING,
    **fields: object,
) -> AbstractContextManager[object]:
    """Record what the block does as a span; an error that leaves it is told, and goes on.

    parent: the context to continue; "" (or one that is malformed) begins a trace, None is a part of
    what is being done. What is open in another trace is linked. attributes: fields whose names
    are not ours, told as they are.
    """
    if _recorder is None:
        return _NOT_RECORDED
    told = {**_ours(fields), **attributes}
    believed = parent if parent is None else valid(parent)
    return _recorder.span(name, believed, filter(None, map(valid, links)), told, outbound=outbound)


def span_of_nothing() -> AbstractContextManager[object]:
    """A block that is part of the span that is open."""
    return _NOT_RECORDED


def note(*, attributes: Mapping[str, object] = NOTHING, **fields: object) -> None:
    """Tell more of the span that is open."""
    if _recorder is not None:
        _recorder.note({**_ours(fields), **attributes})


def link(traceparent: str) -> None:
    """Link the open span to another, which may belong to another trace."""
    if _recorder is not None and (believed := valid(traceparent)):
        _recorder.link(believed)


def failed(why: str) -> None:
    """Mark the open span: what it was to do failed."""
    if _recorder is not None:
        _recorder.failed(why)


def current() -> str:
    """The context of the open span, to be sent along; "" if there is none."""
    return _recorder.current() if _recorder is not None else ""


def count(metric: str, /, **attributes: str) -> None:
    """Add one to a counter."""
    if _recorder is not None:
        _recorder.record(metric, 1, attributes)


def observe(metric: str, value: float, /, **attributes: str) -> None:
    """Add a value to a histogram (seconds), or set a gauge."""
    if _recorder is not None:
        _recorder.record(metric, value, attributes)


def valid(traceparent: object) -> str:
    """A context as it is sent on; "" for whatever is none.

    Source: W3C Trace Context, section 3.2: version 00 has no more than four fields, later ones are
    read as far as they are known.
    """
    match = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
    if match is None or (match["version"] == "00" and match["more"] is not None):
        return ""
    sampled = int(match["flags"], 16) & 1
    return f"00-{match['trace']}-{match['span']}-{sampled:02x}"


def _ours(fields: Mapping[str, object]) -> dict[str, object]:
    return {f"alm.{name}": value for name, value in fields.items() if value not in ("", None)}
