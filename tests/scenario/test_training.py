"""Training jobs that fail."""

from __future__ import annotations

import pytest

from tests.scenario.world import CANARY, Scene, managed, stages

DETAILS = "Error 0035: the column 'mean radius' holds no number in row 17"
LEAK = f"; reading https://lake.example/rows.csv?sv=2021-06-08&sig={CANARY}%2Bdetails"


@pytest.mark.together
@managed("broken", changes={"training": {"attempts": 1}})
def test_a_run_whose_job_fails_ends_as_failed_with_the_details_of_studio(scene: Scene) -> None:
    model = scene.model("broken")
    before = scene.served("broken")

    with scene.fault("fail_job", "POST", f"{model.training_path}jobs$", details=DETAILS + LEAK):
        ended = scene.retrained("broken")

    assert "failed" == ended["result"]
    assert DETAILS in ended["why"]
    assert ["Failed"] == scene.started_jobs("broken")
    assert before == scene.served("broken")
    assert ["failed"] == scene.world.notices.events("broken")


@pytest.mark.together
@managed("unlucky", changes={"training": {"attempts": 2}})
def test_a_job_that_fails_once_is_followed_by_a_second_one(scene: Scene) -> None:
    path = f"{scene.model('unlucky').training_path}jobs$"

    with scene.fault("fail_job", "POST", path, details=DETAILS, times=1):
        ended = scene.retrained("unlucky")

    assert "ok" == ended["result"]
    assert ["Failed", "Finished"] == scene.started_jobs("unlucky")
    assert "restart" in stages(ended)


@pytest.mark.together
@managed("hopeless", changes={"training": {"attempts": 2}})
def test_a_run_has_no_more_jobs_than_declared(scene: Scene) -> None:
    path = f"{scene.model('hopeless').training_path}jobs$"

    with scene.fault("fail_job", "POST", path, details=DETAILS):
        ended = scene.retrained("hopeless")

    assert "failed" == ended["result"]
    assert DETAILS in ended["why"]
    assert ["Failed", "Failed"] == scene.started_jobs("hopeless")
