"""Which blob has been announced to which function, on disk: at least once, and rarely twice.

A receipt is keyed by function, container, name and ETag. It is written before the first try, so a
crash leaves it pending and the next start goes on with it.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS receipts (
    function TEXT NOT NULL, container TEXT NOT NULL, name TEXT NOT NULL, etag TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
    PRIMARY KEY (function, container, name, etag)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Receipt:
    """One announcement."""

    function: str
    container: str
    name: str
    etag: str


class Receipts:
    """A SQLite file; all its keys are also kept in memory, for each listing asks for all of them.

    Used by one thread (the host's loop): a write takes well under a millisecond.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(_SCHEMA)
        rows = self._database.execute("SELECT function, container, name, etag FROM receipts")
        self._known = {Receipt(*row) for row in rows}

    def __contains__(self, receipt: Receipt) -> bool:
        return receipt in self._known

    def add(self, receipts: list[Receipt]) -> list[Receipt]:
        """Record announcements as pending, all or none; return those that were new."""
        new = [receipt for receipt in dict.fromkeys(receipts) if receipt not in self._known]
        if new:
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT INTO receipts (function, container, name, etag) VALUES (?, ?, ?, ?)",
                [(r.function, r.container, r.name, r.etag) for r in new],
            )
            self._database.execute("COMMIT")
            self._known.update(new)
        return new

    def pending(self) -> list[Receipt]:
        """Return the announcements that no function has taken yet."""
        rows = self._database.execute(
            "SELECT function, container, name, etag FROM receipts WHERE state = 'pending'"
        )
        return [Receipt(*row) for row in rows]

    def count_try(self, receipt: Receipt) -> int:
        """Record that a try begins and return its number, from 1."""
        self._database.execute(
            "UPDATE receipts SET tries = tries + 1"
            " WHERE function = ? AND container = ? AND name = ? AND etag = ?",
            _key(receipt),
        )
        row = self._database.execute(
            "SELECT tries FROM receipts"
            " WHERE function = ? AND container = ? AND name = ? AND etag = ?",
            _key(receipt),
        ).fetchone()
        return int(row[0])

    def settle(self, receipt: Receipt, state: str) -> None:
        """Record how it ended: `done`, `gone` or `poison`."""
        self._database.execute(
            "UPDATE receipts SET state = ?"
            " WHERE function = ? AND container = ? AND name = ? AND etag = ?",
            (state, *_key(receipt)),
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _key(receipt: Receipt) -> tuple[str, str, str, str]:
    return receipt.function, receipt.container, receipt.name, receipt.etag
