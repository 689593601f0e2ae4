"""Azure Resource Manager: its lists, page by page, and the operations that it begins.

PUT, PATCH and DELETE are answered before they are carried out, with the address of an operation;
that is kept, so that the reason of a failure can be asked for later.
Source: Azure-AsyncOperation and nextLink of api-versions 2016-05-01-preview and 2017-01-01.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from alm.adapters.answers import expect, field_of, object_of
from alm.adapters.connections import Answer
from alm.adapters.http import Http
from alm.adapters.redaction import redacted, without_query
from alm.adapters.studio.access import AccessSource, Caller
from alm.domain.errors import Misconfigured

_PAGES_MAX = 100  # of some hundred services each; a list that goes on is broken
_OPERATIONS_MAX = 2000  # one address each, 300 bytes; as many as there are clients


class ResourceManager(Caller):
    """Calls Resource Manager at `url`; any number of threads may use it."""

    def __init__(self, http: Http, source: AccessSource, url: str) -> None:
        super().__init__(http, source)
        self._url = url.rstrip("/")
        self._operations: dict[str, str] = {}
        self._lock = threading.Lock()

    def entries(self, path: str, *, doing: str) -> Iterator[dict[str, object]]:
        """The entries of a list; pages are followed on Resource Manager's own host only.

        Raises Misconfigured if a page leads elsewhere, or the list does not end.
        """
        for _ in range(_PAGES_MAX):
            page = object_of(expect(self.send("GET", path), 200, doing=doing), doing=doing)
            found = field_of(page, "value")
            yield from (item for item in _list(found) if isinstance(item, dict))
            following = str(field_of(page, "nextLink") or "")
            if not following:
                return
            path = self._path_of(following)
        raise Misconfigured(f"{doing}: the list does not end; ask again later")

    def began(self, resource: str, answer: Answer) -> None:
        """Remember the operation that an accepted change of a resource has begun."""
        with self._lock:
            self._operations.pop(resource.lower(), None)
            self._operations[resource.lower()] = answer.headers.get("azure-asyncoperation", "")
            while len(self._operations) > _OPERATIONS_MAX:
                del self._operations[next(iter(self._operations))]

    def why_failed(self, resource: str) -> str:
        """What Resource Manager says about the last change of a resource asked for here."""
        operation = self._operations.get(resource.lower(), "")
        if not operation.startswith(self._url + "/"):
            return "the activity log of its resource group tells why"
        answer = self.send("GET", operation.removeprefix(self._url))
        document = object_of(answer, doing="read a deployment") if answer.status == 200 else {}
        error = field_of(document, "errorInfo") or field_of(document, "error")
        error = error if isinstance(error, dict) else {}
        code, text = (str(field_of(error, name) or "") for name in ("code", "message"))
        return redacted(f"{code}: {text}".strip(": ")) or "it does not say why"

    def _path_of(self, link: str) -> str:
        if not link.startswith(self._url + "/"):
            raise Misconfigured(
                f"Resource Manager at {self._url} names {without_query(link)!r} as the next "
                "page, which is another host; it is not called with our token, check `arm_url`"
            )
        return link.removeprefix(self._url)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
