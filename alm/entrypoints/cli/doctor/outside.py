"""The Git repository, and the app's own API with the key of whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alm.entrypoints.cli.client import ApiFailed, ApiUnreachable, Client
from alm.entrypoints.cli.doctor.findings import Finding, Notes
from alm.entrypoints.cli.doctor.surroundings import Surroundings

REPOSITORY, API = Notes("repository"), Notes("api")
WAITING_MAX = 100
LET_IN = (400, 404)  # whoever may not is told 403 before the order is looked at
NO_RUN = "-"  # is no name of a run: whoever may decide is told so, and nothing happens


def look_at_repository(around: Surroundings) -> Iterator[Finding]:
    """Whether the branch can be read, and whether commits wait."""
    repository = around.settings.git
    if repository is None:
        why = "ALM_GIT is not set: nothing is committed"
        yield REPOSITORY.skipped("ALM_GIT", why, "set it to keep definitions in a repository")
        return
    if repository.is_local and not Path(repository.path).exists():
        why = f"there is no repository {repository.path} yet"
        yield REPOSITORY.warning("ALM_GIT", why, "the first commit creates it; check its path")
        return
    commits = around.source_control(repository).log(count=1)
    newest = f"newest commit {commits[0].id[:8]}" if commits else "the branch is empty"
    yield REPOSITORY.ok(repository.branch, f"can be read; {newest}")
    waiting = around.outbox.pending(WAITING_MAX)
    held = [one for one in waiting if one.reason]
    if held:
        why = f"{len(held)} changes are held: {held[0].reason}"
        yield REPOSITORY.warning("commits", why, "`alm repository pending` lists them")
    else:
        yield REPOSITORY.ok("commits", f"{len(waiting)} wait")


def look_at_api(around: Surroundings) -> Iterator[Finding]:
    """Whether the app answers, and what our key lets us do."""
    api = around.asked.api
    if api is None:
        yield API.skipped("--url", "no address is given", "give --url or ALM_API_URL, and --key")
        return
    try:
        api.get("pipelines")
    except ApiUnreachable as error:
        yield API.failed(api.url, _plain(error), "start the app, or correct --url or ALM_API_URL")
        return
    except ApiFailed as error:
        yield API.failed(api.url, _plain(error), "correct --url, --key or ALM_API_KEY")
        return
    yield API.ok(api.url, f"answers; our key is {', '.join(roles(api))}")


def roles(api: Client) -> list[str]:
    """What a key lets us do: orders about a run that cannot be are refused in different ways."""
    found = ["reader"]
    for role, verb in (("operator", "cancel"), ("approver", "approve")):
        try:
            api.post("runs", NO_RUN, verb)
        except ApiFailed as error:
            if error.status in LET_IN:
                found.append(role)
    return found


def _plain(error: Exception) -> str:
    return str(error).partition("; ")[0]
