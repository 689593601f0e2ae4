"""The worker is killed with -9 while it is inside a stage: in every stage.

Each stage has a model of its own whose run is stopped inside it, at a call that the stage makes.
When all are there, one kill takes the worker from all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from devstack.demo.models import clear_cut
from tests.scenario.tollgate import Hold
from tests.scenario.world import USUAL, WORN, Fault, Scene, World, dataset, managed

HELD_SECONDS = 60
APPROVAL = {"approval": {"required": True}}
NOT_WORN = {"smoke_tests": [clear_cut()]}
TWICE = {"training": {"attempts": 2}}


@dataclass(frozen=True)
class Point:
    """Where a run is stopped: a call to Studio, or one to storage (before or after it is done).

    In `path`, {model} stands for the model, {trainer} and {staging} and {target} for the execution
    paths of its services. deploying: the call is made while Studio deploys to a web service, which
    is kept waiting for the model file of this name.
    """

    stage: str
    method: str
    path: str
    storage: bool = False
    after: bool = False
    skip: int = 0
    deploying: str = ""
    wishes: Mapping[str, Any] = field(default_factory=dict)
    rows: str = USUAL
    verify: bool = False  # not the run of a dataset, but an ordered verification after it
    result: str = "ok"
    jobs: tuple[str, ...] = ("Finished",)

    @property
    def run(self) -> str:
        return f"{self.model}.r{2 if self.verify else 1}"

    @property
    def model(self) -> str:
        return f"killed-{self.stage}".replace("_", "-")  # as endpoints may be named


LEDGER = r"/alm-ledger/{model}\.json$"
POINTS = (
    Point("submit", "POST", "{trainer}jobs$"),
    Point("begin", "PUT", LEDGER, storage=True, after=True),
    Point("start", "POST", "{trainer}jobs/[^/]+/start"),
    Point("await", "GET", "{trainer}jobs/[^/]+$"),
    Point(
        "restart",
        "PUT",
        LEDGER,
        storage=True,
        after=True,
        skip=1,
        wishes={"changes": TWICE},
        jobs=("Failed", "Finished"),
    ),
    Point("harvest", "GET", r"/alm-jobs/{model}/.*/model\.ilearner$", storage=True),
    Point("rehearse", "PATCH", "endpoints/{model}-staging$", wishes={"staging": True}),
    Point("score", "POST", "{staging}execute", skip=1, wishes={"staging": True}),
    Point("evaluate", "PUT", r"/alm-jobs/{model}/.*/verdict\.json$", storage=True, after=True),
    Point("promote", "PUT", r"/alm-versions/{model}/v1\.json$", storage=True, after=True),
    Point("intent", "PUT", LEDGER, storage=True, after=True, skip=1),
    Point("patch", "PATCH", "endpoints/{model}-1$"),
    Point(
        "settle", "GET", "webServices/{model}-1$", deploying="-v1-", wishes={"targets": ("new",)}
    ),
    Point("smoke", "POST", "{target}execute", skip=1),
    Point(
        "roll_back",
        "PATCH",
        "endpoints/{model}-1$",
        skip=1,
        wishes={"changes": NOT_WORN},
        rows=WORN,
        result="rolled_back",
    ),
    Point(
        "restored",
        "GET",
        "webServices/{model}-1$",
        deploying="-v0-",
        wishes={"changes": NOT_WORN, "targets": ("new",)},
        rows=WORN,
        result="rolled_back",
    ),
    Point(
        "hold",
        "PUT",
        LEDGER,
        storage=True,
        after=True,
        skip=1,
        wishes={"changes": APPROVAL},
        result="refused",
    ),
    Point("finish", "PUT", LEDGER, storage=True, after=True, skip=2),
    Point("verify", "GET", "endpoints/{model}-1$", verify=True, result="verified"),
    Point("record", "PUT", r"/alm-runs/[^/]+/{model}\.r1\.json$", storage=True),
)


@dataclass
class Stopped:
    """A run on its way to its point."""

    point: Point
    scene: Scene
    hold: Hold | None = None
    fault: Fault | None = None
    deployment: Hold | None = None
    looked: Fault | None = None
    set_later: Callable[[], Fault] | None = None

    def is_there(self) -> bool:
        if self.hold is not None:
            return self.hold.caught.is_set()
        if self.fault is not None:
            return bool(self.fault.seen)
        assert self.deployment is not None
        if not self.deployment.caught.is_set():
            return False
        return self._is_looked_at()

    def _is_looked_at(self) -> bool:
        """The stage that deployed looks once itself; the look after that is the next stage's."""
        assert self.set_later is not None
        if self.looked is None:
            self.looked = self.set_later()
        elif self.looked.seen:
            self.fault = self.set_later()
        return False

    def release(self) -> None:
        for held in (self.hold, self.deployment):
            if held is not None:
                held.let_go() if held is self.deployment else held.drop()


