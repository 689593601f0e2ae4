"""From OTLP messages to plain values.

Source: opentelemetry-proto 1.x, `collector/{trace,metrics,logs}/v1`. Ids are shown in hex, times in
seconds since 1970, attributes as plain JSON values.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_NANOSECONDS = 1e9
_STATUS = {0: "", 1: "ok", 2: "error"}

Value = dict[str, Any]


def spans_of(body: bytes) -> Iterator[Value]:
    """The spans of an export request. Raises DecodeError."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _attributes(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(span, service)


def _span(span: Span, service: object) -> Value:
    return {
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        "began": span.start_time_unix_nano / _NANOSECONDS,
        "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / _NANOSECONDS,
        "status": _STATUS.get(span.status.code, str(span.status.code)),
        "why": span.status.message,
        "attributes": _attributes(span.attributes),
        "links": [{"trace": k.trace_id.hex(), "span": k.span_id.hex()} for k in span.links],
        "service": service,
    }


def logs_of(body: bytes) -> Iterator[Value]:
    """The log records of an export request. Raises DecodeError."""
    for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield {
                    "at": record.time_unix_nano / _NANOSECONDS,
                    "severity": record.severity_text,
                    "body": _value(record.body),
                    "attributes": _attributes(record.attributes),
                    "trace": record.trace_id.hex(),
                    "span": record.span_id.hex(),
                }


def points_of(body: bytes) -> Iterator[Value]:
    """The data points of an export request. Raises DecodeError."""
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield from _points(metric)


def _points(metric: Metric) -> Iterator[Value]:
    kind = metric.WhichOneof("data") or "none"
    about = {"name": metric.name, "unit": metric.unit, "kind": kind}
    match kind:
        case "sum" | "gauge":
            for number in (metric.sum if kind == "sum" else metric.gauge).data_points:
                value = number.as_int if number.HasField("as_int") else number.as_double
                at = number.time_unix_nano / _NANOSECONDS
                yield {**about, "at": at, "value": value, **_labels(number.attributes)}
        case "histogram":
            for point in metric.histogram.data_points:
                yield {
                    **about,
                    "at": point.time_unix_nano / _NANOSECONDS,
                    "value": point.sum,
                    "count": point.count,
                    "bounds": list(point.explicit_bounds),
                    "counts": list(point.bucket_counts),
                    **_labels(point.attributes),
                }


def _labels(attributes: Iterable[KeyValue]) -> Value:
    return {"attributes": _attributes(attributes)}


def _attributes(attributes: Iterable[KeyValue]) -> Value:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: AnyValue) -> object:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value.hex()
        case name:
            return getattr(value, name)
