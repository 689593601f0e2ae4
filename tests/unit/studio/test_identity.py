"""Secrets by their names, and tokens that are renewed in time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)

from alm.adapters.identity import Identity
from alm.domain.errors import AlmError, Denied, Misconfigured, Unavailable
from tests.unit.studio.scripted import HandClock


class CountingVault:
    """Values change with each read, so that a cached one is recognised."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.reads = 0
        self.failure = failure

    def get_secret(self, name: str) -> object:
        self.reads += 1
        if self.failure:
            raise self.failure
        return SimpleNamespace(value=f"{name}-{self.reads}")


class CountingCredential:
    def __init__(self, clock: HandClock, failure: Exception | None = None) -> None:
        self.clock = clock
        self.tokens = 0
        self.failure = failure
        self.lock = threading.Lock()

    def get_token(self, *scopes: str) -> object:
        assert scopes == ("https://management.azure.com/.default",)
        with self.lock:
            self.tokens += 1
        if self.failure:
            raise self.failure
        expires = self.clock.now().timestamp() + 3600
        return SimpleNamespace(token=f"token-{self.tokens}", expires_on=expires)


def status(code: int) -> HttpResponseError:
    error = HttpResponseError(message="no")
    error.status_code = code
    return error


def test_a_secret_of_the_environment_is_stripped() -> None:
    identity = Identity({"KEY": " abc\n"}, HandClock())

    assert identity.secret("env:KEY").get_secret_value() == "abc"


def test_a_secret_is_not_shown() -> None:
    secret = Identity({"KEY": "s3cr3t"}, HandClock()).secret("env:KEY")

    assert "s3cr3t" not in f"{secret} {secret!r}"


@pytest.mark.parametrize("value", ["", "  ", "two words", "l\nb", "schlüssel"])
def test_a_secret_that_cannot_be_sent_is_told_by_name_only(value: str) -> None:
    with pytest.raises(Misconfigured, match="env:KEY") as raised:
        Identity({"KEY": value}, HandClock()).secret("env:KEY")

    assert not value.strip() or value not in str(raised.value)


@pytest.mark.parametrize("name", ["", "KEY", "file:/etc/passwd", "keyvault:v", "keyvault:a/b/c"])
def test_another_name_is_no_secret(name: str) -> None:
    with pytest.raises(Misconfigured, match="names no secret"):
        Identity({"KEY": "abc"}, HandClock()).secret(name)


def test_a_secret_of_a_vault_is_kept_for_ten_minutes() -> None:
    clock, vault = HandClock(), CountingVault()
    identity = Identity({}, clock, vault=lambda _name: vault)
    seen = []

    for seconds in (0, 599, 1, 0):
        clock.forward(seconds)
        seen.append(identity.secret("keyvault:v/key").get_secret_value())

    assert seen == ["key-1", "key-1", "key-2", "key-2"]


def test_a_secret_that_was_refused_is_read_again() -> None:
    vault = CountingVault()
    identity = Identity({}, HandClock(), vault=lambda _name: vault)
    identity.secret("keyvault:v/key")

    identity.forget("keyvault:v/key")

    assert identity.secret("keyvault:v/key").get_secret_value() == "key-2"


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ResourceNotFoundError("no"), Misconfigured),
        (ClientAuthenticationError("no"), Denied),
        (status(403), Denied),
        (status(500), Unavailable),
        (ServiceRequestError("no"), Unavailable),
    ],
)
def test_what_azure_says_is_an_error_its_caller_decides_on(
    failure: Exception, kind: type[AlmError]
) -> None:
    vault, clock = CountingVault(failure), HandClock()
    credential = CountingCredential(clock, failure)
    identity = Identity({}, clock, vault=lambda _name: vault, credential=lambda: credential)

    with pytest.raises(kind, match="keyvault:v/key"):
        identity.secret("keyvault:v/key")
    with pytest.raises(kind, match="a token for Resource Manager"):
        identity.arm_token()


def test_a_token_is_renewed_before_it_expires() -> None:
    clock = HandClock()
    credential = CountingCredential(clock)
    identity = Identity({}, clock, credential=lambda: credential)
    seen = []

    for seconds in (0, 3299, 1, 0):
        clock.forward(seconds)
        seen.append(identity.arm_token().get_secret_value())

    assert seen == ["token-1", "token-1", "token-2", "token-2"]


def test_many_threads_share_one_look_up() -> None:
    clock = HandClock()
    credential = CountingCredential(clock)
    identity = Identity({}, clock, credential=lambda: credential)

    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: identity.arm_token().get_secret_value(), range(50)))

    assert tokens == {"token-1"}


def test_a_ready_made_token_is_for_the_local_stack() -> None:
    environment = {"ALM_LOCAL": "1", "ALM_STUDIO_ARM_TOKEN": "local"}

    assert Identity(environment, HandClock()).arm_token().get_secret_value() == "local"


@pytest.mark.parametrize(
    "environment",
    [{}, {"ALM_LOCAL": "0"}, {"ALM_LOCAL": "1", "WEBSITE_INSTANCE_ID": "7"}],
)
def test_a_ready_made_token_is_refused_elsewhere(environment: dict[str, str]) -> None:
    identity = Identity({**environment, "ALM_STUDIO_ARM_TOKEN": "local"}, HandClock())

    with pytest.raises(Misconfigured, match="only for a local Resource Manager"):
        identity.arm_token()


def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "azure.keyvault.secrets", None)

    with pytest.raises(Misconfigured, match="add azure-keyvault-secrets to requirements"):
        Identity({}, HandClock()).secret("keyvault:v/key")


def test_azure_is_asked_with_the_apps_own_identity() -> None:
    identity = Identity({"IDENTITY_ENDPOINT": "http://127.0.0.1:1"}, HandClock())

    assert type(identity._azure_credential()).__name__ == "ManagedIdentityCredential"
    assert type(Identity({}, HandClock())._azure_credential()).__name__ == "DefaultAzureCredential"
