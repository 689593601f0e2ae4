"""The names of all that telemetry tells: spans, metrics, log events, and the fields they carry.

The workbook, the alerts and docs/telemetry.md use these names; tests compare them with what the
code emits. No metric names a managed model or a run: there may be tens of thousands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "histogram", "gauge"]


@dataclass(frozen=True)
class Metric:
    kind: Kind
    unit: str
    attributes: tuple[str, ...]
    means: str
    bounds: tuple[float, ...] = ()


_CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180)
_STAGES = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
_RUNS = (10, 30, 60, 300, 900, 1800, 3600, 2 * 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600)

METRICS: Mapping[str, Metric] = {
    "alm.runs.begun": Metric(
        "counter", "{run}", ("pipeline", "source"), "runs that were begun, by what triggered them"
    ),
    "alm.runs.ended": Metric("counter", "{run}", ("pipeline", "result"), "runs that ended"),
    "alm.run.duration": Metric(
        "histogram", "s", ("pipeline", "result"), "from a run's begin to its end", _RUNS
    ),
    "alm.stage.visits": Metric(
        "counter", "{visit}", ("pipeline", "stage", "outcome"), "visits of a stage, waits included"
    ),
    "alm.stage.duration": Metric(
        "histogram",
        "s",
        ("pipeline", "stage"),
        "from arriving in a stage to leaving it, waits and retries included, holds not",
        _STAGES,
    ),
    "alm.call.duration": Metric(
        "histogram", "s", ("host", "method", "status"), "calls of services over HTTP", _CALLS
    ),
    "alm.inbox.kept": Metric(
        "counter", "{item}", ("source",), "what could not be handled and was kept"
    ),
    "alm.messages.died": Metric(
        "counter", "{message}", ("kind",), "messages that were delivered too often"
    ),
    "alm.runs.in_flight": Metric("gauge", "{run}", ("state",), "active runs, running or held"),
    "alm.inbox.items": Metric("gauge", "{item}", (), "items in the inbox"),
    "alm.targets.unknown": Metric(
        "gauge", "{target}", (), "targets not known to serve their champion"
    ),
    "alm.runs.stuck": Metric("gauge", "{run}", (), "runs that did not end after all sweeps"),
}

SPANS: Mapping[str, str] = {
    "on_dataset": "a dataset landed; the trace of its runs begins here",
    "on_trained_model": "a model file landed",
    "on_request": "another system asks for something",
    "on_schedule": "the timer of the schedules",
    "on_sweep": "the timer of the upkeep",
    "on_dead_letter": "a message of a mailbox died",
    "on_request_dead_letter": "a request died",
    "on_step": "a message of the mailbox queue that is none",
    "on_event": "an event on its way to the webhook",
    "on_event_dead_letter": "an event died",
    "api": "an order over HTTP",
    "score": "a scoring call through the router",
    "begin": "a trigger, or a kick: a run begins, or the trigger waits",
    "{pipeline}/{stage}": "one visit of a stage; the stages `hold` and `finish` are the engine's",
    "decision": "an approval, a refusal, an expiry, a cancel, or the death of a step",
    "reconcile": "targets compared with the ledger",
    "{method} {host}": "one call of a service over HTTP, inside one of the others",
}

FIELDS: Mapping[str, str] = {
    "alm.model": "the managed model",
    "alm.run": "the run",
    "alm.pipeline": "its pipeline",
    "alm.stage": "the stage of a step",
    "alm.outcome": "what a visit came to; of `begin`: begun, waits or postponed",
    "alm.result": "how the run ended",
    "alm.trigger": "the id of the trigger that a run began with",
    "alm.source": "what kind of trigger that was",
    "alm.kind": "the kind of a mailbox message",
    "alm.repeated": "the message was delivered before",
    "alm.n": "the step's number in its chain",
    "alm.reason": "why",
    "alm.blob": "the blob that landed",
    "alm.etag": "its ETag",
    "alm.models": "how many managed models an event means",
}
"""Fields of spans. Those of log events stand with the events."""

EVENTS: Mapping[str, tuple[str, ...]] = {
    "run_begun": ("model", "run", "pipeline", "source"),
    "stage_left": ("model", "run", "pipeline", "stage", "outcome", "why"),
    "run_ended": ("model", "run", "pipeline", "result", "why"),
    "notice": ("model", "run", "notice", "reason"),
    "notice_not_delivered": ("model", "run", "notice", "reason"),
    "notice_lost": ("reason",),
    "kept_in_inbox": ("source", "reason"),
    "message_died": ("model", "kind"),
    "not_declared": ("model",),
    "blob_gone": ("container",),
    "blob_ignored": ("reason",),
    "sweep_failed": ("part", "reason"),
    "commits_flushed": ("committed", "held", "left", "stopped"),
    "change_not_recorded": ("run", "reason"),
    "change_committed": ("change", "commit"),
    "change_waits": ("change", "tries", "reason"),
    "change_discarded": ("change",),
    "commits_wait": ("change", "reason"),
    "push_lost": ("change", "said"),
    "repository_created": ("path", "branch"),
    "record_not_written": ("run", "reason"),
    "record_not_readable": ("path",),
    "deployment_retired": ("model", "target", "name"),
    "version_retired": ("model", "version"),
    "event_not_sent": ("types", "reason"),
    "event_not_delivered": ("id", "type", "tries", "reason"),
    "event_dropped": ("type", "reason"),
    "api_failed": ("instance", "reason"),
    "page_failed": ("instance", "reason"),
    "not_shown": ("kind", "mistakes"),
    "telemetry_off": ("reason",),
}
"""Log events with the fields they may have; each is told as `alm.<field>`, and what is bound by the
engine (model, run, pipeline, stage, kind) is added to every event inside it."""
