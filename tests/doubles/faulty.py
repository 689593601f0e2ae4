"""What doubles have in common: operations are counted, and fail when told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from alm.domain.errors import AlmError

T = TypeVar("T")


@dataclass
class _Fault:
    error: AlmError
    after: bool
    times: int | None


class Faulty:
    """Counts operations, and lets them fail when told to. watch: called after each effect."""

    def __init__(self) -> None:
        self.watch: Callable[[str], None] = lambda _operation: None
        self.calls: Counter[str] = Counter()
        self._faults: dict[str, list[_Fault]] = {}

    def fail(
        self, operation: str, error: AlmError, *, after: bool = False, times: int | None = 1
    ) -> None:
        """Let the next `times` calls of an operation fail (None: all, until `heal`)."""
        self._faults.setdefault(operation, []).append(_Fault(error, after, times))

    def heal(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def _do(self, operation: str, effect: Callable[[], T]) -> T:
        self.calls[operation] += 1
        fault = self._next_fault(operation)
        if fault and not fault.after:
            raise fault.error
        result = effect()
        self.watch(operation)
        if fault:
            raise fault.error
        return result

    def _next_fault(self, operation: str) -> _Fault | None:
        faults = self._faults.get(operation)
        if not faults:
            return None
        fault = faults[0]
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                faults.pop(0)
        return fault
