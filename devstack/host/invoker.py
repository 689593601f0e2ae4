"""Calls functions for all listeners: counts, and reports each failure in one line."""

from collections.abc import Callable
from dataclasses import dataclass

from devstack.host.outcomes import Call, Lost, Outcome, Raised, Returned
from devstack.host.worker_process import WorkerProcess


@dataclass
class Counts:
    """Calls of one function since the host started."""

    succeeded: int = 0
    failed: int = 0


class Invoker:
    """The one way from a listener to a function."""

    def __init__(
        self, worker: WorkerProcess, report: Callable[[str], None], *, verbose: bool
    ) -> None:
        self.worker = worker
        self.counts: dict[str, Counts] = {}
        self._report = report
        self._verbose = verbose

    async def invoke(self, call: Call) -> Outcome:
        """Call a function and wait for its end."""
        call_id, outcome = await self.worker.call(call)
        counts = self.counts.setdefault(call.function, Counts())
        match outcome:
            case Returned():
                counts.succeeded += 1
                if self._verbose:
                    self._report(f"{call.function} {call_id} succeeded")
            case Raised(error_type, error, details):
                counts.failed += 1
                message = error if self._verbose else error.split("\n", 1)[0]
                self._report(f"{call.function} {call_id} failed: {error_type}: {message}")
                if self._verbose:
                    self._report(details.rstrip())
            case Lost(reason):
                counts.failed += 1
                self._report(f"{call.function} {call_id} failed: worker lost: {reason}")
        return outcome
