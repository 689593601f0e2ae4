"""Blob triggers: announce each upload to the functions whose path matches.

The containers named by triggers are listed twice a second, less often when listing is slow; an
event sent to the webhook does the same at once. Five tries (host.json `poisonBlobThreshold`), then
a message in the storage queue `webjobs-blobtrigger-poison`. Two uploads to one name within half a
second may be announced once, with the later ETag.
"""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from devstack.host.errors import StorageError
from devstack.host.functions import BlobTrigger
from devstack.host.host_json import BlobOptions
from devstack.host.invoker import Invoker
from devstack.host.outcomes import Call, Returned
from devstack.host.receipts import Receipt, Receipts
from devstack.host.storage import Blob, Storage

POISON_QUEUE = "webjobs-blobtrigger-poison"
_INTERVAL_SECONDS = 0.5
_LISTING_SHARE = 5  # a listing may take a fifth of the time at most
_RETRY_SECONDS = 0.5  # Azure's queue polling puts 0.1 to 2 s between tries
_THREADS = 4


@dataclass(frozen=True)
class BlobFunction:
    """A function with a blob trigger and the storage it watches."""

    name: str
    trigger: BlobTrigger
    storage: Storage


class BlobListener:
    """Finds new blobs and calls the functions that wait for them."""

    def __init__(
        self,
        functions: list[BlobFunction],
        invoker: Invoker,
        receipts: Receipts,
        options: BlobOptions,
        *,
        poison: Storage,
        report: Callable[[str], None],
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self._invoker = invoker
        self._receipts = receipts
        self._options = options
        self._poison = poison
        self._report = report
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="storage")
        self._places = asyncio.Semaphore(options.max_degree_of_parallelism)
        self._announcements: set[asyncio.Task[None]] = set()
        self._trouble = ""

    async def run(self) -> None:
        """Watch until cancelled."""
        for receipt in self._receipts.pending():
            if receipt.function in self._functions:
                self._announce(receipt, None)
        created = False
        while True:
            started = time.monotonic()
            try:
                if not created:
                    await self.create_containers()
                    created = True
                await self._list()
                self._trouble = ""
            except StorageError as error:
                self._say(f"blob storage: {error}")
                created = created and error.status != 404  # a container was deleted
            spent = time.monotonic() - started
            await asyncio.sleep(max(_INTERVAL_SECONDS - spent, spent * _LISTING_SHARE))

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._report(trouble)

    async def create_containers(self) -> None:
        """Create the containers that triggers name. Raises StorageError."""
        for storage, container in self._containers():
            await self._in_thread(storage.create_container, container)

    def _containers(self) -> list[tuple[Storage, str]]:
        pairs = {(f.storage, f.trigger.pattern.container): None for f in self._functions.values()}
        return list(pairs)

    async def _list(self) -> None:
        for storage, container in self._containers():
            blobs = await self._in_thread(self._list_unknown, storage, container)
            self.notice(blobs, storage)

    def _list_unknown(self, storage: Storage, container: str) -> list[Blob]:
        """List in a thread, and drop there what is known: the loop must not wait for 10,000."""
        watching = [f for f in self._functions.values() if f.storage is storage]
        blobs = storage.list_blobs(container)
        return [blob for blob in blobs if any(self._unknown(f, [blob]) for f in watching)]

    def notice(self, blobs: list[Blob], storage: Storage, only: str | None = None) -> int:
        """Announce those blobs that are new to a function that matches; return how many."""
        found: dict[Receipt, Blob] = {}
        for function in self._functions.values():
            if function.storage is storage and only in (None, function.name):
                found |= self._unknown(function, blobs)
        for receipt in self._receipts.add(list(found)):
            self._announce(receipt, found[receipt])
        return len(found)

    def _unknown(self, function: BlobFunction, blobs: list[Blob]) -> dict[Receipt, Blob]:
        pairs = ((Receipt(function.name, b.container, b.name, b.etag), b) for b in blobs)
        return {
            receipt: blob
            for receipt, blob in pairs
            if receipt not in self._receipts
            and function.trigger.pattern.match(blob.container, blob.name) is not None
        }

    async def notice_event(self, name: str, container: str, blob_name: str) -> bool:
        """Handle an event for one function; False if there is no such function or blob."""
        function = self._functions.get(name)
        if function is None:
            return False
        blob = await self._in_thread(function.storage.find_blob, container, blob_name)
        if blob is not None:
            self.notice([blob], function.storage, only=name)
        return True

    def knows(self, name: str) -> bool:
        """Return whether a function of that name has a blob trigger."""
        return name in self._functions

    def _announce(self, receipt: Receipt, blob: Blob | None) -> None:
        task = asyncio.ensure_future(self._try_until_taken(receipt, blob))
        self._announcements.add(task)
        task.add_done_callback(self._announcements.discard)

    async def _try_until_taken(self, receipt: Receipt, blob: Blob | None) -> None:
        async with self._places:
            state = "pending"
            while state == "pending":
                try:
                    state = await self._try(receipt, blob)
                except StorageError as error:
                    self._say(f"blob storage: {error}")
                if state == "pending":
                    blob = None  # look again: it may have changed meanwhile
                    await asyncio.sleep(_RETRY_SECONDS)
            self._receipts.settle(receipt, state)

    async def _try(self, receipt: Receipt, blob: Blob | None) -> str:
        """Call the function once; return `done`, `gone`, `poison` or `pending` (again)."""
        function = self._functions[receipt.function]
        storage = function.storage
        if blob is None:
            blob = await self._in_thread(storage.find_blob, receipt.container, receipt.name)
        if blob is None or blob.etag != receipt.etag:
            return "gone"  # deleted, or overwritten: then the new one is announced
        await self._invoker.worker.ready.wait()
        call = await self.call_of(function.name, blob)
        if call is None:
            return "gone"
        tries = self._receipts.count_try(receipt)
        if isinstance(await self._invoker.invoke(call), Returned):
            return "done"
        if tries < self._options.poison_blob_threshold:
            return "pending"
        await self._put_aside(receipt, tries)
        return "poison"

    async def _put_aside(self, receipt: Receipt, tries: int) -> None:
        message = {
            "Type": "BlobTrigger",
            "FunctionId": f"Host.Functions.{receipt.function}",
            "BlobType": "BlockBlob",
            "ContainerName": receipt.container,
            "BlobName": receipt.name,
            "ETag": f'"{receipt.etag}"',
        }
        await self._in_thread(self._poison.put_message, POISON_QUEUE, json.dumps(message))
        path = f"{receipt.container}/{receipt.name}"
        self._report(f"{receipt.function}: {path} failed {tries} times, now in {POISON_QUEUE}")

    async def call_of(self, name: str, blob: Blob) -> Call | None:
        """Return the call that announces a blob, None if its content is gone."""
        function = self._functions[name]
        body: bytes | None = b""
        if not function.trigger.deferred:
            body = await self._in_thread(function.storage.read_blob, blob.container, blob.name)
        if body is None:
            return None
        return Call(name, _source(function, blob), _metadata(function, blob), body)

    async def find(self, name: str, path: str) -> Blob | None:
        """Return the blob at `container/name` in a function's storage."""
        container, _, blob_name = path.partition("/")
        storage = self._functions[name].storage
        found: Blob | None = await self._in_thread(storage.find_blob, container, blob_name)
        return found

    async def _in_thread(self, action: Callable[..., Any], *arguments: object) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, action, *arguments)

    async def stop(self) -> None:
        """Give up what is under way; it stays pending."""
        for task in list(self._announcements):
            task.cancel()
        await asyncio.gather(*self._announcements, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)


def _source(function: BlobFunction, blob: Blob) -> dict[str, Any]:
    if not function.trigger.deferred:
        return {"type": "bytes"}
    return {
        "type": "client",
        "value": {
            "Connection": function.trigger.connection,
            "ContainerName": blob.container,
            "BlobName": blob.name,
        },
    }


def _metadata(function: BlobFunction, blob: Blob) -> dict[str, tuple[str, Any]]:
    captures = function.trigger.pattern.match(blob.container, blob.name) or {}
    properties = {
        "ETag": f'"{blob.etag}"',
        "ContentLength": blob.length,
        "ContentType": blob.content_type,
        "LastModified": blob.last_modified,
        "BlobType": "Block",
    }
    return {
        **{name: ("string", value) for name, value in captures.items()},
        "BlobTrigger": ("string", f"{blob.container}/{blob.name}"),
        "Uri": ("json", json.dumps(function.storage.blob_url(blob.container, blob.name))),
        "Properties": ("json", json.dumps(properties)),
        "Metadata": ("json", json.dumps(blob.metadata)),
    }
