"""Studio in a simulated world: a training service, and endpoints that may answer late."""

from __future__ import annotations

from collections.abc import Sequence

from alm.domain.errors import Conflict
from alm.ports import Grant, JobStatus, Reading, Row, Scores, Submission
from tests.simulation.doubles import BASE, Holder, is_good
from tests.simulation.state import Endpoint, Job


class SimTraining:
    """A training service. A job finishes at its second look; what it yields is told by its run."""

    def __init__(
        self,
        world: Holder,
        looks: int,
        bad: frozenset[str],
        same: frozenset[str],
        rejected: frozenset[str],
    ) -> None:
        self._world, self._looks = world, looks
        self._bad, self._same, self._rejected = bad, same, rejected

    def create_job(self, submission: Submission) -> str:
        jobs = self._world.state.jobs
        job_id = f"j{len(jobs) + 1}"
        files = tuple((name, grant.relative) for name, grant in submission.outputs.items())
        jobs[job_id] = Job(files[0][1].split("/")[2], files)
        return job_id

    def start_job(self, job_id: str) -> None:
        job = self._world.state.jobs[job_id]
        if job.state in ("Failed", "Cancelled"):
            raise Conflict(f"job {job_id} is {job.state}")
        if job.state == "NotStarted":
            self._world.state.jobs[job_id] = job._replace(state="Running")

    def job(self, job_id: str) -> JobStatus:
        job = self._world.state.jobs[job_id]
        if job.state == "Running":
            job = job._replace(looks=job.looks + 1)
            if job.looks > self._looks:
                job = self._ended(job_id, job)
            self._world.state.jobs[job_id] = job
        outputs = {name: Grant(BASE, path, "?sig=simulated") for name, path in job.files}
        details = "the rows have no label" if job.state == "Failed" else ""
        return JobStatus(job_id, job.state, details, outputs if job.state == "Finished" else {})

    def cancel_job(self, job_id: str) -> None:
        job = self._world.state.jobs[job_id]
        if job.state in ("NotStarted", "Running"):
            self._world.state.jobs[job_id] = job._replace(state="Cancelled")

    def _ended(self, job_id: str, job: Job) -> Job:
        state = self._world.state
        left = state.failures.get(job.run, 0)
        if left:
            state.failures[job.run] = left - 1
            return job._replace(state="Failed")
        for _, path in job.files:
            state.blobs[path] = self._content(job_id, job.run)
            if path.endswith(".csv"):
                state.blobs[path] = b"AUC\r\n0.5" if job.run in self._rejected else b"AUC\r\n0.9"
        return job._replace(state="Finished")

    def _content(self, job_id: str, run: str) -> bytes:
        kind = "bad" if run in self._bad else "same" if run in self._same else "good"
        return f"{kind} model of {run} {job_id}".encode()


class SimTarget:
    """A scoring endpoint. `late`: answer with the model that many changes ago."""

    def __init__(self, world: Holder, name: str, propagation_seconds: float) -> None:
        self._world, self._name = world, name
        self._propagation = propagation_seconds

    @property
    def _endpoint(self) -> Endpoint:
        return self._world.state.targets[self._name]

    def read(self) -> Reading:
        return Reading(self._endpoint.location, str(self._endpoint.changes))

    def patch(self, model: Grant, *, ignored: bool = False) -> None:
        endpoint = self._endpoint
        endpoint = endpoint._replace(patches=endpoint.patches + 1)
        self._world.state.targets[self._name] = endpoint
        if not ignored:
            self.put(model.location)

    def put(self, location: str) -> None:
        """Change what the definition names; the old model may answer for a while."""
        now, endpoint = self._world.state.now, self._endpoint
        history = endpoint.history
        if location != endpoint.location:
            history = (*history, (now, endpoint.location))[-4:]
        self._world.state.targets[self._name] = endpoint._replace(
            location=location, changes=endpoint.changes + 1, history=history
        )

    def older(self) -> list[str]:
        """The models that may still answer beside the one that is named."""
        endpoint, now = self._endpoint, self._world.state.now
        recent = [old for at, old in endpoint.history if at + self._propagation > now]
        return [old for old in dict.fromkeys(reversed(recent)) if old != endpoint.location]

    def score(self, rows: Sequence[Row], *, input: str, output: str, location: str = "") -> Scores:
        state = self._world.state
        content = state.blobs[(location or self._endpoint.location).removeprefix(BASE)]
        quality = "good" if is_good(content) and content not in state.rotten else "bad"
        name = (
            "as before" if content.startswith(b"same") or b" v0 " in content else content.decode()
        )
        answer = (name, quality)
        return Scores(("Scored Labels", "Scored Quality"), tuple(answer for _ in rows))

    def batch(self) -> SimTraining:
        raise AssertionError("no scenario declares a smoke test with `batch`")
