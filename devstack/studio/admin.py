"""The admin path: faults, propagation delay, counts and jobs, for tests. Off unless asked for.

It has no key. A call from a web page of another origin is refused.
"""

from __future__ import annotations

from typing import Any

from devstack.studio.context import Context
from devstack.studio.errors import StudioError, bad_argument, not_found
from devstack.studio.faults import parse_fault
from devstack.studio.records import Job
from devstack.studio.web import Request, Response


class Admin:
    """Serves `/admin`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list_faults(self, request: Request) -> Response:
        """The faults that are set."""
        _check_origin(request)
        return Response(200, [fault.document() for fault in self._context.faults.all()])

    def add_fault(self, request: Request) -> Response:
        """Set a fault: match {method, path}, effect, seconds, times, skip, details."""
        _check_origin(request)
        fault = parse_fault(request.json_object())
        self._context.faults.add(fault)
        return Response(201, fault.document())

    def clear_faults(self, request: Request) -> Response:
        """Remove all faults."""
        _check_origin(request)
        self._context.faults.clear()
        return Response(204)

    def remove_fault(self, request: Request) -> Response:
        """Remove one fault."""
        _check_origin(request)
        if not self._context.faults.remove(request.parts["fault"]):
            raise not_found("FaultNotFound", "There is no such fault.")
        return Response(204)

    def set_propagation(self, request: Request) -> Response:
        """Set the propagation delay of changes to come: {seconds}, with {name} of one only."""
        _check_origin(request)
        document = request.json_object()
        seconds, name = document.get("seconds"), document.get("name")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise bad_argument("BadParameterValue", "seconds must be a number from 0.", "seconds")
        if name is None:
            self._context.propagation_seconds = float(seconds)
        else:
            self._context.propagation_of[str(name)] = float(seconds)
        return Response(200, {"seconds": float(seconds)})

    def calls(self, request: Request) -> Response:
        """How often each route was called, and what was started, patched and deployed when."""
        _check_origin(request)
        return Response(200, self._context.calls.document())

    def reset_calls(self, request: Request) -> Response:
        """Count from 0 again."""
        _check_origin(request)
        self._context.calls.reset()
        return Response(204)

    def jobs(self, request: Request) -> Response:
        """All jobs in the order they were started, without where they read and write."""
        _check_origin(request)
        jobs = self._context.store.list(Job)
        jobs.sort(key=lambda job: (job.order is None, job.order or 0, job.created))
        return Response(200, [_job_document(job) for job in jobs])


def _job_document(job: Job) -> dict[str, Any]:
    shown = {"id", "deployment_id", "state", "order", "created", "started", "ended", "details"}
    return job.model_dump(include=shown)


def _check_origin(request: Request) -> None:
    if request.header("origin"):
        raise StudioError(403, "Forbidden", "The admin path is not for web pages.")
