"""Blob functions of the sample app: uploads to Azurite and events at the webhook."""

import json
import time
import uuid

from devstack.host.storage import Storage, parse_connection_string

JSON = {"content_type": "application/json"}


def event(container: str, name: str, kind: str = "Microsoft.Storage.BlobCreated"):
    subject = f"/blobServices/default/containers/{container}/blobs/{name}"
    return {"eventType": kind, "subject": subject, "data": {"api": "PutBlob"}}


def fresh(folder: str = "day") -> str:
    return f"{folder}/{uuid.uuid4().hex}.csv"


def test_an_upload_is_announced_within_a_second(sample):
    name = fresh()
    sample.upload("uploads", name, b"a,b")
    uploaded = time.time()

    record = sample.await_records(1, "on_upload", name=name)[0]

    assert record["container"] == "uploads"
    assert record["at"] - uploaded < 1.0


def test_binary_content_and_properties_arrive_untouched(sample):
    name = f"{uuid.uuid4().hex}"
    sample.upload("documents", f"{name}.bin", b"\xff\xfe\x00\x80data", owner="ann")

    record = sample.await_records(1, "on_document", name=f"documents/{name}.bin")[0]

    assert record["content"] == list(b"\xff\xfe\x00\x80data")
    assert record["length"] == 8
    assert record["metadata"] == {"owner": "ann"}


def test_a_name_that_does_not_match_is_left_alone(sample):
    name = fresh()
    sample.upload("documents", "readme.txt", b"x")
    sample.upload("uploads", name, b"x")
    sample.await_records(1, "on_upload", name=name)
    assert sample.records("on_document") == []


def test_an_overwritten_blob_is_announced_again(sample):
    name = fresh()
    sample.upload("uploads", name, b"one")
    sample.await_records(1, "on_upload", name=name)
    sample.upload("uploads", name, b"two")
    assert len(sample.await_records(2, "on_upload", name=name)) == 2


def test_an_event_for_a_known_blob_does_not_announce_it_again(sample):
    name = fresh()
    sample.upload("uploads", name, b"x")
    sample.await_records(1, "on_upload", name=name)
    path = "/runtime/webhooks/blobs?functionName=Host.Functions.on_upload"

    posted = sample.request("POST", path, json.dumps([event("uploads", name)]).encode(), **JSON)

    assert posted.status == 202
    marker = fresh()
    sample.upload("uploads", marker, b"x")
    sample.await_records(1, "on_upload", name=marker)
    assert len(sample.records("on_upload", name=name)) == 1


def test_a_cloud_event_announces_a_blob(sample):
    name = fresh()
    sample.upload("uploads", name, b"x")
    cloud_event = {
        "specversion": "1.0",
        "type": "Microsoft.Storage.BlobCreated",
        "subject": event("uploads", name)["subject"],
        "data": {},
    }
    path = "/runtime/webhooks/blobs?functionName=Host.Functions.on_upload"
    kind = {"content_type": "application/cloudevents+json"}
    assert sample.request("POST", path, json.dumps(cloud_event).encode(), **kind).status == 202
    assert len(sample.await_records(1, "on_upload", name=name)) == 1


def test_the_webhook_answers_the_validation_handshake(sample):
    body = [
        {
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "data": {"validationCode": "4711"},
        }
    ]
    path = "/runtime/webhooks/blobs?functionName=Host.Functions.on_upload"
    answer = sample.request("POST", path, json.dumps(body).encode(), **JSON)
    assert answer.json() == {"validationResponse": "4711"}


def test_the_webhook_refuses_what_it_cannot_use(sample):
    path = "/runtime/webhooks/blobs?functionName=Host.Functions."
    assert sample.request("POST", path + "hello", b"[]", **JSON).status == 404
    assert sample.request("POST", path + "on_upload", b"no", **JSON).status == 400
    assert sample.request("POST", path + "on_upload", b"[1]", **JSON).status == 400
    assert sample.request("POST", path + "on_upload", b"[]", content_type="text/x").status == 415


def test_a_blob_can_be_announced_by_hand_as_often_as_wanted(sample):
    name = fresh()
    sample.upload("uploads", name, b"x")
    sample.await_records(1, "on_upload", name=name)
    given = {"input": f"uploads/{name}"}
    for _ in range(3):
        fired = sample.admin("POST", "/admin/functions/on_upload?wait=true", given)
        assert fired.status == 200
    assert len(sample.records("on_upload", name=name)) == 4
    missing = {"input": "uploads/day/missing"}
    assert sample.admin("POST", "/admin/functions/on_upload", missing).status == 404


def test_a_blob_that_fails_five_times_is_put_aside(sample):
    name = f"day/bad-{uuid.uuid4().hex}.csv"
    sample.upload("uploads", name, b"x")
    sample.await_true(lambda: f"uploads/{name} failed 5 times" in sample.log())
    storage = Storage(parse_connection_string(sample.settings["ALM_STORAGE"]))
    messages = [json.loads(text) for text in storage.peek_messages("webjobs-blobtrigger-poison")]
    storage.close()
    assert len(sample.records("on_upload", name=name)) == 5
    found = next(m for m in messages if m["BlobName"] == name)
    assert found["FunctionId"] == "Host.Functions.on_upload"
    assert found["ContainerName"] == "uploads"


def test_what_was_announced_is_not_announced_again_after_a_restart(sample):
    old, new = fresh(), fresh()
    sample.upload("uploads", old, b"x")
    sample.await_records(1, "on_upload", name=old)
    sample.hosts[-1].end()
    sample.hosts[-1].join(8.0)
    sample.upload("uploads", new, b"x")

    sample.start_host()

    sample.await_records(1, "on_upload", name=new)
    assert len(sample.records("on_upload", name=old)) == 1
