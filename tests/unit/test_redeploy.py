"""Redeploy: definitions of a commit go back to their targets, whole, proved, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alm.domain.errors import Unavailable, Unknown
from alm.domain.source_control import Change
from alm.engine import upkeep
from tests.unit.engine_world import CANARY, GROUP, HOSTING, EngineWorld, definition

SERVICE = f"{GROUP}/webServices/t1"
CRASHES_MAX = 400


def publish(world: EngineWorld, *names: str) -> list[str]:
    """Publish model files; returns the commits that came of it."""
    for name in names:
        world.trigger("publish", name)
        world.settle()
        world.flush()
    return [commit.id for commit, _ in world.repository.commits]


def graph_changes(world: EngineWorld, threshold: str = "0.9") -> None:
    """People deploy another graph by hand, with the model that is there."""
    there = world.studio.new.get(SERVICE)
    changed = definition("models/t1.ilearner", threshold)
    place = there["properties"]["assets"]["model"]["locationInfo"]
    changed["properties"]["assets"]["model"]["locationInfo"] = place
    world.studio.new.put(SERVICE, changed)


def redeploy(world: EngineWorld, commit: str, name: str = "order") -> None:
    world.trigger("redeploy", name, commit=commit)
    world.settle()


def graph(world: EngineWorld) -> str:
    """The threshold in the graph that is deployed."""
    nodes = world.studio.new.get(SERVICE)["properties"]["package"]["nodes"]
    return str(nodes["score"]["parameters"]["Threshold"]["value"])


def model(world: EngineWorld) -> str:
    asset = world.studio.new.get(SERVICE)["properties"]["assets"]["model"]
    return world._content(asset["locationInfo"]["uri"])


def two_versions(**declared: Any) -> tuple[EngineWorld, str]:
    """v1 with one graph, then v2 with another one; the commit of v1."""
    world = EngineWorld(target={"kind": "new"}, version_control=True, **declared)
    first, *_ = publish(world, "a")
    graph_changes(world)
    publish(world, "b")
    assert ("0.9", "good b", "v2") == (graph(world), model(world), world.ledger.champion)
    return world, first


def commit_by_hand(world: EngineWorld, **files: object) -> str:
    """People commit files of the managed model's folder."""
    contents = {
        f"churn/t1.{name}.json": text if isinstance(text, bytes) else json.dumps(text).encode()
        for name, text in files.items()
    }
    change = Change(id="by-hand", message="by hand", at=world.clock.now(), files=contents)
    return world.source.commit(change).id


def test_the_definition_and_the_model_of_a_commit_come_back() -> None:
    world, first = two_versions()

    redeploy(world, first)

    assert "ok" == world.result(3), world.why(3)
    assert ("0.5", "good a", "v1") == (graph(world), model(world), world.ledger.champion)
    assert "v2" == world.ledger.before["t1"].version


def test_without_a_commit_the_newest_definitions_are_meant() -> None:
    world, _ = two_versions()
    graph_changes(world, "0.1")

    redeploy(world, "")

    assert "ok" == world.result(3), world.why(3)
    assert ("0.9", "good b") == (graph(world), model(world))


def test_a_commit_may_be_abbreviated() -> None:
    world, first = two_versions()

    redeploy(world, first[:12])

    assert "ok" == world.result(3), world.why(3)
    assert "v1" == world.ledger.champion


def test_a_classic_endpoint_gets_the_version_of_that_commit() -> None:
    world = EngineWorld(version_control=True)
    first, *_ = publish(world, "a", "b")

    redeploy(world, first)

    assert "ok" == world.result(3), world.why(3)
    assert ("good a", "v1") == (world.serves(), world.ledger.champion)


@pytest.mark.parametrize(
    "target",
    [{"deploy": "new-endpoint"}, {"deploy": "new-service", "hosting": HOSTING}],
    ids=["endpoint", "service"],
)
@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
def test_versions_beside_a_service_never_change_it(target: dict[str, Any], bad: bool) -> None:
    world = EngineWorld(target=target, version_control=True)
    first, *_ = publish(world, "a", "b")
    if bad:
        world.blobs.put(world.versions.manifest("churn", "v1").file, b"bad a")

    redeploy(world, first)

    assert ("rolled_back" if bad else "ok") == world.result(3), world.why(3)
    assert ("v2" if bad else "v1") == world.ledger.champion
    assert {"ep1", "ep2"} == world.beside().keys()
    assert [] == world.targets["t1"].patches
    assert [] == world.studio.new.put_in


