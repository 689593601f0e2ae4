"""Settings, host.json and declarations: what can be judged without calling anybody."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from alm import settings
from alm.domain.errors import Misconfigured
from alm.domain.mistakes import Mistaken
from alm.domain.nearest import nearest, plural
from alm.engine import limits
from alm.entrypoints.cli.doctor import named
from alm.entrypoints.cli.doctor.findings import Finding, Notes
from alm.entrypoints.cli.doctor.surroundings import Surroundings

SETTINGS, HOST, DECLARATIONS = Notes("settings"), Notes("host"), Notes("declarations")
THREADS = "PYTHON_THREADPOOL_THREAD_COUNT"
SAMPLE = "local.settings.sample.json shows each setting"
CLIENT_NAMES = frozenset(
    {
        *(
            "ALM_API_URL",
            "ALM_API_KEY",
            "ALM_APPROVER_KEY",
            "ALM_STUDIO_URL",
            "ALM_STUDIO_WORKSPACE",
        ),
        *("ALM_STUDIO_REGION", "ALM_STUDIO_WORKSPACE_TOKEN", "ALM_STUDIO_ARM_TOKEN"),
        *("ALM_STUDIO_STORAGE_KEY", "ALM_STUDIO_WORKSPACE_ID", "ALM_STUDIO_SUBSCRIPTION_ID"),
        "ALM_STUDIO_RESOURCE_GROUP",
    }
)
"""Names that the command line and the local stack know."""
CONNECTIONS = re.compile(
    r"(ALM_STORAGE|ALM_SERVICEBUS)__(blobServiceUri|queueServiceUri|tableServiceUri|serviceUri"
    r"|fullyQualifiedNamespace|credential|clientId|tenantId|managedIdentityResourceId)"
)
"""Settings of identity-based connections that the Functions host reads."""


def look_at_settings(around: Surroundings) -> Iterator[Finding]:
    """Every mistake in the settings, names that mean nothing, and what is not safe."""
    secrets = named.variables(around.models_folder, around.environment)
    yield from judge_settings(around.environment, secrets)


def judge_settings(environment: Mapping[str, str], secrets: Collection[str]) -> Iterator[Finding]:
    """The same of any settings. secrets: variables that are named elsewhere."""
    wrong = settings.faults(environment)
    for name, what in wrong:
        yield SETTINGS.failed(name or "together", what, f"correct it; {SAMPLE}")
    yield from unknown_names(environment, secrets)
    if not wrong:
        yield from doubts(settings.read(environment), environment)
        yield SETTINGS.ok("values", "every setting can be read")


def unknown_names(environment: Mapping[str, str], secrets: Collection[str]) -> Iterator[Finding]:
    """Names that begin like ours and mean nothing: typing errors, mostly."""
    known = settings.names() | CLIENT_NAMES | frozenset(secrets)
    for name in sorted(environment):
        if not name.startswith("ALM_") or name in known or CONNECTIONS.fullmatch(name):
            continue
        near = nearest(name, sorted(known))
        remedy = f"did you mean {near}?" if near else "remove it, or name it in a declaration"
        yield SETTINGS.warning(name, "nothing reads a setting of this name", remedy)


def doubts(given: settings.Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Settings that can be read, and are not safe or do nothing together."""
    if given.platform_auth and not given.platform_auth_enabled:
        yield SETTINGS.warning(
            "ALM_PLATFORM_AUTH",
            "is on, and WEBSITE_AUTH_ENABLED is not: nobody who signed in is believed",
            "switch on the platform's authentication, or ALM_PLATFORM_AUTH off",
        )
    if not given.api_keys and not (given.trusts_platform and given.role_members):
        yield SETTINGS.warning(
            "ALM_API_KEYS",
            "there is no key and no role for those who sign in: nobody can use the API",
            "add the SHA-256 of a key per role, or ALM_ROLE_MEMBERS and the platform's sign-in",
        )
    if len(set(given.api_keys.values())) < len(given.api_keys):
        yield SETTINGS.warning(
            "ALM_API_KEYS",
            "one key has several roles: who starts a run can approve it",
            "make a key for each role",
        )
    if given.storage_uri and not (set(environment) & QUEUE_URIS):
        yield SETTINGS.warning(
            "ALM_STORAGE__queueServiceUri",
            "is missing: the host keeps events of blobs in that account's queues",
            "set it beside ALM_STORAGE__blobServiceUri (https://ACCOUNT.queue.core.windows.net)",
        )
    yield from _addresses(given, environment)


QUEUE_URIS = {"ALM_STORAGE__queueServiceUri", "ALM_STORAGE__serviceUri"}


