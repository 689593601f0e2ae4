"""What a page answers with: HTML, a redirect, a file; and the headers that go with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_OF_ADDRESSES = "%/?#[]@!$&'()*+,;="  # what may stand in one as it is, escapes among it (RFC 3986)
ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # `no-referrer` would take the Origin from our own forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Answer:
    """An answer to a browser. extra: headers besides those that every answer has."""

    status: int
    text: str | bytes
    media_type: str = "text/html"
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {**ALWAYS, **self.extra}

    def with_headers(self, **extra: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in extra.items()}
        return Answer(self.status, self.text, self.media_type, {**self.extra, **named})


def redirect(place: str) -> Answer:
    """Lead on to a page of ours, with GET; encoded, as a header is ASCII."""
    assert place.startswith("/")
    return Answer(303, "", extra={"Location": quote(place, safe=_OF_ADDRESSES)})


def download(name: str, content: bytes) -> Answer:
    """A file to be saved and never shown: its content is not ours."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Answer(200, content, "application/octet-stream", {"Content-Disposition": disposition})
