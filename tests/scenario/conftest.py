"""One stack for all scenarios; tests marked `together` run at the same time, in threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from devstack.demo.models import Wishes
from devstack.demo.operator import Operator
from devstack.demo.story import Story
from devstack.demo.studio import Studio
from tests.scenario.world import Scene, World

RESULTS = pytest.StashKey[dict[str, Future[None]]]()
WORLD = pytest.StashKey[World]()
SECONDS_MAX = 110


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "managed(model, **wishes): a managed model for this test")
    config.addinivalue_line("markers", "experiment(model): a managed model with the ten steps")
    config.addinivalue_line("markers", "together: runs at the same time as the others so marked")
    config.addinivalue_line("markers", "last: runs when everything else has happened")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs together comes first, and the story beside it; then what needs quiet."""
    ours = [item for item in items if _is_ours(item)]
    places = [at for at, item in enumerate(items) if _is_ours(item)]
    for at, item in zip(places, sorted(ours, key=_order), strict=True):
        items[at] = item


def _is_ours(item: pytest.Item) -> bool:
    return "scenario" in item.path.parent.name


def _order(item: pytest.Item) -> int:
    if item.get_closest_marker("together"):
        return 0
    if "story" in getattr(item, "fixturenames", ()):
        return 1
    return 3 if item.get_closest_marker("last") else 2


@pytest.fixture(scope="session")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The stack with every model that the chosen tests declare, and those tests under way."""
    items = [item for item in request.session.items if _is_ours(item)]
    marks = [mark for item in items for mark in item.iter_markers("managed")]
    wishes = {str(mark.args[0]): Wishes(**mark.kwargs) for mark in marks}
    drawn = [str(m.args[0]) for item in items for m in item.iter_markers("experiment")]
    world = World(tmp_path_factory.mktemp("stack"), wishes, drawn)
    request.config.stash[WORLD] = world
    together = [item for item in items if item.get_closest_marker("together")]
    with ThreadPoolExecutor(len(items) + 1) as threads:
        try:
            results = {item.nodeid: threads.submit(_run, world, item) for item in together}
            request.config.stash[RESULTS] = results
            if any("story" in getattr(item, "fixturenames", ()) for item in items):
                results["story"] = threads.submit(_tell, world)
            yield world
        finally:
            world.close()


def _run(world: World, item: Any) -> None:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    item.obj(scene=world.scene(item.nodeid), **parameters)


def _tell(world: World) -> Any:
    addresses = world.stack.addresses
    named = {name: world.models[name] for name in ("cancer", "diabetes")}
    story = Story(Operator(addresses), Studio(addresses), named)
    try:
        story.tell()
    finally:
        story.operator.close()
    return story


@pytest.fixture
def scene(request: pytest.FixtureRequest, world: World) -> Scene:
    return world.scene(request.node.nodeid)


@pytest.fixture(scope="session")
def story(request: pytest.FixtureRequest, world: World) -> Any:
    """The demo's story, told to its end."""
    return request.config.stash[RESULTS]["story"].result(SECONDS_MAX)


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that runs together with others is under way: wait for its end."""
    if not pyfuncitem.get_closest_marker("together"):
        return None
    pyfuncitem.config.stash[RESULTS][pyfuncitem.nodeid].result(SECONDS_MAX)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failure shows the runs of its models and the end of the host's log."""
    report = yield
    world = item.config.stash.get(WORLD, None)
    if report.failed and world is not None and _is_ours(item):
        names = [str(mark.args[0]) for mark in item.iter_markers("managed")]
        names = names or list(world.scene(item.nodeid).used)
        report.sections.append(("runs, and the end of the host's log", world.told_of(names)))
    return report
