"""Azurite, the storage emulator: installed once from a lock file, started with Node.

Azurite writes its records every five seconds and when it is ended: a kill -9 can take the last
seconds with it.
"""

from dataclasses import dataclass
from pathlib import Path

from devstack import npm
from devstack.npm import Node, NotInstallable, find_node

__all__ = [
    "Node",
    "NotInstallable",
    "Ports",
    "command",
    "connection_string",
    "find_node",
    "install",
]

ACCOUNT = "devstoreaccount1"
# Published by Microsoft for the emulator; the same on every machine.
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
HOST = "127.0.0.1"
_HERE = Path(__file__).resolve().parent
INSTALLED = _HERE.parents[1] / ".local" / "azurite"


@dataclass(frozen=True)
class Ports:
    """Where the three services listen."""

    blob: int
    queue: int
    table: int


def connection_string(ports: Ports) -> str:
    """Return the connection string of the emulator's account."""
    services = {"Blob": ports.blob, "Queue": ports.queue, "Table": ports.table}
    endpoints = [
        f"{name}Endpoint=http://{HOST}:{port}/{ACCOUNT}" for name, port in services.items()
    ]
    parts = ["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={ACCOUNT_KEY}"]
    return ";".join([*parts, *endpoints]) + ";"


def command(node: Node, ports: Ports, data: Path) -> list[str]:
    """Return the command that runs the installed Azurite on these ports, with its data there."""
    words = [node.node, "-r", str(_HERE / "lifeline.js")]
    words += [str(INSTALLED / "node_modules" / "azurite" / "dist" / "src" / "azurite.js")]
    for name, port in (("blob", ports.blob), ("queue", ports.queue), ("table", ports.table)):
        words += [f"--{name}Host", HOST, f"--{name}Port", str(port)]
    words += ["--location", str(data), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    return words


def install(node: Node) -> None:
    """Install the pinned Azurite unless it is there; takes about twenty seconds the first time.

    Raises NotInstallable.
    """
    npm.install(node, "Azurite", _HERE, INSTALLED)
