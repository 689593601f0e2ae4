"""Who we are towards services: secrets by their names, and tokens for Resource Manager.

Names, never values, are what declarations hold: `env:NAME` is looked up in the environment given,
`keyvault:vault/name` is asked of Azure Key Vault and kept for ten minutes. Azure's SDKs are
imported when the first of their secrets or tokens is needed. Nothing here logs a value.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pydantic import SecretStr

from alm.domain.errors import Denied, Misconfigured, Unavailable
from alm.ports import Clock

VAULT_SECONDS = 600  # a rotated secret is noticed after this, or when a service refuses it
TOKEN_MARGIN = timedelta(minutes=5)  # a token is renewed before a call could outlive it
ARM_SCOPE = "https://management.azure.com/.default"
_LOOKUP = {"retry_total": 1, "connection_timeout": 10, "read_timeout": 20}  # within one stage
_IN_AZURE = ("WEBSITE_INSTANCE_ID", "IDENTITY_ENDPOINT")
_PRINTABLE = re.compile(r"[!-~]+")


class Vault(Protocol):
    """The part of `azure.keyvault.secrets.SecretClient` that is used."""

    def get_secret(self, name: str) -> Any: ...


class Credential(Protocol):
    """The part of an Azure credential that is used."""

    def get_token(self, *scopes: str) -> Any: ...


class Identity:
    """Looks up secrets and tokens; any number of threads may ask.

    environment: where `env:` names are found, and `ALM_STUDIO_ARM_TOKEN`, a ready-made token for a
    local Resource Manager, which is only taken with `ALM_LOCAL=1` and never in Azure.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Clock,
        *,
        vault: Callable[[str], Vault] | None = None,
        credential: Callable[[], Credential] | None = None,
    ) -> None:
        self._environment = environment
        self._clock = clock
        self._vault = vault or self._azure_vault
        self._make_credential = credential or self._azure_credential
        self._credential: Credential | None = None
        self._lock = threading.RLock()
        self._vaults: dict[str, Vault] = {}
        self._kept: dict[str, tuple[SecretStr, datetime]] = {}

    def secret(self, name: str) -> SecretStr:
        """The secret of that name (`env:NAME`, `keyvault:vault/name`).

        Raises Misconfigured if there is none, Denied if the vault refuses us, Unavailable if it
        does not answer.
        """
        kind, _, rest = name.partition(":")
        if kind == "env":
            return self._from_environment(rest)
        if kind == "keyvault" and rest.count("/") == 1:
            return self._keep(name, lambda: self._from_vault(*rest.split("/")))
        raise Misconfigured(
            f"{name!r} names no secret; write env:NAME or keyvault:vault/name in the declaration"
        )

    def arm_token(self) -> SecretStr:
        """A token for Azure Resource Manager, renewed before it expires."""
        ready = self._environment.get("ALM_STUDIO_ARM_TOKEN", "")
        if not ready:
            return self._keep(ARM_SCOPE, self._from_credential)
        in_azure = any(name in self._environment for name in _IN_AZURE)
        if in_azure or self._environment.get("ALM_LOCAL") != "1":
            raise Misconfigured(
                "ALM_STUDIO_ARM_TOKEN is set, which is only for a local Resource Manager; "
                "remove it (in Azure the app's identity is used), or set ALM_LOCAL=1 on a laptop"
            )
        return sendable(ready, "env:ALM_STUDIO_ARM_TOKEN")

    def forget(self, name: str = ARM_SCOPE) -> None:
        """Look this secret (or the token) up again next time: a service refused it."""
        with self._lock:
            self._kept.pop(name, None)

    def _keep(self, name: str, look_up: Callable[[], tuple[SecretStr, datetime]]) -> SecretStr:
        kept = self._kept.get(name)
        if kept and self._clock.now() < kept[1]:
            return kept[0]
        with self._lock:  # one look-up for all that wait
            kept = self._kept.get(name)
            if not kept or self._clock.now() >= kept[1]:
                kept = self._kept[name] = look_up()
            return kept[0]

    def _from_environment(self, name: str) -> SecretStr:
        value = self._environment.get(name, "")
        if not value.strip():
            raise Misconfigured(
                f"secret env:{name} is not set; set {name} in the environment (of the app: in its "
                "settings), or name another secret"
            )
        return sendable(value, f"env:{name}")

    def _from_vault(self, vault: str, name: str) -> tuple[SecretStr, datetime]:
        shown = f"keyvault:{vault}/{name}"
        if vault not in self._vaults:
            self._vaults[vault] = self._vault(vault)
        value = _asked(shown, lambda: self._vaults[vault].get_secret(name).value)
        until = self._clock.now() + timedelta(seconds=VAULT_SECONDS)
        return sendable(str(value or ""), shown), until

    def _from_credential(self) -> tuple[SecretStr, datetime]:
        if self._credential is None:
            self._credential = self._make_credential()
        credential = self._credential
        token = _asked("a token for Resource Manager", lambda: credential.get_token(ARM_SCOPE))
        expires = datetime.fromtimestamp(token.expires_on, UTC)
        return sendable(token.token, "the token for Resource Manager"), expires - TOKEN_MARGIN

    def _azure_vault(self, vault: str) -> Vault:
        secrets = _package("azure.keyvault.secrets", "azure-keyvault-secrets")
        if self._credential is None:
            self._credential = self._make_credential()
        url = f"https://{vault}.vault.azure.net"
        client: Vault = secrets.SecretClient(url, self._credential, **_LOOKUP)
        return client

    def _azure_credential(self) -> Credential:
        identity = _package("azure.identity", "azure-identity")
        client_id = self._environment.get("AZURE_CLIENT_ID") or None
        if "IDENTITY_ENDPOINT" in self._environment:
            managed: Credential = identity.ManagedIdentityCredential(client_id=client_id, **_LOOKUP)
            return managed
        default: Credential = identity.DefaultAzureCredential(
            managed_identity_client_id=client_id, process_timeout=20
        )
        return default


def sendable(value: str, name: str) -> SecretStr:
    """A secret as it goes into a header. Raises Misconfigured, without showing it, if it cannot."""
    stripped = value.strip()
    if not _PRINTABLE.fullmatch(stripped):
        raise Misconfigured(
            f"{name} is empty, or holds characters that cannot be sent in a header; set it again, "
            "without line breaks or spaces"
        )
    return SecretStr(stripped)


def _package(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Misconfigured(
            f"{module} is not installed; add {package} to requirements.txt, "
            "or name the secret as env:NAME"
        ) from error


def _asked(what: str, ask: Callable[[], Any]) -> Any:
    """Ask Azure, and say what its errors mean for us."""
    failures = _package("azure.core.exceptions", "azure-core")
    try:
        return ask()
    except failures.ResourceNotFoundError as error:
        raise Misconfigured(f"{what} does not exist; create it, or correct its name") from error
    except failures.ClientAuthenticationError as error:
        raise _refused(what, error) from error
    except failures.HttpResponseError as error:
        if error.status_code in (401, 403):
            raise _refused(what, error) from error
        raise Unavailable(
            f"{what} could not be read ({error.status_code} {error.reason}); it is tried again"
        ) from error
    except failures.AzureError as error:
        raise Unavailable(
            f"{what} could not be read ({type(error).__name__}); it is tried again; "
            "check the network rules between the app and the service if it stays so"
        ) from error


def _refused(what: str, error: Exception) -> Denied:
    return Denied(
        f"{what}: Azure refused the app's identity ({type(error).__name__}); "
        "give the app an identity with a role that may read it (AZURE_CLIENT_ID names which); "
        "on a laptop, sign in with `az login`"
    )
