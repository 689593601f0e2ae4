"""One connection to the broker per connection string, opened again when it is lost."""

import asyncio
import contextlib
from collections.abc import Callable

from devstack.servicebus.client import Client, ConnectionLost

_BACK_OFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)


def parse_address(connection_string: str) -> tuple[str, int]:
    """Return host and port of a Service Bus connection string. Raises ValueError."""
    pairs = (part.split("=", 1) for part in connection_string.split(";") if "=" in part)
    values = {name.strip().lower(): value.strip() for name, value in pairs}
    endpoint = values.get("endpoint", "")
    if not endpoint.startswith("sb://"):
        raise ValueError("Service Bus connection string has no Endpoint=sb://...")
    host, _, port = endpoint.removeprefix("sb://").strip("/").partition(":")
    if host not in ("localhost", "127.0.0.1"):
        raise ValueError(
            f"Service Bus endpoint {host!r} is not on this machine; the local host talks to the "
            "local broker only (python -m devstack servicebus)"
        )
    return "127.0.0.1", int(port or 5672)


class BrokerConnection:
    """Hands out a live client, waiting for the broker as long as it takes."""

    def __init__(self, host: str, port: int, report: Callable[[str], None]) -> None:
        self._host = host
        self._port = port
        self._report = report
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def client(self) -> Client:
        """Return the open connection; connect first if there is none."""
        async with self._connecting:
            if self._client is None or self._client.closed.is_set():
                self._client = await self._connect(was_connected=self._client is not None)
            return self._client

    async def _connect(self, *, was_connected: bool) -> Client:
        address = f"Service Bus {self._host}:{self._port}"
        failures = 0
        while True:
            try:
                client = await Client.connect(self._host, self._port)
            except (OSError, ConnectionLost) as error:
                if failures == 0:
                    self._report(f"{address} is not reachable ({error}); trying on")
                last = len(_BACK_OFF_SECONDS) - 1
                await asyncio.sleep(_BACK_OFF_SECONDS[min(failures, last)])
                failures += 1
                continue
            if was_connected or failures:
                self._report(f"{address} is connected again")
            return client

    async def close(self) -> None:
        """Close the connection; sessions are released."""
        if self._client is not None and not self._client.closed.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._client.close(), 1.0)
