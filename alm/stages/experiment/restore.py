"""Restore: the predictive experiment as a commit has it, with the version that was served then.

Asked for by an order to redeploy. Read only: `equip` saves it, once what is there is on record.
"""

from __future__ import annotations

from alm.domain import exported
from alm.domain.errors import Misconfigured, NotFound
from alm.domain.experiment import Draft, Experiment
from alm.domain.managed_model import DEPLOYED
from alm.domain.outcomes import Done, Failed, Outcome
from alm.stages import documents, redeploy
from alm.stages.context import Context
from alm.stages.experiment import workbench

FILE = "predictive-wanted.json"


def read(context: Context) -> Outcome:
    """Bring graph and version as of the commit into the run's own folder."""
    source, commit = redeploy.commit_meant(context)
    folder = context.step.model
    try:
        path = documents.path_of(context, "predictive.json")
        graph = source.read(path, at=commit)
        served = redeploy.manifest_at(context, source, DEPLOYED, commit).served()
    except NotFound as error:
        return Failed(
            f"commit {commit} has nothing of {folder!r} ({error}); the repository's log names the "
            "commits there are: order one of them"
        )
    if not served.asset:
        raise Misconfigured(
            f"{served.version} of {folder!r} is no trained model of the workspace; order a commit "
            "of a version that an experiment run promoted"
        )
    exported.read_export(graph)  # what is no experiment fails before anything is touched
    path = context.job_file(FILE)
    context.ports.blobs.put(path, graph)
    state = context.state.model_copy(update={"want": {DEPLOYED: served}})
    state = workbench.made(state, asset=served.asset, graph=path)
    return Done(state, why=f"{served.version}, as of commit {commit}")


def wanted(context: Context, now: Experiment) -> Draft | None:
    """The experiment as of the commit, over what it is now; None where no commit is meant."""
    path = context.state.studio.graph
    if not path:
        return None
    return exported.draft_of(exported.read_export(context.ports.blobs.get(path)), onto=now)
