"""Triggers: which messages an event becomes, with which ids."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from alm.domain.errors import Refused
from alm.domain.managed_model import ClassicEndpoint, ManagedModel, Schedules, Target, Training
from alm.domain.messages import Decision, TriggerMessage, parse
from alm.domain.requests import Request
from alm.domain.run import BlobRef, Reply
from alm.entrypoints import triggers
from alm.entrypoints.triggers import Ignored

NOW = datetime(2024, 5, 6, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SERVICE = ClassicEndpoint(
    kind="classic", endpoint="https://m.net/workspaces/w/webservices/s/endpoints/e"
)
LANDED = BlobRef(container="datasets", name="churn/a.csv", etag='"0x8D"', size=10)


def managed(name: str = "churn", **fields: object) -> ManagedModel:
    target = Target(name="us", service=SERVICE, trained_model="m")
    given = {"training": Training(service=SERVICE), "targets": (target,), **fields}
    return ManagedModel.model_validate({"model": name, **given})


def ask(kind: str, **fields: object) -> Request:
    return Request.model_validate({"id": "r1", "kind": kind, "model": "churn", **fields})


def triggered(found: object) -> TriggerMessage:
    assert isinstance(found, list)
    (message,) = found
    assert isinstance(message, TriggerMessage)
    return message


def test_a_dataset_retrains_every_model_that_wants_it():
    found = triggers.dataset_arrived(LANDED, [managed("a"), managed("b")], NOW)
    assert isinstance(found, list)
    assert [(item.model, item.trigger.pipeline) for item in found] == [
        ("a", "retrain"),
        ("b", "retrain"),
    ]
    assert {item.trigger.blob for item in found} == {LANDED}


def test_the_id_of_a_blob_is_its_content():
    trigger = triggered(triggers.dataset_arrived(LANDED, [managed()], NOW)).trigger
    fact = hashlib.sha256(b"datasets/churn/a.csv@0x8D").hexdigest()[:32]
    assert trigger.id == f"t:churn:{fact}"


@pytest.mark.parametrize("etag", ['"0x8D"', "0x8D", 'W/"0x8D"'])
def test_an_etag_means_the_same_with_and_without_quotes(etag):
    first = triggered(triggers.dataset_arrived(LANDED, [managed()], NOW))
    again = LANDED.model_copy(update={"etag": etag})
    second = triggered(triggers.dataset_arrived(again, [managed()], NOW + MINUTE))
    assert first.trigger.id == second.trigger.id


def test_new_content_under_the_same_name_is_a_new_fact():
    newer = LANDED.model_copy(update={"etag": "0x8E"})
    one = triggered(triggers.dataset_arrived(LANDED, [managed()], NOW))
    other = triggered(triggers.dataset_arrived(newer, [managed()], NOW))
    assert one.trigger.id != other.trigger.id


def test_a_model_file_is_published():
    blob = BlobRef(container="trained-models", name="churn/a.ilearner", etag="1", size=9)
    trigger = triggered(triggers.model_file_arrived(blob, [managed()], NOW)).trigger
    assert (trigger.pipeline, trigger.source, trigger.blob) == ("publish", "model_file", blob)


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("churn/a.csv", 0, "0 bytes"),
        ("churn/a.csv.tmp", 5, "still being written"),
        ("churn/a.csv.TMP", 5, "still being written"),
        ("churn/a.csv.partial", 5, "still being written"),
        ("churn_$folder$", 5, "still being written"),
        ("churn/a.csv._COPYING_", 5, "still being written"),
    ],
)
def test_what_is_not_a_complete_file_starts_nothing(name, size, reason):
    blob = LANDED.model_copy(update={"name": name, "size": size})
    for arrived in (triggers.dataset_arrived, triggers.model_file_arrived):
        found = arrived(blob, [managed()], NOW)
        assert isinstance(found, Ignored)
        assert reason in found.reason


def test_the_evaluation_beside_a_model_file_starts_nothing():
    blob = LANDED.model_copy(update={"name": "churn/a.ilearner.evaluation.csv"})
    assert isinstance(triggers.model_file_arrived(blob, [managed()], NOW), Ignored)


@pytest.mark.parametrize("name", ["a/../b.csv", "a\nb", "a//b", "a\\b", "x" * 901])
def test_a_hostile_name_is_refused(name):
    blob = LANDED.model_copy(update={"name": name})
    with pytest.raises(Refused, match="upload it renamed"):
        triggers.dataset_arrived(blob, [], NOW)


def test_an_event_that_does_not_say_which_content_is_refused():
    with pytest.raises(Refused, match="has no ETag"):
        triggers.dataset_arrived(LANDED.model_copy(update={"etag": ""}), [managed()], NOW)


def test_each_cron_line_that_is_due_starts_its_pipeline():
    both = managed(schedules=Schedules(retrain="0 6 * * *", verify="0 6 * * *"))
    later = managed("later", schedules=Schedules(retrain="0 7 * * *"))
    found = triggers.schedules_due([both, later, managed("never")], NOW - MINUTE, NOW)
    assert [(item.model, item.trigger.pipeline) for item in found] == [
        ("churn", "retrain"),
        ("churn", "verify"),
    ]
    assert len({item.trigger.id for item in found}) == 2
    assert {item.trigger.at for item in found} == {NOW}


def test_a_due_time_has_one_id_whenever_it_is_noticed():
    model = managed(schedules=Schedules(retrain="0 6 * * *"))
    soon = triggers.schedules_due([model], NOW - MINUTE, NOW)
    late = triggers.schedules_due([model], NOW - 5 * MINUTE, NOW + 30 * MINUTE)
    assert soon == late


def test_a_request_becomes_a_trigger_with_its_reply():
    request = ask("roll_back", version="previous", reply_to="answers", correlation_id="c", by="me")
    message = triggers.requested(request, managed(), NOW)
    assert isinstance(message, TriggerMessage)
    trigger = message.trigger
    assert (trigger.pipeline, trigger.version, trigger.by) == ("roll_back", "previous", "me")
    assert trigger.reply == Reply(queue="answers", request="r1", correlation_id="c")
    assert trigger.source == "request"


def test_the_same_request_again_has_the_same_id():
    one = triggers.requested(ask("verify"), managed(), NOW)
    again = triggers.requested(ask("verify"), managed(), NOW + MINUTE, source="order")
    assert triggers.outgoing(one).id == triggers.outgoing(again).id


def test_a_request_to_publish_names_its_file():
    request = ask("publish", blob="trained-models/churn/a.ilearner")
    message = triggers.requested(request, managed(), NOW)
    assert isinstance(message, TriggerMessage)
    assert message.trigger.blob == BlobRef(container="trained-models", name="churn/a.ilearner")


def test_a_model_without_training_cannot_be_retrained():
    with pytest.raises(Refused, match="declares no training service"):
        triggers.requested(ask("retrain"), managed(training=None), NOW)


@pytest.mark.parametrize("kind", ["approve", "refuse", "cancel"])
def test_a_decision_names_its_run(kind):
    fields = {"run": "churn.r1"} | ({"digest": "d1"} if kind != "cancel" else {})
    message = triggers.requested(ask(kind, **fields), managed(), NOW)
    assert isinstance(message, Decision)
    assert (message.kind, message.run, message.request) == (kind, "churn.r1", "r1")
    assert triggers.outgoing(message).id == "o:churn:r1"


def test_a_message_goes_to_the_mailbox_of_its_model():
    message = triggered(triggers.dataset_arrived(LANDED, [managed()], NOW))
    sent = triggers.outgoing(message, due=NOW)
    assert (sent.queue, sent.session, sent.subject) == ("alm-steps", "churn", "trigger")
    assert (sent.id, sent.due) == (message.trigger.id, NOW)
    assert parse(sent.body) == message


def test_what_is_sent_again_has_an_id_of_its_own():
    message = triggered(triggers.dataset_arrived(LANDED, [managed()], NOW))
    assert triggers.outgoing(message, id_suffix="202405").id == f"{message.trigger.id}:202405"


@pytest.mark.parametrize("request_id", ["r1", "0f8fad5b-d9cb-469f-a165-70867728950e", "x" * 128])
@pytest.mark.parametrize("suffix", ["", "202405060600"])
def test_every_id_fits(request_id, suffix):
    longest = managed("m" * 90)
    blob = triggered(triggers.dataset_arrived(LANDED, [longest], NOW))
    cancel = Request(id=request_id, kind="cancel", model=longest.model, run="r")
    order = triggers.requested(cancel, longest, NOW)
    for message in (blob, order):
        sent = triggers.outgoing(message, id_suffix=suffix)
        assert len(sent.id) <= 128
        assert sent.id != triggers.outgoing(message, id_suffix=suffix + "1").id
