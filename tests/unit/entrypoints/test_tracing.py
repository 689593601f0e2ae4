"""Contexts at the door: whose trace an event continues, and what it hands on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import azure.functions as func
import pytest
from azure.functions.servicebus import ServiceBusMessage

import function_app
from alm.domain.messages import TriggerMessage
from alm.entrypoints import intake
from alm.entrypoints.inbox import Received
from tests.recorded import Recorded, recording
from tests.unit.entrypoints.app_world import AppWorld

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = f"00-{TRACE}-{SPAN}-01"
OTHER = f"00-{'a' * 32}-{'b' * 16}-01"
HOSTILE = ["junk", f"00-{TRACE}-{SPAN}-01;DROP", "x" * 60_000, f"00-{'0' * 32}-{SPAN}-01"]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with recording() as found:
        yield found


def ask(world: AppWorld, context: str = "", **fields: object) -> None:
    body = json.dumps({"kind": "verify", "model": "churn", **fields}).encode()
    received = Received(body, "q1", "alm-requests", traceparent=context)
    intake.on_request(world.app, received)


def trigger(world: AppWorld) -> TriggerMessage:
    (message,) = world.messages()
    assert isinstance(message, TriggerMessage)
    return message


@pytest.mark.parametrize(
    ("beside", "inside"), [(CONTEXT, {}), ("", {"traceparent": CONTEXT})], ids=["beside", "inside"]
)
def test_a_request_continues_the_trace_of_its_sender(world, recorded, beside, inside):
    ask(world, beside, **inside)

    span = recorded.span("on_request")
    assert (span.trace, span.parent) == (TRACE, SPAN)
    assert trigger(world).trigger.trace == span.context == world.sent()[0].traceparent


def test_what_stands_beside_a_request_counts_before_what_it_says(world, recorded):
    ask(world, CONTEXT, traceparent=OTHER)

    assert recorded.span("on_request").trace == TRACE


@pytest.mark.parametrize("given", HOSTILE, ids=lambda given: given[:20])
def test_a_context_that_is_none_is_ignored_and_the_request_is_accepted(world, recorded, given):
    ask(world, given, traceparent=given[:1000])

    span = recorded.span("on_request")
    assert (span.parent, span.fields["alm.models"]) == ("", 1)
    assert trigger(world).model == "churn"


@pytest.mark.parametrize("body", [b"\xff", b"[1]", b'{"traceparent": {"a": 1}}', b"[" * 5000])
def test_a_request_that_cannot_be_read_is_kept_and_told(world, recorded, body):
    intake.on_request(world.app, Received(body, "q1", "alm-requests"))

    assert recorded.span("on_request").fields["alm.outcome"] == "kept"
    assert len(world.records.inbox()) == 1


def test_while_telemetry_is_off_no_context_is_handed_on(world):
    ask(world, CONTEXT)

    assert trigger(world).trigger.trace == ""
    assert world.sent()[0].traceparent == ""


def test_an_upload_begins_a_trace_that_names_it(world, recorded):
    blob = world.upload("datasets/churn/day1.csv")

    intake.on_blob(world.app, blob.container, blob.name)

    span = recorded.span("on_dataset")
    assert span.parent == ""
    assert (span.fields["alm.blob"], span.fields["alm.etag"]) == (
        "datasets/churn/day1.csv",
        blob.etag,
    )
    assert trigger(world).trigger.trace == span.context


def test_an_order_continues_the_trace_of_its_caller_and_looking_is_none(world, recorded):
    world.call("GET", "models", headers={"traceparent": CONTEXT})
    assert recorded.spans() == []
    world.call("POST", "models/churn/verify", headers={"traceparent": CONTEXT})

    span = recorded.span("api")
    assert (span.trace, span.parent) == (TRACE, SPAN)
    assert span.fields["http.route"] == "models/{model}/verify"
    assert span.fields["http.response.status_code"] == 202
    assert trigger(world).trigger.trace == span.context


def test_who_may_not_order_leaves_no_trace(world, recorded):
    answer = world.call("POST", "models/churn/verify", role="reader")

    assert answer.status == 403
    assert recorded.spans() == []


@pytest.mark.parametrize(
    ("properties", "context"),
    [
        ({"traceparent": CONTEXT, "Diagnostic-Id": OTHER}, CONTEXT),
        ({"Diagnostic-Id": CONTEXT}, CONTEXT),
        ({}, ""),
        (None, ""),
        ({"traceparent": 7}, "7"),
    ],
)
def test_the_function_reads_the_context_of_a_message(properties, context):
    message: func.ServiceBusMessage = ServiceBusMessage(
        body=b"{}", message_id="m", user_properties={}, application_properties=properties
    )

    assert function_app.received(message, "alm-requests").traceparent == context