def test_a_failed_smoke_test_gives_the_previous_definition_back() -> None:
    world, first = two_versions()
    world.blobs.put(world.versions.manifest("churn", "v1").file, b"bad a")

    redeploy(world, first)

    assert "rolled_back" == world.result(3), world.why(3)
    assert ("0.9", "good b", "v2") == (graph(world), model(world), world.ledger.champion)


def test_a_service_that_accepts_and_keeps_its_graph_is_not_believed() -> None:
    world = EngineWorld(target={"kind": "new"}, version_control=True)
    first, *_ = publish(world, "a")
    graph_changes(world)
    world.studio.new.changes_nothing = True

    redeploy(world, first)

    assert "failed" == world.result(2)
    assert "Threshold" in world.why(2)


def other_service(world: EngineWorld, first: str) -> str:
    """The service got a second file, which only it may read."""
    changed = definition("models/t1.ilearner", "0.9")
    assets = changed["properties"]["assets"]
    assets["second"] = {**assets["model"], "name": "vocabulary [trained model]"}
    assets["model"] = world.studio.new.get(SERVICE)["properties"]["assets"]["model"]
    world.studio.new.put(SERVICE, changed)
    return first


def of_commit(world: EngineWorld, first: str) -> dict[str, Any]:
    files = world.repository.files(first)
    return dict(json.loads(files["churn/t1.definition.json"]))


def without_the_model(world: EngineWorld, first: str) -> str:
    kept = of_commit(world, first)
    kept["properties"]["assets"]["model"]["name"] = "another [trained model]"
    return commit_by_hand(world, definition=kept)


def for_elsewhere(world: EngineWorld, first: str) -> str:
    return commit_by_hand(world, definition={**of_commit(world, first), "location": "East Asia"})


def with_a_broken_graph(world: EngineWorld, first: str) -> str:
    kept = of_commit(world, first)
    del kept["properties"]["package"]["nodes"]["score"]
    return commit_by_hand(world, definition=kept)


def with_a_withheld_parameter(world: EngineWorld, first: str) -> str:
    kept = of_commit(world, first)
    kept["properties"]["parameters"] = {"account key": {"value": "<withheld>"}}
    return commit_by_hand(world, definition=kept)


def cut_off(world: EngineWorld, first: str) -> str:
    return commit_by_hand(world, definition=json.dumps(of_commit(world, first)).encode()[:-40])


def of_no_version(world: EngineWorld, _first: str) -> str:
    return commit_by_hand(world, target={"version": "../../other/v1"})


def of_a_version_that_is_gone(world: EngineWorld, _first: str) -> str:
    return commit_by_hand(world, target={"version": "v77"})


def of_a_retired_version(world: EngineWorld, first: str) -> str:
    world.versions.retire_file(world.versions.manifest("churn", "v1"))
    return first


def unknown(_world: EngineWorld, _first: str) -> str:
    return "0" * 40


def ambiguous(_world: EngineWorld, _first: str) -> str:
    return "0" * 12


UNFIT = {
    other_service: "leave to read the file of 'vocabulary'",
    without_the_model: "no trained model 'churn'",
    for_elsewhere: "cannot be moved",
    with_a_broken_graph: "names node 'score', which is not there",
    with_a_withheld_parameter: "'account key' was withheld",
    cut_off: "cut off",
    of_no_version: "which is none",
    of_a_version_that_is_gone: "there are: t1-v0, v1, v2",
    of_a_retired_version: "was retired",
    unknown: "has no commit '0000",
    ambiguous: "order a whole commit id",
}


@pytest.mark.parametrize("spoil", UNFIT, ids=lambda spoil: spoil.__name__)
def test_what_no_longer_fits_fails_before_anything_is_sent(spoil: Any) -> None:
    world, first = two_versions()
    commit = spoil(world, first)
    before, sent = world.studio.new.get(SERVICE), len(world.studio.new.put_in)

    redeploy(world, commit)

    assert "failed" == world.result(3)
    assert UNFIT[spoil] in world.why(3)
    assert sent == len(world.studio.new.put_in)
    assert before == world.studio.new.get(SERVICE)
    assert "v2" == world.ledger.champion


def test_a_commit_without_the_model_fails_naming_it() -> None:
    world = EngineWorld(version_control=True)
    commit = world.source.commit(
        Change(id="x", message="x", at=world.clock.now(), files={"README.md": b"x"})
    )

    redeploy(world, commit.id)

    assert "failed" == world.result()
    assert "nothing of 'churn'" in world.why()


