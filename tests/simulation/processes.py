"""Handlers of the engine as processes that stand still before each operation on a port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import greenlet  # type: ignore[import-untyped]

from alm.domain.errors import AlmError


class Operation(NamedTuple):
    """What a process is about to do: one call of one port, which is one atomic step."""

    port: str
    name: str
    arguments: tuple[Any, ...]
    call: Callable[..., Any]
    options: dict[str, Any]

    def do(self) -> Any:
        return self.call(*self.arguments, **self.options)

    @property
    def title(self) -> str:
        return f"{self.port}.{self.name}"


class Observed:
    """A port whose operations stop the process that calls them until the scheduler goes on.

    pure: operations that change nothing and read only what never changes; they do not stop.
    """

    def __init__(self, name: str, port: object, pure: tuple[str, ...] = ()) -> None:
        self._name, self._port, self._pure = name, port, pure

    def __getattr__(self, operation: str) -> Any:
        call = getattr(self._port, operation)
        if operation not in self._pure:
            call = _stopping(self._name, operation, call)
        self.__dict__[operation] = call
        return call


def _stopping(port: str, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def stop(*arguments: Any, **options: Any) -> Any:
        scheduler = greenlet.getcurrent().parent
        assert scheduler is not None, f"{port}.{name} was called outside of a process"
        return scheduler.switch(Operation(port, name, arguments, call, options))

    return stop


class Process:
    """One handler at work. `operation` is what it does next; None once it has ended."""

    def __init__(self, title: str, work: Callable[[], None], deadline: float) -> None:
        self.title = title
        self.deadline = deadline
        self.zombie = False
        self.done = 0
        self.error: AlmError | None = None
        self.bug: Exception | None = None
        self.operation: Operation | None = None
        self._work = work
        self._greenlet = greenlet.greenlet(self._run)

    def start(self) -> None:
        self._after(self._greenlet.switch())

    def go_on(self, result: object) -> None:
        """Hand over what the operation returned, and run up to the next one."""
        self.done += 1
        self._after(self._greenlet.switch(result))

    def fail(self, error: AlmError) -> None:
        """Let the operation raise, and run up to the next one."""
        self.done += 1
        self._after(self._greenlet.throw(error))

    def kill(self) -> None:
        """The process is gone, in the middle of what it did."""
        self.operation = None
        if not self._greenlet.dead:
            self._greenlet.throw(greenlet.GreenletExit)

    def _after(self, operation: Any) -> None:
        self.operation = None if self._greenlet.dead else operation

    def _run(self) -> None:
        try:
            self._work()
        except AlmError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a bug of the engine must end as a finding
            self.bug = error
