"""What the doctor found: one fact each, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from alm.domain.errors import AlmError

State = Literal["ok", "warning", "failed", "skipped"]
STATES: tuple[State, ...] = ("failed", "warning", "skipped", "ok")


@dataclass(frozen=True)
class Finding:
    """One fact. check: the check that found it; about: what it is about. No secret is in it."""

    check: str
    about: str
    state: State
    seen: str
    remedy: str = ""

    def __post_init__(self) -> None:
        assert self.remedy or self.state == "ok", f"{self} says nothing to do"


@dataclass(frozen=True)
class Notes:
    """Makes the findings of one check."""

    check: str

    def ok(self, about: str, seen: str) -> Finding:
        return Finding(self.check, about, "ok", seen)

    def warning(self, about: str, seen: str, remedy: str) -> Finding:
        return Finding(self.check, about, "warning", seen, remedy)

    def failed(self, about: str, seen: str, remedy: str) -> Finding:
        return Finding(self.check, about, "failed", seen, remedy)

    def skipped(self, about: str, seen: str, remedy: str) -> Finding:
        return Finding(self.check, about, "skipped", seen, remedy)

    def error(self, about: str, error: AlmError, remedy: str = "") -> Finding:
        """An error, whose message ends with what to do."""
        seen, separator, advice = str(error).rpartition("; ")
        if not separator:
            seen, advice = advice, "look at it, then repeat the check"
        return self.failed(about, seen, remedy or advice)


def is_well(findings: Iterable[Finding], *, strict: bool = False) -> bool:
    """Whether nothing failed; strict: nor was there a warning."""
    bad = ("failed", "warning") if strict else ("failed",)
    return not any(finding.state in bad for finding in findings)


def report(findings: Sequence[Finding], *, strict: bool = False) -> dict[str, Any]:
    """All findings, for machines."""
    states = [finding.state for finding in findings]
    return {
        "well": is_well(findings, strict=strict),
        "counts": {state: states.count(state) for state in STATES},
        "findings": [asdict(finding) for finding in findings],
    }
