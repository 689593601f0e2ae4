"""The host's own paths: `/admin/...` with the master key, and the webhook for blob events.

    GET  /admin/host/ping            200, no key
    GET  /admin/host/status          state, worker_pid, worker_restarts, counts per function
    GET  /admin/functions[/<name>]   what is hosted
    POST /admin/functions/<name>     {"input": "..."}: fire it; 202, or with ?wait=true its outcome
    POST /admin/clock/advance        {"seconds": N}: move the clock that timers go by
    POST /runtime/webhooks/blobs?functionName=Host.Functions.<name>

The webhook needs no key, as with Core Tools; it takes JSON only, which no page of another origin
can send without asking first.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from devstack.host.blobs import BlobListener
from devstack.host.clock import Clock
from devstack.host.errors import StorageError
from devstack.host.events import read_events
from devstack.host.functions import Function, HttpTrigger
from devstack.host.http_server import Request, Response
from devstack.host.invoker import Invoker
from devstack.host.keys import Keys
from devstack.host.manual import manual_call
from devstack.host.outcomes import Lost, Outcome, Raised, Returned

_WEBHOOK = "/runtime/webhooks/blobs"
_PREFIX = "Host.Functions."
_JSON = (("Content-Type", "application/json"),)
_EVENT_TYPES = (
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
)


class Admin:
    """Answers what is not a function's."""

    def __init__(
        self,
        functions: list[Function],
        invoker: Invoker,
        blobs: BlobListener,
        clock: Clock,
        keys: Keys,
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self._invoker = invoker
        self._blobs = blobs
        self._clock = clock
        self._keys = keys
        self._fired: set[asyncio.Task[Outcome]] = set()
        self._posts: dict[str, Callable[[dict[str, Any]], Response]] = {
            "/admin/clock/advance": self._advance
        }

    def owns(self, path: str) -> bool:
        """Return whether a path is the host's own."""
        return path.startswith("/admin/") or path == _WEBHOOK

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path.rstrip("/")
        if path == _WEBHOOK:
            return await self._webhook(request)
        if path == "/admin/host/ping":
            return Response(200)
        if not self._keys.admits(request, "admin"):
            return Response(401, b"this needs the master key: header x-functions-key or ?code=")
        if request.method == "GET":
            return self._get(path)
        if request.method != "POST":
            return Response(405, headers=(("Allow", "GET, POST"),))
        return await self._post(path, request)

    def _get(self, path: str) -> Response:
        if path == "/admin/host/status":
            return _json(200, self._status())
        if path == "/admin/functions":
            return _json(200, [self._describe(f) for f in self._functions.values()])
        function = self._functions.get(path.removeprefix("/admin/functions/"))
        if function is None:
            return _json(404, {"error": f"{path} does not exist"})
        return _json(200, self._describe(function))

    def _status(self) -> dict[str, Any]:
        worker = self._invoker.worker
        return {
            "state": "Running" if worker.ready.is_set() else "WorkerStarting",
            "worker_pid": worker.pid,
            "worker_ready": worker.ready.is_set(),
            "worker_restarts": worker.restarts,
            "running": worker.running,
            "clock": self._clock.now().isoformat(),
            "functions": {name: asdict(counts) for name, counts in self._invoker.counts.items()},
        }

    def _describe(self, function: Function) -> dict[str, Any]:
        described: dict[str, Any] = {"name": function.name, "config": function.bindings}
        if isinstance(function.trigger, HttpTrigger):
            described["route"] = f"/{function.trigger.route.text}"
        return described

    async def _post(self, path: str, request: Request) -> Response:
        try:
            body = json.loads(request.body or b"{}")
        except ValueError as error:
            return _json(400, {"error": f"the body is not JSON: {error}"})
        if not isinstance(body, dict):
            return _json(400, {"error": "the body is not a JSON object"})
        if path in self._posts:
            return self._posts[path](body)
        function = self._functions.get(path.removeprefix("/admin/functions/"))
        if function is None:
            return _json(404, {"error": f"{path} does not exist"})
        return await self._fire(function, body, wait=request.query.get("wait") == "true")

    def _advance(self, body: dict[str, Any]) -> Response:
        seconds = body.get("seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
            return _json(400, {"error": f"seconds is {seconds!r}; give a number of 0 or more"})
        return _json(200, {"now": self._clock.advance(seconds).isoformat()})

    async def _fire(self, function: Function, body: dict[str, Any], *, wait: bool) -> Response:
        given = body.get("input", "")
        try:
            call = await manual_call(
                function, given if isinstance(given, str) else json.dumps(given), self._blobs
            )
        except ValueError as error:
            return _json(404, {"error": str(error)})
        except StorageError as error:
            return _json(503, {"error": str(error)})
        task = asyncio.ensure_future(self._invoker.invoke(call))
        self._fired.add(task)
        task.add_done_callback(self._fired.discard)
        return _outcome(await task) if wait else Response(202)

    async def _webhook(self, request: Request) -> Response:
        origin = request.headers.get("webhook-request-origin")
        if request.method == "OPTIONS" and origin:  # the handshake of CloudEvents
            return Response(200, headers=(("WebHook-Allowed-Origin", origin),))
        if request.method != "POST":
            return Response(405, headers=(("Allow", "POST, OPTIONS"),))
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind not in _EVENT_TYPES:
            return _json(415, {"error": f"Content-Type is {kind!r}; send application/json"})
        name = request.query.get("functionName", "").removeprefix(_PREFIX)
        if not self._blobs.knows(name):
            return _json(404, {"error": f"function {name!r} with a blob trigger does not exist"})
        return await self._announce(name, request.body)

    async def _announce(self, name: str, body: bytes) -> Response:
        try:
            announced = read_events(body)
        except ValueError as error:
            return _json(400, {"error": str(error)})
        if announced.validation_code is not None:
            return _json(200, {"validationResponse": announced.validation_code})
        try:
            for container, blob_name in announced.blobs:
                await self._blobs.notice_event(name, container, blob_name)
        except StorageError as error:
            return _json(503, {"error": str(error)})
        return Response(202)

    def close(self) -> None:
        """Give up what was fired by hand."""
        for task in list(self._fired):
            task.cancel()


def _outcome(outcome: Outcome) -> Response:
    match outcome:
        case Returned():
            return _json(200, {"outcome": "returned"})
        case Raised(error_type, error, details):
            facts = {"error_type": error_type, "error": error, "details": details}
            return _json(500, {"outcome": "raised", **facts})
        case Lost(reason):
            return _json(500, {"outcome": "lost", "error": reason})


def _json(status: int, value: object) -> Response:
    return Response(status, json.dumps(value).encode(), _JSON)
