"""The shape of a declaration: each field of `ManagedModel`, each mistake at its line.

Values are never repeated in a message unless the field only takes known words or numbers: what was
written in the wrong place may be a secret.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from alm.adapters.yaml_lines import Document
from alm.domain import managed_model
from alm.domain.managed_model import ManagedModel
from alm.domain.mistakes import Mistake, Place
from alm.domain.nearest import nearest, shown, suggestion

STAND_INS: dict[str, object] = {
    "model": "unnamed",
    "targets": [
        {
            "name": "unnamed",
            "trained_model": "unnamed",
            "service": {
                "kind": "classic",
                "endpoint": "https://unnamed/workspaces/x/webservices/y/endpoints/z",
            },
        }
    ],
}
"""What takes the place of a faulty section that must be there, while the others are checked."""

FORMS: tuple[tuple[object, str], ...] = (
    (managed_model.ModelId, "small letters, digits, . _ -, at most 90, a letter or digit first"),
    (managed_model.Name, "letters, digits, . _ -, at most 64, a letter or digit first"),
    (
        managed_model.SecretName,
        "the name of a secret, `env:NAME` or `keyvault:vault/name`, never the secret itself",
    ),
    (managed_model.BlobPath, "`container/name` without ? # or \\"),
    (
        managed_model.ArmId,
        "`/subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearning/webServices/…`",
    ),
    (
        managed_model.PlanId,
        "`/subscriptions/…/resourceGroups/…/providers/Microsoft.MachineLearning/commitmentPlans/…`",
    ),
    (managed_model.Url, "`https://host/path` without query or fragment"),
)

REMEDIES: dict[str, str] = {
    "string_type": "write text",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "dict_type": "write its fields below it, indented",
    "model_type": "write its fields below it, indented",
    "model_attributes_type": "write its fields below it, indented",
    "tuple_type": "write a list: one `- …` per item",
}
"""What to write where the value has the wrong type, by pydantic's name for the error."""


@dataclass(frozen=True)
class Shaped:
    """A declaration as far as it could be read. faulty: top-level fields that are not to be
    trusted: what other rules would say of them is only noise."""

    model: ManagedModel | None
    mistakes: tuple[Mistake, ...]
    faulty: frozenset[str]


def shape(document: Document, value: dict[str, Any]) -> Shaped:
    """Read a declaration; whatever is wrong is reported, and the rest is read all the same."""
    value = with_texts(document, value, texts_wanted(document, value))
    errors = _errors(value)
    mistakes = tuple(dict.fromkeys(_mistakes(document, value, errors)))
    for item in errors:
        value.pop(_section(item), None)
        value.pop(str(item["loc"][0]), None)
    faulty = frozenset(_section(item) for item in errors)
    rest = {**{name: STAND_INS[name] for name in faulty & set(STAND_INS)}, **value}
    model = None if _errors(rest) else ManagedModel.model_validate(rest)
    return Shaped(model, mistakes, faulty)


def texts_wanted(document: Document, value: dict[str, Any]) -> tuple[Place, ...]:
    """Where a field wants text and the file has a number, true or false: `positive: 1`."""
    return tuple(
        place
        for item in _errors(value)
        if item["type"] == "string_type" and item["input"] is not None
        for place in [_place(value, item)]
        if place in document.texts
    )


def with_texts(
    document: Document, value: dict[str, Any], places: Iterable[Place]
) -> dict[str, Any]:
    """A copy with the text that was written at these places."""
    value = copy.deepcopy(value)
    for place in places:
        _at(value, place[:-1])[place[-1]] = document.texts[place]
    return value


