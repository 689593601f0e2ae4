"""Settings: what is read, what is refused, and that nothing secret is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alm import settings
from alm.domain.errors import Misconfigured
from alm.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
LOCAL = {
    "ALM_LOCAL": "1",
    "ALM_STORAGE": "UseDevelopmentStorage=true",
    "ALM_SERVICEBUS": "Endpoint=sb://127.0.0.1;SharedAccessKey=c2VjcmV0",
}
AZURE = {
    "ALM_STORAGE__blobServiceUri": "https://shop.blob.core.windows.net",
    "ALM_SERVICEBUS__fullyQualifiedNamespace": "shop.servicebus.windows.net",
}
DIGEST = "a" * 64


def test_the_local_stack_may_use_connection_strings():
    found = settings.read(LOCAL)
    assert found.local
    assert found.storage.get_secret_value() == LOCAL["ALM_STORAGE"]
    assert "c2VjcmV0" not in repr(found)


def test_a_repository_is_declared_as_json():
    text = '{"url": "https://git.example.org/models.git", "token": "env:GIT_TOKEN"}'

    found = settings.read({**AZURE, "ALM_GIT": text}).git

    assert found is not None
    assert (found.branch, found.models) == ("main", "pointer")
    assert settings.read({**AZURE, "ALM_GIT": ""}).git is None


@pytest.mark.parametrize(
    ("git", "told"),
    [
        ("{", "is not JSON"),
        ('{"url": "http://127.0.0.1/models.git"}', "http:// is only for the local stack"),
        ('{"url": "https://ada:canary-1@host/models.git"}', "holds a user"),
        ('{"url": "https://host/models.git", "token": "canary-1"}', "token"),
        ('{"url": "https://host/models.git", "branches": "x"}', "branches"),
    ],
)
def test_a_wrong_repository_is_told_without_its_secrets(git: str, told: str):
    with pytest.raises(Misconfigured, match=told) as raised:
        settings.read({**AZURE, "ALM_GIT": git})
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ALM_EVENTS_QUEUE", "alm-steps", "a queue of the app itself"),
        ("ALM_EVENTS_QUEUE", "ALM-Events", "a queue of the app itself"),
        ("ALM_EVENTS_WEBHOOK", "https://hooks.example/canary", "names the secret"),
        ("ALM_EVENTS_WEBHOOK", "keyvault:canary", "names the secret"),
    ],
)
def test_events_go_to_another_queue_and_to_a_webhook_that_is_only_named(name, value, told):
    with pytest.raises(Misconfigured, match=told) as raised:
        settings.read({**AZURE, name: value})
    assert "canary" not in str(raised.value)
    assert settings.read({**AZURE, "ALM_EVENTS_WEBHOOK": "env:HOOK"}).events_webhook == "env:HOOK"


def test_azure_needs_only_names_and_an_identity():
    found = settings.read({**AZURE, "AZURE_CLIENT_ID": "id", "WEBSITE_INSTANCE_ID": "x"})
    assert not found.local
    assert found.storage_uri == "https://shop.blob.core.windows.net"
    assert found.client_id == "id"
    assert found.arm_url == "https://management.azure.com"


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        pytest.param({}, "ALM_STORAGE__blobServiceUri is missing", id="nothing"),
        pytest.param(
            {**AZURE, "ALM_SERVICEBUS__fullyQualifiedNamespace": ""},
            "fullyQualifiedNamespace is missing",
            id="no namespace",
        ),
        pytest.param({**LOCAL, "ALM_LOCAL": ""}, "only for the local stack", id="not local"),
        pytest.param(
            {**AZURE, "ALM_STORAGE": LOCAL["ALM_STORAGE"]}, "only for the local stack", id="both"
        ),
        pytest.param(
            {**LOCAL, "WEBSITE_INSTANCE_ID": "x"}, "this is Azure", id="local stack in Azure"
        ),
        pytest.param({**LOCAL, "IDENTITY_ENDPOINT": "x"}, "this is Azure", id="identity in reach"),
        pytest.param({**LOCAL, "ALM_LOCAL": "maybe"}, "ALM_LOCAL", id="no yes or no"),
        pytest.param({**LOCAL, "ALM_API_KEYS": "{"}, "ALM_API_KEYS: is not JSON", id="JSON"),
        pytest.param({**LOCAL, "ALM_API_KEYS": "[]"}, "ALM_API_KEYS", id="a list"),
        pytest.param({**LOCAL, "ALM_API_KEYS": "[" * 99_999}, "is not JSON", id="deep"),
        pytest.param(
            {**LOCAL, "ALM_API_KEYS": json.dumps({"admin": DIGEST})}, "unknown roles", id="role"
        ),
        pytest.param(
            {**LOCAL, "ALM_API_KEYS": json.dumps({"reader": "hunter2"})},
            "SHA-256",
            id="a key itself",
        ),
        pytest.param(
            {**LOCAL, "ALM_API_KEYS": json.dumps({"reader": "é" * 64})}, "SHA-256", id="not hex"
        ),
        pytest.param(
            {**LOCAL, "ALM_ROLE_MEMBERS": '{"boss": ["x"]}'}, "unknown roles", id="members"
        ),
        pytest.param(
            {**LOCAL, "ALM_ROLE_MEMBERS": '{"reader": "x"}'}, "ALM_ROLE_MEMBERS", id="text"
        ),
        pytest.param(
            {**LOCAL, "ALM_REPLY_QUEUES": "answers,alm-steps"}, "queues of the app itself", id="own"
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_name_of_the_setting(environment, told):
    with pytest.raises(Misconfigured) as caught:
        settings.read(environment)
    assert told in str(caught.value)


@pytest.mark.parametrize("secret", ["hunter2", "c2VjcmV0"])
def test_no_value_is_repeated_in_a_message(secret):
    environment = {**LOCAL, "ALM_LOCAL": "", "ALM_API_KEYS": json.dumps({"reader": "hunter2"})}
    with pytest.raises(Misconfigured) as caught:
        settings.read(environment)
    assert secret not in str(caught.value)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(Misconfigured) as caught:
        settings.read({**LOCAL, "ALM_API_KEYS": "{", "ALM_LOCAL": "maybe"})
    assert "ALM_API_KEYS" in str(caught.value)
    assert "ALM_LOCAL" in str(caught.value)


def test_lists_are_separated_by_commas():
    found = settings.read({**LOCAL, "ALM_REPLY_QUEUES": " a , b,", "ALM_ALLOWED_HOSTS": "h:1"})
    assert (found.reply_queues, found.allowed_hosts) == (("a", "b"), ("h:1",))


@pytest.mark.parametrize(
    ("ours", "theirs", "trusted"),
    [("true", "true", True), ("true", "", False), ("", "true", False), ("", "", False)],
)
def test_the_platform_is_trusted_when_both_say_so(ours, theirs, trusted):
    both = {"ALM_PLATFORM_AUTH": ours, "WEBSITE_AUTH_ENABLED": theirs}
    assert settings.read({**LOCAL, **both}).trusts_platform is trusted


def test_local_studio_stands_in_for_the_resource_manager_of_the_local_stack_only():
    studio = {"ALM_STUDIO_URL": "http://127.0.0.1:9"}
    assert settings.read({**LOCAL, **studio}).arm_url == "http://127.0.0.1:9"
    assert settings.read({**AZURE, **studio}).arm_url == "https://management.azure.com"
    named = {"ALM_ARM_URL": "http://127.0.0.1:8"}
    assert settings.read({**LOCAL, **studio, **named}).arm_url == "http://127.0.0.1:8"


def test_every_setting_is_in_the_sample_and_the_sample_can_be_read():
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    aliases = {field.alias for field in Settings.model_fields.values()}
    assert aliases <= set(sample)
    assert settings.read(sample).local
