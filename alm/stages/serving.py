"""What patch, smoke, roll back, verify and reconcile share: is a target serving what it should?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from alm.domain.errors import Misconfigured, NotFound
from alm.domain.managed_model import Target
from alm.domain.run import Served
from alm.ports import Blobs, Clock, Grant, Reading
from alm.stages.context import Context
from alm.stages.harvest import fingerprint

GRANT_DAYS = 6  # the longest a user-delegation key can last, less a day; the sweep renews it
VISIT_SECONDS_MAX = 100  # and one call of 180 s: below the function timeout of 300 s
SETTLE_LOOKS_MAX = 60  # looks at a deployment under way: about eight minutes
STRAY_SECONDS = 600  # after a run's end a holder that lost its lock may still change a target


def serves(reading: Reading, served: Served, blobs: Blobs) -> bool:
    """Say whether a reading names this model: our copy, or where we once found it."""
    return reading.location in (blobs.location(served.blob), served.found_at or None)


def check_file(blobs: Blobs, served: Served) -> None:
    """Raises Misconfigured if our copy of a version is gone: then nobody can serve it again."""
    try:
        blobs.properties(served.blob)
    except NotFound as error:
        raise Misconfigured(
            f"the file of version {served.version} is gone ({served.blob}): it was retired, as "
            "`keep_versions` declares, or deleted; name a version that is kept"
        ) from error


def holds(reading: Reading, served: Served, blobs: Blobs) -> bool:
    """Say whether the model that is read back is this one: by its place, or by its content.

    Studio deploys a copy of its own of a trained-model asset, each time to another place.
    """
    if serves(reading, served, blobs):
        return True
    if not served.asset:
        return False
    digest, _ = fingerprint(blobs.fetch(reading.location, reading.sas))
    return digest == served.digest


def wanted_targets(context: Context) -> tuple[Target, ...]:
    """The targets that a run speaks of, in the order they are declared."""
    want = context.state.want
    found = (context.model.target(name, want.get(name)) for name in context.model.served_names)
    return tuple(target for target in found if target is not None and target.name in want)


def leave_to_read(blobs: Blobs, clock: Clock, path: str) -> Grant:
    return blobs.grant(path, "read", clock.now() + timedelta(days=GRANT_DAYS))


def is_long(context: Context) -> bool:
    """Say whether a visit should go on in another message before it begins one more slow call."""
    return context.ports.clock.now() - context.now > timedelta(seconds=VISIT_SECONDS_MAX)


def settle_seconds(looks: int) -> float:
    """How long until the next look at a deployment under way: half a second, growing to ten."""
    return min(0.5 * 1.5 ** min(looks, 20), 10)


def named(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
