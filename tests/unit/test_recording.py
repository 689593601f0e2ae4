"""What version control has of runs: in a bare repository on the disk, written by the sweep."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dulwich.repo import Repo

from alm.adapters.declarations import Declarations
from alm.bootstrap import App
from alm.domain.errors import AlmError, Unavailable, Unknown
from alm.domain.messages import parse
from alm.domain.source_control import Change, Repository
from alm.entrypoints import timers
from tests.unit.engine_world import CANARY, EngineWorld
from tests.unit.entrypoints.app_world import _settings

Make = Callable[..., EngineWorld]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[EngineWorld] = []

    def world(models: str = "pointer", **declared: Any) -> EngineWorld:
        repository = Repository(url=str(tmp_path / "models.git"), models=models)
        made.append(EngineWorld(version_control=repository, **declared))
        return made[-1]

    yield world
    for each in made:
        source(each).close()


def source(world: EngineWorld) -> Any:
    control = world.ports.version_control
    assert control is not None
    return control.source


def sweep(world: EngineWorld, folder: Path) -> None:
    """The minute's timer."""
    folder.mkdir(exist_ok=True)
    world.clock.advance(60)
    timers.on_sweep(App(_settings({}), world.ports, Declarations.read(folder, world.blobs)))
    world.settle(seconds=1)


def run(world: EngineWorld, name: str, folder: Path, pipeline: Any = "publish", **more: Any) -> str:
    world.trigger(pipeline, name, **more)
    world.settle()
    sweep(world, folder)
    return str(world.result(world.ledger.runs))


def log(world: EngineWorld) -> list[tuple[str, str]]:
    """What was committed, oldest first: the id of the change, and the first line."""
    commits = reversed(source(world).log())
    return [(c.change, c.message.partition("\n")[0]) for c in commits]


def document(world: EngineWorld, path: str) -> dict[str, Any]:
    return dict(json.loads(source(world).read(path)))


def test_each_promotion_is_one_commit_with_its_run(make: Make, tmp_path: Path) -> None:
    world = make()

    for name in ("a", "b"):
        assert "ok" == run(world, name, tmp_path / "d")

    assert [
        ("churn.r1", "churn: v1 in service"),
        ("churn.r2", "churn: v2 in service"),
    ] == log(world)
    newest = source(world).log()[0]
    assert "Run churn.r2, publish." in newest.message
    assert "v2" == document(world, "churn/serves.json")["targets"]["t1"]["version"]
    assert "v2" == document(world, "churn/t1.target.json")["version"]
    assert "churn.r1" == document(world, "churn/versions/v1.json")["run"]
    (parent,) = Repo(str(tmp_path / "models.git"))[newest.id.encode()].parents
    assert source(world).log()[1].id == parent.decode()


def test_roll_backs_are_commits_too(make: Make, tmp_path: Path) -> None:
    world = make(bad=("b",))
    run(world, "a", tmp_path / "d")

    assert "rolled_back" == run(world, "b", tmp_path / "d")
    assert "ok" == run(world, "order", tmp_path / "d", "roll_back", version="v0")

    assert ["v1 in service", "v2 rolled back, v1 in service", "v0 in service"] == [
        line.removeprefix("churn: ") for _, line in log(world)
    ]
    assert "v0" == document(world, "churn/serves.json")["champion"]
    assert "t1-v0" == document(world, "churn/t1.target.json")["version"]


def test_a_version_that_could_not_be_put_into_service_is_on_record(
    make: Make, tmp_path: Path
) -> None:
    world = make()
    run(world, "a", tmp_path / "d")
    world.targets["t1"].refuses = "the endpoint is being moved"

    assert "failed" == run(world, "b", tmp_path / "d")

    assert "churn: v2 not put into service (failed), v1 in service" == log(world)[-1][1]
    assert "v2" == document(world, "churn/versions/v2.json")["version"]
    assert "v1" == document(world, "churn/t1.target.json")["version"]


def test_runs_that_change_nothing_are_no_commits(make: Make, tmp_path: Path) -> None:
    world = make()
    run(world, "a", tmp_path / "d")

    assert "verified" == run(world, "monday", tmp_path / "d", "verify")
    assert "failed" == run(world, "order", tmp_path / "d", "roll_back", version="v9")

    assert 1 == len(log(world))


