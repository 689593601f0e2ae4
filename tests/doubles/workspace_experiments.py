"""The experiments of a Studio workspace in memory. See `tests/doubles/workspace.py`."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from alm.domain.errors import Conflict, Misconfigured, NotFound
from alm.domain.experiment import Draft, Experiment, Promotion
from alm.ports import Clock
from tests.doubles.workspace_assets import DoubleAssets


@dataclass
class Kept:
    """An experiment or a snapshot. looks: how often it may still be looked at before it ends."""

    id: str
    draft: Draft
    state: str = "InDraft"
    detail: str = "None"
    run: str = ""
    looks: int = 0
    service: str = ""


class DoubleExperiments(DoubleAssets):
    """Experiments with their snapshots and outputs.

    run_looks: how often one looks until a run has ended. fails_runs: what runs that end now fail
    with, "" if they finish. stays_running: runs do not end. refuses: why a graph is refused, "" if
    it is not. output_of: what a node puts out, given the snapshot, the node and the port. runs: the
    snapshots of all runs, in order.
    """

    def __init__(self, clock: Clock, workspace: str) -> None:
        super().__init__(clock, workspace)
        self.run_looks = 1
        self.fails_runs = ""
        self.stays_running = False
        self.refuses: Callable[[Draft], str] = lambda _draft: ""
        self.output_of: Callable[[str, str, str], bytes] = _named_output
        self.runs: list[str] = []
        self._experiments: dict[str, Kept] = {}
        self._count = 0

    def experiments(self) -> list[Experiment]:
        return self._do("experiments", self._listed)

    def experiment(self, experiment_id: str) -> Experiment:
        return self._do("experiment", lambda: self._looked_at(experiment_id))

    def create(self, draft: Draft) -> str:
        return self._do("create", lambda: self._create(draft))

    def save(self, experiment_id: str, draft: Draft) -> None:
        self._do("save", lambda: self._save(experiment_id, draft))

    def run(self, experiment_id: str, draft: Draft) -> None:
        self._do("run", lambda: self._run(experiment_id, draft))

    def delete(self, experiment_id: str) -> None:
        self._do("delete", lambda: self._delete(experiment_id))

    def output(self, experiment_id: str, node: str, port: str) -> BinaryIO:
        return self._do("output", lambda: io.BytesIO(self._output(experiment_id, node, port)))

    def promote(self, promotion: Promotion) -> str:
        return self._do("promote", lambda: self._promote(promotion))

    def _create(self, draft: Draft) -> str:
        self._check(draft)
        if not draft.name.strip():
            raise Misconfigured("create an experiment: it has no name; give one")
        kept = Kept(f"{self.workspace}.f-id.{self._new()}", draft)
        self._experiments[kept.id] = kept
        return kept.id

    def _save(self, experiment_id: str, draft: Draft) -> None:
        kept = self._editable(experiment_id)
        self._check(draft)
        if draft.service is None:
            draft = draft.model_copy(update={"service": kept.draft.service})
        kept.draft, kept.state, kept.detail = draft, "InDraft", "None"

    def _run(self, experiment_id: str, draft: Draft) -> None:
        self._save(experiment_id, draft)
        kept = self._experiments[experiment_id]
        self._count += 1
        snapshot = f"{experiment_id.replace('.f-id.', '.s-id.')}.{9999 - self._count}"
        before = kept.run
        run = Kept(snapshot, kept.draft, "Running", run=before, looks=self.run_looks)
        self._experiments[snapshot] = run
        kept.run, kept.state = snapshot, "Running"
        self.runs.append(snapshot)

    def _check(self, draft: Draft) -> None:
        missing = self.missing(draft.graph)
        reason = self.refuses(draft) or (
            f"it names {missing[0]!r}, none of ours" if missing else ""
        )
        if reason:
            raise Misconfigured(f"save experiment {draft.name!r}: {reason}; correct the graph")

    def _editable(self, experiment_id: str) -> Kept:
        if ".s-id." in experiment_id:
            raise Conflict(f"{experiment_id} is a snapshot of a run and locked")
        return self._kept(experiment_id)

    def _kept(self, experiment_id: str) -> Kept:
        if experiment_id not in self._experiments:
            raise NotFound(f"read experiment {experiment_id}: there is none; check its id")
        return self._experiments[experiment_id]

    def _looked_at(self, experiment_id: str) -> Experiment:
        kept = self._kept(experiment_id)
        run = self._experiments.get(kept.run) if ".f-id." in kept.id else kept
        if run and run.state == "Running" and not self.stays_running:
            run.looks -= 1
            if run.looks < 0:
                self._end(run)
        return self._shown(kept, whole=True)

    def _end(self, run: Kept) -> None:
        run.detail = self.fails_runs or "None"
        run.state = "Failed" if self.fails_runs else "Finished"
        experiment = self._experiments[_experiment_of(run.id)]
        if experiment.run == run.id and experiment.state == "Running":
            experiment.state, experiment.detail = run.state, run.detail

    def _listed(self) -> list[Experiment]:
        kept = [kept for kept in self._experiments.values() if ".f-id." in kept.id]
        return [self._shown(one, whole=False) for one in kept]

    def _shown(self, kept: Kept, *, whole: bool) -> Experiment:
        is_snapshot = ".s-id." in kept.id
        run = self._experiments.get(kept.run)
        status = {"StatusCode": kept.state, "StatusDetail": kept.detail}
        document: dict[str, Any] = {
            "ExperimentId": kept.id,
            "Description": kept.draft.name,
            "Summary": kept.draft.summary,
            "Category": kept.draft.category,
            "RunId": kept.id if is_snapshot else kept.run,
            "ParentExperimentId": kept.run if is_snapshot else (run.run if run else ""),
            "Status": status,
        }
        if whole:
            service = kept.draft.service.document if kept.draft.service else {}
            document["Graph"] = kept.draft.graph.document
            document["WebService"] = {**service, "WebServiceGroupId": kept.service or None}
            document["NodeStatuses"] = [
                {"NodeId": node.id, "Status": status}
                for node in kept.draft.graph.nodes
                if kept.state != "InDraft"
            ]
        return Experiment.model_validate(document)

    def _delete(self, experiment_id: str) -> None:
        if experiment_id not in self._experiments:
            return
        kept = self._editable(experiment_id)
        snapshots = experiment_id.replace(".f-id.", ".s-id.") + "."
        for name in [n for n in self._experiments if n == kept.id or n.startswith(snapshots)]:
            del self._experiments[name]
        self._gone(kept)

    def _output(self, experiment_id: str, node: str, port: str) -> bytes:
        kept = self._kept(experiment_id)
        run = self._experiments.get(kept.run, kept) if ".f-id." in kept.id else kept
        ports = [
            one.name for each in run.draft.graph.nodes if each.id == node for one in each.outputs
        ]
        if run.state != "Finished" or port not in ports:
            raise NotFound(f"read output {port!r} of node {node}: it has none, or not yet")
        return self.output_of(run.id, node, port)

    def _promote(self, promotion: Promotion) -> str:
        content = self._output(promotion.experiment, promotion.node, promotion.port)
        facts = {
            "description": promotion.description,
            "experiment": promotion.experiment,
            "promoted_from": f"{promotion.experiment}.{promotion.node}.{promotion.port}",
        }
        return self._add(
            promotion.kind, promotion.name, content, family=promotion.family, **facts
        ).id

    def _finished(self, experiment_id: str) -> Kept:
        kept = self._kept(experiment_id)
        if kept.state != "Finished":
            raise Misconfigured(f"experiment {experiment_id} is {kept.state}; run it to its end")
        return kept

    def _gone(self, kept: Kept) -> None:
        """What hangs on an experiment goes with it."""

    def _new(self) -> str:
        self._count += 1
        return hashlib.md5(f"{self.workspace}/{self._count}".encode()).hexdigest()


def _named_output(snapshot: str, node: str, port: str) -> bytes:
    """What a node puts out unless told otherwise: where it came from."""
    return f"{snapshot} {node} {port}".encode()


def _experiment_of(snapshot: str) -> str:
    return snapshot.rpartition(".")[0].replace(".s-id.", ".f-id.")
