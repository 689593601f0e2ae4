"""Each setting that the code or the platform reads is set in Bicep, and the reverse."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

from alm import settings
from alm.domain.errors import Misconfigured
from tests.infra import bicep, deployment
from tests.infra.deployment import ROOT

NAMED = re.compile(
    r"(?:ALM|AZURE|WEBSITE|OTEL|APPLICATIONINSIGHTS|PYTHON|FUNCTIONS|IDENTITY)_[A-Za-z_]+"
)
IMPORTS = (ast.Import, ast.ImportFrom)
NOT_SET = {  # read by the code, left alone by the Bicep, with the reason
    "ALM_ARM_URL": "its default is right in Azure",
    "ALM_LOCAL": "refused in Azure",
    "ALM_MANAGED_MODELS": "its default is the folder in the package",
    "ALM_SERVICEBUS": "a connection string: refused in Azure, and it would win over the identity",
    "ALM_STORAGE": "a connection string: refused in Azure, and it would win over the identity",
    "ALM_STUDIO_ARM_TOKEN": "of the local stack: refused in Azure",
    "ALM_STUDIO_REGION": "of the command line: whoever types it names the workspace",
    "ALM_STUDIO_URL": "of the local stack",
    "ALM_STUDIO_WORKSPACE": "of the command line: whoever types it names the workspace",
    "IDENTITY_ENDPOINT": "set by the platform",
    "OTEL_SERVICE_NAME": "its default is the app's name",
    "WEBSITE_AUTH_ENABLED": "set by the platform when sign-in is on",
    "WEBSITE_INSTANCE_ID": "set by the platform",
    "WEBSITE_SITE_NAME": "set by the platform",
}
OF_THE_PLATFORM = {  # set by the Bicep, read by no code of ours
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "host: publish as the identity",
    "AzureWebJobsDisableHomepage": "host: / is ours",
    "AzureWebJobsStorage__accountName": "host",
    "AzureWebJobsStorage__clientId": "host",
    "AzureWebJobsStorage__credential": "host",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID": "sign-in: the identity stands for a client secret",
    "PYTHON_ENABLE_OPENTELEMETRY": "worker: log lines are sent once (docs/telemetry.md)",
    "PYTHON_THREADPOOL_THREAD_COUNT": "worker",
    "WEBSITE_AUTH_AAD_ALLOWED_TENANTS": "sign-in",
}
SUFFIXES = {  # of a connection with a managed identity, by the binding that reads it
    "blob_trigger": ("blobServiceUri", "queueServiceUri", "credential", "clientId"),
    "service_bus_queue_trigger": ("fullyQualifiedNamespace", "credential", "clientId"),
}
MOVED_ON_FLEX = (  # deprecated on Flex Consumption: in functionAppConfig, or gone
    *("ENABLE_ORYX_BUILD", "SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_RUN_FROM_PACKAGE"),
    *("FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_PROCESS_COUNT"),
    *("FUNCTIONS_WORKER_RUNTIME_VERSION", "FUNCTIONS_MAX_HTTP_CONCURRENCY", "WEBSITE_TIME_ZONE"),
    *("WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE", "TZ"),
    *("WEBSITE_CONTENTOVERVNET", "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT"),
    *("WEBSITE_SKIP_CONTENTSHARE_VALIDATION", "WEBSITE_VNET_ROUTE_ALL"),
)


def modules_of_the_app() -> set[Path]:
    """The files that function_app.py imports, wherever; the command line is none of them."""
    found, waiting = set(), [ROOT / "function_app.py"]
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, IMPORTS) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{name}" for name in names)]
            folders = [ROOT.joinpath(*name.split(".")) for name in names if name.startswith("alm")]
            waiting += [
                f for each in folders for f in (each.with_suffix(".py"), each / "__init__.py")
            ]
    return found


@cache
def read_by_the_code() -> set[str]:
    """Every text of the app that is a setting's name, wherever it is looked up."""
    trees = (ast.parse(path.read_text()) for path in modules_of_the_app())
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = (node.value for node in nodes if isinstance(node.value, str))
    return {value for value in texts if NAMED.fullmatch(value)}


