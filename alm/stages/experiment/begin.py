"""Begin: where a run of the experiment pipeline starts, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alm.domain.errors import Misconfigured
from alm.domain.ledger import Ledger
from alm.domain.managed_model import DEPLOYED, ManagedModel
from alm.domain.run import RunState, Served, StudioState, Trigger
from alm.ports import Ports
from alm.stages.first_step import FirstStep, inputs, numbered


def experiment(
    ports: Ports, model: ManagedModel, ledger: Ledger, triggers: Sequence[Trigger]
) -> FirstStep:
    if model.experiment is None:
        raise Misconfigured(f"managed model {model.model!r} has no `experiment`; declare it")
    now = ports.clock.now()
    given = inputs(ports, model, ledger, triggers)[-1:]
    deadline = now + timedelta(minutes=2 * model.experiment.deadline_minutes)
    changes = {"inputs": given, "job_deadline": deadline}
    return FirstStep("upload", numbered(ledger, now).model_copy(update=changes))


def reinstate(model: ManagedModel, want: dict[str, Served], now: datetime) -> FirstStep:
    served = want.get(DEPLOYED)
    if served is None or not served.asset:
        version = served.version if served else "it"
        raise Misconfigured(
            f"{version} of {model.model!r} is no trained model of the workspace, so the experiment "
            "cannot score with it; name a version that an experiment run promoted"
        )
    state = RunState(began=now, want=want, studio=StudioState(asset=served.asset))
    return FirstStep("copy_predictive", state, "reinstate")
