"""Web services as values: classic services with their endpoints, new services and their plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, SecretStr

from alm.domain.frozen import Frozen

Document = Mapping[str, Any]
"""A definition (WSD) as Resource Manager writes it: it is versioned whole."""


class Resource(Frozen):
    """A trained model in an endpoint: its name and where its file is."""

    name: str
    location: str = ""


class Endpoint(Frozen):
    """One endpoint of a classic web service.

    address: its management URL, as a declaration names it. version: when its model was defined.
    prevent_update, sample_data, diagnostics (None, Error, All): settings that we read only.
    created: as Studio writes it, ISO 8601. experiment: the address of the run it came from.
    """

    name: str
    service: str
    description: str = ""
    address: str = ""
    api_location: str = ""
    help: str = ""
    key: SecretStr = SecretStr("")
    secondary_key: SecretStr = SecretStr("")
    created: str = ""
    version: str = ""
    throttle: str = "Low"
    concurrent_calls: int = 4
    diagnostics: str = "None"
    prevent_update: bool = False
    sample_data: bool = False
    resources: tuple[Resource, ...] = ()
    experiment: str = ""


class EndpointSettings(Frozen):
    """How an endpoint is made; concurrent_calls counts only with throttle High."""

    description: str = Field(default="", max_length=2000)
    throttle: Literal["Low", "High"] = "Low"
    concurrent_calls: int | None = Field(default=None, ge=1, le=200)


class ClassicWebService(Frozen):
    """A classic web service; its default endpoint follows it. created: ISO 8601."""

    id: str
    name: str
    description: str = ""
    created: str = ""
    default_endpoint: str = "default"
    endpoints: int = 0


class Plan(Frozen):
    """A commitment plan ("web service plan"); services on it live in its region."""

    id: str
    name: str
    region: str


class NewWebService(Frozen):
    """A Resource Manager web service as a list shows it. created: ISO 8601, where it is told."""

    id: str
    name: str
    region: str
    state: str = ""
    title: str = ""
    created: str = ""
    tags: dict[str, str] = {}
