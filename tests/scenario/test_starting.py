"""What starts a run, and how often."""

from __future__ import annotations

import csv
import io

import pytest

from tests.scenario.world import Scene, dataset, managed

ANNOUNCEMENTS = 5


def event(blob: str, number: int) -> list[dict[str, object]]:
    """An Event Grid event that a blob was created."""
    subject = f"/blobServices/default/containers/datasets/blobs/{blob}"
    return [
        {
            "id": f"event-{number}",
            "eventType": "Microsoft.Storage.BlobCreated",
            "subject": subject,
            "eventTime": "2024-01-01T00:00:00Z",
            "dataVersion": "",
            "data": {"api": "PutBlob", "contentType": "text/csv"},
        }
    ]


@pytest.mark.together
@managed("announced")
def test_a_dataset_that_is_announced_five_times_starts_one_run(scene: Scene) -> None:
    hook = "runtime/webhooks/blobs?functionName=Host.Functions.on_dataset"
    run = scene.next_run("announced")
    scene.upload("announced")

    for number in range(ANNOUNCEMENTS):  # by events, and without the host's own receipts
        scene.world.host("POST", hook, event("announced/day1.csv", number))
        given = {"input": "datasets/announced/day1.csv"}
        scene.world.host("POST", "admin/functions/on_dataset?wait=true", given)
    assert "ok" == scene.ended(run)["result"]
    scene.world.host("POST", "admin/functions/on_dataset?wait=true", given)
    scene.until("an empty mailbox", lambda: scene.quiet("announced"))

    assert 1 == scene.ledger("announced")["runs"]
    assert ["Finished"] == scene.started_jobs("announced")


@pytest.mark.together
@managed("busy", changes={"training": {"datasets": "append"}})
def test_datasets_that_land_during_a_run_get_one_more_run_with_all_of_them(scene: Scene) -> None:
    first, second = scene.next_run("busy"), "busy.r2"
    early, late = dataset().part(range(200)), dataset().part(range(200, 400))
    job = scene.world.tollgate.hold("GET", r"/datasets/busy/day1\.csv")  # Studio reads its input
    scene.upload("busy")
    assert job.caught.wait(30), "the first run's job never ran"

    scene.upload("busy", "day2.csv", early)
    scene.until("a waiting trigger", lambda: len(scene.ledger("busy")["waiting"]) == 1)
    scene.upload("busy", "day3.csv", late)
    scene.until("two waiting triggers", lambda: len(scene.ledger("busy")["waiting"]) == 2)
    job.let_go()
    assert "ok" == scene.ended(first)["result"]
    ended = scene.ended(second)
    scene.until("an empty mailbox", lambda: scene.quiet("busy"))

    assert "ok" == ended["result"]
    named = [blob["name"] for blob in ended["state"]["inputs"]]
    assert ["busy/day2.csv", "busy/day3.csv"] == named
    together = scene.operator.download("alm-jobs", f"busy/{second}/input1.csv").decode()
    assert [list(row) for row in (*early.rows, *late.rows)] == list(
        csv.reader(io.StringIO(together))
    )[1:]
    assert 2 == scene.ledger("busy")["runs"]
