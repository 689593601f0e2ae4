"""Bodies posted to the blob webhook."""

import json

import pytest

from devstack.host.events import Announced, read_events

SUBJECT = "/blobServices/default/containers/datasets/blobs/2026/a b.csv"


def body(document):
    return json.dumps(document).encode()


def test_event_grid_events():
    created = {"eventType": "Microsoft.Storage.BlobCreated", "subject": SUBJECT}
    deleted = {"eventType": "Microsoft.Storage.BlobDeleted", "subject": SUBJECT}
    found = read_events(body([created, deleted]))
    assert found == Announced((("datasets", "2026/a b.csv"),))


def test_a_cloud_event():
    event = {"specversion": "1.0", "type": "Microsoft.Storage.BlobCreated", "subject": SUBJECT}
    assert read_events(body(event)).blobs == (("datasets", "2026/a b.csv"),)


def test_the_handshake():
    event = {
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "c"},
    }
    assert read_events(body([event])).validation_code == "c"


@pytest.mark.parametrize(
    "posted",
    [
        b"",
        b"[1]",
        body({"subject": SUBJECT}),
        body({"eventType": "Microsoft.Storage.BlobCreated", "subject": "/elsewhere"}),
    ],
)
def test_what_is_no_event_is_refused(posted):
    with pytest.raises(ValueError):
        read_events(posted)
