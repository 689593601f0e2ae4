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
from alm.domain.messages import describe
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
        if webhook and not re.fullmatch(r"(env|keyvault):\S+", webhook):
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
        if not self.local and (
            self.storage.get_secret_value() or self.service_bus.get_secret_value()
        ):
            raise ValueError(
                "connection strings are only for the local stack (ALM_LOCAL=1); set "
                "ALM_STORAGE__blobServiceUri and ALM_SERVICEBUS__fullyQualifiedNamespace"
            )
        if not (self.storage.get_secret_value() or self.storage_uri):
            raise ValueError("ALM_STORAGE__blobServiceUri is missing: the storage account's URL")
        if not (self.service_bus.get_secret_value() or self.service_bus_namespace):
            raise ValueError("ALM_SERVICEBUS__fullyQualifiedNamespace is missing")
        return self

    @property
    def trusts_platform(self) -> bool:
        """The platform's principal header counts only when both settings say that it is real."""
        return self.platform_auth and self.platform_auth_enabled


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises Misconfigured, telling all that is wrong at once."""
    names = {field.alias for field in Settings.model_fields.values() if field.alias}
    if environment.get("ALM_LOCAL") == "1" and environment.get("ALM_STUDIO_URL"):
        environment = {"ALM_ARM_URL": environment["ALM_STUDIO_URL"], **environment}
    given = {name: value for name, value in environment.items() if name in names and value != ""}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise Misconfigured(
            f"settings: {describe(error)}; see local.settings.sample.json"
        ) from error
    if settings.local and any(name in environment for name in IN_AZURE):
        raise Misconfigured(
            "settings: ALM_LOCAL is set, and this is Azure: shared keys, and grants signed with "
            "them, are only for the local stack; remove ALM_LOCAL and use the app's identity"
        )
    return settings