def test_an_empty_repository_and_none_at_all_are_told() -> None:
    empty, none = EngineWorld(version_control=True), EngineWorld()

    for world in (empty, none):
        redeploy(world, "")

    assert "has no commits yet" in empty.why()
    assert "no repository is configured" in none.why()


@pytest.mark.parametrize("error", [Unknown("lost"), Unavailable("503")], ids=["lost", "away"])
@pytest.mark.parametrize("operation", ["read", "change", "get"])
def test_a_lost_answer_or_an_absence_changes_nothing(error: Exception, operation: str) -> None:
    world, first = two_versions()
    double = world.source if operation == "read" else world.studio.new
    double.fail(operation, error, after=isinstance(error, Unknown), times=2)

    redeploy(world, first)

    assert "ok" == world.result(3), world.why(3)
    assert ("0.5", "good a") == (graph(world), model(world))


@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
def test_a_crash_after_every_effect_costs_nothing(bad: bool) -> None:
    for crash in range(1, CRASHES_MAX):
        world, first = two_versions()
        if bad:
            world.blobs.put(world.versions.manifest("churn", "v1").file, b"bad a")
        world.crash_after = crash
        redeploy(world, first)
        is_over, world.crash_after = bool(world.crash_after), 0
        world.settle()
        world.flush()

        assert ("rolled_back" if bad else "ok") == world.result(3), (crash, world.why(3))
        wanted = ("0.9", "good b", "v2") if bad else ("0.5", "good a", "v1")
        assert wanted == (graph(world), model(world), world.ledger.champion), crash
        assert () == world.ledger.unknown, crash
        assert 3 == len(world.commits()), crash
        if is_over:
            return
    raise AssertionError(f"a run with more than {CRASHES_MAX} effects")


@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
@pytest.mark.parametrize("seconds", [0, 60, 500])
def test_a_process_that_lost_its_lock_and_writes_late_is_put_right(
    bad: bool, seconds: float
) -> None:
    for lost in range(1, CRASHES_MAX):
        world, first = two_versions()
        if bad:
            world.blobs.put(world.versions.manifest("churn", "v1").file, b"bad a")
        world.haunt_after, world.haunt_seconds = lost, seconds
        redeploy(world, first)
        is_over, world.haunt_after = bool(world.haunt_after), 0

        wanted = ("0.9", "good b", "v2") if bad else ("0.5", "good a", "v1")
        assert wanted == (graph(world), model(world), world.ledger.champion), lost
        assert () == world.ledger.unknown, lost
        if is_over:
            return
    raise AssertionError(f"a run with more than {CRASHES_MAX} effects")


def test_what_people_change_later_stays() -> None:
    world, first = two_versions()
    redeploy(world, first)
    world.clock.advance(3600)
    graph_changes(world, "0.7")

    upkeep.sweep(world.ports, "churn", "tick")
    world.settle()

    assert ("0.7", "good a") == (graph(world), model(world))
    assert "drift" not in world.events()


def test_neither_repository_nor_documents_hold_a_secret() -> None:
    world, first = two_versions()
    world.blobs.put(world.versions.manifest("churn", "v1").file, b"bad a")
    redeploy(world, first)
    world.flush()

    kept = [content for _, files in world.repository.commits for content in files.values()]
    kept += [b.content for path, b in world.blobs.stored.items() if not path.startswith("models/")]
    kept += [message.body for message in world.bus.sent]
    kept += [text.encode() for text, _ in world.ledgers.texts.values()]
    assert any(b"withheld" in content for content in kept), "definitions are among them"
    for secret in (CANARY, "sig=", "storage-key"):
        assert [] == [content for content in kept if secret.encode() in content]


def test_a_secret_that_people_committed_is_not_written_anywhere_else() -> None:
    world, first = two_versions()
    kept = of_commit(world, first)
    place = kept["properties"]["assets"]["model"]["locationInfo"]
    place["credentials"] = f"?sv=1&sig={CANARY}"
    commit = commit_by_hand(world, definition=kept, target={"version": "v1"})

    redeploy(world, commit)

    assert "ok" == world.result(3), world.why(3)
    documents = [b.content for path, b in world.blobs.stored.items() if path.startswith("alm-")]
    assert [] == [content for content in documents if CANARY.encode() in content]
