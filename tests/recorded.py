"""Telemetry turned on, and kept in memory: the real SDK with its own exporters for tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased

from alm import telemetry
from alm.adapters.open_telemetry import LogSender, OpenTelemetryRecorder


@dataclass(frozen=True)
class Seen:
    """A span as the tests look at it."""

    name: str
    trace: str
    span: str
    parent: str
    links: tuple[str, ...]
    status: str
    why: str
    fields: dict[str, Any] = field(hash=False)

    @property
    def context(self) -> str:
        return f"00-{self.trace}-{self.span}-01"


class Recorded:
    """What was told."""

    def __init__(self) -> None:
        self._spans, self._logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)

    def spans(self, name: str = "") -> list[Seen]:
        """In the order in which they ended; of that name, if one is given."""
        return [_seen(s) for s in self._spans.get_finished_spans() if name in ("", s.name)]

    def span(self, name: str) -> Seen:
        (found,) = self.spans(name)
        return found

    def metrics(self) -> dict[str, dict[str, float]]:
        """Each metric's values, by their attributes in a line; of a histogram, the sum."""
        found: dict[str, dict[str, float]] = {}
        told = self._reader.get_metrics_data()
        for resource in told.resource_metrics if told else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        labels = " ".join(f"{k}={v}" for k, v in sorted(point.attributes.items()))
                        value = point.sum if hasattr(point, "sum") else point.value
                        found.setdefault(metric.name, {})[labels] = value
        return found

    def logs(self, event: str = "") -> list[dict[str, Any]]:
        """The attributes of log records, with the trace and span they belong to."""
        records = [one.log_record for one in self._logs.get_finished_logs()]
        told = [
            {
                **dict(record.attributes or {}),
                "trace": f"{record.trace_id or 0:032x}",
                "span": f"{record.span_id or 0:016x}",
                "body": record.body,
            }
            for record in records
        ]
        return [one for one in told if event in ("", one.get("alm.event"))]


def _seen(span: ReadableSpan) -> Seen:
    return Seen(
        name=span.name,
        trace=f"{span.context.trace_id:032x}",
        span=f"{span.context.span_id:016x}",
        parent=f"{span.parent.span_id:016x}" if span.parent else "",
        links=tuple(f"{link.context.trace_id:032x}" for link in span.links),
        status=span.status.status_code.name.lower(),
        why=span.status.description or "",
        fields=dict(span.attributes or {}),
    )


@contextmanager
def recording() -> Iterator[Recorded]:
    """Telemetry is on inside the block."""
    recorded, logger = Recorded(), logging.getLogger("alm")
    handler, level = LogSender(recorded.loggers), logger.level
    telemetry.turn_on(OpenTelemetryRecorder(recorded.tracers, recorded.meters))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield recorded
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        telemetry.turn_off()
        for provider in (recorded.tracers, recorded.loggers, recorded.meters):
            provider.shutdown()
