"""Declarations: the managed models and families that this app looks after.

Members of families are worked out when they are asked for, and only the latest few are kept: ten
thousand of them cost no more memory than ten.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import overload

from pydantic import ValidationError

from alm.adapters.declaration_files import read_folder
from alm.domain import patterns
from alm.domain.declared import Declared
from alm.domain.errors import Conflict, Misconfigured, NotFound, UnknownModel
from alm.domain.family import SEPARATOR, Family
from alm.domain.managed_model import ManagedModel
from alm.domain.messages import describe
from alm.domain.mistakes import Mistake, Mistaken
from alm.domain.nearest import shown, suggestion
from alm.ports import Blobs

CONTAINER = "alm-definitions"
RESOLVED_MAX = 256  # about 20 KB each
KEPT_MAX = 20_000  # digests known to be stored; a forgotten one costs one more write


class Resolved(Sequence[ManagedModel]):
    """Managed models by id, each worked out when it is reached and not kept."""

    def __init__(self, declarations: Declarations, ids: Iterable[str]) -> None:
        self.ids = tuple(ids)
        self._declarations = declarations

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> ManagedModel: ...
    @overload
    def __getitem__(self, index: slice) -> Resolved: ...
    def __getitem__(self, index: int | slice) -> ManagedModel | Resolved:
        if isinstance(index, slice):
            return Resolved(self._declarations, self.ids[index])
        return self._declarations.resolve(self.ids[index])

    def __iter__(self) -> Iterator[ManagedModel]:
        return map(self._declarations.resolve, self.ids)


class Declarations:
    """The port `ManagedModels`, and what triggers ask: which models is this event for?"""

    def __init__(self, declared: Iterable[Declared], blobs: Blobs | None) -> None:
        self._declared = {each.name: each for each in declared}
        self._blobs = blobs
        self._remembered: set[str] = set()
        self._stored: dict[tuple[str, str], None] = {}
        self._in_memory: dict[tuple[str, str], ManagedModel] = {}
        self._resolve = lru_cache(RESOLVED_MAX)(self._work_out)
        self._digest = lru_cache(RESOLVED_MAX)(lambda model: self.resolve(model).digest)
        self._fetch = lru_cache(RESOLVED_MAX)(self._read_back)

    @classmethod
    def read(cls, folder: Path, blobs: Blobs | None) -> Declarations:
        """Read the declarations of a folder. Without blobs, `keep` lasts as long as the process.

        Raises Misconfigured telling every mistake with its file, line and remedy.
        """
        return cls(read_folder(folder), blobs)

    def resolve(self, model: str) -> ManagedModel:
        """The managed model of that name. Raises UnknownModel, naming near ones."""
        return self._resolve(model)

    def at(self, model: str, digest: str) -> ManagedModel:
        """The declaration that a run began with. Raises Misconfigured if it is lost."""
        try:
            if self._digest(model) == digest:
                return self.resolve(model)
        except (UnknownModel, Misconfigured):
            pass  # no longer declared; the run goes on with what it began with
        return self._fetch(model, digest)

    def keep(self, model: ManagedModel) -> None:
        """Store a declaration under its digest, once, for the runs that begin with it."""
        name = (model.model, model.digest)
        if name in self._stored:
            return
        if self._blobs is None:
            self._in_memory[name] = model
        else:
            with suppress(Conflict):  # stored before: the digest says that it is the same
                content = model.model_dump_json().encode()
                self._blobs.put(_path(*name), content, if_absent=True)
        if len(self._stored) >= KEPT_MAX:
            self._stored.clear()
        self._stored[name] = None

    def models(self) -> list[str]:
        """Every id there is: plain models, members of lists and files, captured ones remembered."""
        return [model for name in self._declared for model in self.members(name)]

    def families(self) -> list[str]:
        return [each.name for each in self._declared.values() if isinstance(each, Family)]

    def members(self, family: str, known_ids: Iterable[str] = ()) -> list[str]:
        """The members of a family (a plain model is its own); by captures: those known.

        Raises UnknownModel.
        """
        return list(self._find(family).members(itertools.chain(tuple(self._remembered), known_ids)))

    def remember(self, model: str) -> None:
        """A ledger of this name was seen: a member by captures exists from now on."""
        declared = self._declared.get(model.partition(SEPARATOR)[0])
        if isinstance(declared, Family) and declared.rows is None and model != declared.name:
            self._remembered.add(model)

    def matching_dataset(self, name: str) -> Resolved:
        """The managed models that a dataset of this name (inside its container) is for.

        Raises Refused if it names a member whose id would be too long.
        """
        return self._all(each.for_dataset(name) for each in self._declared.values())

    def matching_model_file(self, name: str) -> Resolved:
        """The managed model that a model file of this name is for: one, or none.

        Raises Refused if it names a member whose id would be too long.
        """
        return self._all(each.for_model_file(name) for each in self._declared.values())

    def scheduled(self, since: datetime | None = None, until: datetime | None = None) -> Resolved:
        """The managed models with a cron line; given times, without those surely not due between.

        Of a family by captures, the remembered members.
        """
        return self._all(
            each.members(tuple(self._remembered))
            for each in self._declared.values()
            if since is None or until is None or each.may_be_due(since, until)
        )

    def nearest(self, name: str, container: str = "") -> str:
        """The pattern like a blob name that matched none (of that container, if named); or ""."""
        return patterns.nearest(name, self._patterns(container))

    def some_patterns(self, container: str, count: int) -> list[str]:
        """The first patterns of a container's blobs, by name."""
        return sorted({pattern.text for pattern in self._patterns(container)})[:count]

    def _patterns(self, container: str) -> list[patterns.Pattern]:
        found: list[patterns.Pattern] = []
        for each in self._declared.values():
            if each.dataset is not None and container != "trained-models":
                found.append(each.dataset)
            if container != "datasets":
                found.append(each.model_pattern)
        return found

    def check_members(self) -> None:
        """Work out every member there is, for `validate`. Raises Misconfigured telling them all."""
        wrong = []
        for model in self.models():
            try:
                self._work_out(model)
            except Misconfigured as error:
                wrong.append(self._mistake(model, str(error)))
        if wrong:
            raise Mistaken(wrong)

    def _mistake(self, model: str, text: str) -> Mistake:
        """What is wrong with a member, at the line of its family."""
        family = self._declared[model.partition(SEPARATOR)[0]]
        source = family.source if isinstance(family, Family) else f"{family.name}:1"
        file, _, line = source.rpartition(":")
        what, _, remedy = text.removeprefix(f"{source}: ").rpartition("; ")
        return Mistake(file, int(line), (), what, remedy)

    def _all(self, ids: Iterable[Iterator[str]]) -> Resolved:
        return Resolved(self, itertools.chain.from_iterable(ids))

    def _work_out(self, model: str) -> ManagedModel:
        family, separator, _ = model.partition(SEPARATOR)
        declared = self._find(family if separator else model)
        if isinstance(declared, Family) and not separator:
            raise UnknownModel(
                f"{shown(model)} is a family; name a member ({model}{SEPARATOR}…), or send the "
                f"request to `family: {model}`"
            )
        if separator and not isinstance(declared, Family):
            raise UnknownModel(f"{shown(family)} is one managed model and has no members")
        return declared.resolve(model)

    def _find(self, name: str) -> Declared:
        declared = self._declared.get(name)
        if declared is None:
            raise UnknownModel(
                f"no managed model or family is named {shown(name)}; "
                f"{suggestion(name, self._declared)}"
            )
        return declared

    def _read_back(self, model: str, digest: str) -> ManagedModel:
        if (model, digest) in self._in_memory:
            return self._in_memory[model, digest]
        lost = f"the declaration {digest} that a run of {model!r} began with"
        remedy = "cancel the run and start it again with the declaration as it is now"
        if self._blobs is None:
            raise Misconfigured(f"{lost} is not stored; {remedy}")
        try:
            content = self._blobs.get(_path(model, digest))
            if hashlib.sha256(content).hexdigest()[: len(digest)] != digest:
                raise Misconfigured(f"{lost} was changed where it is stored; {remedy}")
            return ManagedModel.model_validate_json(content)
        except NotFound as error:
            raise Misconfigured(f"{lost} is not in {CONTAINER}; {remedy}") from error
        except ValidationError as error:
            what = f"{lost} was written by another version of the app ({describe(error)})"
            raise Misconfigured(f"{what}; {remedy}") from error


def _path(model: str, digest: str) -> str:
    return f"{CONTAINER}/{model}/{digest}.json"
