"""No child outlives its supervisor, even one killed with -9.

The supervisor holds the only writing end of a pipe per child; the child waits at the reading end
and ends when it closes. Unlike a death signal from the kernel this works from any thread and on any
system.
"""

import contextlib
import os
import threading
from collections.abc import Iterator

VARIABLE = "DEVSTACK_LIFELINE"


class Lifeline:
    """The supervisor's side of one pipe."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    @contextlib.contextmanager
    def reading_end(self) -> Iterator[int]:
        """Hand out the child's end, which is closed here once the child has it."""
        try:
            yield self._reading
        finally:
            os.close(self._reading)

    def close(self) -> None:
        """Let go: a child that still lives ends."""
        os.close(self._writing)


def follow_parent() -> None:
    """End this process when the supervisor that started it is gone; nothing if there is none."""
    number = os.environ.pop(VARIABLE, None)
    if number is None:
        return
    descriptor = int(number)
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_wait, args=(descriptor,), daemon=True, name="lifeline").start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os._exit(1)
