"""The journal: every change to every queue, in SQLite.

`commit` makes everything noted so far durable in one transaction; the broker answers nobody before.
Durable means: survives the death of the process (WAL, synchronous=NORMAL). A power failure may cost
the last seconds. A commit writes to the page cache only; the checkpoints, which wait for the disk,
run on a thread of their own. Locks are not kept: after a restart every message is free again.
"""

import fcntl
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from devstack.servicebus.checkpoints import Checkpoints, connect
from devstack.servicebus.errors import JournalInUse
from devstack.servicebus.message import Message, State, parse, stored
from devstack.servicebus.sessions import StoredState

_QUEUE_BITS = 44  # a row id is the queue's number above this many bits of sequence number
_SEQUENCE_MASK = (1 << _QUEUE_BITS) - 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS queue (number INTEGER PRIMARY KEY, name TEXT UNIQUE, last INTEGER);
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, state INTEGER, delivery_count INTEGER,
    enqueued INTEGER, scheduled INTEGER, expires INTEGER, origin INTEGER, raw BLOB);
CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, queue INTEGER, key TEXT, expires INTEGER);
CREATE TABLE IF NOT EXISTS session (queue INTEGER, id TEXT, state BLOB, updated INTEGER,
    PRIMARY KEY (queue, id)) WITHOUT ROWID;
"""
_INSERT = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE = "UPDATE message SET state = ?, delivery_count = ? WHERE id = ?"
_DELETE = "DELETE FROM message WHERE id = ?"
_RESERVE = "UPDATE queue SET last = ? WHERE number = ?"
_REMEMBER = "INSERT INTO seen VALUES (?, ?, ?, ?)"
_FORGET = "DELETE FROM seen WHERE id = ?"
_SESSION = "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)"
_NO_SESSION = "DELETE FROM session WHERE queue = ? AND id = ?"


class Store:
    """The journal in a folder that no other broker has open. Raises JournalInUse."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        self._path = folder / "journal.sqlite"
        try:
            self._database = connect(self._path)
            self._database.executescript(_SCHEMA)
        except sqlite3.Error:
            self._lock.close()
            raise
        self._pending: list[tuple[str, tuple[object, ...]]] = []
        self._bytes = 0
        self._checkpoints = Checkpoints(self._path)
        row = self._database.execute("SELECT max(id) FROM seen").fetchone()
        self._last_row = row[0] or 0

    # --- reading, at start ---------------------------------------------------------------------

    def number_of(self, name: str) -> tuple[int, int]:
        """Return number and last sequence number of a queue, which is made known if it is new."""
        find = "SELECT number, last FROM queue WHERE name = ?"
        row = self._database.execute(find, (name,)).fetchone()
        if row is None:
            self._database.execute("INSERT INTO queue (name, last) VALUES (?, 0)", (name,))
            row = self._database.execute(find, (name,)).fetchone()
        return row[0], row[1]

    def names(self) -> list[str]:
        """Return the names of all queues that were ever known here and have messages."""
        rows = self._database.execute(
            "SELECT name FROM queue WHERE EXISTS"
            " (SELECT 1 FROM message WHERE id >= number << ? AND id < (number + 1) << ?)",
            (_QUEUE_BITS, _QUEUE_BITS),
        )
        return [name for (name,) in rows]

    def messages(self, queue: int) -> Iterator[Message]:
        """Yield the messages of a queue in order of sequence number."""
        rows = self._database.execute(
            "SELECT * FROM message WHERE id BETWEEN ? AND ? ORDER BY id",
            (_row(queue, 0), _row(queue, _SEQUENCE_MASK)),
        )
        for row, state, count, enqueued, scheduled, expires, origin, raw in rows:
            message = parse(raw)
            message.sequence, message.state = row & _SEQUENCE_MASK, State(state)
            message.delivery_count, message.enqueued = count, enqueued
            message.scheduled, message.expires, message.origin = scheduled, expires, origin
            yield message

    def seen(self, queue: int) -> Iterator[tuple[int, str, int]]:
        """Yield row, key and expiry of the message ids a queue accepted, oldest first."""
        yield from self._database.execute(
            "SELECT id, key, expires FROM seen WHERE queue = ? ORDER BY id", (queue,)
        )

    def states(self, queue: int) -> list[StoredState]:
        """Return the session states of a queue."""
        rows = self._database.execute(
            "SELECT id, state, updated FROM session WHERE queue = ?", (queue,)
        )
        return [StoredState(*row) for row in rows]

    # --- writing -------------------------------------------------------------------------------

    def insert(self, queue: int, message: Message) -> None:
        """Note a new message."""
        raw = stored(message)
        self._bytes += len(raw)
        values = (
            *(_row(queue, message.sequence), int(message.state), message.delivery_count),
            *(message.enqueued, message.scheduled, message.expires, message.origin, raw),
        )
        self._pending.append((_INSERT, values))

    def update(self, queue: int, message: Message) -> None:
        """Note state and delivery count of a message."""
        values = (int(message.state), message.delivery_count, _row(queue, message.sequence))
        self._pending.append((_UPDATE, values))

    def delete(self, queue: int, sequence: int) -> None:
        """Note that a message is gone."""
        self._pending.append((_DELETE, (_row(queue, sequence),)))

    def reserve(self, queue: int, sequence: int) -> None:
        """Note that sequence numbers up to this one may be in use."""
        self._pending.append((_RESERVE, (sequence, queue)))

    def remember(self, queue: int, key: str, expires: int) -> int:
        """Note that a message id was accepted; return the row it is kept in."""
        self._last_row += 1
        self._pending.append((_REMEMBER, (self._last_row, queue, key, expires)))
        return self._last_row

    def forget(self, row: int) -> None:
        """Note that a remembered message id is of no more use."""
        self._pending.append((_FORGET, (row,)))

    def session(self, queue: int, session_id: str, state: bytes | None, updated: int) -> None:
        """Note the state of a session."""
        if state is None:
            self._pending.append((_NO_SESSION, (queue, session_id)))
        else:
            self._pending.append((_SESSION, (queue, session_id, state, updated)))

    def commit(self) -> None:
        """Make durable what was noted. After sqlite3.Error memory is ahead of the disk: give up."""
        if not self._pending:
            return
        execute = self._database.execute
        if len(self._pending) == 1:  # is a transaction of its own
            execute(*self._pending[0])
        else:
            execute("BEGIN")
            for statement, values in self._pending:
                execute(statement, values)
            execute("COMMIT")
        self._checkpoints.committed(self._database, self._bytes)
        self._pending.clear()
        self._bytes = 0

    def close(self) -> None:
        """Commit, fold the write-ahead log into the database, and let others open the folder."""
        try:
            self.commit()
            self._checkpoints.finish()
            self._database.executescript("PRAGMA incremental_vacuum")  # one step per page
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close without committing: what was noted since the last commit is void."""
        self._checkpoints.finish()
        self._database.close()
        self._lock.close()


def _row(queue: int, sequence: int) -> int:
    return queue << _QUEUE_BITS | sequence


def _lock(folder: Path) -> IO[str]:
    file = (folder / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise JournalInUse(
            f"another broker has {str(folder)!r} open; stop it or choose another data folder"
        ) from error
    return file
