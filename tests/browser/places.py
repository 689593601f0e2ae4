"""Every kind of page of the app, by address: what is held against axe, at all sizes and colours."""

from __future__ import annotations

from alm.entrypoints.api.calls import encoded
from tests.browser.person import Person
from tests.browser.world import World

STILL = (
    "/sign-in",
    "/",
    "/models",
    "/models?q=nobody",
    "/models/churn",
    "/models/churn?read=true",
    "/models/idle",
    "/models/patients",
    "/models/idle/start",
    "/models/churn/rollback?version=v1",
    "/runs",
    "/runs?state=cancelled",
    "/runs/churn.r1",
    "/runs/broken.r1",
    "/runs/worn.r1",
    "/inbox",
    "/schedule",
    "/studio",
    "/models/nobody",
)


def addresses(world: World) -> list[tuple[str, str]]:
    """Who opens what: addresses that stand, and those whose names are only known now."""
    for run in ("churn.r1", "broken.r1", "worn.r1"):
        world.ended(run)
    digest = world.held("held.r1")
    workspace = world.studio.workspace_declared()["workspace"]
    drawn = world.studio.experiments("cancer")[0]["experiment_id"]
    item = encoded(world.items(1)[0]["id"])
    return [
        *(("operator", path) for path in STILL),
        ("operator", f"/inbox/{item}"),
        ("operator", f"/studio/{workspace}/{drawn}"),
        ("approver", "/runs/held.r1"),
        ("approver", f"/runs/held.r1/approve?digest={digest}"),
    ]


def settle(person: Person) -> None:
    """Open what can be opened, so that it is looked at too."""
    person.page.evaluate(
        "() => { for (const part of document.querySelectorAll('details')) part.open = true }"
    )
