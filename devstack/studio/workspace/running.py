"""Running: snapshots are run in the background, in the order of their acceptance.

Two runs go on at once, never two of one experiment, and each runs its nodes one after the other
(Studio ran up to four nodes at once). Every step is written down as it happens. A run that Studio
was busy with when it stopped is taken up again at the next start: nodes that had finished are not
run again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque

from devstack.studio.context import Context
from devstack.studio.workspace.experiment_records import ENDED, Run, Snapshot
from devstack.studio.workspace.history import History
from devstack.studio.workspace.node_running import SnapshotRun, Stopped
from devstack.studio.workspace.outputs import Outputs

log = logging.getLogger(__name__)

WORKERS = 2


class RunQueue:
    """Runs snapshots; `start` once, then `enqueue` each as it is taken."""

    def __init__(self, context: Context, history: History, outputs: Outputs) -> None:
        self._context = context
        self._history = history
        self._outputs = outputs
        self._waiting: deque[Snapshot] = deque()
        self._busy: set[str] = set()
        self._changed = threading.Condition()
        self._stopping = False
        self._workers = [
            threading.Thread(target=self._work, name=f"studio-run-{number}", daemon=True)
            for number in range(WORKERS)
        ]

    def start(self) -> None:
        """Begin to work, with the runs that an earlier Studio left."""
        left = [run for run in self._context.store.list(Run) if run.state not in ENDED]
        for run in sorted(left, key=lambda run: run.created):
            snapshot = self._context.store.get(Snapshot, run.id)
            if snapshot is not None:
                self.enqueue(snapshot)
        for worker in self._workers:
            worker.start()

    def stop(self, *, seconds_max: float = 3) -> None:
        """Stop between two nodes; what is left is run at the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for worker in self._workers:
            if worker.is_alive():
                worker.join(seconds_max / WORKERS)

    def enqueue(self, snapshot: Snapshot) -> None:
        """Queue a snapshot that was accepted."""
        with self._changed:
            self._waiting.append(snapshot)
            self._changed.notify()

    def _work(self) -> None:
        while (snapshot := self._next()) is not None:
            try:
                self._run(snapshot)
            except Exception:
                log.exception("run_failed", extra={"snapshot": snapshot.id})
            with self._changed:
                self._busy.discard(snapshot.experiment)
                self._changed.notify_all()

    def _next(self) -> Snapshot | None:
        """The snapshot to run next: the one that waits longest and may run. None at the end."""
        with self._changed:
            while not self._stopping:
                for snapshot in self._waiting:
                    if snapshot.experiment not in self._busy:
                        self._waiting.remove(snapshot)
                        self._busy.add(snapshot.experiment)
                        return snapshot
                self._changed.wait()
        return None

    def _run(self, snapshot: Snapshot) -> None:
        try:
            SnapshotRun(self._context, self._outputs, snapshot, lambda: self._stopping).execute()
        except Stopped:
            return
        except Exception:
            log.exception("run_failed", extra={"snapshot": snapshot.id})
            self._give_up(snapshot)
        self._context.calls.note("run", snapshot.id)

    def _give_up(self, snapshot: Snapshot) -> None:
        with self._context.store.transaction():
            run = self._context.store.get(Run, snapshot.id)
            if run is not None:
                run.state, run.ended = "Failed", self._context.clock()
                run.detail = "Local Studio could not run this experiment: internal error."
                self._context.store.put(run.id, run)
