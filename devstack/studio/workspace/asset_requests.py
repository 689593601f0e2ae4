"""What callers send to make an asset: a wrapper such as `DataSource`, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devstack.studio.errors import bad_argument
from devstack.studio.names import HEX_ID

# Not known from Studio; long enough for any name that is shown in a list.
NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX = 260, 4_000


@dataclass(frozen=True)
class AssetRequest:
    """What the wrapper says."""

    name: str
    data_type: str
    description: str
    owner: str
    family: str | None


@dataclass(frozen=True)
class OutputName:
    """The output of an experiment that is to be promoted."""

    experiment: str
    node: str
    port: str


def read_asset(document: Mapping[str, Any], wrapper: str) -> AssetRequest:
    """Read the wrapper; raises BadArgument that names what is wrong."""
    body = document.get(wrapper)
    if not isinstance(body, Mapping):
        raise bad_argument("MissingRequestInput", f"{wrapper} must be an object.", wrapper)
    name = _text(body, "Name", NAME_CHARACTERS_MAX).strip()
    if not name:
        raise bad_argument("BadParameterValue", "Name must not be empty.", "Name")
    family = _text(body, "FamilyId", NAME_CHARACTERS_MAX).lower()
    if family and not HEX_ID.fullmatch(family):
        message = f"FamilyId must be 32 hexadecimal digits or empty, not {family[:64]!r}."
        raise bad_argument("BadParameterValue", message, "FamilyId")
    return AssetRequest(
        name=name,
        data_type=_text(body, "DataTypeId", NAME_CHARACTERS_MAX),
        description=_text(body, "Description", TEXT_CHARACTERS_MAX),
        owner=_text(body, "Owner", NAME_CHARACTERS_MAX),
        family=family or None,
    )


def read_output(document: Mapping[str, Any]) -> OutputName:
    """Read which output is to be promoted; raises BadArgument."""
    names = [_text(document, key, NAME_CHARACTERS_MAX) for key in _OUTPUT_KEYS]
    for key, name in zip(_OUTPUT_KEYS, names, strict=True):
        if not name:
            raise bad_argument("MissingRequestInput", f"{key} is missing.", key)
    return OutputName(*names)


def text_of(document: Mapping[str, Any], name: str) -> str:
    """A text of the request, "" when it is not given; raises BadArgument."""
    return _text(document, name, NAME_CHARACTERS_MAX)


_OUTPUT_KEYS = ("ExperimentId", "ModuleNodeId", "OutputName")


def _text(document: Mapping[str, Any], name: str, characters_max: int) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > characters_max or not _is_unicode(value):
        message = f"{name} must be text of at most {characters_max} characters."
        raise bad_argument("BadParameterValue", message, name)
    return value


def _is_unicode(text: str) -> bool:
    """Whether it can be stored: JSON may hold halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
