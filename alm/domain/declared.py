"""A declaration of one managed model, and what any declaration can be asked.

`family.py` has the other kind, one declaration for many managed models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alm.domain import cron
from alm.domain.managed_model import ManagedModel, Schedules
from alm.domain.patterns import Pattern


class Declared(Protocol):
    """What one declaration says, for one managed model or for many."""

    @property
    def name(self) -> str: ...

    @property
    def dataset(self) -> Pattern | None: ...

    @property
    def model_pattern(self) -> Pattern: ...

    def resolve(self, model: str) -> ManagedModel:
        """The managed model of that id. Raises UnknownModel."""
        ...

    def members(self, known: Iterable[str]) -> Iterator[str]:
        """The ids it stands for; of members by captures, those of `known` that are its own."""
        ...

    def for_dataset(self, name: str) -> Iterator[str]:
        """The ids that a dataset of this name is for."""
        ...

    def for_model_file(self, name: str) -> Iterator[str]:
        """The ids that a model file of this name is for."""
        ...

    def may_be_due(self, since: datetime, until: datetime) -> bool:
        """Whether a cron line of some member was due; cheap, and never wrongly no."""
        ...


@dataclass(frozen=True)
class Single:
    """A declaration of one managed model."""

    model: ManagedModel
    dataset: Pattern | None
    model_pattern: Pattern

    @property
    def name(self) -> str:
        return self.model.model

    def resolve(self, model: str) -> ManagedModel:
        assert model == self.name, model
        return self.model

    def members(self, known: Iterable[str]) -> Iterator[str]:
        return iter((self.name,))

    def for_dataset(self, name: str) -> Iterator[str]:
        if self.dataset is not None and self.dataset.match(name) is not None:
            yield self.name

    def for_model_file(self, name: str) -> Iterator[str]:
        if self.model_pattern.match(name) is not None:
            yield self.name

    def may_be_due(self, since: datetime, until: datetime) -> bool:
        return due_by(self.model.schedules, since, until)


def due_by(schedules: Schedules, since: datetime, until: datetime) -> bool:
    lines = (schedules.retrain, schedules.verify)
    return any(line and cron.due(line, since, until) for line in lines)
