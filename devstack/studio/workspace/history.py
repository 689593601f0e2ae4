"""History: experiments, their snapshots and runs in the store, and the rules by which they change.

Each run takes a snapshot; the experiment keeps its id. `run` names the newest snapshot, each
snapshot names the one before: that chain is the run history (inferred; Studio's own address for a
list is not known). Snapshots stay until the experiment is deleted, whatever `deleteAncestors`
says (inferred: nobody could reach them any more).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devstack.studio.errors import StudioError, not_found
from devstack.studio.store import Store
from devstack.studio.workspace.experiment_ids import (
    EXPERIMENT_ID,
    SNAPSHOT_ID,
    after,
    etag_of,
    new_experiment_id,
    snapshot_id,
    snapshot_prefix,
)
from devstack.studio.workspace.experiment_records import (
    Content,
    Experiment,
    NodeRun,
    Run,
    Snapshot,
)
from devstack.studio.workspace.outputs import Outputs


class History:
    """Keeps experiments; safe to use from many threads."""

    def __init__(self, store: Store, outputs: Outputs, clock: Callable[[], float]) -> None:
        self.store = store
        self._outputs = outputs
        self._clock = clock

    def experiments(self, workspace_id: str) -> Sequence[Experiment]:
        """All experiments of a workspace, the last changed first."""
        found = self.store.list(Experiment, f"{workspace_id}/")
        return sorted(found, key=lambda experiment: -experiment.modified)

    def experiment(self, workspace_id: str, experiment_id: str) -> Experiment:
        """The experiment with an `f-id`; raises 404."""
        found = None
        if EXPERIMENT_ID.fullmatch(experiment_id):
            found = self.store.get(Experiment, f"{workspace_id}/{experiment_id}")
        if found is None:
            raise _no_experiment(experiment_id)
        return found

    def snapshot(self, workspace_id: str, name: str) -> Snapshot:
        """The snapshot with an `s-id`; raises 404."""
        found = self.store.get(Snapshot, name) if SNAPSHOT_ID.fullmatch(name) else None
        if found is None or found.workspace != workspace_id:
            raise _no_experiment(name)
        return found

    def snapshots(self, experiment_id: str) -> Sequence[Snapshot]:
        """The snapshots of an experiment, newest first."""
        return self.store.list(Snapshot, snapshot_prefix(experiment_id))

    def newest(self, experiment: Experiment) -> Snapshot | None:
        """The newest snapshot of an experiment, None before its first run."""
        return self.store.get(Snapshot, experiment.run) if experiment.run else None

    def run(self, name: str) -> Run:
        """The run of a snapshot; raises 404 when that was deleted meanwhile."""
        found = self.store.get(Run, name)
        if found is None:
            raise _no_experiment(name)
        return found

    def state(self, experiment: Experiment) -> str:
        """Studio's StatusCode of an experiment: that of its last run, or InDraft."""
        if experiment.is_draft or not experiment.run:
            return "InDraft"
        return self.run(experiment.run).state

    def create(
        self, workspace_id: str, content: Content, *, documentation: str | None = None
    ) -> Experiment:
        """A new experiment."""
        now = self._clock()
        experiment = Experiment(
            id=new_experiment_id(workspace_id),
            workspace=workspace_id,
            content=content,
            documentation=documentation,
            created=now,
            modified=now,
        )
        self.store.put(experiment.key, experiment)
        return experiment

    def save(self, experiment: Experiment, content: Content) -> None:
        """Give an experiment other content: it is a draft until it is run. In a transaction."""
        experiment.content = content
        experiment.is_draft = True
        self.touch(experiment)

    def touch(self, experiment: Experiment) -> None:
        """Write an experiment that was changed; it gets another ETag."""
        experiment.modified = after(experiment.modified, self._clock())
        self.store.put(experiment.key, experiment)

    def take(
        self, experiment: Experiment, nodes: Sequence[str], *, is_partial: bool, fail_with: str = ""
    ) -> Snapshot:
        """Take a snapshot of an experiment, to be run. In a transaction."""
        now, before = self._clock(), self.newest(experiment)
        seconds = max(int(now), before.seconds + 1 if before else 0)
        snapshot = Snapshot(
            id=snapshot_id(experiment.id, seconds),
            experiment=experiment.id,
            workspace=experiment.workspace,
            parent=experiment.run,
            content=experiment.content,
            creator=experiment.creator,
            documentation=experiment.documentation,
            created=now,
            seconds=seconds,
            is_partial=is_partial,
        )
        created = {name: NodeRun(created=now) for name in nodes}
        run = Run(id=snapshot.id, created=now, fail_with=fail_with or None, nodes=created)
        self.store.put(snapshot.id, snapshot)
        self.store.put(run.id, run)
        experiment.run, experiment.parent = snapshot.id, snapshot.parent
        experiment.is_partial, experiment.is_draft = is_partial, False
        self.touch(experiment)
        return snapshot

    def delete(self, experiment: Experiment) -> None:
        """Delete an experiment with its snapshots, runs and outputs."""
        with self.store.transaction():
            files = []
            for snapshot in self.snapshots(experiment.id):
                run = self.run(snapshot.id)
                files += [file for node in run.nodes.values() for file in node.files()]
                self.store.delete(Snapshot, snapshot.id)
                self.store.delete(Run, snapshot.id)
            self.store.delete(Experiment, experiment.key)
            self._outputs.forget(files)

    def check_unchanged(self, experiment: Experiment, etag: str) -> None:
        """Refuse a change that was meant for another version, where the caller named one."""
        if etag not in ("", "*", etag_of(experiment.modified)):
            message = (
                f"The experiment was changed meanwhile: If-Match is {etag[:100]}, its Etag is "
                f"{etag_of(experiment.modified)}. Get it again."
            )
            raise StudioError(412, "PreconditionFailed", message)


def _no_experiment(name: str) -> StudioError:
    message = f"There is no experiment {name[:120]!r} in this workspace."
    return not_found("ExperimentNotFound", message)
