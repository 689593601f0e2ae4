"""Ids and times of Studio say what they say; anything else is refused or says nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alm.domain.errors import Refused
from alm.domain.experiment import Experiment
from alm.domain.run_history import label
from alm.domain.studio_ids import asset_id, family_of, moment, taken, version_of
from tests.unit.domain.studio_graphs import ADULT, WORKSPACE, experiment, training


def test_an_asset_id_is_workspace_family_and_instance():
    parts = asset_id(ADULT)

    assert parts is not None
    assert (WORKSPACE, "b" * 32, "v1-default-12", 12) == tuple(parts)


@pytest.mark.parametrize("text", ["", "a", "a.b", "a b.c.d", "a..v1-default-1", "x" * 600])
def test_what_is_no_asset_id_is_its_own_family_and_has_no_version(text: str):
    assert asset_id(text) is None
    assert family_of(text) == text
    assert version_of(text) == -1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("/Date(0)/", datetime(1970, 1, 1, tzinfo=UTC)),
        ("/Date(1464199879696)/", datetime(2016, 5, 25, 18, 11, 19, 696000, UTC)),
        ("/Date(1464199879696+0200)/", datetime(2016, 5, 25, 18, 11, 19, 696000, UTC)),
        ("/Date(-1000)/", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_read(text: str, expected: datetime | None):
    assert expected == moment(text)


@pytest.mark.parametrize("text", ["now", "/Date()/", "/Date(999999999999999)/", "/Date(1)/ x"])
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(Refused, match="is no time of Studio's"):
        moment(text)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("9953-08-08t05.48.40", datetime(2016, 5, 25, 18, 11, 19, tzinfo=UTC)),
        ("9953-08-08t06.08.13", datetime(2016, 5, 25, 17, 51, 46, tzinfo=UTC)),
        ("9953-13-08t06.08.13", None),
        ("0001-01-01t00.00.00", None),
        ("", None),
    ],
)
def test_the_clock_in_a_snapshot_id_runs_backwards(clock: str, expected: datetime | None):
    assert expected == taken(f"{WORKSPACE}.s-id.{'0' * 32}.{clock}")


def test_an_experiment_that_is_no_snapshot_was_not_taken():
    assert taken(experiment().id) is None


@pytest.mark.parametrize(
    ("state", "partial", "expected"),
    [
        ("Finished", False, "Finished"),
        ("Finished", True, "Finished (Partial run)"),
        ("Failed", False, "Failed"),
        ("Failed", True, "Failed (Partial run)"),
        ("Canceled", None, "Canceled"),
        ("Running", False, "Running"),
        ("NotStarted", True, "Not started"),
        ("InDraft", True, "Draft"),
        ("Somewhat", True, "Somewhat"),
    ],
)
def test_run_history_has_a_label_for_each_state(state: str, partial: bool | None, expected: str):
    one = training(Status={"StatusCode": state}, IsPartialRun=partial)

    assert expected == label(Experiment.model_validate(one))


@pytest.mark.parametrize("part", ["Graph", "WebService", "Tags", "NodeStatuses", "RunId"])
def test_an_experiment_is_written_as_it_was_read(part: str):
    assert training()[part] == experiment(training()).document[part]
