"""Modules that Studio runs and this machine does not: scripts in R and Python, outside data.

Their ports and parameters are known, so that graphs with them can be drawn, checked and kept. Each
raises NotExecutable when it is to run. Source of the ports of Execute R Script: captured
experiments; of Create R Model: Studio's module reference; those of the others are inferred, so a
graph that names other ports of these modules is kept all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devstack.studio.catalogue.module import (
    DATASET,
    LEARNER,
    Module,
    Parameter,
    Parameters,
    Values,
)
from devstack.studio.learning.failures import NotExecutable

_SCRIPT_INPUTS = {"Dataset1": DATASET, "Dataset2": DATASET, "Script Bundle": DATASET}
_OPTIONAL = frozenset(_SCRIPT_INPUTS)


def _not_here(why: str) -> Callable[[Parameters, Values], Values]:
    def run(parameters: Parameters, values: Values) -> Values:
        raise NotExecutable(why)

    return run


_NEEDS_R = _not_here("it runs a script in Studio's own R; run the experiment without it")
_NEEDS_PYTHON = _not_here("it runs a script in Studio's own Python; run the experiment without it")
_NEEDS_NETWORK = _not_here("it moves data outside of this machine; use a dataset instead")

FOREIGN: Mapping[str, Module] = {
    "Execute R Script": Module(
        "30806023392b42e094d66b775a6e0fd5",
        _SCRIPT_INPUTS,
        {"Result Dataset": DATASET, "R Device": DATASET},
        _NEEDS_R,
        optional=_OPTIONAL,
        parameters=(Parameter("R Script", "Script"), Parameter("Random Seed", "Int", minimum=0)),
        category="R Language Modules",
        executable=False,
    ),
    "Create R Model": Module(
        "314e34a8b24c4870afe62649b6fc7476",
        {},
        {"Model": LEARNER},
        _NEEDS_R,
        parameters=(
            Parameter("Trainer R script", "Script"),
            Parameter("Scorer R script", "Script"),
        ),
        category="R Language Modules",
        executable=False,
    ),
    "Execute Python Script": Module(
        "cdb56f957f4c404dbde75bb972e6f232",
        _SCRIPT_INPUTS,
        {"Result Dataset": DATASET, "Python Device": DATASET},
        _NEEDS_PYTHON,
        optional=_OPTIONAL,
        parameters=(Parameter("Python Script", "Script"),),
        category="Python Language Modules",
        executable=False,
    ),
    "Import Data": Module(
        "4e1b0fe6aded4b3fa36f39b8862b9004",
        {},
        {"Results dataset": DATASET},
        _NEEDS_NETWORK,
        category="Data Input and Output",
        executable=False,
    ),
    "Export Data": Module(
        "7a391181b6a74ad4b82de419c0d6522c",
        {"Dataset": DATASET},
        {},
        _NEEDS_NETWORK,
        category="Data Input and Output",
        executable=False,
    ),
}
