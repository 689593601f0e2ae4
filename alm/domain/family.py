"""A family: one declaration for many managed models.

Members come from captures (a member exists after its first blob), from a list, or from a file with
one row per member. A member's id is `{family}--{slug}`, and the id alone says which member it is.
`{name}` in any text of the declaration stands for a capture or column of that name, `{model}` for
the member's id and `{family}` for the family; `{{` and `}}` are plain braces. `{version}` in a
`name_template` stays as it is.

Values are data: one pass fills them in, and each is made of `A-Z a-z 0-9 . _ -`, a letter or digit
first, at most 64 characters; so none can be a path, a URL or another placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from alm.domain import patterns
from alm.domain.declared import due_by
from alm.domain.errors import Misconfigured, Refused, UnknownModel
from alm.domain.managed_model import ManagedModel, Schedules
from alm.domain.messages import describe
from alm.domain.nearest import shown, suggestion
from alm.domain.patterns import CAPTURED, MODEL_CAPTURE, MODEL_LENGTH_MAX, Pattern

SEPARATOR = "--"
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_LATER = {"name_template": re.compile(r"(?<!\{)\{version\}(?!\})")}
"""Fields with a placeholder that gets its value only when a version is deployed."""

Path = tuple[str | int, ...]
Values = Mapping[str, str]


@dataclass(frozen=True)
class Rows:
    """The members of a list or file: their columns, and per slug the values."""

    columns: tuple[str, ...]
    by_slug: Mapping[str, tuple[str, ...]]

    def values(self, slug: str) -> dict[str, str] | None:
        row = self.by_slug.get(slug)
        return None if row is None else dict(zip(self.columns, row, strict=True))


@dataclass(frozen=True)
class Family:
    """One declaration for many managed models.

    template: the declaration with its placeholders. key: captures or columns that make the slug.
    rows: None where members come from captures. source: file and line, for messages.
    """

    name: str
    template: Mapping[str, object]
    key: tuple[str, ...]
    dataset: Pattern | None
    model_pattern: Pattern
    rows: Rows | None
    source: str

    def member_id(self, values: Values) -> str:
        """The id of the member with these values. Raises Refused if it would be too long."""
        model = self._id(values)
        if len(model) > MODEL_LENGTH_MAX:
            raise Refused(
                f"the member {shown(model)} of family {self.name!r} has an id of {len(model)} "
                f"characters, {MODEL_LENGTH_MAX} are allowed; shorten {', '.join(self.key)}"
            )
        return model

    def values_of(self, model: str) -> dict[str, str]:
        """The captures or columns of a member. Raises UnknownModel."""
        family, _, slug = model.partition(SEPARATOR)
        assert family == self.name, model
        if self.rows is None:
            try:
                values: dict[str, str] | None = patterns.unslug(slug, self.key)
            except Refused as error:
                raise UnknownModel(
                    f"family {self.name!r} has no member like that: {error}"
                ) from error
        else:
            values = self.rows.values(slug)
        if values is None or any(patterns.too_long(*item) for item in values.items()):
            slugs = self.rows.by_slug if self.rows else ()
            raise UnknownModel(
                f"family {self.name!r} has no member {shown(slug)}; {suggestion(slug, slugs)}"
            )
        return values

    def resolve(self, model: str) -> ManagedModel:
        """The complete managed model of a member. Raises UnknownModel, Misconfigured."""
        filled = fill(self.template, self._all_values(model))
        assert isinstance(filled, dict)
        try:
            return ManagedModel.model_validate({**filled, "model": model, "family": self.name})
        except ValidationError as error:
            raise Misconfigured(
                f"{self.source}: member {model!r} of family {self.name!r}: {describe(error)}; "
                "correct the declaration or the member's row"
            ) from error

    def members(self, known: Iterable[str]) -> Iterator[str]:
        begin = self.name + SEPARATOR
        if self.rows is not None:
            return (begin + slug for slug in self.rows.by_slug)
        own = {model for model in known if model.startswith(begin) and self._is_member(model)}
        return iter(sorted(own))

    def for_dataset(self, name: str) -> Iterator[str]:
        """The ids that a dataset of this name is for. Raises Refused for too long an id."""
        captured = self.dataset.match(name) if self.dataset else None
        return iter(()) if captured is None else self._agreeing(captured)

    def for_model_file(self, name: str) -> Iterator[str]:
        """The ids that a model file of this name is for. Raises Refused for too long an id."""
        captured = self.model_pattern.match(name)
        if captured is None:
            return iter(())
        model = captured.pop(MODEL_CAPTURE, None)
        return self._agreeing(captured) if model is None else self._named(model, captured)

    def may_be_due(self, since: datetime, until: datetime) -> bool:
        declared = self.template.get("schedules", {})
        assert isinstance(declared, dict)
        if any("{" in str(line) for line in declared.values()):
            return True
        return due_by(Schedules.model_validate(declared), since, until)

    def _is_member(self, model: str) -> bool:
        try:
            return bool(self.values_of(model))
        except UnknownModel:
            return False

    def _all_values(self, model: str) -> dict[str, str]:
        return {**self.values_of(model), MODEL_CAPTURE: model, "family": self.name}

    def _id(self, values: Values) -> str:
        slug = patterns.slug({name: values[name] for name in self.key})
        return f"{self.name}{SEPARATOR}{slug}"

    def _agreeing(self, captured: Values) -> Iterator[str]:
        """Members whose values are the captured ones; one look-up where these name one member."""
        if self.rows is None:
            return iter((self.member_id(captured),))
        if set(self.key) <= set(captured):
            return self._named(self._id(captured), captured)
        return self._filtered(self.rows, captured)

    def _named(self, model: str, captured: Values) -> Iterator[str]:
        if not model.startswith(self.name + SEPARATOR):
            return
        if not self._is_member(model):
            return
        values = self.values_of(model)
        if all(values[name] == value for name, value in captured.items()):
            yield model

    def _filtered(self, rows: Rows, captured: Values) -> Iterator[str]:
        wanted = [(rows.columns.index(name), value) for name, value in captured.items()]
        for slug, row in rows.by_slug.items():
            if all(row[index] == value for index, value in wanted):
                yield f"{self.name}{SEPARATOR}{slug}"


def fill(value: object, values: Values) -> object:
    """A copy of a declaration with every placeholder filled in.

    Raises Misconfigured for a placeholder without value, or a value outside the alphabet.
    """
    if isinstance(value, str):
        return _filled(value, values) if "{" in value or "}" in value else value
    if isinstance(value, dict):
        return {key: fill(_kept(key, item), values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    return value


def placeholders(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each placeholder of a declaration with its place; a lone brace is one named `{` or `}`."""
    if isinstance(value, str):
        for found in PLACEHOLDER.finditer(value):
            if found.group() not in ("{{", "}}"):
                yield path, found.group(1) if found.group(1) is not None else found.group()
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from placeholders(_kept(key, item), (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from placeholders(item, (*path, index))


def _kept(key: str, item: object) -> object:
    """A field of a declaration; what gets its value later is written as plain braces."""
    if key in _LATER and isinstance(item, str):
        return _LATER[key].sub(lambda found: f"{{{found.group()}}}", item)
    return item


def value_fault(name: str, value: str) -> str:
    """Why a value cannot stand for a placeholder; "" if it can."""
    if not CAPTURED.fullmatch(value) or patterns.too_long(name, value):
        return (
            f"{name} is {shown(value)}; a value is made of letters, digits, . _ -, "
            "a letter or digit first, at most 64"
        )
    return ""


def _filled(text: str, values: Values) -> str:
    def one(found: re.Match[str]) -> str:
        if found.group() in ("{{", "}}"):
            return found.group()[0]
        name = found.group(1)
        if name not in values:
            raise Misconfigured(
                f"{shown(text)} has {found.group()}; {suggestion(name or '', values)}"
            )
        wrong = value_fault(name, values[name])
        if wrong:
            raise Misconfigured(f"{shown(text)} cannot be filled in: {wrong}")
        return values[name]

    return PLACEHOLDER.sub(one, text)