def connections() -> set[str]:
    """The settings of each binding's connection: its prefix, and what such a binding needs."""
    return {
        f"{trigger.connection}__{suffix}"
        for trigger in deployment.triggers()
        for suffix in SUFFIXES[trigger.type]
    }


def test_every_setting_that_the_code_reads_is_set_or_left_alone_for_a_reason():
    assert read_by_the_code() - set(deployment.settings()) - set(NOT_SET) == set()


def test_every_setting_that_is_set_is_read():
    read = read_by_the_code() | connections() | set(OF_THE_PLATFORM)
    assert set(deployment.settings()) - read == set()


def test_nothing_is_both_set_and_left_alone():
    assert set(deployment.settings()) & set(NOT_SET) == set()


def test_every_connection_of_a_binding_has_what_an_identity_needs():
    assert connections() - set(deployment.settings()) == set()


def test_no_setting_hides_a_connection_of_the_same_name():
    prefixes = {name.partition("__")[0] for name in deployment.settings() if "__" in name}
    assert prefixes & set(deployment.settings()) == set()


def test_no_setting_is_one_that_flex_consumption_has_moved():
    assert set(deployment.settings()) & set(MOVED_ON_FLEX) == set()


def test_no_setting_holds_a_value_of_its_own_but_for_switches():
    written = {value for value in deployment.settings().values() if value}
    assert written == {"managedidentity", "true", "32"}


def test_a_thread_stands_ready_for_each_session():
    host = json.loads((ROOT / "host.json").read_text())["extensions"]["serviceBus"]
    threads = deployment.settings()["PYTHON_THREADPOOL_THREAD_COUNT"]
    assert threads == str(host["maxConcurrentSessions"])


def test_calls_over_http_leave_threads_free():
    app = bicep.properties(deployment.file("modules/app.bicep").of("resource")["app"].body)
    document = bicep.plain(app["properties"])
    assert isinstance(document, dict)
    http = document["functionAppConfig"]["scaleAndConcurrency"]["triggers"]["http"]
    threads = int(deployment.settings()["PYTHON_THREADPOOL_THREAD_COUNT"] or 0)
    assert 1 <= http["perInstanceConcurrency"] <= threads


def in_azure(**more: str) -> dict[str, str]:
    """The environment as the platform and the Bicep make it."""
    return {
        "WEBSITE_INSTANCE_ID": "1",
        "IDENTITY_ENDPOINT": "http://localhost/msi",
        "ALM_STORAGE__blobServiceUri": "https://almdata.blob.core.windows.net/",
        "ALM_SERVICEBUS__fullyQualifiedNamespace": "alm-bus.servicebus.windows.net",
        "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000001",
        "ALM_API_KEYS": "{}",
        "ALM_ROLE_MEMBERS": "{}",
        "ALM_PLATFORM_AUTH": "False",  # how Resource Manager writes string(false)
        **more,
    }


def test_the_app_reads_the_settings_as_resource_manager_writes_them():
    given = in_azure(
        ALM_EVENTS_QUEUE="model-events",
        ALM_EVENTS_WEBHOOK="keyvault:vault/events-url",
        ALM_PLATFORM_AUTH="True",
        WEBSITE_AUTH_ENABLED="True",
        ALM_API_KEYS=json.dumps({"reader": "a" * 64}),
        ALM_ROLE_MEMBERS=json.dumps({"operator": ["group", "another"]}),
        ALM_REPLY_QUEUES="alm-answers",
        ALM_GIT=json.dumps({"url": "https://host/repository", "branch": "main"}),
    )

    read = settings.read(given)

    assert read.trusts_platform
    assert read.role_members == {"operator": ("group", "another")}
    assert read.reply_queues == ("alm-answers",)


def test_without_choices_nobody_has_a_role():
    read = settings.read(in_azure())
    assert not read.trusts_platform
    assert read.api_keys == {}


@pytest.mark.parametrize("name", ["ALM_STORAGE", "ALM_SERVICEBUS", "ALM_LOCAL"])
def test_what_is_left_alone_because_it_is_refused_is_refused(name: str):
    with pytest.raises(Misconfigured, match="local stack"):
        settings.read(in_azure(**{name: "1"}))
