"""Intake: what events and messages become, and that nothing is lost."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from alm.domain.errors import Misconfigured, Refused, Unavailable, Unknown
from alm.domain.ledger import Ledger, Step
from alm.domain.messages import Decision, Fail, Kick, Reconcile, TriggerMessage
from alm.engine import sending
from alm.entrypoints import dead_letters, intake
from alm.entrypoints.inbox import Received
from tests.unit.entrypoints.app_world import DIGEST, AppWorld


def request(body: object, message_id: str = "m1", **fields: str) -> Received:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(content, message_id, "alm-requests", **fields)


def only_item(world: AppWorld):
    (item,) = world.records.items.values()
    return item


def dead(step: Step, message_id: str = "churn.r7:4") -> Received:
    body = sending.encode(step)
    reason = "MaxDeliveryCountExceeded"
    return Received(body, message_id, "alm-steps", session="churn", reason=reason)


# -- blobs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "model", "pipeline"),
    [
        ("datasets/churn/a.csv", "churn", "retrain"),
        ("datasets/sales/north/a b.csv", "shops--north", "retrain"),
        ("trained-models/churn/a.ilearner", "churn", "publish"),
        ("trained-models/shops--north/a.ilearner", "shops--north", "publish"),
    ],
)
def test_a_landed_blob_goes_to_the_mailbox_of_its_model(world, path, model, pipeline):
    blob = world.upload(path)
    intake.on_blob(world.app, blob.container, blob.name)
    (message,) = world.messages()
    assert isinstance(message, TriggerMessage)
    assert (message.model, message.trigger.pipeline) == (model, pipeline)
    assert message.trigger.blob == blob


def test_the_same_blob_announced_five_times_is_one_message(world):
    blob = world.upload("datasets/churn/a.csv")
    for _ in range(5):
        intake.on_blob(world.app, blob.container, blob.name)
    assert len(world.sent()) == 1


def test_a_trigger_is_as_old_as_its_blob_however_late_it_is_announced(world):
    blob = world.upload("datasets/churn/a.csv")
    written = world.clock.now()
    world.clock.at = written + timedelta(hours=1)
    intake.on_blob(world.app, blob.container, blob.name)
    (message,) = world.messages()
    assert message.trigger.at == written


def test_a_blob_that_nobody_wants_is_kept_with_the_nearest_pattern(world):
    blob = world.upload("datasets/chrun/a.csv")
    for _ in range(2):
        intake.on_blob(world.app, blob.container, blob.name)
    item = only_item(world)
    assert "no managed model wants datasets/chrun/a.csv" in item.reason
    assert "under a name that a pattern matches, then discard this item" in item.remedy
    assert "'churn/*.csv'" in item.reason
    assert (item.payload, item.queue) == ("datasets/chrun/a.csv", "")
    assert world.sent() == []


def test_where_no_pattern_is_near_those_there_are_are_told(world):
    blob = world.upload("datasets/zz/1.parquet")
    intake.on_blob(world.app, blob.container, blob.name)
    reason = only_item(world).reason
    assert "no pattern is near; there are churn/*.csv, sales/{shop}/*.csv" in reason


def test_a_dataset_is_not_compared_with_patterns_of_model_files(world):
    blob = world.upload("datasets/churn/a.ilearner")
    intake.on_blob(world.app, blob.container, blob.name)
    assert "'churn/*.csv'" in only_item(world).reason


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("datasets/churn/a.csv", b""),
        ("datasets/churn/a.csv.tmp", b"x"),
        ("trained-models/churn/a.ilearner.evaluation.csv", b"x"),
    ],
)
def test_what_is_no_complete_file_is_neither_started_nor_kept(world, path, content):
    blob = world.upload(path, content)
    intake.on_blob(world.app, blob.container, blob.name)
    assert (world.sent(), world.records.items) == ([], {})


def test_a_blob_that_is_gone_again_is_nobodys_business(world):
    intake.on_blob(world.app, "datasets", "churn/gone.csv")
    assert (world.sent(), world.records.items) == ([], {})


@pytest.mark.parametrize(
    "name", ["churn/../x.csv", "churn/a\nb.csv", "", "churn//a.csv", "x" * 1025]
)
def test_a_hostile_name_is_kept_and_never_used(world, name):
    intake.on_blob(world.app, "datasets", name)
    assert "not the path of a blob" in only_item(world).reason
    assert world.sent() == []


def test_the_item_of_a_long_name_fits_into_a_blob_name(world):
    blob = world.upload("datasets/" + "日" * 800 + ".csv")
    intake.on_blob(world.app, blob.container, blob.name)
    item = only_item(world)
    assert len(item.id) < 80
    assert item.payload == blob.path


def test_trouble_with_the_queue_lets_the_host_deliver_the_event_again(world):
    blob = world.upload("datasets/churn/a.csv")
    world.bus.fail("send", Unknown("no answer"))
    with pytest.raises(Unknown):
        intake.on_blob(world.app, blob.container, blob.name)
    intake.on_blob(world.app, blob.container, blob.name)
    assert len(world.sent()) == 1


def test_a_member_by_captures_is_known_from_its_first_dataset_on(world):
    assert world.app.declarations.members("shops") == []
    blob = world.upload("datasets/sales/north/a.csv")
    intake.on_blob(world.app, blob.container, blob.name)
    assert world.app.declarations.members("shops") == ["shops--north"]


# -- requests --------------------------------------------------------------------------------------


def test_a_request_is_accepted_and_answered(world):
    body = {"kind": "verify", "model": "churn", "reply_to": "answers", "correlation_id": "c1"}
    intake.on_request(world.app, request(body))
    (message,) = world.messages()
    assert (message.trigger.pipeline, message.trigger.source) == ("verify", "request")
    assert world.answers() == [
        {"schema": 1, "request": "m1", "event": "accepted", "model": "churn"}
    ]
    assert world.sent("answers")[0].correlation_id == "c1"


def test_a_request_delivered_twice_is_one_order_and_one_answer(world):
    body = {"kind": "verify", "model": "churn"}
    for _ in range(2):
        intake.on_request(world.app, request(body, reply_to="answers"))
    assert (len(world.sent()), len(world.answers())) == (1, 1)


def test_every_member_of_a_family_answers_for_itself(world):
    for shop in ("north", "south", "west"):
        world.put_ledger(Ledger(model=f"shops--{shop}"))
    body = {"kind": "retrain", "family": "shops", "id": "x" * 128}
    intake.on_request(world.app, request(body, reply_to="answers"))
    triggers = [message.trigger for message in world.messages()]
    ended = [
        answer
        for number, trigger in enumerate(triggers)
        for answer in sending.ended([trigger], f"r{number}", "ok", "")
    ]
    world.bus.send(ended)
    told = {(answer["event"], answer["model"]) for answer in world.answers()}
    shops = {"shops--north", "shops--south", "shops--west"}
    assert told == {(event, shop) for event in ("accepted", "ended") for shop in shops}
    assert all(len(message.id) <= 128 for message in world.sent("answers"))


def test_members_that_skip_answer_each_for_itself(world):
    for shop in ("north", "south"):
        world.put_ledger(Ledger(model=f"shops--{shop}"))
    body = {"kind": "retrain", "family": "shops"}
    intake.on_request(world.app, request(body, reply_to="answers"))
    for message in world.messages():
        world.bus.send(sending.ended([message.trigger], "", "skipped", "another run was active"))
    assert len([answer for answer in world.answers() if answer["event"] == "ended"]) == 2


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "retrian", "model": "churn"}, "did you mean 'retrain'"),
        ({"kind": "retrain", "model": "chrun"}, "did you mean 'churn'"),
        ({"kind": "retrain", "model": "dropped"}, "declares no training service"),
        ({"kind": "retrain", "family": "shops"}, "no member yet"),
        ({"kind": "retrain", "family": "shop"}, "did you mean 'shops'"),
        ({"kind": "publish", "model": "churn", "blob": "churn/x.ilearner"}, "upload it first"),
        ({"kind": "roll_back", "model": "churn", "version": "v9"}, "there are: none"),
        ({"kind": "roll_back", "model": "churn", "version": "previous"}, "no previous version"),
        ({"kind": "cancel", "model": "churn", "run": "churn.r9"}, "there is no run"),
        ({"kind": "cancel", "model": "churn", "run": "dropped.r1"}, "is not a run of 'churn'"),
        ({"kind": "cancel", "model": "churn", "run": "nonsense"}, "not the name of a run"),
        ({"kind": "verify", "model": "churn", "reply_to": "alm-steps"}, "may answer to"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 50_000, "nested too deeply"),
        (b"x" * 70_000, "at most 65536"),
    ],
)
def test_a_wrong_request_is_kept_with_its_reason_and_refused(world, body, told):
    for _ in range(2):
        intake.on_request(world.app, request(body, reply_to="answers"))
    item = only_item(world)
    assert told in item.reason
    assert "send it again" in item.remedy
    assert (item.queue, item.message_id, item.reply_to) == ("alm-requests", "m1", "answers")
    assert world.sent() == []
    if b"reply_to" not in request(body).body:
        (answer,) = world.answers()
        assert (answer["event"], told in answer["why"]) == ("refused", True)


def test_a_malformed_request_is_answered_where_it_says_itself(world):
    body = {"kind": "verfy", "model": "churn", "id": "mine", "reply_to": "answers"}
    intake.on_request(world.app, request({**body, "correlation_id": "c"}))
    (answer,) = world.answers()
    assert (answer["event"], answer["request"]) == ("refused", "mine")
    assert world.sent("answers")[0].correlation_id == "c"


@pytest.mark.parametrize("reply_to", ["elsewhere", "alm-steps", "alm-requests", "a\nb", "x" * 300])
def test_a_queue_that_is_not_allowed_gets_no_answer(world, reply_to):
    intake.on_request(
        world.app, request({"kind": "verify", "model": "churn", "reply_to": reply_to})
    )
    intake.on_request(world.app, request({"kind": "x"}, "m2", reply_to=reply_to))
    assert {message.queue for message in world.bus.sent} == set()
    assert len(world.records.items) == 2


def test_messages_without_an_id_are_kept_apart(world):
    intake.on_request(world.app, request({"kind": "a"}, ""))
    intake.on_request(world.app, request({"kind": "b"}, ""))
    assert len(world.records.items) == 2


def test_another_mistake_under_the_same_id_is_kept_too(world):
    intake.on_request(world.app, request({"kind": "a"}))
    intake.on_request(world.app, request({"kind": "b"}))
    assert len(world.records.items) == 2


def test_what_is_not_text_is_kept_byte_by_byte(world):
    intake.on_request(world.app, request(b"\xff\x00\xfe"))
    item = only_item(world)
    assert item.encoding == "base64"
    intake.redrive(world.app, item, "order")
    assert world.sent("alm-requests")[0].body == b"\xff\x00\xfe"


def test_trouble_of_ours_is_not_the_senders_mistake(world):
    world.ledgers.fail("get", Unavailable("storage is away"))
    body = {"kind": "cancel", "model": "churn", "run": "churn.r7"}
    with pytest.raises(Unavailable):
        intake.on_request(world.app, request(body, reply_to="answers"))
    assert (world.records.items, world.bus.sent) == ({}, [])


def test_a_decision_by_queue_is_sent_on_while_it_can_be_made(world):
    world.active(held=True)
    body = {"kind": "approve", "model": "churn", "run": "churn.r7", "digest": DIGEST}
    intake.on_request(world.app, request(body, reply_to="answers"))
    (message,) = world.messages()
    assert isinstance(message, Decision)
    assert [answer["event"] for answer in world.answers()] == ["accepted"]


def test_a_decision_whose_run_is_over_is_told_how_it_ended(world):
    world.ended("expired")
    body = {"kind": "approve", "model": "churn", "run": "churn.r7", "digest": DIGEST}
    intake.on_request(world.app, request(body, reply_to="answers"))
    (answer,) = world.answers()
    assert (answer["event"], "it ended expired" in answer["why"]) == ("refused", True)


def test_a_decision_that_was_carried_out_is_answered_as_it_was_then(world):
    """The approval was acknowledged, the run ended; then the same message is delivered again."""
    body = {"kind": "approve", "model": "churn", "run": "churn.r7", "digest": DIGEST}
    world.active(held=True)
    intake.on_request(world.app, request(body, reply_to="answers"))
    world.ended("ok")
    intake.on_request(world.app, request(body, reply_to="answers"))
    assert [answer["event"] for answer in world.answers()] == ["accepted", "ended"]
    assert len(world.sent()) == 1
    assert world.records.items == {}


# -- the mailbox -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"nonsense", b"\xff", b'{"kind": "step"}', b"[" * 9000]
)
def test_what_is_no_message_of_a_mailbox_is_kept(world, body):
    received = Received(body, "m1", "alm-steps", session="churn")
    intake.on_step(world.app, received)
    item = only_item(world)
    assert "not a mailbox message" in item.reason
    assert (item.queue, item.session) == ("alm-steps", "churn")


def test_a_message_is_handled_by_the_engine(world):
    blob = world.upload("datasets/churn/a.csv")
    intake.on_blob(world.app, blob.container, blob.name)
    sent = world.sent()[0]
    intake.on_step(world.app, Received(sent.body, sent.id, "alm-steps", session="churn"))
    ledger, _ = world.ledgers.get("churn")
    assert ledger.active is not None
    assert world.records.items == {}


def test_a_trigger_of_a_model_that_nobody_declares_is_kept(world):
    message = Kick(model="churn").model_dump_json(by_alias=True).replace("churn", "gone")
    trigger = world_trigger(world).replace(b'"model":"churn"', b'"model":"gone"')
    intake.on_step(world.app, Received(trigger, "t1", "alm-steps", session="gone"))
    assert "gone" in only_item(world).reason
    intake.on_step(world.app, Received(message.encode(), "k1", "alm-steps", session="gone"))
    reconcile = Reconcile(model="gone", run="gone.r1").model_dump_json(by_alias=True)
    intake.on_step(world.app, Received(reconcile.encode(), "r1", "alm-steps", session="gone"))
    assert len(world.records.items) == 1  # upkeep of what is no longer declared is no news


def world_trigger(world: AppWorld) -> bytes:
    blob = world.upload("datasets/churn/a.csv")
    intake.on_blob(world.app, blob.container, blob.name)
    return world.sent()[-1].body


def test_trouble_in_the_engine_lets_the_broker_deliver_again(world):
    body = world_trigger(world)
    world.ledgers.fail("get", Unavailable("storage is away"))
    with pytest.raises(Unavailable):
        intake.on_step(world.app, Received(body, "t1", "alm-steps", session="churn"))
    assert world.records.items == {}


def test_a_step_that_can_never_go_on_ends_its_run(world):
    """Its next message is one that the queue does not take, for example."""
    world.active()
    step = world.ledgers.get("churn")[0].active.step
    world.bus.fail("send", Refused("the message is larger than the queue takes"))
    body = sending.encode(step.model_copy(update={"stage": "finish", "result": "failed"}))
    intake.on_step(world.app, Received(body, "churn.r7:4", "alm-steps", session="churn"))
    assert "larger than" in only_item(world).reason
    (fail,) = world.messages()
    assert isinstance(fail, Fail)


# -- dead letters ----------------------------------------------------------------------------------


def test_a_dead_step_is_kept_and_ends_its_run_once(world):
    step = world.active().active.step
    for _ in range(2):
        dead_letters.on_dead_letter(world.app, dead(step))
    item = only_item(world)
    assert (item.reason, item.run) == ("MaxDeliveryCountExceeded", "churn.r7")
    assert "log" in item.remedy
    (fail,) = world.messages()
    assert isinstance(fail, Fail)
    assert (fail.run, fail.n, fail.base) == ("churn.r7", 4, step.base)
    assert "patch died" in fail.why


def test_another_dead_step_of_the_run_is_told_again(world):
    step = world.active().active.step
    dead_letters.on_dead_letter(world.app, dead(step, "churn.r7:4"))
    dead_letters.on_dead_letter(world.app, dead(step, "churn.r7:5"))
    assert len(world.messages()) == 2


def test_a_dead_trigger_is_only_kept(world):
    body = world_trigger(world)
    before = len(world.sent())
    dead_letters.on_dead_letter(world.app, Received(body, "t1", "alm-steps", session="churn"))
    assert only_item(world).model == "churn"
    assert len(world.sent()) == before


@pytest.mark.parametrize("queue", ["alm-steps", "alm-requests"])
def test_dead_junk_is_only_kept(world, queue):
    dead_letters.on_dead_letter(world.app, Received(b"\xff junk", "j1", queue))
    assert only_item(world).queue == queue
    assert "delivered too often" in only_item(world).reason
    assert world.sent() == []


# -- sending again ---------------------------------------------------------------------------------


def test_a_request_sent_again_is_the_same_request_to_its_sender(world):
    """Its first delivery may have been accepted before it died: the run must not start twice."""
    body = {"kind": "verify", "model": "churn"}
    received = request(body, "m1", reply_to="answers", correlation_id="c")
    intake.on_request(world.app, received)
    dead_letters.on_dead_letter(world.app, received)
    again = intake.redrive(world.app, only_item(world), "order-1")
    assert again.id != "m1"
    intake.on_request(world.app, Received(again.body, again.id, "alm-requests"))
    assert (len(world.sent()), len(world.answers())) == (1, 1)


def test_a_request_with_an_impossible_id_gets_that_of_its_new_message(world):
    intake.on_request(world.app, request({"kind": "verify", "model": "churn"}, "no id at all"))
    again = intake.redrive(world.app, only_item(world), "order-1")
    intake.on_request(world.app, Received(again.body, again.id, "alm-requests"))
    assert len(world.messages()) == 1


def test_a_message_goes_back_into_its_mailbox(world):
    intake.on_step(world.app, Received(b"junk", "m1", "alm-steps", session="churn"))
    again = intake.redrive(world.app, only_item(world), "x" * 128)
    assert (again.queue, again.session, again.body) == ("alm-steps", "churn", b"junk")
    assert len(again.id) <= 128


def test_an_item_whose_sending_failed_stays(world):
    intake.on_request(world.app, request(b"{"))
    world.bus.fail("send", Misconfigured("there is no such queue"))
    with pytest.raises(Misconfigured):
        intake.redrive(world.app, only_item(world), "order-1")
    assert len(world.records.items) == 1
