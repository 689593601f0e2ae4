"""Where telemetry goes: an OTLP collector, Application Insights, or both, as the environment says.

The variables are OpenTelemetry's and the platform's own; the SDK reads most of them itself. What
cannot be set up is told in the log, and the app goes on without.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from alm import log, telemetry

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    Exporters = tuple[SpanExporter, MetricExporter, LogRecordExporter]

    class Provider(Protocol):
        def shutdown(self) -> None: ...


EXIT_SECONDS_MAX = 2.0  # a collector that is away must not hold up a worker that is told to end
SERVICE = "alm"
_once = threading.Lock()
CHATTY = ("azure.core.pipeline.policies.http_logging_policy", "azure.monitor.opentelemetry")
"""Loggers with lines for each export, which would be sent by the next one, and so on."""


def set_up(environment: Mapping[str, str]) -> None:
    """Turn telemetry on, once per process; a mistake in its settings turns it off, not the app."""
    with _once:  # the first events of a process come at the same time, and each builds the app
        if telemetry.is_on():
            return
        try:
            _set_up(environment)
        # whatever is wrong with the settings, or the installation, must not stop runs
        except Exception as error:  # noqa: BLE001
            log.warning("telemetry_off", reason=f"{type(error).__name__}: {error}"[:500])


def _set_up(environment: Mapping[str, str]) -> None:
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from alm.adapters.open_telemetry import LogSender, OpenTelemetryRecorder

    resource = _resource(environment)
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporters = [*_collector(environment), *_application_insights(environment, tracers)]
    loggers = LoggerProvider(resource, shutdown_on_exit=False)
    for spans, _, records in exporters:
        tracers.add_span_processor(BatchSpanProcessor(spans))
        loggers.add_log_record_processor(BatchLogRecordProcessor(records))
    readers = [PeriodicExportingMetricReader(metrics) for _, metrics, _ in exporters]
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    telemetry.turn_on(OpenTelemetryRecorder(tracers, meters))
    logging.getLogger("alm").addHandler(LogSender(loggers))
    closer = _Closer([tracers, loggers, meters])
    closer.start()
    atexit.register(closer.close)


def _collector(environment: Mapping[str, str]) -> list[Exporters]:
    if not environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return []
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return [(OTLPSpanExporter(), OTLPMetricExporter(), OTLPLogExporter())]


def _application_insights(
    environment: Mapping[str, str], tracers: TracerProvider
) -> list[Exporters]:
    """With the key of the connection string, or the app's identity where
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING says so. Nothing is kept on the instance's disk."""
    if not environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING"):
        return []
    from azure.monitor.opentelemetry.exporter import (
        AzureMonitorLogExporter,
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    spans = AzureMonitorTraceExporter(disable_offline_storage=True, tracer_provider=tracers)
    metrics = AzureMonitorMetricExporter(disable_offline_storage=True)
    return [(spans, metrics, AzureMonitorLogExporter(disable_offline_storage=True))]


def _resource(environment: Mapping[str, str]) -> Resource:
    """Who tells it: the function app by its name in Azure, and which instance of it."""
    from opentelemetry.sdk.resources import Resource

    named = {
        "service.name": environment.get("OTEL_SERVICE_NAME")
        or environment.get("WEBSITE_SITE_NAME")
        or SERVICE,
        "service.instance.id": environment.get("WEBSITE_INSTANCE_ID", ""),
    }
    return Resource.create({name: value for name, value in named.items() if value})


class _Closer(threading.Thread):
    """Ends the exporters when the process ends; started before, as no thread can be then."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        super().__init__(name="telemetry-closer", daemon=True)
        self._providers = providers
        self._told = threading.Event()

    def run(self) -> None:
        self._told.wait()
        for provider in self._providers:
            provider.shutdown()

    def close(self) -> None:
        self._told.set()
        self.join(EXIT_SECONDS_MAX)
