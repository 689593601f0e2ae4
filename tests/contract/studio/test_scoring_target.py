"""What a scoring target promises: the double and local Studio alike."""

from __future__ import annotations

import pytest

from alm.domain.errors import (
    Denied,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
    Unknown,
)
from tests.contract.studio.waiting import PROPAGATION_SECONDS, ended, settled
from tests.contract.studio.worlds import (
    TargetWorld,
    labels,
)

AFTER_PROPAGATION = PROPAGATION_SECONDS + 1


def put(world: TargetWorld, number: int) -> None:
    """A model is in, answers, and no other one does any more."""
    world.target.patch(world.models[number])
    settled(world.target)
    world.forward(AFTER_PROPAGATION)


def test_a_patch_is_read_back(world: TargetWorld) -> None:
    put(world, 0)
    assert world.target.read().location == world.models[0].location

    put(world, 1)
    assert world.target.read().location == world.models[1].location


def test_reading_twice_gives_the_same_stamp_and_another_after_a_patch(world: TargetWorld) -> None:
    put(world, 0)
    stamps = [world.target.read().stamp for _ in range(2)]

    put(world, 1)

    assert stamps[0] == stamps[1] != world.target.read().stamp


def test_the_old_model_answers_until_the_patch_has_propagated(world: TargetWorld) -> None:
    put(world, 0)
    old, new = (world.answers(model) for model in world.models)
    seen = [labels(world.target, world.rows)]

    world.target.patch(world.models[1])
    settled(world.target)
    seen.append(labels(world.target, world.rows))
    world.forward(AFTER_PROPAGATION)
    seen.append(labels(world.target, world.rows))

    assert seen == [old, old, new]


def test_a_patch_may_be_repeated(world: TargetWorld) -> None:
    put(world, 0)
    put(world, 0)

    assert world.target.read().location == world.models[0].location
    assert labels(world.target, world.rows) == world.answers(world.models[0])


def test_a_patch_that_changes_nothing_is_seen_when_read_back(world: TargetWorld) -> None:
    put(world, 0)
    before = world.target.read()
    world.let_patches_change_nothing()

    world.target.patch(world.models[1])
    settled(world.target)

    after = world.target.read()
    assert (after.location, after.stamp) == (before.location, before.stamp)


def test_a_refused_patch_is_a_declaration_to_correct(world: TargetWorld) -> None:
    with pytest.raises(Misconfigured):
        world.refusing.patch(world.models[0])


def test_a_resource_that_is_not_there_is_a_declaration_to_correct(world: TargetWorld) -> None:
    with pytest.raises(Misconfigured, match="no resource"):
        world.misnamed.read()


def test_a_target_that_is_not_there_is_not_found(world: TargetWorld) -> None:
    with pytest.raises(NotFound):
        world.missing.read()
    with pytest.raises(NotFound):
        world.missing.patch(world.models[0])
    with pytest.raises(NotFound):
        world.missing.score(world.rows, input="input1", output="output1")


def test_answers_come_in_the_order_of_the_rows(world: TargetWorld) -> None:
    put(world, 0)

    forwards = labels(world.target, world.rows)
    backwards = labels(world.target, world.rows[::-1])

    assert forwards == backwards[::-1]
    assert len(set(forwards)) > 1


def test_no_rows_have_no_answers(world: TargetWorld) -> None:
    assert world.target.score([], input="input1", output="output1").rows == ()


@pytest.mark.parametrize(("into", "out"), [("no-such", "output1"), ("input1", "no-such")])
def test_an_input_or_output_that_is_not_there_is_a_declaration_to_correct(
    world: TargetWorld, into: str, out: str
) -> None:
    with pytest.raises(Misconfigured):
        world.target.score(world.rows, input=into, output=out)


def test_rows_that_the_model_cannot_score_are_refused(world: TargetWorld) -> None:
    put(world, 0)

    with pytest.raises(Refused):
        world.target.score(world.unfit_rows, input="input1", output="output1")


def test_a_target_without_room_did_nothing(world: TargetWorld) -> None:
    put(world, 0)
    for operation in ("read", "score", "patch"):
        world.fault(operation, "unavailable")

    with pytest.raises(Unavailable):
        world.target.read()
    with pytest.raises(Unavailable):
        labels(world.target, world.rows)
    with pytest.raises(Unavailable):
        world.target.patch(world.models[1])

    assert world.target.read().location == world.models[0].location


@pytest.mark.parametrize("operation", ["read", "patch", "score"])
def test_a_target_that_refuses_the_key_denies(world: TargetWorld, operation: str) -> None:
    put(world, 0)
    world.fault(operation, "denied")

    with pytest.raises(Denied):
        if operation == "read":
            world.target.read()
        elif operation == "patch":
            world.target.patch(world.models[1])
        else:
            labels(world.target, world.rows)


def test_a_patch_whose_answer_was_lost_happened(world: TargetWorld) -> None:
    put(world, 0)
    world.fault("patch", "lost answer")

    with pytest.raises(Unknown):
        world.target.patch(world.models[1])
    settled(world.target)

    assert world.target.read().location == world.models[1].location


def test_the_same_endpoint_scores_in_bulk(world: TargetWorld) -> None:
    put(world, 0)
    batch = world.target.batch()
    job_id = batch.create_job(world.batch_submission())
    batch.start_job(job_id)

    job = ended(batch, job_id)

    assert job.state == "Finished", job.details
    assert "output1" in job.outputs
