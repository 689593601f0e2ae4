"""What endpoints and web services that are deployed beside a target have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable

from alm.domain.deployments import name_fault
from alm.domain.errors import Misconfigured
from alm.domain.managed_model import Target
from alm.domain.nearest import shown


def checked(name: str, target: Target, *, taken: tuple[str, ...]) -> None:
    """Raises Misconfigured if nothing deployed beside a target can have a name.

    taken: names of what is there and was not deployed beside it.
    """
    if wrong := name_fault(target.deploy, name):
        raise Misconfigured(f"target {target.name!r}: {wrong}; correct its `name_template`")
    if name.lower() in (other.lower() for other in taken):
        raise Misconfigured(
            f"target {target.name!r}: {shown(name)} is not one of its deployments but what they "
            "stand beside: it is never changed or deleted; correct `name_template`"
        )


def not_ours(name: str, target: Target) -> Misconfigured:
    """Something has the name that was not deployed beside this target."""
    return Misconfigured(
        f"target {target.name!r}: there is a {shown(name)} already that was not deployed beside "
        "it: it is left alone; rename or delete that one, or change `name_template`"
    )


def in_order(found: Iterable[tuple[str, str]]) -> list[str]:
    """Names by the time they were created; of the same or no time, 2 before 10."""
    return [name for _, name in sorted(found, key=lambda item: (item[0], _natural(item[1])))]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
