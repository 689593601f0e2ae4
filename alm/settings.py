"""Settings: everything the app reads from its environment, checked together before anything starts.

Each field's `alias` is the name of the environment variable. Secrets that declarations name
(`env:…`) are looked up by name when they are needed, and are not listed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from alm.domain.errors import Misconfigured
from alm.domain.frozen import Frozen
from alm.domain.names import REFERENCE_PATTERN
from alm.domain.source_control import Repository

ROLES = ("reader", "operator", "approver")
OWN_QUEUES = ("alm-steps", "alm-requests", "alm-events")
DIGEST = re.compile(r"[0-9a-f]{64}")
IN_AZURE = ("WEBSITE_INSTANCE_ID", "IDENTITY_ENDPOINT")  # set by the platform, never by hand


class Settings(Frozen):
    """The app's configuration.

    local: this is the local stack (ALM_LOCAL=1): connection strings, plain http to this machine and
    bearer tokens from the environment are allowed; in Azure they are refused.
    """

    local: bool = Field(default=False, alias="ALM_LOCAL")
    storage: SecretStr = Field(default=SecretStr(""), alias="ALM_STORAGE")
    storage_uri: str = Field(default="", alias="ALM_STORAGE__blobServiceUri")
    service_bus: SecretStr = Field(default=SecretStr(""), alias="ALM_SERVICEBUS")
    service_bus_namespace: str = Field(default="", alias="ALM_SERVICEBUS__fullyQualifiedNamespace")
    managed_models: Path = Field(default=Path("managed_models"), alias="ALM_MANAGED_MODELS")
    arm_url: str = Field(default="https://management.azure.com", alias="ALM_ARM_URL")
    allowed_hosts: tuple[str, ...] = Field(default=(), alias="ALM_ALLOWED_HOSTS")
    storage_hosts: tuple[str, ...] = Field(default=(), alias="ALM_STORAGE_HOSTS")
    reply_queues: tuple[str, ...] = Field(default=(), alias="ALM_REPLY_QUEUES")
    events_queue: str = Field(default="", alias="ALM_EVENTS_QUEUE")
    events_webhook: str = Field(default="", alias="ALM_EVENTS_WEBHOOK")
    api_keys: dict[str, str] = Field(default={}, alias="ALM_API_KEYS")
    platform_auth: bool = Field(default=False, alias="ALM_PLATFORM_AUTH")
    platform_auth_enabled: bool = Field(default=False, alias="WEBSITE_AUTH_ENABLED")
    role_members: dict[str, tuple[str, ...]] = Field(default={}, alias="ALM_ROLE_MEMBERS")
    client_id: str = Field(default="", alias="AZURE_CLIENT_ID")
    git: Repository | None = Field(default=None, alias="ALM_GIT")

    @field_validator("allowed_hosts", "storage_hosts", "reply_queues", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("api_keys", "role_members", "git", mode="before")
    @classmethod
    def _document(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError("is not JSON; write an object") from error

    @field_validator("api_keys", "role_members")
    @classmethod
    def _by_role(cls, entries: dict[str, object]) -> dict[str, object]:
        unknown = sorted(set(entries) - set(ROLES))
        if unknown:
            raise ValueError(f"unknown roles {unknown}; there are {list(ROLES)}")
        return entries

    @field_validator("api_keys")
    @classmethod
    def _hashed(cls, keys: dict[str, str]) -> dict[str, str]:
        if not all(DIGEST.fullmatch(digest) for digest in keys.values()):
            raise ValueError("each value is the SHA-256 of a key in hex, never the key itself")
        return keys

    @field_validator("reply_queues")
    @classmethod
    def _not_our_own(cls, queues: tuple[str, ...]) -> tuple[str, ...]:
        own = sorted({queue for queue in queues if queue.lower() in OWN_QUEUES})
        if own:
            raise ValueError(f"{own} are queues of the app itself; answers need one of their own")
        return queues

    @field_validator("events_queue")
    @classmethod
    def _another_queue(cls, queue: str) -> str:
        if queue.lower() in OWN_QUEUES:
            raise ValueError(f"{queue} is a queue of the app itself; events need one of their own")
        return queue

    @field_validator("events_webhook")
    @classmethod
    def _named_only(cls, webhook: str) -> str:
        if webhook and not re.fullmatch(REFERENCE_PATTERN, webhook):
            raise ValueError("names the secret that is the URL: env:NAME or keyvault:vault/name")
        return webhook

    @model_validator(mode="after")
    def _git_is_private(self) -> Settings:
        if self.git and self.git.url.startswith("http://") and not self.local:
            raise ValueError("ALM_GIT: http:// is only for the local stack; use https")
        return self

    @model_validator(mode="after")
    def _one_way_in(self) -> Settings:
        """Connection strings hold shared keys: they are for the local stack."""
        storage, bus = (s.get_secret_value() for s in (self.storage, self.service_bus))
        wrong = {
            "connection strings are only for the local stack (ALM_LOCAL=1); set "
            "ALM_STORAGE__blobServiceUri and ALM_SERVICEBUS__fullyQualifiedNamespace": (
                not self.local and bool(storage or bus)
            ),
            "ALM_STORAGE__blobServiceUri is missing: the storage account's URL": (
                not (storage or self.storage_uri)
            ),
            "ALM_SERVICEBUS__fullyQualifiedNamespace is missing": (
                not (bus or self.service_bus_namespace)
            ),
        }
        told = [what for what, is_so in wrong.items() if is_so]
        if told:
            raise ValueError("\n".join(told))
        return self

    @property
    def trusts_platform(self) -> bool:
        """The platform's principal header counts only when both settings say that it is real."""
        return self.platform_auth and self.platform_auth_enabled


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises Misconfigured, telling all that is wrong at once."""
    wrong = faults(environment)
    if wrong:
        told = "; ".join(f"{name}: {what}" if name else what for name, what in wrong)
        raise Misconfigured(f"settings: {told}; see local.settings.sample.json")
    return Settings.model_validate(_given(environment))


def names() -> frozenset[str]:
    """The names of all settings."""
    return frozenset(field.alias for field in Settings.model_fields.values() if field.alias)


def faults(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """All that is wrong, as setting ("": several together) and what; no value is repeated.

    Where a setting cannot be read, the others are judged without it.
    """
    given = _given(environment)
    found: list[tuple[str, str]] = []
    for _ in range(2):  # rules between settings are only asked when each of them can be read
        try:
            Settings.model_validate(given)
            break
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                name = str(item["loc"][0]) if item["loc"] else ""
                place = ".".join(str(part) for part in item["loc"][1:])
                what = item["msg"].removeprefix("Value error, ")
                told = f"{place}: {what}" if place else what
                found += [(name, line) for line in told.split("\n")]
                given.pop(name, None)
    if given.get("ALM_LOCAL") == "1" and any(name in environment for name in IN_AZURE):
        what = "is set, and this is Azure: shared keys, and grants signed with them, are only for "
        what += "the local stack; remove ALM_LOCAL and use the app's identity"
        found.append(("ALM_LOCAL", what))
    return list(dict.fromkeys(found))


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    known = names()
    if environment.get("ALM_LOCAL") == "1" and environment.get("ALM_STUDIO_URL"):
        environment = {"ALM_ARM_URL": environment["ALM_STUDIO_URL"], **environment}
    return {name: value for name, value in environment.items() if name in known and value != ""}
