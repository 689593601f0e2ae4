"""What a training service promises: the double and local Studio alike."""

from __future__ import annotations

import pytest

from alm.domain.errors import (
    Conflict,
    Denied,
    Misconfigured,
    NotFound,
    Unavailable,
    Unknown,
)
from alm.ports import Submission
from tests.contract.studio.waiting import ended
from tests.contract.studio.worlds import (
    TrainingWorld,
)


def test_a_job_does_nothing_until_it_is_started(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.submission())

    assert training.service.job(job_id).state == "NotStarted"


def test_every_submission_is_another_job(training: TrainingWorld) -> None:
    submission = training.submission()

    ids = {training.service.create_job(submission) for _ in range(3)}

    assert len(ids) == 3


def test_a_finished_job_has_all_outputs_those_named_where_they_were_wanted(
    training: TrainingWorld,
) -> None:
    submission = training.submission()
    job_id = training.service.create_job(submission)
    training.service.start_job(job_id)

    job = ended(training.service, job_id)

    assert (job.id, job.state) == (job_id, "Finished")
    assert set(job.outputs) == {"output1", "output2", "output3"}
    assert job.outputs["output1"].location == submission.outputs["output1"].location
    assert all(training.content(output) for output in job.outputs.values())


def test_a_job_that_has_not_finished_has_no_outputs(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.submission())

    assert training.service.job(job_id).outputs == {}


def test_a_start_may_be_repeated(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.submission())

    for _ in range(3):
        training.service.start_job(job_id)
    ended(training.service, job_id)
    training.service.start_job(job_id)

    assert training.service.job(job_id).state == "Finished"


def test_a_job_that_fails_says_why(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.failing_submission())
    training.service.start_job(job_id)

    job = ended(training.service, job_id)

    assert job.state == "Failed"
    assert "rows" in job.details
    assert job.outputs == {}


def test_a_job_that_failed_cannot_be_started_again(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.failing_submission())
    training.service.start_job(job_id)
    ended(training.service, job_id)

    with pytest.raises(Conflict, match="Failed"):
        training.service.start_job(job_id)


def test_a_cancelled_job_stays_cancelled(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.submission())

    training.service.cancel_job(job_id)
    with pytest.raises(Conflict, match="Cancelled"):
        training.service.start_job(job_id)

    assert training.service.job(job_id).state == "Cancelled"


def test_cancelling_a_finished_job_changes_nothing(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.submission())
    training.service.start_job(job_id)
    ended(training.service, job_id)

    training.service.cancel_job(job_id)

    assert training.service.job(job_id).state == "Finished"


def test_a_job_that_was_deleted_is_not_found_and_cancelled(training: TrainingWorld) -> None:
    job_id = training.service.create_job(training.submission())
    training.delete(job_id)

    training.service.cancel_job(job_id)
    with pytest.raises(NotFound):
        training.service.job(job_id)
    with pytest.raises(NotFound):
        training.service.start_job(job_id)


def test_an_output_that_the_service_has_not_is_refused(training: TrainingWorld) -> None:
    good = training.submission()
    grant = good.outputs["output1"]

    with pytest.raises(Misconfigured):
        training.service.create_job(Submission(good.inputs, {"no-such": grant}, {}))


@pytest.mark.parametrize("operation", ["create_job", "start_job", "job", "cancel_job"])
def test_a_training_service_without_room_did_nothing(
    training: TrainingWorld, operation: str
) -> None:
    submission = training.submission()
    job_id = training.service.create_job(submission)
    training.fault(operation, "unavailable")

    with pytest.raises(Unavailable):
        _call(training, operation, job_id, submission)

    assert training.service.job(job_id).state == "NotStarted"


@pytest.mark.parametrize("operation", ["create_job", "start_job", "job", "cancel_job"])
def test_a_training_service_that_refuses_the_key_denies(
    training: TrainingWorld, operation: str
) -> None:
    submission = training.submission()
    job_id = training.service.create_job(submission)
    training.fault(operation, "denied")

    with pytest.raises(Denied):
        _call(training, operation, job_id, submission)


def test_a_start_whose_answer_was_lost_happened_and_may_be_repeated(
    training: TrainingWorld,
) -> None:
    job_id = training.service.create_job(training.submission())
    training.fault("start_job", "lost answer")

    with pytest.raises(Unknown):
        training.service.start_job(job_id)
    training.service.start_job(job_id)

    assert ended(training.service, job_id).state == "Finished"


def _call(training: TrainingWorld, operation: str, job_id: str, submission: Submission) -> None:
    argument = submission if operation == "create_job" else job_id
    getattr(training.service, operation)(argument)
