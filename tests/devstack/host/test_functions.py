"""What the decorators declare, and the traps that are refused."""

import json

import pytest

from devstack.host.errors import ConfigError
from devstack.host.functions import (
    BlobTrigger,
    HttpTrigger,
    ServiceBusTrigger,
    TimerTrigger,
    read_functions,
)
from devstack.host.settings import Settings

SETTINGS = Settings({"ST": "UseDevelopmentStorage=true", "SB": "Endpoint=sb://x", "Q": "alm-steps"})
BLOB = {
    "type": "blobTrigger",
    "name": "client",
    "path": "datasets/{name}",
    "connection": "ST",
    "source": "EventGrid",
    "dataType": "BINARY",
}
BUS = {
    "type": "serviceBusTrigger",
    "name": "message",
    "queueName": "%Q%",
    "connection": "SB",
    "dataType": "BINARY",
}
TIMER = {"type": "timerTrigger", "name": "timer", "schedule": "0 * * * * *"}
HTTP = {"type": "httpTrigger", "name": "req", "route": "x/{id:int}", "authLevel": "ANONYMOUS"}
RETURN = {"type": "http", "name": "$return", "direction": "OUT"}


def described(*bindings, **given):
    facts = {"name": "f", "deferred": [], "bare": [], "retry": False}
    return {**facts, "raw_bindings": [json.dumps(binding) for binding in bindings]} | given


def read(*descriptions):
    return read_functions(list(descriptions), SETTINGS, "api")


def test_each_trigger_is_read():
    blob, bus, timer, http = (
        function.trigger
        for function in read(
            described(BLOB, name="a"),
            described({**BUS, "isSessionsEnabled": True}, name="b"),
            described(TIMER, name="c"),
            described(HTTP, RETURN, name="d"),
        )
    )
    assert isinstance(blob, BlobTrigger)
    assert blob.pattern.container == "datasets"
    assert isinstance(bus, ServiceBusTrigger)
    assert (bus.queue, bus.sessions) == ("alm-steps", True)
    assert isinstance(timer, TimerTrigger)
    assert (timer.use_monitor, timer.run_on_startup) == (True, False)
    assert isinstance(http, HttpTrigger)
    assert (http.route.text, http.level) == ("api/x/{id:int}", "anonymous")


def test_a_client_needs_no_data_type():
    bound = {name: value for name, value in BLOB.items() if name != "dataType"}
    assert read(described(bound, deferred=["client"]))[0].trigger.deferred


def test_no_functions_at_all_is_refused():
    with pytest.raises(ConfigError, match="no functions found"):
        read()


@pytest.mark.parametrize(
    ("description", "named"),
    [
        (described({**BLOB, "dataType": None}), "'client'.*BINARY"),
        (described({**BLOB, "source": "LogsAndContainerScan"}), "EVENT_GRID"),
        (described({**BLOB, "path": "{any}/x"}), "path"),
        (described({**BLOB, "connection": "NO"}), "connection 'NO'"),
        (described({**BUS, "dataType": "STRING"}), "'message'.*BINARY"),
        (described({**BUS, "cardinality": "MANY"}), "batches"),
        (described({**BUS, "topicName": "t"}), "topic 't'"),
        (described({**BUS, "queueName": "%NO%"}), "setting 'NO'"),
        (described({**TIMER, "schedule": "* *"}), "schedule"),
        (described({**TIMER, "schedule": "0 0 0 30 2 *"}), "never"),
        (described({**HTTP, "route": "{x:colour}"}, RETURN), "colour"),
        (described({**HTTP, "methods": ["FETCH"]}, RETURN), "FETCH"),
        (described({**HTTP, "route": "/Admin/x"}, RETURN), "keeps for itself"),
        (described({"type": "eventHubTrigger", "name": "e"}), "'eventHubTrigger'"),
        (described(TIMER, {"type": "queue", "name": "out"}), "'out' of type 'queue'"),
        (described(TIMER, retry=True), "retry"),
        (described(BUS, bare=["message"]), "annotated str or bytes"),
    ],
)
def test_a_trap_is_refused_by_name(description, named):
    with pytest.raises(ConfigError, match=f"function 'f'.*{named}"):
        read(description)


def test_all_mistakes_are_reported_at_once():
    with pytest.raises(ConfigError) as caught:
        read(described({**BLOB, "source": None}), described({**BUS, "queueName": "%NO%"}))
    assert len(caught.value.mistakes) == 2
