"""What to do about a run that did not end well: the first table of docs/operations.md, by rule.

A test holds the words against that document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """state: how the run stands; why: what its reason says (a pattern). means, do: for people."""

    state: str
    why: str
    means: str
    do: str


REMEDIES = (
    Remedy(
        "held", r"the gate cannot decide",
        "evidence is missing or the interval is too wide",
        "deliver what the reason names, or `alm approve R` / `alm refuse R`",
    ),
    Remedy(
        "held", r"propagation delay",
        "after the propagation delay the known rows are answered as before",
        "add smoke rows that tell the models apart, or `accept_identical: true`; approve or refuse",
    ),
    Remedy(
        "failed", r"was run by somebody else meanwhile",
        "people ran the copy that belongs to the managed model",
        "work in the original; start again",
    ),
    Remedy(
        "failed", r"came without|[Tt]he graph ",
        "the experiment does not hang together, or there is a choice to make",
        "the reason names nodes and ids; `alm experiment show`, then correct `experiment:`",
    ),
    Remedy(
        "failed", r"cannot be deployed|both must be in one region",
        "plan, region and storage account do not fit",
        "correct `hosting`; nothing was sent",
    ),
    Remedy(
        "failed", r"could not be brought back",
        "the predictive experiment or its service is not as before; target `service` is *unknown*",
        "open the experiment's history (`alm experiment history`), save the snapshot of before, "
        "deploy",
    ),
    Remedy(
        "failed", r"^training job .* failed:",
        "a training job ended in error: mostly the file is at fault; the reason has the service's "
        "words",
        "upload a corrected file to `datasets/PATTERN`: that starts a run; `alm start M` alone "
        "takes the same dataset again",
    ),
    Remedy(
        "failed", r"",
        "a service refused, or was away too long; the reason has its words and a remedy",
        "correct it, then `alm start M`",
    ),
    Remedy(
        "rejected", r"",
        "the gate found the candidate too weak: `alm run R`, or The gate on its page, has each "
        "metric, its threshold and the champion's",
        "the targets still serve what they served; if the data is right, change the threshold in "
        "the declaration (`gate.metrics`), then upload again or `alm start M`",
    ),
    Remedy(
        "rolled_back", r"",
        "a smoke test failed on a target: the reason names it",
        "everything is as before; look at the answers in the run",
    ),
    Remedy(
        "drift", r"",
        "somebody changed a target by hand",
        "the reconcile puts the champion back; to keep the change, publish that model",
    ),
    Remedy(
        "unwell", r"",
        "a verify found a failing smoke test on the right model",
        "`on_unwell: roll_back` makes it repair itself; else `alm rollback M`",
    ),
)  # fmt: skip


def remedy(state: str, why: str) -> Remedy | None:
    """What to do about a run that stands like this; None: nothing need be done."""
    return next((r for r in REMEDIES if r.state == state and re.search(r.why, why)), None)
