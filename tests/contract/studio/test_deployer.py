"""What deploying beside a target promises: the double and local Studio alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alm.domain.errors import Denied, Misconfigured, NotFound, Unavailable, Unknown
from alm.ports import Grant
from alm.studio_ports import Deployer
from tests.contract.studio.deployer_worlds import DeployerWorld, serving


def test_a_version_is_deployed_and_answers(beside: DeployerWorld) -> None:
    beside.deployer.create("ep1", beside.models[1])

    assert beside.deployer.exists("ep1")
    assert serving(beside.deployer, "ep1", beside) == beside.answers(beside.models[1])
    assert beside.deployer.target("ep1").read().location == beside.models[1].location


def test_what_it_is_made_from_stays_as_it_is(beside: DeployerWorld) -> None:
    before, reading = beside.template_answer(), beside.template.read()

    beside.deployer.create("ep1", beside.models[1])
    serving(beside.deployer, "ep1", beside)
    after, read = beside.template_answer(), beside.template.read()
    beside.deployer.delete("ep1")

    assert before == after == beside.template_answer()
    assert (reading.location, reading.stamp) == (read.location, read.stamp)
    assert beside.template.read().stamp == reading.stamp


def test_two_versions_answer_side_by_side(beside: DeployerWorld) -> None:
    for number, model in enumerate(beside.models, start=1):
        beside.deployer.create(f"ep{number}", model)

    answers = [serving(beside.deployer, name, beside) for name in ("ep1", "ep2")]

    assert answers == [beside.answers(model) for model in beside.models]


def test_creating_again_is_harmless(beside: DeployerWorld) -> None:
    beside.deployer.create("ep1", beside.models[1])
    answers = serving(beside.deployer, "ep1", beside)

    beside.deployer.create("ep1", beside.models[1])

    assert answers == serving(beside.deployer, "ep1", beside) == beside.answers(beside.models[1])
    assert beside.deployer.names() == ["ep1"]


def test_creating_again_at_once_is_harmless(beside: DeployerWorld) -> None:
    for _ in range(2):
        beside.deployer.create("ep1", beside.models[1])

    assert serving(beside.deployer, "ep1", beside) == beside.answers(beside.models[1])


def test_an_attempt_that_broke_off_is_completed_by_the_next(beside: DeployerWorld) -> None:
    beside.break_off()
    with pytest.raises((Unavailable, Unknown)):
        beside.deployer.create("ep1", beside.models[1])
    assert beside.deployer.exists("ep1")

    beside.deployer.create("ep1", beside.models[1])

    assert serving(beside.deployer, "ep1", beside) == beside.answers(beside.models[1])


def test_deployments_are_named_in_the_order_they_were_made(beside: DeployerWorld) -> None:
    names = ["ep10", "ep2", "ep1"]
    beside.stranger("ep3")

    for name in names:
        beside.deployer.create(name, beside.models[0])
        beside.forward(1)

    assert beside.deployer.names() == names
    assert beside.own not in beside.deployer.names()


def test_without_deployments_there_are_no_names(beside: DeployerWorld) -> None:
    assert beside.deployer.names() == []
    assert not beside.deployer.exists("ep1")


def test_a_deployment_is_deleted_once_and_again(beside: DeployerWorld) -> None:
    beside.deployer.create("ep1", beside.models[1])
    serving(beside.deployer, "ep1", beside)

    beside.deployer.delete("ep1")
    beside.deployer.delete("ep1")

    assert not beside.deployer.exists("ep1")
    assert beside.deployer.names() == []
    with pytest.raises(NotFound):
        beside.deployer.target("ep1").read()


def test_a_name_may_be_used_again_after_a_deletion(beside: DeployerWorld) -> None:
    beside.deployer.create("ep1", beside.models[0])
    serving(beside.deployer, "ep1", beside)
    beside.deployer.delete("ep1")

    beside.deployer.create("ep1", beside.models[1])

    assert serving(beside.deployer, "ep1", beside) == beside.answers(beside.models[1])


CHANGES: dict[str, Callable[[Deployer, str, Grant], object]] = {
    "create": lambda deployer, name, model: deployer.create(name, model),
    "delete": lambda deployer, name, model: deployer.delete(name),
    "exists": lambda deployer, name, model: deployer.exists(name),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_it_is_made_from_is_no_deployment(
    beside: DeployerWorld, change: Callable[[Deployer, str, Grant], object]
) -> None:
    before = beside.template_answer()

    with pytest.raises(Misconfigured):
        change(beside.deployer, beside.own, beside.models[1])

    assert before == beside.template_answer()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_people_made_is_left_alone(
    beside: DeployerWorld, change: Callable[[Deployer, str, Grant], object]
) -> None:
    beside.stranger("ep1")

    with pytest.raises(Misconfigured):
        change(beside.deployer, "ep1", beside.models[1])

    assert beside.stranger_is_there("ep1")
    assert beside.deployer.names() == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", ["", "-a", "a/b", "..", "../../x", "a?b=c", "a b", "é", "a\n"])
def test_names_that_cannot_be_are_refused(
    beside: DeployerWorld, name: str, change: Callable[[Deployer, str, Grant], object]
) -> None:
    with pytest.raises(Misconfigured):
        change(beside.deployer, name, beside.models[0])
    with pytest.raises(Misconfigured):
        beside.deployer.target(name)

    assert beside.deployer.names() == []


@pytest.mark.parametrize(
    ("kind", "error"), [("unavailable", Unavailable), ("denied", Denied)], ids=str
)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_could_not_be_looked_at_is_not_changed(
    beside: DeployerWorld,
    change: Callable[[Deployer, str, Grant], object],
    kind: str,
    error: type[Exception],
) -> None:
    beside.fault(kind)

    with pytest.raises(error):
        change(beside.deployer, "ep1", beside.models[0])
    beside.heal()

    assert beside.deployer.names() == []
