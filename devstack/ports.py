"""Ports of the stack: which there are, and how a free one is found.

They are taken from below the range that the system gives to outgoing connections, so that a part
which was killed finds its port free when it is started again.
"""

import json
import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
NAMES = (
    "blob",
    "queue",
    "table",
    "servicebus",
    "servicebus-admin",
    "studio",
    "functions",
    "collector",
)
_RANGE = (20_000, 32_000)
_TRIES = 1000


def choose(wanted: dict[str, int], before: dict[str, int] | None = None) -> dict[str, int]:
    """Return a port for each name: the wanted one, or a free one where that is 0 or missing.

    before: those of an earlier start on the same data, taken again where they are free: addresses
    of models stand in definitions, and addresses of endpoints in declarations.
    """
    chosen = {name: port for name, port in wanted.items() if port}
    for name in NAMES:
        if name not in chosen:
            taken, known = set(chosen.values()), (before or {}).get(name, 0)
            chosen[name] = known if known not in taken and _is_ours(known) else _free(taken)
    return chosen


def kept(path: Path) -> dict[str, int]:
    """The ports that an earlier start wrote down; none if it did not, or nobody can read it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _is_ours(port: object) -> bool:
    return isinstance(port, int) and _RANGE[0] <= port <= _RANGE[1] and _can_bind(port)


def _free(taken: set[int]) -> int:
    for _ in range(_TRIES):
        port = random.randint(*_RANGE)
        if port not in taken and _can_bind(port):
            return port
    raise OSError(f"no free port found between {_RANGE[0]} and {_RANGE[1]}")


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Return whether somebody listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