@pytest.fixture(scope="module")
def killed(request: pytest.FixtureRequest, world: World) -> None:
    """All chosen runs are stopped inside their stages, the worker is killed, they may go on."""
    chosen = [
        item.callspec.params["point"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    scene = world.scene(request.node.nodeid)
    for point in chosen:
        if point.verify:
            scene.retrained(point.model)
    with ExitStack() as faults:
        stopped = [_stop(scene, point, faults) for point in chosen]
        for point in chosen:
            if point.verify:
                scene.order(f"models/{point.model}/verify")
            else:
                scene.upload(point.model, rows=dataset(point.rows))
        for one in stopped:
            scene.until(f"{one.point.model} inside its stage", one.is_there)
        world.stack.restart_worker()
        for one in stopped:
            one.release()


def _stop(scene: Scene, point: Point, faults: ExitStack) -> Stopped:
    model = scene.model(point.model)
    paths = {
        "model": point.model,
        "trainer": model.training_path,
        "target": scene.studio.execution_path(model.targets[0]),
        "staging": scene.studio.execution_path(model.staging) if model.staging else "",
    }
    path = point.path
    for name, text in paths.items():
        path = path.replace("{" + name + "}", text)
    if point.stage == "restart":
        broken = scene.fault("fail_job", "POST", f"{model.training_path}jobs$", times=1)
        faults.enter_context(broken)
    tollgate = scene.world.tollgate
    if point.storage:
        hold = tollgate.hold(point.method, path, after=point.after, skip=point.skip)
        return Stopped(point, scene, hold=hold)

    def slow(seconds: float) -> Fault:
        more = {"seconds": seconds, "skip": point.skip, "times": 1}
        return faults.enter_context(scene.fault("slow", point.method, path, **more))

    if not point.deploying:
        return Stopped(point, scene, fault=slow(HELD_SECONDS))
    file = rf"/alm-versions/{point.model}/.*{point.deploying}"
    seconds = iter((0, HELD_SECONDS))
    return Stopped(
        point,
        scene,
        deployment=tollgate.hold("GET", file),
        set_later=lambda: slow(next(seconds)),
    )


@pytest.mark.parametrize(
    "point", [pytest.param(p, id=p.stage, marks=managed(p.model, **p.wishes)) for p in POINTS]
)
def test_a_run_survives_the_death_of_the_worker(killed: None, scene: Scene, point: Point) -> None:
    model, run = point.model, point.run

    if point.stage == "hold":
        hold = scene.held(run)
        scene.order(f"runs/{run}/refuse", "approver", digest=hold["digest"])
    ended = scene.ended(run)
    scene.until("an empty mailbox", lambda: scene.quiet(model))

    assert point.result == ended["result"]
    assert list(point.jobs) == scene.started_jobs(model)
    ledger = scene.ledger(model)
    assert (run, []) == (ledger["last_run"], ledger["unknown"])
    assert ledger["runs"] == (2 if point.verify else 1)
    crowned = point.result in ("ok", "verified")
    assert ("v1" if crowned else "") == ledger["champion"]
    (served,) = scene.served(model)
    wanted = {"rolled_back": "-v0-", "refused": "experimentoutput"}
    assert wanted.get(point.result, f"/{model}-v1-") in served


def test_no_job_was_started_twice(killed: None, scene: Scene) -> None:
    log = scene.studio.admin("GET", "calls")["log"]

    started = [entry["what"] for entry in log if entry["event"] == "start"]
    assert len(started) == len(set(started))
    assert started
