"""One child process of the stack: started, awaited, watched, ended.

Whatever it writes goes to its log. A part that speaks JSON says in its first line of output that it
is ready; of others somebody asks from outside.
"""

import collections
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from devstack import lifeline

_PROBE_SECONDS = 0.02
_TAIL_LINES = 25


class PartFailed(Exception):
    """A part did not become ready; says why and shows the end of its log."""


@dataclass(frozen=True)
class PartPlan:
    """What to run. `probe` tells whether it is ready; without one the first line of output does."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    directory: Path
    probe: Callable[[], bool] | None = None


class Part:
    """One start of one part."""

    def __init__(self, plan: PartPlan, on_death: Callable[[str, int], None]) -> None:
        self._plan = plan
        self._on_death = on_death
        self._facts: dict[str, Any] | None = {} if plan.probe is not None else None
        self._spoke = threading.Event()
        self._ending = False
        self._lifeline = lifeline.Lifeline()
        self._process = self._spawn()
        self._ready = False
        self._threads = [threading.Thread(target=self._watch, daemon=True)]
        if self._process.stdout is not None:
            listener = threading.Thread(
                target=self._listen, args=(self._process.stdout,), daemon=True
            )
            self._threads.append(listener)
        for thread in self._threads:
            thread.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        plan = self._plan
        with self._lifeline.reading_end() as end, plan.log.open("ab") as log:
            return subprocess.Popen(
                plan.command,
                cwd=plan.directory,
                env={**plan.environment, lifeline.VARIABLE: str(end)},
                pass_fds=(end,),
                stdin=subprocess.DEVNULL,
                stdout=log if plan.probe is not None else subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C goes to the supervisor alone
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def _watch(self) -> None:
        code = self._process.wait()
        self._lifeline.close()
        if self._ready and not self._ending:
            self._on_death(self._plan.name, code)

    def _listen(self, output: IO[bytes]) -> None:
        with output, self._plan.log.open("ab") as log:
            for line in output:
                if self._facts is None and line.startswith(b"{"):
                    self._facts = json.loads(line)
                    self._spoke.set()
                else:
                    log.write(line)
                    log.flush()

    def wait_ready(self, deadline: float) -> dict[str, Any]:
        """Wait until it is ready and return what it said. `deadline` is of time.monotonic().

        Raises PartFailed if it ends before, or is not ready in time; then it is ended.
        """
        while not self._is_ready():
            if not self.alive:
                raise self._failure(f"ended with code {self._process.returncode} before it was")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failure("was not in time")
            self._spoke.wait(_PROBE_SECONDS)
        self._ready = True
        assert self._facts is not None
        return self._facts

    def _is_ready(self) -> bool:
        return self._plan.probe() if self._plan.probe is not None else self._facts is not None

    def _failure(self, why: str) -> PartFailed:
        for thread in self._threads:
            thread.join(1.0)
        return PartFailed(f"{self._plan.name} {why} ready; {self.log_tail()}")

    def log_tail(self) -> str:
        """Return the end of its log, with its place."""
        with self._plan.log.open(encoding="utf-8", errors="replace") as log:
            lines = "".join(collections.deque(log, maxlen=_TAIL_LINES))
        return f"the end of {self._plan.log}:\n{lines}"

    def end(self) -> None:
        """Ask it to end, without waiting."""
        self._ending = True
        if self.alive:
            self._process.terminate()

    def join(self, seconds: float) -> None:
        """Wait for its end; after `seconds` it is killed."""
        self._ending = True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(1.0)

    def kill(self) -> None:
        """Kill it and wait for its end."""
        self._ending = True
        if self.alive:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