@pytest.mark.parametrize("models", ["file", "pointer", "none"])
def test_model_files_are_kept_as_the_repository_says(
    make: Make, tmp_path: Path, models: str
) -> None:
    world = make(models)

    run(world, "a", tmp_path / "d")

    found = list(source(world).list("churn/models/"))
    match models:
        case "file":
            assert ["churn/models/v1.ilearner"] == found
            assert b"good a" == source(world).read(found[0])
        case "pointer":
            assert ["churn/models/v1.ilearner.pointer.json"] == found
            manifest = world.versions.manifest("churn", "v1")
            assert manifest.digest == document(world, found[0])["digest"]
            assert manifest.file == document(world, found[0])["location"]
        case _:
            assert [] == found


@pytest.mark.parametrize(
    "error", [Unavailable("connection refused"), Unknown("lost")], ids=["away", "lost"]
)
def test_while_the_repository_is_away_the_outbox_keeps_it_and_a_later_sweep_commits(
    tmp_path: Path, error: AlmError
) -> None:
    world = EngineWorld(version_control=True)
    control = world.ports.version_control
    assert control is not None
    world.source.fail("commit", error, after=isinstance(error, Unknown), times=None)

    assert "ok" == run(world, "a", tmp_path / "d")
    assert "ok" == run(world, "b", tmp_path / "d")
    assert ["churn.r1", "churn.r2"] == [waiting.id for waiting in control.outbox.pending()]
    world.source.heal()
    sweep(world, tmp_path / "d")

    assert ["churn.r1", "churn.r2"] == [change for change, _ in log(world)]
    assert [] == list(control.outbox.pending())


def test_closing_duties_that_are_done_twice_are_one_commit(make: Make, tmp_path: Path) -> None:
    world = make()
    run(world, "a", tmp_path / "d")
    (finish,) = [m for m in world.bus.sent if m.subject == "publish/finish"]

    world.handle(parse(finish.body))
    sweep(world, tmp_path / "d")
    run(world, "b", tmp_path / "d")
    world.handle(parse(finish.body))
    sweep(world, tmp_path / "d")

    assert ["churn.r1", "churn.r2"] == [change for change, _ in log(world)]


def test_a_repository_that_is_lost_begins_anew(make: Make, tmp_path: Path) -> None:
    world = make()
    run(world, "a", tmp_path / "d")
    shutil.rmtree(tmp_path / "models.git")

    run(world, "b", tmp_path / "d")

    assert ["churn.r2"] == [change for change, _ in log(world)]


def test_what_people_commit_meanwhile_stays(make: Make, tmp_path: Path) -> None:
    """An export of the command line, say: another process, a change of its own."""
    world = make()
    run(world, "a", tmp_path / "d")
    path = "experiments/churn-training.json"
    change = Change(id="cli:1", message="Export", at=world.clock.now(), files={path: b"{}"})
    other = EngineWorld(version_control=Repository(url=str(tmp_path / "models.git")))
    source(other).commit(change)
    source(other).close()

    run(world, "b", tmp_path / "d")

    assert ["churn.r1", "cli:1", "churn.r2"] == [name for name, _ in log(world)]
    assert b"{}" == source(world).read(path)


def test_the_commit_that_a_redeploy_names_is_read_back(make: Make, tmp_path: Path) -> None:
    world = make(target={"kind": "new"})
    run(world, "a", tmp_path / "d")
    run(world, "b", tmp_path / "d")
    first = source(world).log()[1].id

    assert "ok" == run(world, "order", tmp_path / "d", "redeploy", commit=first[:10])

    assert "churn: v1 in service" == log(world)[-1][1]
    assert "redeploy" in source(world).log()[0].message


def test_a_change_that_cannot_be_recorded_is_told_and_ends_nothing_else(
    make: Make, tmp_path: Path
) -> None:
    world = make()
    world.trigger("publish", "a")
    world.settle(until="finish")
    (finish,) = [m for m in world.pending() if m.subject == "publish/finish"]
    kept = parse(finish.body).state.documents["churn/t1.target.json"]
    world.blobs.delete(kept)

    world.settle()

    assert "ok" == world.result()
    (item,) = world.records.items.values()
    assert "churn.r1" in item.reason
    assert [] == log(world)
    assert [("a", "ended", "ok")] == world.answers()


@pytest.mark.parametrize("models", ["file", "pointer"])
def test_the_repository_holds_no_secret(make: Make, tmp_path: Path, models: str) -> None:
    world = make(models, target={"kind": "new"})
    for name in ("a", "b"):
        run(world, name, tmp_path / "d")

    paths = source(world).list()
    contents = b"".join(source(world).read(path) for path in paths)

    assert "churn/t1.definition.json" in paths
    for secret in (CANARY, "sig=", "storage-key"):
        assert secret.encode() not in contents
