"""Faults on request: what a test asks Studio to do wrong, and to which calls.

A fault matches a method and a pattern of the path, lets the first `skip` calls pass, acts a number
of times, and does one of EFFECTS.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from devstack.studio.errors import bad_argument
from devstack.studio.names import new_id

SLOW, UNAVAILABLE, UNAUTHORIZED = "slow", "503", "401"
LOST_ANSWER, CHANGE_NOTHING = "lost_answer", "change_nothing"
FAIL_JOB, EXPIRE_SAS = "fail_job", "expire_sas"
EFFECTS = (SLOW, UNAVAILABLE, UNAUTHORIZED, LOST_ANSWER, CHANGE_NOTHING, FAIL_JOB, EXPIRE_SAS)


@dataclass
class Fault:
    """One fault; `times` None means always. `seconds` is for slow, `details` for fail_job."""

    effect: str
    method: str = ".*"
    path: str = ".*"
    seconds: float = 1.0
    times: int | None = None
    skip: int = 0
    details: str = "The job failed because a fault was asked for."
    id: str = field(default_factory=new_id)
    seen: int = 0
    skipped: int = 0
    removed: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    def matches(self, method: str, path: str) -> bool:
        """Whether this fault is for such a call and not used up."""
        left = self.times is None or self.seen < self.times
        return left and self.is_for(method, path)

    def is_for(self, method: str, path: str) -> bool:
        """Whether this fault is for such a call."""
        return bool(
            re.fullmatch(self.method, method, re.IGNORECASE)
            and re.search(self.path, path, re.IGNORECASE)
        )

    def document(self) -> dict[str, Any]:
        """As the admin path shows it."""
        return {
            "id": self.id,
            "match": {"method": self.method, "path": self.path},
            "effect": self.effect,
            "seconds": self.seconds,
            "times": self.times,
            "skip": self.skip,
            "details": self.details,
            "seen": self.seen,
        }


def parse_fault(document: dict[str, Any]) -> Fault:
    """Read a fault; raises BadArgument that names what is wrong."""
    match = document.get("match") or {}
    effect = str(document.get("effect"))
    if effect not in EFFECTS:
        raise bad_argument("BadParameterValue", f"effect must be one of {', '.join(EFFECTS)}.")
    try:
        fault = Fault(
            effect,
            method=str(match.get("method", ".*")),
            path=str(match.get("path", ".*")),
            seconds=float(document.get("seconds", 1.0)),
            times=None if document.get("times") is None else int(document["times"]),
            skip=int(document.get("skip", 0)),
        )
        re.compile(fault.path), re.compile(fault.method)
    except (ValueError, TypeError, AttributeError, re.error) as error:
        raise bad_argument("BadParameterValue", f"The fault cannot be read: {error}") from error
    if document.get("details") is not None:
        fault.details = str(document["details"])
    return fault


class Faults:
    """The faults that are set; safe to use from many threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Set a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults; calls that they slow down go on."""
        for fault in self.all():
            self.remove(fault.id)

    def remove(self, fault_id: str) -> bool:
        """Remove one fault; calls that it slows down go on. False if there is none."""
        with self._lock:
            found = [fault for fault in self._faults if fault.id == fault_id]
            self._faults = [fault for fault in self._faults if fault.id != fault_id]
        for fault in found:
            fault.removed.set()
        return bool(found)

    def all(self) -> list[Fault]:
        """The faults that are set, used up ones included."""
        with self._lock:
            return list(self._faults)

    def give_back(self, effect: str, method: str, path: str) -> None:
        """An effect had nothing to act on in a call: it was not used up by it."""
        with self._lock:
            for fault in self._faults:
                if fault.effect == effect and fault.seen and fault.is_for(method, path):
                    fault.seen -= 1

    def for_call(self, method: str, path: str) -> list[Fault]:
        """The faults that act on a call; each is counted."""
        with self._lock:
            matching = [fault for fault in self._faults if fault.matches(method, path)]
            found = [fault for fault in matching if fault.skipped >= fault.skip]
            for fault in matching:
                if fault in found:
                    fault.seen += 1
                else:
                    fault.skipped += 1
        return found
