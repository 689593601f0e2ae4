"""BES: submit, start, watch and cancel batch execution jobs.

A job does nothing until it is started; a second start is refused. Results carry a fresh read grant
at each question. Cancelling a job that has ended changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from devstack.studio.accounts import (
    Account,
    BlobReference,
    parse_connection_string,
    parse_reference,
)
from devstack.studio.context import Context
from devstack.studio.definitions import Package
from devstack.studio.errors import bad_argument, invalid_operation, not_found
from devstack.studio.faults import CHANGE_NOTHING, EXPIRE_SAS
from devstack.studio.jobs import JobQueue, default_output
from devstack.studio.learning.tables import DELIMITERS
from devstack.studio.modules import TRAINED_MODEL
from devstack.studio.names import moment, new_id
from devstack.studio.records import Deployment, Job
from devstack.studio.rrs import check_version, read_parameters
from devstack.studio.web import Request, Response

# How long a result's grant is good for, and how far before now it begins (clock skew).
RESULT_GRANT = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=5)


class BatchExecution:
    """Serves `/jobs`."""

    def __init__(self, context: Context, jobs: JobQueue) -> None:
        self._context = context
        self._store = context.store
        self._jobs = jobs
        self._clock = context.clock

    def submit(self, deployment: Deployment, request: Request) -> Response:
        """Create a job; answers its id as a JSON string."""
        check_version(request)
        document = request.json_object()
        package = self._context.execution.package(deployment)
        parameters = dict(read_parameters(document))
        package.with_parameters(parameters)
        job = Job(
            id=new_id(),
            deployment_id=deployment.id,
            created=self._clock(),
            inputs=self._inputs(package, document),
            outputs=self._outputs(package, document),
            parameters=parameters,
        )
        if "fail_job" in request.notes:
            job.fail_with = request.notes["fail_job"]
        self._store.put(job.id, job)
        return Response(200, job.id)

    def start(self, deployment: Deployment, request: Request) -> Response:
        """Queue a job that was not started yet."""
        check_version(request)
        if CHANGE_NOTHING in request.effects:
            return Response(204)
        with self._store.transaction():
            job = self._job(deployment, request.parts["job"])
            if job.state != "NotStarted" or job.order is not None:
                message = f"The job cannot be started: it was started before and is {job.state}."
                raise invalid_operation("CannotStartJob", message)
            job.order = self._jobs.next_order()
            job.fail_with = request.notes.get("fail_job", job.fail_with)
            self._store.put(job.id, job)
        self._jobs.enqueue(job)
        return Response(204)

    def status(self, deployment: Deployment, request: Request) -> Response:
        """How a job is doing; with results, and a fresh grant for each, when it has finished."""
        check_version(request)
        job = self._job(deployment, request.parts["job"])
        results = None
        expired = EXPIRE_SAS in request.effects
        if expired and job.state != "Finished":
            self._context.faults.give_back(EXPIRE_SAS, request.method, request.path)
        if job.state == "Finished":
            results = {name: self._result(place, expired) for name, place in job.outputs.items()}
        return Response(200, {"StatusCode": job.state, "Results": results, "Details": job.details})

    def cancel(self, deployment: Deployment, request: Request) -> Response:
        """Cancel a job that has not ended."""
        check_version(request)
        if CHANGE_NOTHING in request.effects:
            return Response(204)
        with self._store.transaction():
            job = self._job(deployment, request.parts["job"])
            if job.state in ("NotStarted", "Running"):
                job.state, job.ended = "Cancelled", self._clock()
                self._store.put(job.id, job)
        return Response(204)

    def _job(self, deployment: Deployment, job_id: str) -> Job:
        job = self._store.get(Job, job_id.lower())
        if job is None or job.deployment_id != deployment.id:
            raise not_found("JobNotFound", f"There is no job {job_id[:64]!r}.")
        return job

    def _inputs(self, package: Package, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        given = _references(document, "Inputs")
        if document.get("Input") is not None:
            given = {**given, **_single_input(package, document["Input"])}
        unknown = sorted(set(given) - set(package.inputs))
        if unknown:
            message = (
                f"The web service has no input {unknown[0]!r} (it has {sorted(package.inputs)})."
            )
            raise bad_argument("InvalidInputNames", message, unknown[0])
        missing = sorted(set(package.inputs) - set(given))
        if missing:
            message = f"Input {missing[0]!r} is missing."
            raise bad_argument("BatchJobInputsNotSpecified", message, missing[0])
        for name, reference in given.items():
            self._check(reference, name, tuple(DELIMITERS))
        return given

    def _outputs(self, package: Package, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        given = _references(document, "Outputs")
        kinds = package.output_kinds
        unknown = sorted(set(given) - set(kinds))
        if unknown:
            message = f"The web service has no output {unknown[0]!r} (it has {sorted(kinds)})."
            raise bad_argument("InvalidOutputOverrideName", message, unknown[0])
        for name, reference in given.items():
            is_model = kinds[name] == TRAINED_MODEL
            self._check(reference, name, (".ilearner",) if is_model else tuple(DELIMITERS))
        return {name: given.get(name) or default_output(package, name) for name in kinds}

    def _check(self, document: Mapping[str, Any], name: str, extensions: tuple[str, ...]) -> None:
        reference = parse_reference(document, name, own=self._context.account)
        self._context.transfer.check(reference, name)
        if reference.extension not in extensions:
            message = (
                f"The blob of {name!r} must end with {' or '.join(extensions)}, "
                f"it ends with {reference.extension!r}."
            )
            raise bad_argument("InvalidBlobExtension", message, name)

    def _result(self, document: Mapping[str, Any], expired: bool) -> dict[str, Any]:
        place, account = self._place(document)
        grant = place.grant
        if account is not None:
            start = moment(self._clock()) - CLOCK_SKEW
            expiry = start + timedelta(minutes=1) if expired else start + CLOCK_SKEW + RESULT_GRANT
            grant = account.read_grant(place.relative, start=start, expiry=expiry)
        return {
            "ConnectionString": None,
            "RelativeLocation": place.relative,
            "BaseLocation": place.base,
            "SasBlobToken": grant,
        }

    def _place(self, document: Mapping[str, Any]) -> tuple[BlobReference, Account | None]:
        """The blob of an output, and its account when we hold the key to sign a grant with."""
        own = self._context.account
        if "Own" in document:
            return BlobReference(own.base_location, document["Own"]), own
        reference = parse_reference(document, "", own=own)
        if document.get("ConnectionString"):
            return reference, parse_connection_string(document["ConnectionString"], own)
        return reference, own if reference.base == own.base_location else None


def _references(document: Mapping[str, Any], key: str) -> dict[str, dict[str, Any]]:
    given = document.get(key)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise bad_argument("RequestBodyInvalid", f"{key} must be an object.")
    for name, reference in given.items():
        if not isinstance(reference, dict):
            message = f"{key}: {name!r} must be a blob reference."
            raise bad_argument("MissingInputBlobInformation", message, name)
    return dict(given)


def _single_input(package: Package, reference: Any) -> dict[str, dict[str, Any]]:
    """The form of early clients: one reference, for a web service with one input."""
    if len(package.inputs) != 1 or not isinstance(reference, dict):
        message = "Input is for web services with one input; use Inputs."
        raise bad_argument("RequestBodyInvalid", message, "Input")
    return {next(iter(package.inputs)): reference}
