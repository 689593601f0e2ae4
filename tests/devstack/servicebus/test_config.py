"""The configuration file: what is read, and that all mistakes are reported at once."""

import json

import pytest

from devstack.servicebus.config import load, milliseconds, read
from devstack.servicebus.context import QueueConfig
from devstack.servicebus.errors import ConfigError


def document(*queues, **namespace):
    given = {"Name": "sbemulatorns", "Queues": list(queues), "Topics": [], **namespace}
    return {"UserConfig": {"Namespaces": [given], "Logging": {"Type": "File"}}}


def test_the_emulators_file_is_read(tmp_path):
    path = tmp_path / "Config.json"
    queue = {
        "Name": "alm-steps",
        "Properties": {
            "DeadLetteringOnMessageExpiration": True,
            "DefaultMessageTimeToLive": "PT1H",
            "DuplicateDetectionHistoryTimeWindow": "PT20S",
            "ForwardDeadLetteredMessagesTo": "",
            "ForwardTo": "",
            "LockDuration": "PT1M",
            "MaxDeliveryCount": 3,
            "RequiresDuplicateDetection": True,
            "RequiresSession": True,
        },
    }
    path.write_text(json.dumps(document(queue, {"Name": "plain"})))

    steps, plain = load(path)

    assert QueueConfig("plain") == plain
    assert (
        QueueConfig(
            "alm-steps",
            lock_ms=60_000,
            delivery_count_max=3,
            ttl_ms=3_600_000,
            dead_letter_on_expiry=True,
            requires_session=True,
            duplicate_window_ms=20_000,
        )
        == steps
    )


def test_every_mistake_is_reported_with_queue_and_property():
    bad = {
        "ForwardTo": "x",
        "LockDuration": "1 minute",
        "MaxDeliveryCount": 0,
        "RequiresSession": "yes",
        "EnablePartitioning": True,
        "DuplicateDetectionHistoryTimeWindow": "PT1S",
    }
    topics = [{"Name": "news"}]
    with pytest.raises(ConfigError) as raised:
        read(
            document({"Name": "q", "Properties": bad}, {"Name": "Q"}, {"Name": "!"}, Topics=topics)
        )

    mistakes = "\n".join(raised.value.mistakes)
    for expected in (
        "topic 'news': topics are not implemented",
        "queue 'q': ForwardTo: forwarding is not implemented",
        "queue 'q': LockDuration: '1 minute' is not a duration",
        "queue 'q': MaxDeliveryCount: 0 is not a number from 1 to 2000",
        "queue 'q': RequiresSession: 'yes' is not true or false",
        "queue 'q': EnablePartitioning: not implemented here",
        "queue 'q': DuplicateDetectionHistoryTimeWindow: PT1S is not at least 20 s",
        "queue 'Q': declared twice",
        "queue '!': Name has 1 to 260",
    ):
        assert expected in mistakes


@pytest.mark.parametrize(
    "given",
    [
        [],
        {},
        {"UserConfig": []},
        {"UserConfig": {"Namespaces": []}},
        document(1),
        document(Queues=3),
    ],
)
def test_other_shapes_are_refused(given):
    with pytest.raises(ConfigError):
        read(given)


def test_files_that_cannot_be_read_are_named(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    for path in (broken, tmp_path / "missing.json"):
        with pytest.raises(ConfigError, match=path.name):
            load(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1M", 60_000),
        ("P1DT2H3M4.5S", 93_784_500),
        ("P7D", 604_800_000),
        ("PT", None),
        ("P", None),
        ("P1DT", None),
        ("1M", None),
    ],
)
def test_durations(text, expected):
    assert expected == milliseconds(text)


def test_no_limit_is_no_limit():
    endless = {"DefaultMessageTimeToLive": "P10675199DT2H48M5.4775807S"}

    [queue] = read(document({"Name": "q", "Properties": endless}))

    assert queue.ttl_ms is None
