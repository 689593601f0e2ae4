"""Batch execution (BES): submit a job, start it, ask how it does, cancel it. Classic and new.

Source: BES, api-version 2.0: POST /jobs, POST /jobs/{id}/start, GET and DELETE /jobs/{id}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from alm.adapters.answers import expect, json_of, object_of, refusal
from alm.adapters.redaction import redacted
from alm.adapters.studio.access import Caller
from alm.adapters.studio.references import grant_of, reference_to
from alm.domain.errors import Conflict, Misconfigured, Refused, Unknown
from alm.ports import Grant, JobState, JobStatus, Submission

_JOB_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_VERSION = "?api-version=2.0"
_STATES: dict[str, JobState] = {
    "notstarted": "NotStarted", "0": "NotStarted", "running": "Running", "1": "Running",
    "failed": "Failed", "2": "Failed", "cancelled": "Cancelled", "canceled": "Cancelled",
    "3": "Cancelled", "finished": "Finished", "4": "Finished",
}  # fmt: skip
_SUBMIT_REMEDY = "compare inputs, outputs and parameters of `training` with the service's API page"


class BatchService:
    """The batch execution service behind `caller`. Implements `ports.TrainingService`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create_job(self, submission: Submission) -> str:
        """Submit a job; it does nothing until started.

        Raises Misconfigured, with the service's codes, if it does not take this submission.
        """
        body = {
            "Inputs": {name: reference_to(grant) for name, grant in submission.inputs.items()},
            "Outputs": {name: reference_to(grant) for name, grant in submission.outputs.items()},
            "GlobalParameters": dict(submission.parameters),
        }
        answer = self._caller.send("POST", f"/jobs{_VERSION}", json_body=body)
        doing = "create a batch job"
        job_id = json_of(
            expect(answer, 200, 201, 202, doing=doing, remedy=_SUBMIT_REMEDY), doing=doing
        )
        if not isinstance(job_id, str) or not _JOB_ID.fullmatch(job_id):
            raise Misconfigured(
                f"{doing}: {answer.request.url} answered something that is not a job id; "
                "check that the URL is that of a batch execution service"
            )
        return job_id

    def start_job(self, job_id: str) -> None:
        """Start a job. One that was started already, or is done, is left alone.

        The service answers 400 CannotStartJob to a second start; the job's own state then tells.
        Raises Conflict if it failed or was cancelled, NotFound if it is gone.
        """
        path = f"/jobs/{_checked(job_id)}/start{_VERSION}"
        with self._caller.http.within():
            answer = self._caller.send("POST", path, empty_body=True)
            if answer.status == 400 and refusal(answer).names("CannotStartJob", "InvalidOperation"):
                self._look_whether_started(job_id)
                return
        expect(answer, 204, 200, 202, doing=f"start job {job_id}")

    def _look_whether_started(self, job_id: str) -> None:
        job = self.job(job_id)
        if job.state in ("Failed", "Cancelled"):
            raise Conflict(
                f"job {job_id} cannot be started, it is {job.state}"
                f"{f' ({job.details})' if job.details else ''}; create another one"
            )

    def job(self, job_id: str) -> JobStatus:
        """Ask how a job is doing; outputs come with fresh leave to read them.

        `StatusCode` arrives as a name or as a number 0-4; both are accepted, and another one is
        Unknown: ask again. Raises NotFound if the job was deleted.
        """
        doing = f"read job {job_id}"
        answer = self._caller.send("GET", f"/jobs/{_checked(job_id)}{_VERSION}")
        document = object_of(expect(answer, 200, doing=doing), doing=doing)
        code = document.get("StatusCode")
        state = _STATES.get(str(code).lower())
        if state is None:
            raise Unknown(
                f"{doing}: {answer.request.url} answered StatusCode {code!r}, which is none of "
                "NotStarted, Running, Failed, Cancelled, Finished; ask again"
            )
        return JobStatus(
            id=job_id,
            state=state,
            details=redacted(str(document.get("Details") or "")),
            outputs=_outputs(document.get("Results"), doing) if state == "Finished" else {},
        )

    def cancel_job(self, job_id: str) -> None:
        """Stop a job. Harmless if it has ended or is gone."""
        answer = self._caller.send("DELETE", f"/jobs/{_checked(job_id)}{_VERSION}")
        expect(answer, 204, 200, 202, 404, doing=f"cancel job {job_id}")


def _checked(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise Refused(f"{job_id[:80]!r} is not a job id; it is letters, digits and dashes")
    return job_id


def _outputs(results: object, doing: str) -> Mapping[str, Grant]:
    if not isinstance(results, dict):
        return {}
    return {
        name: grant_of(reference, f"{doing}, output {name!r}")
        for name, reference in results.items()
    }
