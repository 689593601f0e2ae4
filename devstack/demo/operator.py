"""A team that uses the app: uploads, orders, queue messages, and looking at what came of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.storage.blob import BlobServiceClient

SECONDS_MAX = 30
LOOK_SECONDS = 0.15


class TookTooLong(Exception):
    """Something that was waited for did not happen; tells what was seen last."""


class Operator:
    """Speaks to storage, to the queues and to the app's API, with one key per role."""

    def __init__(self, addresses: Mapping[str, Any]) -> None:
        self.addresses = addresses
        self.on_look: Callable[[], None] = lambda: None
        self._session = requests.Session()
        self._session.trust_env = False
        self._storage = BlobServiceClient.from_connection_string(
            addresses["storage_connection_string"]
        )
        self._bus = ServiceBusClient.from_connection_string(addresses["connection_string"])

    def close(self) -> None:
        self._bus.close()
        self._storage.close()
        self._session.close()

    # -- storage and queues --------------------------------------------------------------------

    def upload(self, container: str, name: str, content: bytes) -> None:
        client = self._storage.get_container_client(container)
        if not client.exists():
            client.create_container()
        client.upload_blob(name, content, overwrite=True)

    def download(self, container: str, name: str) -> bytes:
        content = self._storage.get_blob_client(container, name).download_blob().readall()
        assert isinstance(content, bytes)
        return content

    def exists(self, container: str, name: str) -> bool:
        try:
            return bool(self._storage.get_blob_client(container, name).exists())
        except ResourceNotFoundError:
            return False

    def connection_string(self) -> str:
        return str(self.addresses["storage_connection_string"])

    def request(self, body: bytes, message_id: str, reply_to: str = "alm-answers") -> None:
        """Put a message into the queue that other systems use."""
        with self._bus.get_queue_sender("alm-requests") as sender:
            sender.send_messages(
                ServiceBusMessage(body, message_id=message_id, reply_to=reply_to or None)
            )

    def answers(self, count: int, seconds: float) -> list[dict[str, Any]]:
        """Take `count` answers from the queue; fewer if `seconds` pass without one."""
        found: list[dict[str, Any]] = []
        ends = time.monotonic() + seconds
        with self._bus.get_queue_receiver("alm-answers") as receiver:
            while len(found) < count and time.monotonic() < ends:
                for message in receiver.receive_messages(1, max_wait_time=1):
                    found.append(json.loads(b"".join(message.body)))
                    receiver.complete_message(message)
                self.on_look()
        return found

    # -- the app's API -------------------------------------------------------------------------

    def get(self, path: str, **query: str) -> Any:
        return self._call("GET", path, "reader", query=query)

    def order(self, path: str, role: str = "operator", **document: object) -> Any:
        return self._call("POST", path, role, document=document)

    def _call(
        self,
        method: str,
        path: str,
        role: str,
        *,
        query: Mapping[str, str] | None = None,
        document: Mapping[str, object] | None = None,
    ) -> Any:
        answer = self._session.request(
            method,
            f"{self.addresses['functions_url'].rstrip('/')}/api/{path}",
            params=query,
            json=document,
            headers={"x-alm-key": self.addresses["api_keys"][role]},
            timeout=SECONDS_MAX,
        )
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    # -- waiting -------------------------------------------------------------------------------

    def until(self, what: str, look: Callable[[], Any], seconds: float = 60) -> Any:
        """Look again and again until it gives something true. Raises TookTooLong."""
        ends = time.monotonic() + seconds
        last: Any = None
        while time.monotonic() < ends:
            try:
                last = look()
            except (RuntimeError, requests.RequestException) as error:
                last = error  # the part may just be away
            else:
                if last:
                    return last
            self.on_look()
            time.sleep(LOOK_SECONDS)
        raise TookTooLong(f"{what}: not within {seconds:g} s; last seen: {str(last)[:600]}")

    def ended(self, run: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until a run has ended; returns its record."""

        def look() -> dict[str, Any] | None:
            ledger = self.get(f"models/{run.rpartition('.r')[0]}")["ledger"]
            if ledger["active"] and ledger["active"]["run"] == run:
                return None
            if int(run.rpartition(".r")[2]) > ledger["runs"]:
                return None
            record = self.get(f"runs/{run}")
            return dict(record) if record.get("result") else None

        found = self.until(f"the end of run {run}", look, seconds)
        assert isinstance(found, dict)
        return found

    def next_run(self, model: str) -> str:
        """The name that the model's next run will have."""
        ledger = self.get(f"models/{model}")["ledger"]
        return f"{model}.r{ledger['runs'] + 1}"
