"""What `alm init --experiment` writes: the ten steps, from two experiments of a workspace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alm.adapters.studio.declaring import Known, Task, gate_of, smoke_test, task_of, text_of
from alm.domain.experiment import Experiment, StudioWorkspace

KINDS: tuple[tuple[str, Task], ...] = (
    ("two-class", "two-class"),
    ("multiclass", "multi-class"),
    ("regression", "regression"),
)
"""How the modules that learn say what they learn, in their names."""


def experiment_steps(
    model: str,
    workspace: StudioWorkspace,
    experiments: tuple[Experiment, Experiment],
    known: Known | None,
    more: Mapping[str, Any] | None = None,
) -> str:
    """The YAML text of a managed model with `experiment`.

    experiments: the one that trains and the one that scores. known: what the web service says that
    is deployed from the latter; None if there is none yet.
    """
    training, predictive = experiments
    task = task_of(known.answers) if known else "regression"
    document: dict[str, Any] = {
        "model": model,
        "dataset": f"{model}/*.csv",
        "experiment": {
            "workspace": workspace.model_dump(exclude_defaults=True),
            "training": {"source": {"experiment": training.id}},
            "predictive": {"source": {"experiment": predictive.id}},
        },
        "gate": gate_of(task, ""),
    }
    if known is not None:
        document["smoke_tests"] = [smoke_test(task, known)]
    given = dict(more or {})
    if "task" in given:
        document["gate"] = gate_of(given.pop("task"), "")
    return text_of({**document, **given}, f"{training.name}, {predictive.name}")


def task_in(titles: Iterable[str]) -> Task | None:
    """The kind of model that modules of these titles make; None if they do not say."""
    listed = [title.lower() for title in titles]
    return next((task for word, task in KINDS if any(word in title for title in listed)), None)
