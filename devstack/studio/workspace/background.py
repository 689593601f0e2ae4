"""Background: work that answers do not wait for, one piece after the other in one thread."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

Work = Callable[[], None]


class Background:
    """Does work in the order it was given. Work looks at `is_stopping` before it writes."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Work | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="studio-background", daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether nothing may be written any more."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin to work, also on what was given before."""
        self._thread.start()

    def stop(self, *, seconds_max: float = 3) -> None:
        """End after the piece that is being done; what waits is for the next start."""
        self._stopping.set()
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds_max)

    def submit(self, work: Work) -> None:
        """Have work done. It handles its own failures."""
        self._waiting.put(work)

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None and not self.is_stopping:
            try:
                work()
            except Exception:
                log.exception("background_work_failed")
