"""host.json and time spans."""

import json

import pytest

from devstack.host.errors import ConfigError
from devstack.host.host_json import read_host_json
from devstack.host.timespans import parse_seconds


def write(tmp_path, document):
    path = tmp_path / "host.json"
    path.write_text(json.dumps(document))
    return path


def test_the_keys_are_read(tmp_path):
    service_bus = {
        "maxConcurrentSessions": 32,
        "sessionIdleTimeout": "00:00:01",
        "maxAutoLockRenewalDuration": "00:06:00",
        "prefetchCount": 0,
    }
    document = {
        "version": "2.0",
        "functionTimeout": "00:05:00",
        "extensions": {
            "serviceBus": service_bus,
            "blobs": {"poisonBlobThreshold": 3},
            "http": {"routePrefix": ""},
        },
    }
    options = read_host_json(write(tmp_path, document))
    assert options.function_timeout_seconds == 300
    assert options.service_bus.max_concurrent_sessions == 32
    assert options.service_bus.session_idle_timeout_seconds == 1
    assert options.service_bus.max_auto_lock_renewal_seconds == 360
    assert options.blobs.poison_blob_threshold == 3
    assert options.route_prefix == ""


def test_absent_keys_have_azures_defaults(tmp_path):
    options = read_host_json(write(tmp_path, {"version": "2.0"}))
    assert options.function_timeout_seconds == 1800
    assert options.service_bus.max_concurrent_sessions == 8
    assert options.route_prefix == "api"


def test_no_limit_is_minus_one(tmp_path):
    path = write(tmp_path, {"version": "2.0", "functionTimeout": "-1"})
    assert read_host_json(path).function_timeout_seconds is None


def test_all_mistakes_are_reported_at_once(tmp_path):
    document = {
        "functionTimeout": 300,
        "extensions": {
            "serviceBus": {
                "messageHandlerOptions": {},
                "maxConcurrentCalls": 0,
                "autoCompleteMessages": "yes",
            },
            "http": {"prefix": "api"},
        },
    }
    with pytest.raises(ConfigError) as caught:
        read_host_json(write(tmp_path, document))
    text = str(caught.value)
    assert len(caught.value.mistakes) == 6
    for named in (
        "version",
        "functionTimeout",
        "the old form",
        "maxConcurrentCalls",
        "autoCompleteMessages",
        "routePrefix",
    ):
        assert named in text


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:05:00", 300), ("1.00:00:01.5", 86401.5), ("0:0:1", 1)]
)
def test_time_spans(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["5m", "24:00:00", "00:60:00", "00:00:60", "", "00:05"])
def test_what_is_no_time_span(text):
    with pytest.raises(ValueError, match="not a time span"):
        parse_seconds(text)
