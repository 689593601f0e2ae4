"""Spans, metrics and log records through the OpenTelemetry SDK. See `alm/telemetry.py`.

The SDK promises that its interface never raises, and its exporters run in threads of their own:
whoever records something waits for nobody. Providers are our own, not the process's: other
libraries, and the worker's own monitor, keep theirs.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, time_ns

from opentelemetry import context as contexts
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from alm.domain.errors import AlmError
from alm.telemetry_names import METRICS

SCOPE = "alm"
GAUGE_SECONDS = 120.0  # a sweep sets it each minute; what an older one saw is nobody's to tell
TEXT_LENGTH_MAX = 2000  # of one attribute; services may say any length
SEVERITIES = {
    "DEBUG": SeverityNumber.DEBUG,
    "INFO": SeverityNumber.INFO,
    "WARNING": SeverityNumber.WARN,
    "ERROR": SeverityNumber.ERROR,
}

Attribute = str | bool | int | float
Series = tuple[tuple[str, str], ...]


class OpenTelemetryRecorder:
    """Records into a tracer and a meter."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        tracer = tracers.get_tracer(SCOPE)
        assert isinstance(tracer, Tracer), "OTEL_SDK_DISABLED is looked at before"
        self._tracer = tracer
        self._metrics = Metrics(meters.get_meter(SCOPE))

    @contextmanager
    def span(
        self,
        name: str,
        parent: str | None,
        links: Iterable[str],
        fields: Mapping[str, object],
        *,
        outbound: bool,
    ) -> Iterator[None]:
        context = contexts.get_current() if parent is None else _continued(parent)
        span = self._tracer.start_span(
            name,
            context=context,
            kind=SpanKind.CLIENT if outbound else SpanKind.INTERNAL,
            attributes=_told(fields),
            links=[Link(_remote(link)) for link in links] + _attached(parent),
        )
        token = contexts.attach(set_span_in_context(span))
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            why = str(error) if isinstance(error, AlmError) else ""  # others may quote a key
            span.set_status(Status(StatusCode.ERROR, why[:TEXT_LENGTH_MAX] or type(error).__name__))
            raise
        finally:
            contexts.detach(token)
            span.end()

    def note(self, fields: Mapping[str, object]) -> None:
        get_current_span().set_attributes(_told(fields))

    def link(self, traceparent: str) -> None:
        get_current_span().add_link(_remote(traceparent))

    def failed(self, why: str) -> None:
        get_current_span().set_status(Status(StatusCode.ERROR, why[:TEXT_LENGTH_MAX]))

    def current(self) -> str:
        context = get_current_span().get_span_context()
        return _traceparent(context) if context.is_valid else ""

    def record(self, metric: str, value: float, attributes: Mapping[str, str]) -> None:
        self._metrics.record(metric, value, attributes)


class Metrics:
    """The instruments of `METRICS`. A gauge tells what was set in the last two minutes."""

    def __init__(self, meter: Meter) -> None:
        self._record: dict[str, Callable[[float, dict[str, str]], None]] = {}
        self._gauges: dict[str, dict[Series, tuple[float, float]]] = {}
        self._lock = threading.Lock()
        for name, metric in METRICS.items():
            if metric.kind == "counter":
                self._record[name] = meter.create_counter(name, metric.unit, metric.means).add
            elif metric.kind == "histogram":
                self._record[name] = meter.create_histogram(
                    name,
                    metric.unit,
                    metric.means,
                    explicit_bucket_boundaries_advisory=metric.bounds,
                ).record
            else:
                self._gauges[name] = {}
                meter.create_observable_gauge(name, [self._reader(name)], metric.unit, metric.means)

    def record(self, name: str, value: float, attributes: Mapping[str, str]) -> None:
        if name in self._gauges:
            with self._lock:
                self._gauges[name][tuple(sorted(attributes.items()))] = (value, monotonic())
        else:
            self._record[name](value, dict(attributes))

    def _reader(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def read(_options: CallbackOptions) -> list[Observation]:
            oldest = monotonic() - GAUGE_SECONDS
            with self._lock:
                found = list(self._gauges[name].items())
            return [Observation(value, dict(at)) for at, (value, when) in found if when > oldest]

        return read


class LogSender(logging.Handler):
    """Sends our log records with their attributes, and the ids of the span that is open."""

    def __init__(self, loggers: LoggerProvider) -> None:
        super().__init__()
        self._logger = loggers.get_logger(SCOPE)

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name.startswith("alm.")}
        self._logger.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                observed_timestamp=time_ns(),
                context=contexts.get_current(),
                severity_text=record.levelname,
                severity_number=SEVERITIES.get(record.levelname, SeverityNumber.UNSPECIFIED),
                body=record.getMessage(),
                attributes=_told(fields),
            )
        )


def _told(fields: Mapping[str, object]) -> dict[str, Attribute]:
    return {name: _attribute(value) for name, value in fields.items()}


def _attribute(value: object) -> Attribute:
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text[:TEXT_LENGTH_MAX]


def _continued(parent: str) -> contexts.Context:
    """The context that a message brought, and nothing of this thread's."""
    nothing = contexts.Context()
    return set_span_in_context(NonRecordingSpan(_remote(parent)), nothing) if parent else nothing


def _attached(parent: str | None) -> list[Link]:
    """What is open, in another trace: such as the platform's own span of the invocation."""
    found = get_current_span().get_span_context()
    if parent is None or not found.is_valid or f"{found.trace_id:032x}" in parent:
        return []
    return [Link(found)]


def _remote(traceparent: str) -> SpanContext:
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), True, TraceFlags(int(flags, 16)))


def _traceparent(context: SpanContext) -> str:
    sampled = int(context.trace_flags) & 1
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{sampled:02x}"
