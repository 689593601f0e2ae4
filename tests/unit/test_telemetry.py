"""The facade: what is believed of a context, what is told while it is on; nothing while off."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry import context as contexts
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from alm import log, telemetry
from alm.domain.errors import Unavailable
from tests.recorded import recording

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = f"00-{TRACE}-{SPAN}-01"
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = [
    "",
    "junk",
    f"00-{TRACE}-{SPAN}",
    f"00-{TRACE}-{SPAN}-1",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-01-more",
    f" {CONTEXT}",
    f"{CONTEXT}\n",
    f"{CONTEXT}\x00",
    f"01-{TRACE}-{SPAN}-01-{'x' * 10_000}",
    "٠٠-" + CONTEXT[3:],
    None,
    7,
    CONTEXT.encode(),
]


@pytest.mark.parametrize("given", HOSTILE, ids=lambda given: repr(given)[:60])
def test_what_is_no_context_is_not_believed(given):
    assert telemetry.valid(given) == ""


@pytest.mark.parametrize(
    ("given", "sent_on"),
    [
        (CONTEXT, CONTEXT),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", CONTEXT),
        (f"cc-{TRACE}-{SPAN}-03-what-is-to-come", CONTEXT),
    ],
)
def test_a_context_is_sent_on_as_far_as_it_is_known(given, sent_on):
    assert telemetry.valid(given) == sent_on


# -- off -----------------------------------------------------------------------------------------


def test_while_it_is_off_nothing_is_told_and_errors_go_on():
    with pytest.raises(Unavailable), telemetry.span("begin", parent=CONTEXT, model="churn"):
        telemetry.note(outcome="begun")
        telemetry.link(CONTEXT)
        telemetry.failed("why")
        telemetry.count("alm.runs.begun", pipeline="retrain", source="dataset")
        telemetry.observe("alm.inbox.items", 3)
        assert telemetry.current() == ""
        raise Unavailable("away")


def test_while_it_is_off_opentelemetry_is_not_even_imported():
    program = (
        "import sys, function_app\n"
        "from alm import bootstrap, settings\n"
        "found = settings.read({'ALM_STORAGE__blobServiceUri': 'https://a.blob.core.windows.net',"
        " 'ALM_SERVICEBUS__fullyQualifiedNamespace': 'a.servicebus.windows.net'})\n"
        "bootstrap.build(found, {})\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'google.'))])"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "[]"


# -- on ------------------------------------------------------------------------------------------


def test_a_span_continues_the_context_it_is_given():
    with recording() as recorded, telemetry.span("begin", parent=CONTEXT, model="churn", run=""):
        inside = telemetry.current()

    span = recorded.span("begin")
    assert (span.trace, span.parent, span.context) == (TRACE, SPAN, inside)
    assert span.fields == {"alm.model": "churn"}


@pytest.mark.parametrize("given", ["", "junk", f"00-{'0' * 32}-{SPAN}-01"])
def test_without_a_context_a_trace_begins(given):
    with recording() as recorded, telemetry.span("begin", parent=given, links=["junk"]):
        pass

    assert (recorded.span("begin").parent, recorded.span("begin").links) == ("", ())


def test_what_is_not_to_be_sampled_is_not_recorded_and_says_so_to_those_after_it():
    with recording() as recorded, telemetry.span("begin", parent=f"00-{TRACE}-{SPAN}-00"):
        inside = telemetry.current()

    assert recorded.spans() == []
    assert (inside[3:35], inside[-2:]) == (TRACE, "00")


def test_what_the_platform_attached_is_linked_and_not_continued():
    attached = SpanContext(int("a" * 32, 16), int("b" * 16, 16), True, TraceFlags(0))
    token = contexts.attach(set_span_in_context(NonRecordingSpan(attached)))
    try:
        with recording() as recorded, telemetry.span("on_dataset", parent=""):
            pass
    finally:
        contexts.detach(token)

    span = recorded.span("on_dataset")
    assert (span.parent, span.links) == ("", ("a" * 32,))
    assert span.trace != "a" * 32


def test_a_part_of_what_is_done_is_a_child_and_outside_there_is_nothing():
    with recording() as recorded:
        with telemetry.span("begin", parent=""), telemetry.span("GET example.host", outbound=True):
            pass
        assert telemetry.current() == ""

    inner, outer = recorded.spans()
    assert (inner.trace, inner.parent) == (outer.trace, outer.span)


def test_an_error_marks_the_span_and_only_our_words_are_repeated():
    with recording() as recorded:
        for error in (Unavailable("the service is away"), ValueError("key=secret")):
            with pytest.raises(type(error)), telemetry.span("begin", parent=""):
                raise error

    assert [span.status for span in recorded.spans()] == ["error", "error"]
    assert [span.why for span in recorded.spans()] == ["the service is away", "ValueError"]
    types = [span.fields["error.type"] for span in recorded.spans()]
    assert types == ["Unavailable", "ValueError"]


def test_a_field_may_be_of_any_kind_and_any_length():
    with recording() as recorded, telemetry.span("begin", parent=""):
        telemetry.note(reason="x" * 5000, models=[1, {"a": None}], n=3, repeated=True)

    fields = recorded.span("begin").fields
    assert len(fields["alm.reason"]) == 2000
    assert (fields["alm.models"], fields["alm.n"], fields["alm.repeated"]) == (
        '[1, {"a": null}]',
        3,
        True,
    )


def test_a_gauge_is_told_until_it_is_too_old(monkeypatch):
    with recording() as recorded:
        telemetry.observe("alm.runs.in_flight", 2, state="held")
        assert recorded.metrics() == {"alm.runs.in_flight": {"state=held": 2}}
        monkeypatch.setattr("alm.adapters.open_telemetry.GAUGE_SECONDS", -1.0)
        assert recorded.metrics() == {}


def test_a_log_record_has_its_fields_and_the_ids_of_its_span():
    with recording() as recorded, log.bound(model="churn", run="churn.r1"):
        with telemetry.span("begin", parent=CONTEXT):
            log.info("run_ended", result="ok", targets=["a"])
        logging.getLogger("alm.adapters").warning("by hand")

    ended, by_hand = recorded.logs()
    span = recorded.span("begin")
    assert (ended["trace"], ended["span"]) == (span.trace, span.span)
    assert {name: value for name, value in ended.items() if name.startswith("alm.")} == {
        "alm.event": "run_ended",
        "alm.model": "churn",
        "alm.run": "churn.r1",
        "alm.result": "ok",
        "alm.targets": '["a"]',
    }
    assert ended["body"] == 'run_ended model="churn" run="churn.r1" result="ok" targets=["a"]'
    assert by_hand["body"] == "by hand"
