"""The budgets that can be counted: storage operations and messages of one budget run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.counted_run import count
from bench.operations import KEYS

BLOB_OPERATIONS_MAX = 6  # begin read, begin, intent, finish, reconcile read, run record
ARTIFACT_OPERATIONS_MAX = 9  # not a budget of the design: a growth should be somebody's decision
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("job_seconds", [0, 1, 9])
def test_a_budget_run_stays_within_its_operations(job_seconds: float) -> None:
    counts = count(job_seconds=job_seconds)

    assert counts.blob_operations <= BLOB_OPERATIONS_MAX
    assert counts.artifact_operations <= ARTIFACT_OPERATIONS_MAX


@pytest.mark.parametrize("job_seconds", [0, 1, 600])
def test_a_budget_run_sends_one_message_per_visit_and_three_more(job_seconds: float) -> None:
    counts = count(job_seconds=job_seconds)

    assert counts.sends <= counts.stages + counts.waits + 3


def test_a_long_wait_costs_one_record_each_and_nothing_else() -> None:
    counts = count(job_seconds=600)

    assert counts.blob_operations <= BLOB_OPERATIONS_MAX + counts.waits
    assert counts.artifact_operations <= ARTIFACT_OPERATIONS_MAX


def test_a_job_that_takes_longer_is_waited_for_more_often() -> None:
    assert count(job_seconds=0).waits == 0
    assert count(job_seconds=600).waits > count(job_seconds=3).waits > 0


def test_the_command_prints_the_counts_as_one_line_of_json() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.operations"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert tuple(json.loads(ran.stdout)) == KEYS
    assert ran.stdout.count("\n") == 1
