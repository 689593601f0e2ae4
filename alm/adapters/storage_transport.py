"""How azure-storage-blob speaks HTTP here: over our own connections, with total deadlines.

A transport is an extension point of azure-core. This one exists because the SDK's own gives each
byte a new timeout and costs 1.2 ms of CPU per call, on a budget of 16 ms for a whole run. Requests
are built, signed and understood by the SDK all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.client import responses
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.transport import HttpResponse, HttpTransport
from azure.core.rest import HttpRequest
from azure.storage.blob import LinearRetry

from alm.adapters.connections import Answer, Connections, Request, Site, Transport
from alm.domain.errors import Misconfigured, Unavailable, Unknown

CALL_SECONDS = 55.0  # of the total deadline of 60 s; the rest is for a pause between two attempts
FILE_SECONDS = 170.0  # of 180 s
ATTEMPT_SECONDS = 25.0  # so that a read which stalls is tried once more
PAUSE_SECONDS_MAX = 2.0
RETRIES = 2
PIECE_BYTES = 4 << 20  # larger blobs travel in pieces of this size
ANSWER_BYTES_MAX = 64 << 20  # a page of 5000 names of 1024 characters with metadata
REPEATABLE = ("GET", "HEAD")
BUSY = (429, 503)


class StorageTransport(HttpTransport[HttpRequest, "StorageResponse"]):
    """Makes one call of the SDK's. `until`: when it must have ended, on the monotonic clock."""

    def __init__(self, connections: Transport | None = None) -> None:
        self._connections = connections or Connections()

    def send(
        self, request: HttpRequest, *, until: float | None = None, **_: object
    ) -> StorageResponse:
        now = monotonic()
        seconds = min(ATTEMPT_SECONDS, (until or now + CALL_SECONDS) - now)
        if seconds <= 0:
            raise ServiceRequestError("not sent: the attempts before took all of the call's time")
        try:
            answer = self._connections.exchange(_ours(request), seconds)
        except Unavailable as error:
            raise ServiceRequestError(str(error), error=error) from error
        except Unknown as error:
            raise ServiceResponseError(str(error), error=error) from error
        if answer.status < 300 and "x-ms-request-id" not in answer.headers:
            raise Misconfigured(
                f"{answer.request.site} answered {answer.status}, but it is not blob storage; "
                "check the storage account's address, and what is between it and this app"
            )
        return StorageResponse(request, answer)

    def open(self) -> None:
        """Connections open when they are needed."""

    def close(self) -> None:
        self._connections.close()

    def __exit__(self, *_: object) -> None:
        self.close()


class StorageResponse(HttpResponse):
    """An answer, read to its end already."""

    def __init__(self, request: HttpRequest, answer: Answer) -> None:
        super().__init__(request, answer)  # type: ignore[arg-type]  # both kinds of requests do
        self.status_code = answer.status
        self.headers = Headers(answer.headers)
        self.reason = responses.get(answer.status, "")
        self.content_type = answer.headers.get("content-type")
        self._content = answer.body

    def body(self) -> bytes:
        return self._content

    def read(self) -> bytes:
        return self._content

    def stream_download(self, pipeline: object, **_: object) -> Iterator[bytes]:
        return Streamed(self)


class Headers(dict[str, str]):
    """Headers whose names are in lower case, asked for in any case. Much asked, so kept quick."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class Streamed:
    """The body of an answer as the SDK wants to have it when it asked for a stream."""

    def __init__(self, response: StorageResponse) -> None:
        self.response = response
        self.request = response.request
        self.content_length = len(response.body())
        self._pieces = iter((response.body(),) if self.content_length else ())

    def __len__(self) -> int:
        return self.content_length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)


class CarefulRetry(LinearRetry):
    """Repeats reads, and writes that certainly did not happen; never past the call's deadline.

    A write whose answer was lost is left to the caller, who looks first: repeated, a conditional
    one would meet its own change and be told of a conflict.
    """

    def __init__(self, pause_seconds: float = PAUSE_SECONDS_MAX / 2) -> None:
        super().__init__(retry_total=RETRIES)
        self._pause_seconds = pause_seconds

    def configure_retries(self, request: PipelineRequest[HttpRequest]) -> dict[str, Any]:
        settings = super().configure_retries(request)
        settings["until"] = request.context.options.get("until")
        return settings

    def increment(
        self,
        settings: dict[str, Any],
        request: Any,
        response: Any = None,
        error: AzureError | None = None,
    ) -> bool:
        happened_not = isinstance(error, ServiceRequestError) or (
            error is None and response is not None and response.status_code in BUSY
        )
        until = settings["until"]
        is_late = until is not None and monotonic() + PAUSE_SECONDS_MAX >= until
        if is_late or not (happened_not or request.method in REPEATABLE):
            return False
        return bool(super().increment(settings, request, response, error))

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        return self._pause_seconds * int(settings["count"])


def client_options(
    transport: StorageTransport, *, retry: CarefulRetry | None = None
) -> dict[str, Any]:
    """What every client of the SDK is made with: no redirects, no proxies, nothing logged."""
    return {
        "transport": transport,
        "retry_policy": retry or CarefulRetry(),
        "permit_redirects": False,
        "logging_enable": False,
        "max_single_get_size": PIECE_BYTES,
        "max_chunk_get_size": PIECE_BYTES,
        "max_single_put_size": PIECE_BYTES,
    }


def call_ends() -> dict[str, Any]:
    """The option of an SDK call that tells the transport when the call must have ended."""
    return {"until": monotonic() + CALL_SECONDS}


def file_ends() -> dict[str, Any]:
    """The same for all calls that carry one file."""
    return {"until": monotonic() + FILE_SECONDS}


def _ours(request: HttpRequest) -> Request:
    place = urlsplit(request.url)
    assert place.hostname
    site = Site(
        place.scheme, place.hostname, place.port or (443 if place.scheme == "https" else 80)
    )
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    return Request(
        request.method,
        site,
        target,
        request.headers,
        _bytes(request.content),
        bytes_max=ANSWER_BYTES_MAX,
    )


def _bytes(content: Any) -> bytes | None:
    if content is None or isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else bytes(content.read())
