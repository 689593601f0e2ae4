"""Shared access: addresses with a signature that end, for downloads without a token.

An address is `api/sharedaccess?workspaceId=...&signature=...&sharedAccessUri=...`, as clients take
it apart and put it together from BaseUri, Location and AccessCredential. The URI inside is ours: a
kind of thing, its key and the time the grant ends. Who keeps such things says how to open them.
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections.abc import Callable, Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from devstack.studio.errors import Detail, StudioError, not_found
from devstack.studio.web import Request, Response

# How long a grant lasts: what Studio's own results have.
GRANT_SECONDS = 24 * 3600

LOCATION = "api/sharedaccess"

PIECE_BYTES = 1024 * 1024

# A file, or a document that is written as JSON; None when the thing is not there any more.
Opener = Callable[[str], Path | Mapping[str, Any] | None]


class SharedAccess:
    """Issues addresses and answers them; `secret` signs them."""

    def __init__(self, base_url: str, secret: str, clock: Callable[[], float]) -> None:
        self._base_url = base_url
        self._secret = secret.encode()
        self._clock = clock
        self._openers: dict[str, Opener] = {}

    def open_with(self, kind: str, opener: Opener) -> None:
        """Say how things of a kind are opened; the opener gets the key that was granted."""
        self._openers[kind] = opener

    def endpoint(
        self,
        workspace_id: str,
        kind: str,
        key: str,
        *,
        name: str = "",
        size: int = 0,
        has_ended: bool = False,
    ) -> dict[str, Any]:
        """A thing's address, as records show it; `has_ended` for the fault of that name."""
        expiry = self._clock() + (-1 if has_ended else GRANT_SECONDS)
        uri = f"{kind}/{expiry:.0f}/{key}"
        fields = {
            "workspaceId": workspace_id,
            "signature": self._signature(workspace_id, uri),
            "sharedAccessUri": uri,
        }
        return {
            "BaseUri": self._base_url + "/",
            "Size": size,
            "Name": name,
            "EndpointType": "SasEndpoint",
            "CredentialContainer": "Inline",
            "AccessCredential": "?" + urlencode(fields, quote_via=quote, safe=""),
            "Location": LOCATION,
            "FileType": "File",
            "IsAuxiliary": False,
        }

    def download(self, request: Request) -> Response:
        """Answer an address; 403 when its signature does not match or has ended."""
        fields = (request.query.get(name, "") for name in ("sharedAccessUri", "workspaceId"))
        uri, workspace_id = fields
        signature = request.query.get("signature", "")
        if not hmac.compare_digest(signature.encode(), self._signature(workspace_id, uri).encode()):
            raise _forbidden("the signature of this address does not match")
        kind, _, rest = uri.partition("/")
        expiry, _, key = rest.partition("/")
        if self._clock() >= float(expiry):
            raise _forbidden("the grant of this address has ended; ask for the record again")
        opener = self._openers.get(kind)
        found = opener(key) if opener else None
        if found is None or (isinstance(found, Path) and not found.is_file()):
            raise not_found("ResourceNotFound", f"There is no {kind} {key[:200]!r} any more.")
        return _file_response(found) if isinstance(found, Path) else Response(200, found)

    def _signature(self, workspace_id: str, uri: str) -> str:
        text = f"sharedaccess\n{workspace_id}\n{uri}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()


def _file_response(path: Path) -> Response:
    def send(target: BufferedIOBase) -> None:
        with path.open("rb") as file:
            shutil.copyfileobj(file, target, PIECE_BYTES)

    return Response(
        200,
        send_file=send,
        file_bytes=path.stat().st_size,
        content_type="application/octet-stream",
    )


def _forbidden(reason: str) -> StudioError:
    message = f"Access is refused: {reason}."
    return StudioError(403, "Forbidden", message, [Detail("SharedAccessRefused", message)])
