"""The checks, in the order in which they are made, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from alm.domain.errors import AlmError, Misconfigured, Refused
from alm.domain.nearest import shown, suggestion
from alm.entrypoints.cli.doctor import (
    configuration,
    identity,
    named,
    outside,
    queues,
    services,
    storage,
)
from alm.entrypoints.cli.doctor.findings import Finding, Notes
from alm.entrypoints.cli.doctor.surroundings import Surroundings

Look = Callable[[Surroundings], Iterator[Finding]]
FIRST = "correct the settings first (--only settings)"
DECLARED_FIRST = "correct the declarations first (--only declarations)"


@dataclass(frozen=True)
class Check:
    """One check. settings, declared: what must be right before it can be made."""

    name: str
    asks: str
    look: Look
    settings: bool = True
    declared: bool = False


CHECKS = (
    Check("settings", "values, unknown names, safety", configuration.look_at_settings, False),
    Check("host", "host.json, threads, limits", configuration.look_at_host, False),
    Check("declarations", "every managed model", configuration.look_at_declarations, False),
    Check("clock", "against that of storage", storage.look_at_clock),
    Check("identity", "tokens for each service", identity.look_at_identity),
    Check("containers", "read, written, grants", storage.look_at_containers, declared=True),
    Check("events", "sweep, blobs that landed", storage.look_at_events, declared=True),
    Check("queues", "sessions, duplicates, lock, dead letters", queues.look_at_queues),
    Check("secrets", "each that is named", identity.look_at_secrets, declared=True),
    Check("services", "endpoints, keys, names", services.look_at_services, declared=True),
    Check("webhooks", "hosts that may be called", identity.look_at_webhooks, declared=True),
    Check("repository", "ALM_GIT, commits that wait", outside.look_at_repository),
    Check("api", "--url, our key's role", outside.look_at_api, False),
)


def chosen(only: str) -> list[Check]:
    """The checks of a list of names, or all. Raises Refused for a name that none has."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = [check.name for check in CHECKS]
    for name in names:
        if name not in known:
            near = suggestion(name, known)
            raise Refused(f"--only: there is no check {shown(name)}: {near}")
    return [check for check in CHECKS if not names or check.name in names]


def examine(
    around: Surroundings, checks: Sequence[Check], told: Callable[[Check], None]
) -> Iterator[Finding]:
    """Make the checks; `told` is called with each before it is made."""
    declared = _declared(around) if any(check.declared for check in checks) else ""
    for check in checks:
        told(check)
        notes = Notes(check.name)
        if check.settings and around.given is None:
            yield notes.skipped(check.name, "the settings cannot be read", FIRST)
        elif check.declared and declared:
            yield notes.skipped(check.name, declared, DECLARED_FIRST)
        else:
            yield from _made(around, check, notes)


def _made(around: Surroundings, check: Check, notes: Notes) -> Iterator[Finding]:
    try:
        yield from check.look(around)
    except AlmError as error:
        yield notes.error(check.name, error)


def _declared(around: Surroundings) -> str:
    """Why the declarations cannot be used; "" if they can. Raises UnknownModel for --model."""
    try:
        named.models(around)
    except Misconfigured:
        return "the declarations have mistakes"
    return ""
