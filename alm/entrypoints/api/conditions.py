"""Conditions of a call (RFC 9110): not again what the caller has; only if nothing changed since."""

from __future__ import annotations

from alm.entrypoints.api.calls import KEPT, Answer

MATCH, NONE_MATCH = "if-match", "if-none-match"


def with_etag(answer: Answer, given: str) -> Answer:
    """A resource with its ETag, or 304 if the caller has it. given: the header If-None-Match."""
    extra = {**answer.extra, "Cache-Control": KEPT, "ETag": answer.etag}
    listed = [tag.removeprefix("W/") for tag in _tags(given)]
    if "*" in listed or answer.etag in listed:
        return Answer(304, None, extra)
    return Answer(answer.status, answer.body, extra, answer.seed)


def holds(etag: str, given: str) -> bool:
    """Whether the header If-Match lets a call through; a weak tag never does."""
    return "*" in _tags(given) or etag in _tags(given)


def _tags(given: str) -> list[str]:
    return [tag.strip() for tag in given.split(",")]
