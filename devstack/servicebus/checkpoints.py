"""Checkpoints: folding SQLite's write-ahead log into the database, off the thread that commits.

A checkpoint waits for the disk; a commit does not. Under constant load the background ones never
quite catch up, so beyond LOG_PAGES_MAX one is made in the foreground: the log cannot grow for ever.
"""

import sqlite3
import threading
from pathlib import Path

BYTES_BETWEEN = 4 * 1024 * 1024  # about SQLite's own default of 1000 pages
LOG_PAGES_MAX = 16 * 1024  # 64 MiB
_COMMIT_BYTES = 3 * 4096  # pages that even a small commit writes


def connect(path: Path) -> sqlite3.Connection:
    """Open the journal for one thread at a time."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA auto_vacuum=INCREMENTAL")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("PRAGMA wal_autocheckpoint=0")
    database.execute("PRAGMA cache_size=-16000")
    return database


class Checkpoints:
    """Decides when a checkpoint is due, and runs it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._log_pages = 0
        self._thread: threading.Thread | None = None

    def committed(self, database: sqlite3.Connection, message_bytes: int) -> None:
        """Take note of a commit; called on the thread that commits."""
        self._bytes += _COMMIT_BYTES + message_bytes
        if self._bytes < BYTES_BETWEEN or (self._thread and self._thread.is_alive()):
            return
        self._bytes = 0
        if self._log_pages > LOG_PAGES_MAX:
            self._log_pages = _checkpoint(database)
            return
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the checkpoint that is under way."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        database = connect(self._path)
        try:
            self._log_pages = _checkpoint(database)
        finally:
            database.close()


def _checkpoint(database: sqlite3.Connection) -> int:
    """Return how many pages the log has that could not be folded in yet, or were just folded in."""
    _, log_pages, folded_pages = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return 0 if log_pages == folded_pages else int(log_pages)
