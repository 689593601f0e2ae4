"""The doubles where they do more than their ports: time, faults, finding."""

from __future__ import annotations

import pytest

from alm.domain.errors import Unavailable
from alm.domain.managed_model import ExecutionUrl, Target
from alm.ports import Grant, Submission
from tests.doubles.studio import BASE, DoubleServices, DoubleTarget, DoubleTraining
from tests.unit.studio.scripted import HandClock
from tests.unit.studio.test_services import CLASSIC, NEW

NOTHING = Submission({}, {}, {})


def model(name: str) -> Grant:
    return Grant(BASE, f"models/{name}.ilearner", "?sig=r")


def test_a_job_runs_as_long_as_it_is_told_to() -> None:
    clock = HandClock()
    finished: list[str] = []
    training = DoubleTraining(
        clock, job_seconds=60, on_finished=lambda job: finished.append(job.id)
    )
    job_id = training.create_job(NOTHING)
    training.start_job(job_id)
    states = [training.job(job_id).state]

    clock.forward(60)
    states += [training.job(job_id).state for _ in range(2)]

    assert states == ["Running", "Finished", "Finished"]
    assert finished == [job_id]


def test_starts_count_what_really_started() -> None:
    training = DoubleTraining(HandClock())
    job_id = training.create_job(NOTHING)

    for _ in range(3):
        training.start_job(job_id)

    assert (training.starts[job_id], training.calls["start_job"]) == (1, 3)


def test_models_take_over_in_the_order_they_were_put_in() -> None:
    clock = HandClock()
    target = DoubleTarget(clock, propagation_seconds=10)
    answering = []

    for name in ("v1", "v2"):
        target.patch(model(name))
        clock.forward(5)
    for seconds in (0, 5, 100):
        clock.forward(seconds)
        answering.append(target.answering.rpartition("/")[2])

    assert answering == ["v1.ilearner", "v2.ilearner", "v2.ilearner"]
    assert target.patches == [model("v1").location, model("v2").location]


def test_a_deployment_settles_when_its_time_is_over() -> None:
    clock = HandClock()
    target = DoubleTarget(clock, settle_seconds=3)
    target.patch(model("v1"))
    seen = [target.read().settled]

    clock.forward(3)
    seen.append(target.read().settled)

    assert seen == [False, True]


def test_a_fault_is_over_after_its_times() -> None:
    target = DoubleTarget(HandClock())
    target.fail("read", Unavailable("no room"), times=2)
    target.fail("read", Unavailable("still none"), times=1)
    seen = []

    for _ in range(3):
        with pytest.raises(Unavailable) as raised:
            target.read()
        seen.append(str(raised.value))

    assert seen == ["no room", "no room", "still none"]
    assert target.read().settled


def test_a_declaration_always_finds_the_same_double() -> None:
    services = DoubleServices(HandClock())
    mine = DoubleTarget(services.clock, BASE + "models/mine.ilearner")
    targets = [Target(name="a", service=one, trained_model="m") for one in (CLASSIC, NEW)]
    training = ExecutionUrl(kind="execution", url="https://studio.test/t", key="env:TRAIN")
    services.put_target(targets[0], mine)

    assert services.target(targets[0]) is mine
    assert services.target(targets[1]) is services.target(targets[1]) is not mine
    assert services.training(training) is services.training(training)
