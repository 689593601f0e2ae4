"""A declaration while it is read: what of it is known so far, and every mistake found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from alm.adapters.declaration_shape import Shaped
from alm.adapters.yaml_lines import Document
from alm.domain import patterns
from alm.domain.declaration_rules import findings
from alm.domain.declared import Declared
from alm.domain.errors import Misconfigured
from alm.domain.managed_model import ManagedModel
from alm.domain.mistakes import Mistake, Place
from alm.domain.patterns import Pattern

LANDING_ZONE_PREFIXES = ("datasets/", "trained-models/")


@dataclass
class Reading:
    """A declaration while it is read. sample: the managed model, of a family its first member."""

    document: Document
    value: dict[str, Any]
    sample: ManagedModel | None = None
    faulty: frozenset[str] = frozenset()
    declared: Declared | None = None
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def source(self) -> str:
        return f"{self.document.file}:{self.document.line(())}"

    def wrong(self, place: Place, what: str, remedy: str) -> None:
        self.mistakes.append(self.document.mistake(place, what, remedy))

    def pattern(self, key: str, text: str) -> Pattern | None:
        """Compile a pattern of names inside a landing zone; None if there is none, or a bad one."""
        if not text:
            return None
        if text.startswith(LANDING_ZONE_PREFIXES):
            container = text.split("/", 1)[0]
            what = f"begins with the container {container!r}"
            self.wrong((key,), what, f"leave `{container}/` out: names are those inside it")
            return None
        try:
            return patterns.compile(text)
        except Misconfigured as error:
            what, _, remedy = str(error).partition("; ")
            self.wrong((key,), what.removeprefix("pattern "), remedy)
            return None

    def judge(self, shaped: Shaped) -> None:
        """Take over what could be read, and ask the rules about it."""
        self.sample, self.faulty = shaped.model, shaped.faulty
        self.mistakes += shaped.mistakes
        for found in findings(shaped.model, shaped.faulty) if shaped.model else ():
            self.wrong(found.place, found.what, found.remedy)
