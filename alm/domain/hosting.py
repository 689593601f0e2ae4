"""Hosting: where a new web service lives, as far as that must be declared."""

from __future__ import annotations

from pydantic import Field

from alm.domain.frozen import Frozen
from alm.domain.names import PlanId, SecretName


class Hosting(Frozen):
    """What a new web service needs that cannot be read from the one it is made from.

    Resource Manager returns neither the plan nor the storage key of a service. region and
    storage_account: those of the service that it is made from, unless declared.
    """

    region: str = Field(default="", pattern=r"^[A-Za-z0-9 ]{0,40}$")
    plan: PlanId
    storage_account: str = Field(default="", pattern=r"^([a-z0-9]{3,24})?$")
    storage_key: SecretName
