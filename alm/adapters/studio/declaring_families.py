"""What `alm init --family` writes: one managed model as a template, and who its members are. Pure.

The template is made from one member that exists. Whatever a service said is data: its braces are
written twice, so that only what a person wrote as a placeholder is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from alm.adapters.studio.declaring import Known, document_of, text_of
from alm.domain.family import PLACEHOLDER

Kind = Literal["captures", "list", "file"]


@dataclass(frozen=True)
class Membership:
    """Who belongs to a family. columns: captures or columns that make a member's id.

    sample: the values of the member that exists. names: of a list, each member's value.
    """

    kind: Kind
    columns: tuple[str, ...]
    sample: Mapping[str, str]
    names: tuple[str, ...] = ()
    file: str = ""

    @property
    def section(self) -> Any:
        """The section `members` of a declaration."""
        if self.kind == "captures":
            return "captures"
        if self.kind == "file":
            return {"file": self.file, "key": list(self.columns)}
        if len(self.columns) == 1 and self.columns[0] == "member":
            return {"list": list(self.names)}
        return {"list": [{self.columns[0]: name} for name in self.names]}


@dataclass(frozen=True)
class Templates:
    """Addresses with placeholders: of each target, and of the training service ("" : as it is)."""

    targets: tuple[str, ...]
    training: str = ""


def family(
    name: str,
    members: Membership,
    known: Known,
    templates: Templates,
    more: Mapping[str, Any] | None = None,
) -> str:
    """The YAML text of a family. more: sections that a person gave, placeholders and all."""
    single = _plain(document_of(name, known))
    del single["model"]
    document = {"family": name, "members": members.section}
    key = "/".join(f"{{{column}}}" for column in members.columns)
    if "dataset" in single:
        single["dataset"] = f"{name}/{key}/*.csv"
    document |= single
    for place, target in enumerate(document["targets"], start=1):
        many = len(document["targets"]) > 1
        target["name"] = "-".join([f"{{{members.columns[0]}}}", *([str(place)] if many else [])])
        _address(target["service"], templates.targets[place - 1])
    if templates.training and "training" in document:
        _address(document["training"]["service"], templates.training)
    for test in document["smoke_tests"]:
        test["rows"] = [_with_placeholders(row, members.sample) for row in test["rows"]]
    told = ", ".join(f"{column} {value}" for column, value in members.sample.items())
    return text_of({**document, **(more or {})}, f"the member with {told or 'the same services'}")


def placeholders(texts: Sequence[str]) -> tuple[str, ...]:
    """The names of the placeholders in templates, in their order."""
    found = (match.group(1) for text in texts for match in PLACEHOLDER.finditer(text))
    return tuple(dict.fromkeys(name for name in found if name))


def _address(service: dict[str, Any], template: str) -> None:
    service["endpoint" if service["kind"] == "classic" else "resource"] = template


def _with_placeholders(row: Mapping[str, Any], sample: Mapping[str, str]) -> dict[str, Any]:
    """A row whose cells that say which member it is stand for each member's own."""
    return {
        name: f"{{{name}}}" if name in sample and str(cell) == sample[name] else cell
        for name, cell in row.items()
    }


def _plain(value: Any) -> Any:
    """A copy with braces that are none of a placeholder."""
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
