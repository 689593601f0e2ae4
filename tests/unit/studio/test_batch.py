"""Batch execution as it is spoken: bodies, states in all their spellings, repeated starts."""

from __future__ import annotations

import pytest

from alm.adapters.studio.batch import BatchService
from alm.domain.errors import AlmError, Conflict, Misconfigured, NotFound, Refused, Unknown
from alm.ports import Grant, JobStatus, Submission
from tests.unit.studio.scripted import Scripted, caller, error

DATASET = Grant("https://a.blob/", "datasets/day1.csv", "?sig=read")
MODEL = Grant("https://a.blob/", "alm-jobs/m/r/model.ilearner", "?sig=write")
SUBMISSION = Submission({"input1": DATASET}, {"output1": MODEL}, {"Random seed": "7"})


def test_a_submission_names_blobs_in_three_parts() -> None:
    transport = Scripted((200, "5f0c"))

    job_id = BatchService(caller(transport)).create_job(SUBMISSION)

    assert job_id == "5f0c"
    assert transport.seen == ["POST /workspaces/w/services/e/jobs?api-version=2.0"]
    assert transport.sent() == {
        "Inputs": {
            "input1": {
                "BaseLocation": "https://a.blob/",
                "RelativeLocation": "datasets/day1.csv",
                "SasBlobToken": "?sig=read",
            }
        },
        "Outputs": {
            "output1": {
                "BaseLocation": "https://a.blob/",
                "RelativeLocation": "alm-jobs/m/r/model.ilearner",
                "SasBlobToken": "?sig=write",
            }
        },
        "GlobalParameters": {"Random seed": "7"},
    }


@pytest.mark.parametrize("answer", [{}, "", "../other", "a/b", 7, None])
def test_an_answer_that_is_no_job_id_is_not_put_into_urls(answer: object) -> None:
    with pytest.raises(Misconfigured):
        BatchService(caller(Scripted((200, answer)))).create_job(SUBMISSION)


def test_a_refused_submission_tells_the_services_codes() -> None:
    refused = Scripted(error(400, "BadArgument", "InvalidBlobExtension"))

    with pytest.raises(Misconfigured, match=r"InvalidBlobExtension.*compare inputs, outputs"):
        BatchService(caller(refused)).create_job(SUBMISSION)


@pytest.mark.parametrize("bad", ["", "a/b", "../x", "a?b", "a b", "x" * 65, "a\n"])
def test_no_other_text_than_an_id_gets_into_a_url(bad: str) -> None:
    transport = Scripted()
    service = BatchService(caller(transport))

    for call in (service.start_job, service.job, service.cancel_job):
        with pytest.raises(Refused):
            call(bad)

    assert transport.requests == []


def test_a_start_has_an_empty_body() -> None:
    transport = Scripted((204, None))

    BatchService(caller(transport)).start_job("5f0c")

    assert transport.seen == ["POST /workspaces/w/services/e/jobs/5f0c/start?api-version=2.0"]
    assert transport.requests[0].body == b""


@pytest.mark.parametrize("state", ["NotStarted", "Running", "Finished"])
def test_a_job_that_was_started_already_is_left_alone(state: str) -> None:
    transport = Scripted(
        error(400, "InvalidOperation", "CannotStartJob"),
        (200, {"StatusCode": state, "Results": None, "Details": None}),
    )

    BatchService(caller(transport)).start_job("5f0c")

    assert len(transport.requests) == 2


@pytest.mark.parametrize("state", ["Failed", "Cancelled"])
def test_a_job_that_ended_badly_cannot_be_started(state: str) -> None:
    transport = Scripted(
        error(400, "InvalidOperation", "CannotStartJob"),
        (200, {"StatusCode": state, "Results": None, "Details": "no rows"}),
    )

    with pytest.raises(Conflict, match=f"it is {state} \\(no rows\\)"):
        BatchService(caller(transport)).start_job("5f0c")


def test_a_start_that_the_service_refuses_otherwise_is_an_error() -> None:
    with pytest.raises(Misconfigured, match="BadVersionCall"):
        BatchService(caller(Scripted(error(400, "BadArgument", "BadVersionCall")))).start_job("a")


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("NotStarted", "NotStarted"), (0, "NotStarted"), ("0", "NotStarted"),
        ("Running", "Running"), (1, "Running"),
        ("Failed", "Failed"), (2, "Failed"),
        ("Cancelled", "Cancelled"), ("Canceled", "Cancelled"), (3, "Cancelled"),
        ("Finished", "Finished"), (4, "Finished"), ("4", "Finished"),
    ],
)  # fmt: skip
def test_a_state_is_understood_as_name_or_number(code: object, state: str) -> None:
    answer = (200, {"StatusCode": code, "Results": None, "Details": None})

    assert BatchService(caller(Scripted(answer))).job("a").state == state


@pytest.mark.parametrize("code", ["Paused", 9, None])
def test_an_unheard_of_state_is_asked_for_again(code: object) -> None:
    with pytest.raises(Unknown, match="StatusCode"):
        BatchService(caller(Scripted((200, {"StatusCode": code})))).job("a")


def test_outputs_are_grants_with_one_slash_between_base_and_name() -> None:
    results = {
        "output1": {
            "ConnectionString": None,
            "BaseLocation": "https://a.blob",
            "RelativeLocation": "/c/m.ilearner",
            "SasBlobToken": "sv=1&sig=2",
        }
    }
    answer = (200, {"StatusCode": "Finished", "Results": results, "Details": None})

    assert BatchService(caller(Scripted(answer))).job("a") == JobStatus(
        "a", "Finished", "", {"output1": Grant("https://a.blob/", "c/m.ilearner", "?sv=1&sig=2")}
    )


@pytest.mark.parametrize(
    "reference", [None, {}, {"BaseLocation": "file:///etc/", "RelativeLocation": "x"}]
)
def test_an_output_that_is_nowhere_is_told(reference: object) -> None:
    answer = (200, {"StatusCode": "Finished", "Results": {"output1": reference}})

    with pytest.raises(Misconfigured, match="output 'output1': the service names no blob"):
        BatchService(caller(Scripted(answer))).job("a")


def test_why_a_job_failed_is_kept_without_secrets() -> None:
    text = "cannot read https://a.blob/c/d.csv?sv=1&sig=s3cr3t&se=2"
    answer = (200, {"StatusCode": "Failed", "Results": None, "Details": text})

    details = BatchService(caller(Scripted(answer))).job("a").details

    assert details == "cannot read https://a.blob/c/d.csv?sv=1&sig=***&se=2"


@pytest.mark.parametrize("status", [204, 404])
def test_a_job_that_is_gone_is_cancelled(status: int) -> None:
    transport = Scripted((status, None))

    BatchService(caller(transport)).cancel_job("5f0c")

    assert transport.seen == ["DELETE /workspaces/w/services/e/jobs/5f0c?api-version=2.0"]


@pytest.mark.parametrize(
    ("answer", "kind"), [(error(404, "NotFound"), NotFound), (error(500, "InternalError"), Unknown)]
)
def test_a_job_that_cannot_be_read_is_an_error(
    answer: tuple[int, object], kind: type[AlmError]
) -> None:
    with pytest.raises(kind, match="read job 5f0c"):
        BatchService(caller(Scripted(answer))).job("5f0c")


def test_results_of_a_job_that_has_not_finished_are_none() -> None:
    results = {"output1": {"BaseLocation": "https://a.blob/", "RelativeLocation": "c/m.ilearner"}}
    answer = (200, {"StatusCode": "Running", "Results": results})

    assert BatchService(caller(Scripted(answer))).job("a").outputs == {}
