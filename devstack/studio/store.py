"""Documents on disk: SQLite, one table, a document per row, in write-ahead mode.

What `put` returned from is on disk: killing the process loses nothing. Documents are pydantic
models, kept by the name of their class and a key. A transaction groups reads and writes; it may be
nested.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

Document = TypeVar("Document", bound=BaseModel)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""


class Store:
    """Reads and writes documents; one thread at a time is inside."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside become visible and durable together, or none of them."""
        with self._lock:
            if not self._depth:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if not self._depth:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if not self._depth:
                self._connection.execute("COMMIT")

    def get(self, kind: type[Document], key: str) -> Document | None:
        """The document, None when there is none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM documents WHERE kind = ? AND key = ?", (kind.__name__, key)
            ).fetchone()
        return kind.model_validate_json(row[0]) if row else None

    def put(self, key: str, document: BaseModel) -> None:
        """Write a document, new or over the one that was there."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (type(document).__name__, key, document.model_dump_json()),
            )

    def delete(self, kind: type[BaseModel], key: str) -> bool:
        """Remove a document; whether there was one."""
        with self._lock:
            done = self._connection.execute(
                "DELETE FROM documents WHERE kind = ? AND key = ?", (kind.__name__, key)
            )
        return done.rowcount > 0

    def delete_all(self, kind: type[BaseModel], prefix: str) -> int:
        """Remove the documents whose keys begin with a prefix; how many they were."""
        with self._lock:
            done = self._connection.execute(
                "DELETE FROM documents WHERE kind = ? AND substr(key, 1, ?) = ?",
                (kind.__name__, len(prefix), prefix),
            )
        return done.rowcount

    def list(
        self, kind: type[Document], prefix: str = "", after: str = "", limit: int = -1
    ) -> list[Document]:
        """Documents in order of their keys: those that begin with a prefix, after a key."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body FROM documents WHERE kind = ? AND key > ? "
                "AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?",
                (kind.__name__, after, len(prefix), prefix, limit),
            ).fetchall()
        return [kind.model_validate_json(row[0]) for row in rows]

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()
