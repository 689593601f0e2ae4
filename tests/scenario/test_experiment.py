"""The ten Studio steps on the whole stack; the worker is killed with -9 inside each of them."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from devstack.demo.experiment import STEPS
from tests.scenario.world import Scene, dataset, stages

HELD_SECONDS = 30
SNAPSHOT = r"/experiments/[0-9a-f]{32}\.f-id\.[0-9a-f]{32}$"


class Step(NamedTuple):
    """A call of a step to Studio: the worker dies while it is under way."""

    name: str
    method: str
    path: str
    skip: int = 0


CALLS = (
    Step("upload: blocks", "POST", "/blobuploads/"),
    Step("upload: register", "POST", "/datasources$"),
    Step("copy the training experiment", "POST", "/experiments/?$"),
    Step("set the dataset", "POST", SNAPSHOT),
    Step("run the training experiment", "POST", SNAPSHOT),
    Step("await the training experiment", "GET", SNAPSHOT),
    Step("take the outputs", "GET", "/outputdata/"),
    Step("promote the trained model", "POST", "/trainedmodels$"),
    Step("copy the predictive experiment", "POST", "/experiments/?$"),
    Step("set the trained model", "POST", SNAPSHOT),
    Step("run the predictive experiment", "POST", SNAPSHOT),
    Step("await the predictive experiment", "GET", SNAPSHOT),
    Step("deploy the web service", "POST", "/webservice$"),
    Step("read the deployed service back", "GET", "/endpoints/default$"),
    Step("test: request/response", "POST", "/execute$"),
    Step("test: batch", "POST", "/jobs$"),
)


@pytest.mark.experiment("ten-steps")
def test_the_ten_steps_survive_the_death_of_the_worker_in_each_of_them(scene: Scene) -> None:
    died = []
    scene.operator.upload("datasets", "ten-steps/day1.csv", dataset().csv)
    for step in CALLS:
        with scene.fault("slow", step.method, step.path, seconds=HELD_SECONDS, times=1) as fault:
            scene.until(f"the call of {step.name!r}", lambda fault=fault: fault.seen)
            scene.world.stack.restart_worker()
            died.append(step.name)

    run = scene.operator.ended("ten-steps.r1", 120)

    assert "ok" == run["result"], run["why"]
    assert [step.name for step in CALLS] == died
    assert STEPS == list(dict.fromkeys(stages(run)))[: len(STEPS)]
    found = scene.studio.studio_api("experiments")
    ours = [entry["Description"] for entry in found if entry["Description"].startswith("ten-")]
    assert ["ten-steps predictive", "ten-steps training"] == sorted(ours)
    for kind in ("datasources", "trainedmodels"):
        named = [entry for entry in scene.studio.studio_api(kind) if entry["Name"] == "ten-steps"]
        assert 1 == len(named)