def _errors(value: dict[str, Any]) -> list[ErrorDetails]:
    try:
        ManagedModel.model_validate(value)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _at(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value


def _place(value: dict[str, Any], item: ErrorDetails) -> Place:
    """Where an error is in the file: its location without the names of union members."""
    place: list[str | int] = []
    inside: Any = value
    for part in item["loc"]:
        known = isinstance(inside, dict) and part in inside
        if known or (isinstance(inside, list) and isinstance(part, int) and part < len(inside)):
            place.append(part)
            inside = inside[part]
    if item["type"] == "missing":
        place.append(item["loc"][-1])
    return tuple(place)


def _section(item: ErrorDetails) -> str:
    """The top-level field that an error makes doubtful; of an unknown one, the one it resembles."""
    name = str(item["loc"][0]) if item["loc"] else ""
    known = ManagedModel.model_fields
    return name if name in known else nearest(name, known) or name


def _mistakes(
    document: Document, value: dict[str, Any], errors: list[ErrorDetails]
) -> Iterator[Mistake]:
    """One mistake per error; where no member of a union fits, one for all its errors."""
    places = [_place(value, item) for item in errors]
    for place, item in zip(places, errors, strict=True):
        if item["type"] == "too_short" and _at(value, place):
            continue  # pydantic counts only the items that are right
        what, remedy = _told(item, place)
        if places.count(place) > 1 and item["type"] in REMEDIES:
            what, remedy = (
                "is of no kind that is accepted here",
                "write text, a number or true/false",
            )
        yield document.mistake(place, what, remedy)


def _told(item: ErrorDetails, place: Place) -> tuple[str, str]:
    context = item.get("ctx", {})
    match item["type"]:
        case "missing":
            return "is missing", f"add `{place[-1]}`"
        case "extra_forbidden":
            return "is no known field", suggestion(str(place[-1]), _fields(item["loc"]))
        case "union_tag_not_found":
            kinds = [kind for model in _models_at(item["loc"]) for kind in _kinds(model)]
            return "does not say its kind", f"add `kind`: one of {', '.join(kinds)}"
        case "union_tag_invalid":
            words = re.findall(r"'([^']+)'", str(context["expected_tags"]))
            return f"has the kind {shown(str(context['tag']))}", suggestion(
                str(context["tag"]), words
            )
        case "literal_error":
            words = re.findall(r"'([^']+)'", str(context["expected"]))
            return f"is {shown(str(item['input']))}", _choose(item["input"], words)
        case "string_pattern_mismatch":
            return "has not the right form", f"write {_form(str(context['pattern']))}"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return f"is {item['input']}, out of range", item["msg"].replace("Input", "it")
        case "too_short" if context.get("field_type") == "Tuple":
            return "is empty", "declare at least one"
        case kind if kind in REMEDIES:
            return "is of the wrong kind", REMEDIES[kind]
        case _:
            return f"cannot be read: {item['msg'][:1].lower()}{item['msg'][1:]}", "correct it"


def _choose(seen: object, words: list[str]) -> str:
    near = nearest(str(seen), words)
    return f"did you mean {near!r}?" if near else f"write one of {', '.join(words)}"


def _form(pattern: str) -> str:
    """What a pattern of `managed_model` stands for, in words."""
    return next(
        (words for annotation, words in FORMS if _pattern_of(annotation) == pattern),
        f"text of the form {pattern}",
    )


def _pattern_of(annotation: object) -> str:
    return str(get_args(annotation)[1].pattern)


def _fields(location: tuple[int | str, ...]) -> list[str]:
    """The fields there are where an unknown one was found."""
    return sorted({name for model in _models_at(location[:-1]) for name in model.model_fields})


def _models_at(location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The classes that a value at this location may have."""
    models: list[type[BaseModel]] = [ManagedModel]
    for part in location:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        if fields:
            models = [inner for info in fields for inner in _models_in(info.annotation)]
        elif isinstance(part, str):
            models = [model for model in models if part in _kinds(model)] or models
    return models


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _kinds(model: type[BaseModel]) -> Iterable[str]:
    info = model.model_fields.get("kind")
    return get_args(info.annotation) if info and get_origin(info.annotation) is Literal else ()
