"""What declarations name: managed models, secrets, services. Pure, but for reading them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alm.domain.managed_model import ArmWebService, ManagedModel
from alm.entrypoints.cli.doctor.surroundings import Surroundings

_VARIABLE = re.compile(r"\benv:([A-Za-z_]\w*)")
_SECRET = re.compile(r"(env:|keyvault:)\S+")


def models(around: Surroundings) -> list[ManagedModel]:
    """The managed models that are asked for, or all. Raises UnknownModel, Misconfigured."""
    declared = around.known
    ids = declared.models()
    if around.asked.models:
        ids = [one for name in around.asked.models for one in _meant(around, name)]
    return [declared.resolve(model) for model in ids]


def _meant(around: Surroundings, name: str) -> list[str]:
    """A managed model, or the members of a family; a member may be named as well."""
    if name in around.known.families():
        return around.known.members(name)
    return [around.known.resolve(name).model]


def without_members(around: Surroundings) -> list[str]:
    """Families by captures that have no member yet, unless others are asked for."""
    declared, asked = around.known, around.asked.models
    listed = [name for name in declared.families() if not asked or name in asked]
    return [name for name in listed if not declared.members(name)]


def secrets(around: Surroundings) -> dict[str, list[str]]:
    """The names of secrets, each with who names it."""
    found: dict[str, list[str]] = {}
    for model in models(around):
        for name in texts(model.model_dump(mode="json")):
            if _SECRET.fullmatch(name):
                found.setdefault(name, []).append(model.model)
    for name in texts(around.given.model_dump(mode="json") if around.given else {}):
        if _SECRET.fullmatch(name):
            found.setdefault(name, []).append("the settings")
    return found


def variables(folder: Path, given: Mapping[str, str]) -> set[str]:
    """The environment variables that declarations and settings name as secrets.

    They are looked for in the text: a family without members, or a file with mistakes, names its
    secrets all the same.
    """
    files = [path for path in folder.glob("*") if path.suffix in (".yaml", ".csv")]
    listed = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    return {name for text in (*listed, *given.values()) for name in _VARIABLE.findall(text)}


def services(model: ManagedModel) -> Iterator[object]:
    """The services of a managed model; those of its experiment as far as they are named."""
    yield from (target.service for target in model.targets)
    yield from (one.service for one in (model.staging, model.training) if one is not None)
    if model.experiment is not None and model.experiment.service.kind == "new":
        resource = model.experiment.service.resource or ""
        yield ArmWebService(kind="new", resource=resource)


def texts(value: Any) -> Iterator[str]:
    """Every text in a document, names of fields apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
