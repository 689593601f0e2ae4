"""One Chromium, one local stack, one crowd; and people, each with a context of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.person import Person, Place
    from tests.browser.world import World

People = Callable[..., "Person"]


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Only where it is asked for: these need Chromium, and `python -m tests.browser` tells so."""
    return None if any("tests/browser" in str(asked) for asked in config.args) else True


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with running() as browser:
        yield browser


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The stack with runs of every kind on their way."""
    from tests.browser.world import World

    world = World(tmp_path_factory.mktemp("stack"))
    try:
        world.set_going()
        yield world
    finally:
        world.close()


@pytest.fixture(scope="session")
def app(world: World) -> Place:
    """The page of the real app."""
    from tests.browser.person import Place

    return Place(world.url, {role: world.key(role) for role in ("reader", "operator", "approver")})


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The page of ten thousand managed models, over doubles."""
    from tests.browser.crowd import serving

    with serving(tmp_path_factory.mktemp("crowd")) as place:
        yield place


@pytest.fixture(scope="session")
def sessions() -> dict[tuple[str, str], Any]:
    """Cookies of those who signed in once, by place and role."""
    return {}


@pytest.fixture
def people(chromium: Browser, sessions: dict[tuple[str, str], Any]) -> Iterator[People]:
    """Somebody at a place; signed in, if a role is named. Fails on whatever must never happen."""
    from tests.browser.person import Person

    there: list[Person] = []

    def at(place: Place, role: str = "", **options: Any) -> Person:
        known = sessions.get((place.url, role))
        person = Person(chromium, place, **({"storage_state": known} if known else {}), **options)
        there.append(person)
        if role and not known:
            person.sign_in(role)
            sessions[place.url, role] = person.context.storage_state()
        return person

    yield at
    faults = [fault for person in there for fault in person.leave()]
    assert [] == faults
