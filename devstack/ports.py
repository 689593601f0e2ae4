"""Ports of the stack: which there are, and how a free one is found.

They are taken from below the range that the system gives to outgoing connections, so that a part
which was killed finds its port free when it is started again.
"""

import random
import socket

HOST = "127.0.0.1"
NAMES = ("blob", "queue", "table", "servicebus", "servicebus-admin", "studio", "functions")
_RANGE = (20_000, 32_000)
_TRIES = 1000


def choose(wanted: dict[str, int]) -> dict[str, int]:
    """Return a port for each name: the wanted one, or a free one where that is 0 or missing."""
    chosen = {name: port for name, port in wanted.items() if port}
    for name in NAMES:
        if name not in chosen:
            chosen[name] = _free(set(chosen.values()))
    return chosen


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