def _addresses(given: settings.Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    for name, url in (
        ("ALM_ARM_URL", given.arm_url),
        ("ALM_STORAGE__blobServiceUri", given.storage_uri),
    ):
        if url and urlsplit(url).scheme != "https" and not given.local:
            yield SETTINGS.failed(name, "is not https: tokens would be readable", "write https")
    if any("*" in host and host.count(".") < 2 for host in given.allowed_hosts):
        yield SETTINGS.warning(
            "ALM_ALLOWED_HOSTS",
            "lets the app call whole domains: a declaration decides where keys are sent",
            "name hosts, or a pattern with your own domain (*.example.com)",
        )
    if environment.get("ALM_STUDIO_ARM_TOKEN") and not given.local:
        yield SETTINGS.failed(
            "ALM_STUDIO_ARM_TOKEN",
            "is set, which is only for a local Resource Manager: every call to it is refused",
            "remove it; the app's identity is used",
        )


def look_at_host(around: Surroundings) -> Iterator[Finding]:
    """Whether host.json and the worker's threads agree with the limits of the code."""
    path = around.asked.folder / "host.json"
    try:
        host = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(host, dict):
            raise ValueError("is no object")
    except (OSError, ValueError, RecursionError) as error:
        remedy = "run it where the app is, or name its folder with --app"
        yield HOST.skipped("host.json", f"{path} cannot be read ({error})", remedy)
        return
    found = list(judge_host(host, around.environment.get(THREADS, "")))
    yield from found
    if not found:
        yield HOST.ok("host.json", "agrees with the limits of the code")


def judge_host(host: Mapping[str, Any], threads: str) -> Iterator[Finding]:
    """Hold host.json and the number of threads against the limits of the code."""
    bus = _at(host, "extensions", "serviceBus")
    spans = {
        "functionTimeout": (host.get("functionTimeout"), limits.FUNCTION_TIMEOUT_SECONDS),
        "maxAutoLockRenewalDuration": (
            bus.get("maxAutoLockRenewalDuration"),
            limits.LOCK_RENEWAL_SECONDS,
        ),
    }
    for name, (span, seconds) in spans.items():
        if _span_seconds(span) != seconds:
            wanted = f"00:{seconds // 60:02}:{seconds % 60:02}"
            yield HOST.failed(
                name, f"is {span!r}; the code relies on {wanted}", f'write "{wanted}"'
            )
    for name, value, why in (
        ("maxConcurrentCallsPerSession", 1, "a managed model's messages come one at a time"),
        ("prefetchCount", 0, "a message that waits in memory loses its lock"),
        ("autoCompleteMessages", True, "what was handled must not come again"),
    ):
        if bus.get(name) != value or type(bus.get(name)) is not type(value):
            text = json.dumps(value)
            yield HOST.failed(name, f"is {bus.get(name)!r}; {why}", f"write {text}")
    if _span_seconds(bus.get("sessionIdleTimeout")) not in (1, 2, 3):
        yield HOST.warning(
            "sessionIdleTimeout",
            f"is {bus.get('sessionIdleTimeout')!r}: an idle session holds a slot that long",
            'write "00:00:01"',
        )
    yield from _judge_threads(bus.get("maxConcurrentSessions"), threads)


def _judge_threads(sessions: object, threads: str) -> Iterator[Finding]:
    if not threads:
        yield HOST.warning(
            THREADS,
            "is not set here: the worker then has as many threads as cores and four",
            f"set it to maxConcurrentSessions ({sessions})",
        )
    elif threads != str(sessions):
        yield HOST.failed(
            THREADS,
            f"is {threads!r}, and maxConcurrentSessions is {sessions}: sessions would wait for "
            "threads until their locks are lost, or threads idle",
            "set both to the same number",
        )


def look_at_declarations(around: Surroundings) -> Iterator[Finding]:
    """Every mistake in the declarations, members of families included."""
    try:
        around.declared.check_members()
    except Mistaken as error:
        for mistake in error.mistakes:
            place = f"{mistake.file}:{mistake.line}"
            yield DECLARATIONS.failed(place, mistake.told, mistake.remedy)
        return
    except Misconfigured as error:
        yield DECLARATIONS.error(around.models_folder.name, error)
        return
    models, families = around.declared.models(), around.declared.families()
    yield DECLARATIONS.ok(around.models_folder.name, declared_in_all(models, families))


def declared_in_all(models: Sequence[str], families: Sequence[str]) -> str:
    """How much is declared, in words."""
    counted = plural(len(models), "managed model"), plural(len(families), "family", "families")
    return ", ".join(counted)


def _at(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        inside = document.get(name)
        document = inside if isinstance(inside, dict) else {}
    return document


def _span_seconds(text: object) -> int | None:
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d)", str(text))
    if found is None:
        return None
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds
