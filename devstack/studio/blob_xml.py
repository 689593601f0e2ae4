"""The XML that the blob service answers with."""

from __future__ import annotations

from email.utils import formatdate
from xml.sax.saxutils import escape, quoteattr

from devstack.studio.blob_store import BlobRecord, ContainerRecord
from devstack.studio.web import Response

COMMON_HEADERS = {"x-ms-version": "2021-08-06"}
_HEAD = '<?xml version="1.0" encoding="utf-8"?>'


class BlobRefusal(Exception):
    """An answer of the blob service other than success."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.status, self.code = status, code


def refused(error: BlobRefusal) -> Response:
    """A refusal as its clients expect it."""
    text = f"<Error><Code>{error.code}</Code><Message>{escape(str(error))}</Message></Error>"
    response = xml_response(_HEAD + text, error.status)
    response.headers = {"x-ms-error-code": error.code, **COMMON_HEADERS}
    return response


def xml_response(text: str, status: int = 200) -> Response:
    """An answer with an XML body."""
    return Response(
        status, content=text.encode(), content_type="application/xml", headers=COMMON_HEADERS
    )


def listing(base: str, container: str, items: str, marker: str) -> str:
    """A page of a list; `marker` is where the next one begins, "" on the last."""
    of = f" ContainerName={quoteattr(container)}" if container else ""
    return (
        f"{_HEAD}<EnumerationResults ServiceEndpoint={quoteattr(base)}{of}>{items}"
        f"<NextMarker>{escape(marker)}</NextMarker></EnumerationResults>"
    )


def listed_container(record: ContainerRecord) -> str:
    """A container in a list."""
    return (
        f"<Container><Name>{escape(record.name)}</Name><Properties>"
        f"<Last-Modified>{http_time(record.modified)}</Last-Modified><Etag>{record.etag}</Etag>"
        "</Properties></Container>"
    )


def listed_blob(blob: BlobRecord) -> str:
    """A blob in a list."""
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties>"
        f"<Last-Modified>{http_time(blob.modified)}</Last-Modified><Etag>{blob.etag}</Etag>"
        f"<Content-Length>{blob.length}</Content-Length>"
        f"<Content-Type>{escape(blob.content_type)}</Content-Type>"
        "<BlobType>BlockBlob</BlobType></Properties></Blob>"
    )


def http_time(seconds: float) -> str:
    """A time as HTTP headers have it."""
    return formatdate(seconds, usegmt=True)
