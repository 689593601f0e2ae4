"""What answers mean: the wanted ones as JSON, the others as the errors that callers decide on.

    429, 503, 408 RequestTimeout                            Unavailable
    other 5xx, other 408                                    Unknown
    401, 403                                                Denied
    404                                                     NotFound
    409, 412                                                Conflict
    other 4xx, a redirect, another success than wanted      Misconfigured

The services' own error codes and texts are kept in the message; secrets are taken out of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from alm.adapters.connections import Answer
from alm.adapters.redaction import redacted, without_query
from alm.domain.errors import (
    AlmError,
    Conflict,
    Denied,
    Misconfigured,
    NotFound,
    Unavailable,
    Unknown,
)

_ERRORS: dict[int, type[AlmError]] = {
    401: Denied, 403: Denied, 404: NotFound, 409: Conflict, 412: Conflict,
    429: Unavailable, 503: Unavailable,
}  # fmt: skip
_REMEDIES: dict[type[AlmError], str] = {
    Denied: "renew or correct the key or token, or give it the right to do this",
    NotFound: "check the name, and that it was not deleted",
    Conflict: "read it again, then decide",
    Unavailable: "it can be tried again later",
    Unknown: "it may have taken effect: look before repeating it",
    Misconfigured: "correct the declaration, or the service it names",
}


@dataclass(frozen=True)
class Refusal:
    """What a service said about why it did not do what was asked (its error envelope)."""

    status: int
    code: str
    text: str
    details: tuple[str, ...]

    def names(self, *codes: str) -> bool:
        """Whether the code or one of the detail codes is among `codes`."""
        return self.code in codes or any(detail in codes for detail in self.details)


def expect(answer: Answer, *statuses: int, doing: str, remedy: str = "") -> Answer:
    """Return the answer if it has one of `statuses`, raise what it means otherwise.

    doing: the operation and the thing, as people read it (`start job 5f0c`). remedy: what to do
    where the request itself is at fault.
    """
    if answer.status in statuses:
        return answer
    raise error_of(answer, doing=doing, remedy=remedy)


def error_of(
    answer: Answer, *, doing: str, remedy: str = "", secrets: Sequence[str] = ()
) -> AlmError:
    """The error that an unwanted answer stands for. secrets: what the request held beside its key,
    blanked where the answer repeats it."""
    refused = refusal(answer)
    kind = _kind(refused)
    advice = remedy if remedy and kind in (Misconfigured, NotFound) else _REMEDIES[kind]
    return kind(
        f"{doing}: {answer.request.url} answered {told(answer, refused, *secrets)}; {advice}"
    )


def _kind(refused: Refusal) -> type[AlmError]:
    if refused.status in _ERRORS:
        return _ERRORS[refused.status]
    if refused.status == HTTPStatus.REQUEST_TIMEOUT:
        return Unavailable if refused.code == "RequestTimeout" else Unknown
    if refused.status >= 500 or refused.status < 200:
        return Unknown
    return Misconfigured


def told(answer: Answer, refused: Refusal, *secrets: str) -> str:
    """Status, codes and text of an unwanted answer, without the secrets it may repeat."""
    sent = answer.request.headers.get("Authorization", "").rpartition(" ")[2]
    return redacted(_told(answer, refused), sent, *secrets)


def _told(answer: Answer, refused: Refusal) -> str:
    if 300 <= refused.status < 400:
        to = without_query(answer.headers.get("location") or "nowhere")
        return f"{refused.status}, a redirect to {to}, which is not followed"
    codes = refused.code + (f" ({', '.join(refused.details)})" if refused.details else "")
    request_id = answer.headers.get("x-ms-request-id")
    said = f"{refused.status} {codes}".rstrip() + (f": {refused.text}" if refused.text else "")
    return said + (f" [request {request_id}]" if request_id else "")


def refusal(answer: Answer) -> Refusal:
    """Read the error envelope; an answer without one is told in its own words."""
    document = _document(answer.body)
    error = field_of(document, "error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        error = document if isinstance(document, dict) else {}
    listed = field_of(error, "details")
    details = (
        [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    )
    texts = [field_of(error, "message"), *(field_of(part, "message") for part in details)]
    return Refusal(
        status=answer.status,
        code=str(field_of(error, "code") or ""),
        text="; ".join(_once(str(text).strip() for text in texts if text))
        or ("" if document is not None else answer.body[:300].decode("utf-8", "replace").strip()),
        details=tuple(str(code) for part in details if (code := field_of(part, "code"))),
    )


def _once(texts: Iterable[str]) -> list[str]:
    """Texts, but those that others say as well: a message often ends with its own details."""
    told: list[str] = []
    for text in texts:
        plain = text.rstrip(".")
        if not any(plain in other for other in told):
            told = [other for other in told if other.rstrip(".") not in text] + [text]
    return told


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # nested deeper than any document of a service
        return None


def json_of(answer: Answer, *, doing: str) -> object:
    """The JSON document of an answer. Raises Misconfigured if it is none: a wrong URL, mostly."""
    try:
        document: object = json.loads(answer.body)
        return document
    except (ValueError, RecursionError) as error:
        raise Misconfigured(
            f"{doing}: {answer.request.url} answered {answer.status} with something that is not "
            f"JSON ({len(answer.body)} bytes); check that the URL is that of the service"
        ) from error


def object_of(answer: Answer, *, doing: str) -> dict[str, object]:
    """The JSON object of an answer. Raises Misconfigured if it is none."""
    document = json_of(answer, doing=doing)
    if not isinstance(document, dict):
        raise Misconfigured(
            f"{doing}: {answer.request.url} answered {type(document).__name__} where an object "
            "was expected; check that the URL is that of the service"
        )
    return document


def field_of(record: Mapping[str, object], name: str) -> object:
    """A field of a JSON object, by its name in any case: Resource Manager is not particular."""
    if name in record:
        return record[name]
    wanted = name.lower()
    return next((value for key, value in record.items() if key.lower() == wanted), None)
