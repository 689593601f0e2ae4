"""Who the app is towards services: tokens, secrets by their names, webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from alm.domain.errors import AlmError, Denied, Misconfigured
from alm.domain.looks import TokenFacts
from alm.domain.managed_model import ArmWebService
from alm.entrypoints.cli.doctor import named
from alm.entrypoints.cli.doctor.findings import Finding, Notes
from alm.entrypoints.cli.doctor.surroundings import Surroundings

IDENTITY, SECRETS, WEBHOOKS = Notes("identity"), Notes("secrets"), Notes("webhooks")
AT_ONCE = 8
SIGN_IN = (
    "give the app a managed identity (AZURE_CLIENT_ID names which of several); on a laptop, "
    "`az login`"
)
SCOPES = {
    "storage": "https://storage.azure.com/.default",
    "Service Bus": "https://servicebus.azure.net/.default",
    "Resource Manager": "https://management.azure.com/.default",
}


def look_at_identity(around: Surroundings) -> Iterator[Finding]:
    """A token for each service that the app calls with its identity."""
    given = around.settings
    needed = {
        "storage": not given.storage.get_secret_value(),
        "Service Bus": not given.service_bus.get_secret_value(),
        "Resource Manager": not around.environment.get("ALM_STUDIO_ARM_TOKEN"),
    }
    for service, is_needed in needed.items():
        if not is_needed:
            yield IDENTITY.skipped(
                service, "a key or token of the local stack is used", "nothing is to be done here"
            )
        elif service == "Resource Manager" and not _calls_resource_manager(around):
            yield IDENTITY.skipped(service, "no declaration needs it", "nothing is to be done here")
        else:
            yield _token(around, service)


def _calls_resource_manager(around: Surroundings) -> bool:
    try:
        return any(
            isinstance(service, ArmWebService)
            for model in named.models(around)
            for service in named.services(model)
        )
    except AlmError:
        return True  # who knows


def _token(around: Surroundings, service: str) -> Finding:
    try:
        facts = around.tokens.look(SCOPES[service])
    except Denied as error:
        return IDENTITY.error(service, error, SIGN_IN)
    except AlmError as error:
        return IDENTITY.error(service, error)
    return IDENTITY.ok(service, told(facts, around.clock.now()))


def told(facts: TokenFacts, now: datetime) -> str:
    """Whose token it is, and how long it is good for."""
    minutes = max(0, int((facts.expires - now).total_seconds() // 60))
    tenant = f", tenant {facts.tenant}" if facts.tenant else ""
    return f"{facts.who} by {facts.credential}{tenant}; the token is good for {minutes} min"


def look_at_secrets(around: Surroundings) -> Iterator[Finding]:
    """Whether each secret that is named can be looked up; none is shown."""
    listed = named.secrets(around)
    with ThreadPoolExecutor(AT_ONCE) as lookers:
        yield from lookers.map(lambda item: _secret(around, *item), listed.items())
    if not listed:
        yield SECRETS.ok("secrets", "none is named")


def _secret(around: Surroundings, name: str, by: list[str]) -> Finding:
    try:
        around.secret(name)
    except AlmError as error:
        return SECRETS.error(f"{name} ({_by(by)})", error)
    return SECRETS.ok(name, f"can be looked up (named by {_by(by)})")


def _by(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] + (f" and {len(unique) - 1} more" if len(unique) > 1 else "")


def look_at_webhooks(around: Surroundings) -> Iterator[Finding]:
    """Whether the host of each webhook may be called; nothing is posted."""
    listed: dict[str, str] = {}
    if around.settings.events_webhook:
        listed[around.settings.events_webhook] = "ALM_EVENTS_WEBHOOK"
    for model in named.models(around):
        if model.notify.webhook:
            listed.setdefault(model.notify.webhook, model.model)
    for name, by in listed.items():
        yield _webhook(around, name, by)
    if not listed:
        yield WEBHOOKS.ok("webhooks", "none is declared")


def _webhook(around: Surroundings, name: str, model: str) -> Finding:
    try:
        host = around.check_host(around.secret(name).get_secret_value())
    except Misconfigured as error:
        remedy = "set the secret to an https URL, and add its host to ALM_ALLOWED_HOSTS"
        return WEBHOOKS.error(f"{name} ({model})", error, remedy)
    except AlmError as error:
        return WEBHOOKS.error(f"{name} ({model})", error)
    return WEBHOOKS.ok(f"{name} ({model})", f"{host} may be called; nothing was posted")
