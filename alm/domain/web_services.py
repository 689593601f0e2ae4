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
    """One endpoint of a classic web service. version: when its model was defined."""

    name: str
    service: str
    description: str = ""
    address: str = ""
    api_location: str = ""
    key: SecretStr = SecretStr("")
    version: str = ""
    throttle: str = "Low"
    concurrent_calls: int = 4
    resources: tuple[Resource, ...] = ()
    experiment: str = ""


class EndpointSettings(Frozen):
    """How an endpoint is made; concurrent_calls counts only with throttle High."""

    description: str = ""
    throttle: Literal["Low", "High"] = "Low"
    concurrent_calls: int | None = Field(default=None, ge=1, le=200)


class ClassicWebService(Frozen):
    """A classic web service; its default endpoint follows it."""

    id: str
    name: str
    description: str = ""
    default_endpoint: str = "default"
    endpoints: int = 0


class Plan(Frozen):
    """A commitment plan ("web service plan"); services on it live in its region."""

    id: str
    name: str
    region: str


class NewWebService(Frozen):
    """A Resource Manager web service as a list shows it."""

    id: str
    name: str
    region: str
    state: str = ""
    title: str = ""
