"""Run history: the words that Studio's page shows for an experiment and its snapshots."""

from __future__ import annotations

from alm.domain.experiment import ENDED, Experiment

PARTIAL = " (Partial run)"

_LABELS = {"InDraft": "Draft", "NotStarted": "Not started"}


def label(experiment: Experiment) -> str:
    """`Finished`, `Failed (Partial run)`, `Draft`, `Running` … as the run history shows it.

    Source: Studio's documentation for Finished, Failed (both also partial) and Draft. Inferred:
    `Not started`, and that a cancelled or running part of an experiment is marked the same way.
    """
    state = experiment.state
    partial = experiment.is_partial and state in (*ENDED, "Running")
    return _LABELS.get(state, state) + (PARTIAL if partial else "")
