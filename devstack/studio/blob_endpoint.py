"""Studio's own blob storage, for when no storage account was given: `/devstoreaccount1/...`.

The part of Azure Blob storage that its clients and ours need: containers, block blobs whole and in
blocks, ranges, conditions, lists. Shared access signatures are checked with their expiry; any
SharedKey signature for the account is accepted. What it does not have it refuses by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from devstack.studio import sas
from devstack.studio.accounts import BLOB_NAME_CHARACTERS_MAX, CONTAINER_NAME, Account
from devstack.studio.blob_store import BlobRecord, BlobStore
from devstack.studio.blob_xml import (
    COMMON_HEADERS,
    BlobRefusal,
    http_time,
    listed_blob,
    listed_container,
    listing,
    refused,
    xml_response,
)
from devstack.studio.names import moment
from devstack.studio.web import Request, Response

BLOB_BYTES_MAX = 5 * 1024 * 1024 * 1024
BLOCK_LIST_BYTES_MAX = 8 * 1024 * 1024
LIST_ITEMS_MAX = 5000

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class BlobEndpoint:
    """Serves everything below `/{account}`."""

    def __init__(self, store: BlobStore, account: Account, clock: Callable[[], float]) -> None:
        self._store = store
        self._account = account
        self._clock = clock

    def answer(self, request: Request) -> Response:
        """One call of the blob service; its errors are XML, as its clients expect."""
        path = request.path.removeprefix(f"/{self._account.name}").strip("/")
        container, _, name = path.partition("/")
        try:
            handler, permissions = self._operation(request, container, name)
            self._authorise(request, path, permissions)
            return handler(request, container, name)
        except BlobRefusal as error:
            return refused(error)

    def _operation(
        self, request: Request, container: str, name: str
    ) -> tuple[Callable[[Request, str, str], Response], str]:
        _check_names(container, name)
        level = "blob" if name else "container" if container else "account"
        key = (level, request.method, request.query.get("comp", ""))
        found = self._operations().get(key)
        if found is None:
            message = f"{request.method} of {level} with comp={key[2]!r} is not implemented here."
            raise BlobRefusal(400 if level != "blob" else 501, "UnsupportedQueryParameter", message)
        return found

    def _operations(
        self,
    ) -> Mapping[tuple[str, str, str], tuple[Callable[[Request, str, str], Response], str]]:
        return {
            ("account", "GET", "list"): (self._list_containers, "l"),
            ("container", "PUT", ""): (self._create_container, "cw"),
            ("container", "GET", ""): (self._container_properties, "rl"),
            ("container", "HEAD", ""): (self._container_properties, "rl"),
            ("container", "DELETE", ""): (self._delete_container, "d"),
            ("container", "GET", "list"): (self._list_blobs, "l"),
            ("blob", "PUT", ""): (self._put, "cw"),
            ("blob", "PUT", "block"): (self._put_block, "cw"),
            ("blob", "PUT", "blocklist"): (self._put_block_list, "cw"),
            ("blob", "PUT", "metadata"): (self._put_metadata, "w"),
            ("blob", "GET", ""): (self._get, "r"),
            ("blob", "HEAD", ""): (self._get, "r"),
            ("blob", "GET", "metadata"): (self._get, "r"),
            ("blob", "DELETE", ""): (self._delete, "d"),
        }

    def _authorise(self, request: Request, path: str, permissions: str) -> None:
        scheme, _, rest = request.header("authorization").partition(" ")
        if scheme.lower() in ("sharedkey", "sharedkeylite"):
            if rest.partition(":")[0] == self._account.name:
                return
            raise BlobRefusal(403, "AuthenticationFailed", "The account of the key is another.")
        if "sig" not in request.query:
            raise BlobRefusal(401, "NoAuthenticationInformation", "Neither key nor SAS was given.")
        now = moment(self._clock())
        account = self._account
        reason = sas.refusal(account.name, account.key, path, request.query, permissions, now)
        if reason is not None:
            is_permission = reason.startswith("the grant is for")
            code = "AuthorizationPermissionMismatch" if is_permission else "AuthenticationFailed"
            raise BlobRefusal(403, code, reason)

    def _list_containers(self, request: Request, container: str, name: str) -> Response:
        prefix = request.query.get("prefix", "")
        items = "".join(
            listed_container(item)
            for item in self._store.containers()
            if item.name.startswith(prefix)
        )
        return self._listing("", f"<Containers>{items}</Containers>", "")

    def _create_container(self, request: Request, container: str, name: str) -> Response:
        if not self._store.create_container(container):
            raise BlobRefusal(409, "ContainerAlreadyExists")
        return self._container_response(container, 201)

    def _container_properties(self, request: Request, container: str, name: str) -> Response:
        return self._container_response(container, 200)

    def _container_response(self, container: str, status: int) -> Response:
        record = self._store.container(container)
        if record is None:
            raise BlobRefusal(404, "ContainerNotFound")
        headers = {
            "ETag": record.etag,
            "Last-Modified": http_time(record.modified),
            **COMMON_HEADERS,
        }
        return Response(status, headers=headers)

    def _delete_container(self, request: Request, container: str, name: str) -> Response:
        self._container_response(container, 200)
        self._store.delete_container(container)
        return Response(202, headers=COMMON_HEADERS)

    def _list_blobs(self, request: Request, container: str, name: str) -> Response:
        self._container_response(container, 200)
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        size = query.get("maxresults", str(LIST_ITEMS_MAX))
        limit = min(int(size), LIST_ITEMS_MAX) if size.isdecimal() and int(size) else LIST_ITEMS_MAX
        found = self._store.blobs(container, prefix, query.get("marker", ""), limit + 1)
        marker = found[limit - 1].name if len(found) > limit else ""
        items, folders = [], dict[str, None]()
        for blob in found[:limit]:
            head, cut, _ = blob.name[len(prefix) :].partition(delimiter) if delimiter else ("",) * 3
            if cut:
                folders[prefix + head + cut] = None
            else:
                items.append(listed_blob(blob))
        names = "".join(f"<BlobPrefix><Name>{escape(p)}</Name></BlobPrefix>" for p in folders)
        asked = f"<Prefix>{escape(prefix)}</Prefix><MaxResults>{limit}</MaxResults>"
        blobs = f"{asked}<Blobs>{''.join(items)}{names}</Blobs>"
        return self._listing(container, blobs, marker)

    def _listing(self, container: str, items: str, marker: str) -> Response:
        return xml_response(listing(self._account.base_location, container, items, marker))

    def _put(self, request: Request, container: str, name: str) -> Response:
        self._container_response(container, 200)
        if request.header("x-ms-blob-type") not in ("BlockBlob", ""):
            raise BlobRefusal(400, "InvalidHeaderValue", "Only block blobs are implemented here.")
        if request.header("x-ms-copy-source"):
            raise BlobRefusal(501, "NotImplemented", "Copying is not implemented here.")
        file = self._received(request)
        return self._written(request, container, name, file)

    def _put_block(self, request: Request, container: str, name: str) -> Response:
        self._container_response(container, 200)
        file = self._received(request)
        self._store.put_block(container, name, request.query.get("blockid", ""), file)
        return Response(201, headers=COMMON_HEADERS)

    def _put_block_list(self, request: Request, container: str, name: str) -> Response:
        self._container_response(container, 200)
        if request.length > BLOCK_LIST_BYTES_MAX:
            raise BlobRefusal(413, "RequestBodyTooLarge")
        try:
            listed = ElementTree.fromstring(_without_entities(request.read(request.length)))  # noqa: S314
        except ElementTree.ParseError as error:
            raise BlobRefusal(400, "InvalidXmlDocument", str(error)) from error
        file = self._store.join_blocks(container, name, [item.text or "" for item in listed])
        if file is None:
            raise BlobRefusal(400, "InvalidBlockList")
        return self._written(request, container, name, file)

    def _written(self, request: Request, container: str, name: str, file: str) -> Response:
        kind = request.header("x-ms-blob-content-type") or request.header("content-type")
        with self._store.lock:
            self._check_conditions(request, self._store.blob(container, name))
            blob = self._store.put(
                container, name, file, kind or "application/octet-stream", _metadata(request)
            )
        return Response(201, headers=_blob_headers(blob))

    def _put_metadata(self, request: Request, container: str, name: str) -> Response:
        with self._store.lock:
            blob = self._blob(container, name)
            self._check_conditions(request, blob)
            changed = self._store.put_metadata(blob, _metadata(request))
        return Response(200, headers=_blob_headers(changed))

    def _get(self, request: Request, container: str, name: str) -> Response:
        blob = self._blob(container, name)
        self._check_conditions(request, blob)
        start, end, status = 0, blob.length - 1, 200
        asked = _RANGE.fullmatch(request.header("x-ms-range") or request.header("range"))
        if asked:
            start = int(asked[1])
            end = min(int(asked[2]) if asked[2] else end, end)
            status = 206
            if start >= blob.length:
                raise BlobRefusal(416, "InvalidRange")
        length = end - start + 1
        headers = {
            **_blob_headers(blob),
            **{f"x-ms-meta-{key}": value for key, value in blob.metadata.items()},
            "Accept-Ranges": "bytes",
            "x-ms-blob-type": "BlockBlob",
            "Content-Length": str(length),
        }
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{end}/{blob.length}"
        return Response(
            status,
            headers=headers,
            content_type=blob.content_type,
            send_file=lambda target: self._store.send(blob, start, length, target.write),
            file_bytes=length,
        )

    def _delete(self, request: Request, container: str, name: str) -> Response:
        with self._store.lock:
            blob = self._blob(container, name)
            self._check_conditions(request, blob)
            self._store.delete(blob)
        return Response(202, headers=COMMON_HEADERS)

    def _blob(self, container: str, name: str) -> BlobRecord:
        self._container_response(container, 200)
        blob = self._store.blob(container, name)
        if blob is None:
            raise BlobRefusal(404, "BlobNotFound")
        return blob

    def _received(self, request: Request) -> str:
        if request.length > BLOB_BYTES_MAX:
            raise BlobRefusal(413, "RequestBodyTooLarge")
        file = self._store.receive(request.read, request.length)
        if file is None:
            raise BlobRefusal(400, "IncompleteBody")
        return file

    def _check_conditions(self, request: Request, blob: BlobRecord | None) -> None:
        wanted, unwanted = request.header("if-match"), request.header("if-none-match")
        is_read = request.method in ("GET", "HEAD")
        if wanted and (blob is None or wanted not in ("*", blob.etag)):
            raise BlobRefusal(412, "ConditionNotMet")
        if unwanted and blob is not None and unwanted in ("*", blob.etag):
            if is_read:
                raise BlobRefusal(304, "ConditionNotMet")
            code = "BlobAlreadyExists" if unwanted == "*" else "ConditionNotMet"
            raise BlobRefusal(409 if unwanted == "*" else 412, code)


def _check_names(container: str, name: str) -> None:
    if container and not CONTAINER_NAME.fullmatch(container):
        raise BlobRefusal(400, "InvalidResourceName", "The container's name is not valid.")
    parts = name.split("/")
    if len(name) > BLOB_NAME_CHARACTERS_MAX or ".." in parts or "." in parts or "\0" in name:
        raise BlobRefusal(400, "InvalidResourceName", "The blob's name is not valid.")


def _metadata(request: Request) -> dict[str, str]:
    prefix = "x-ms-meta-"
    return {
        name.removeprefix(prefix): value
        for name, value in request.headers.items()
        if name.startswith(prefix)
    }


def _blob_headers(blob: BlobRecord) -> dict[str, str]:
    return {"ETag": blob.etag, "Last-Modified": http_time(blob.modified), **COMMON_HEADERS}


def _without_entities(content: bytes) -> bytes:
    if b"<!" in content:
        raise BlobRefusal(400, "InvalidXmlDocument", "Declarations are not allowed.")
    return content
