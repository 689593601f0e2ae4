"""Experiments of a workspace: read, saved, run, their outputs, their web-service definitions.

Source: Studio API, experiments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from pydantic import ValidationError

from alm.adapters.answers import expect
from alm.adapters.connections import Answer
from alm.adapters.redaction import redacted
from alm.adapters.studio.workspace_calls import (
    Record,
    WorkspaceCalls,
    accepted,
    checked,
    id_told,
    port_in_path,
    told_id,
)
from alm.domain.errors import Conflict, Misconfigured, NotFound, Unknown
from alm.domain.experiment import Draft, Experiment, Status
from alm.domain.secret_free import secret_values
from alm.domain.web_services import Document

GLOBAL_WORKSPACE = "506153734175476c4f62416c57734963"  # Studio's own: modules and samples
_ENDPOINTS = (
    *("OutputEndpoints", "MetadataOutputEndpoints"),
    *("StandardOutEndpoint", "StandardErrorEndpoint"),
)
_RUN_REMEDY = "check that the experiment ran to its end, and the names of node and port"
_GRAPH_REMEDY = "correct the graph: its modules, ports and parameters"
_EMPTY_GRAPH: Record = {"ModuleNodes": [], "EdgesInternal": [], "SerializedClientData": ""}


class ExperimentCalls(WorkspaceCalls):
    """The part of `studio_ports.Workspace` that is about experiments."""

    def experiments(self) -> list[Experiment]:
        doing = f"list the experiments of workspace {self.workspace}"
        found = (_experiment(one, doing) for one in self.records("/experiments", doing=doing))
        return [one for one in found if _is_ours(one)]

    def experiment(self, experiment_id: str) -> Experiment:
        doing = f"read experiment {experiment_id[:120]}"
        return _experiment(self.record(_path(experiment_id), doing=doing), doing)

    def create(self, draft: Draft) -> str:
        doing = f"create experiment {draft.name!r}"
        answer = self._send("/experiments/", draft, doing, is_draft=True)
        told = id_told(answer, doing=doing, key="ExperimentId")
        if not told:
            raise Unknown(
                f"{doing}: Studio accepted it and did not tell its id; look for it by its name"
            )
        return told

    def save(self, experiment_id: str, draft: Draft) -> None:
        doing = f"save experiment {draft.name!r}"
        self._send(_unlocked(experiment_id), draft, doing, is_draft=True)

    def run(self, experiment_id: str, draft: Draft) -> None:
        doing = f"run experiment {draft.name!r}"
        self._send(_unlocked(experiment_id), draft, doing, is_draft=False)

    def delete(self, experiment_id: str) -> None:
        path = f"{self.path}{_unlocked(experiment_id)}?deleteAncestors=true"
        answer = self.caller.send("DELETE", path)
        if answer.status != 404:
            accepted(answer, doing=f"delete experiment {experiment_id}")

    def output(self, experiment_id: str, node: str, port: str) -> BinaryIO:
        node = checked(node, "a node")
        path = f"{self.path}{_path(experiment_id)}/outputdata/{node}/{port_in_path(port)}"
        doing = f"read output {port!r} of node {node}"
        answer = self.caller.open(path)
        if answer.status == 204:
            raise NotFound(f"{doing}: {answer.request.url} answered 204; {_RUN_REMEDY}")
        answer = expect(answer, 200, doing=doing, remedy=_RUN_REMEDY)
        assert answer.content is not None, "an answer 200 was opened"
        return answer.content

    def definition(self, experiment_id: str) -> Document:
        doing = f"read the web-service definition of experiment {experiment_id[:120]}"
        remedy = "it must have run to its end, with a web-service input and output"
        return self.record(
            f"{_path(experiment_id)}/webservicedefinition", doing=doing, remedy=remedy
        )

    def _send(self, path: str, draft: Draft, doing: str, *, is_draft: bool) -> Answer:
        return self.change(
            "POST",
            path,
            _request(draft, is_draft=is_draft),
            doing=doing,
            remedy=_GRAPH_REMEDY,
            secrets=secret_values(draft.graph),
        )


def _path(experiment_id: str) -> str:
    return f"/experiments/{checked(experiment_id, 'an experiment')}"


def _unlocked(experiment_id: str) -> str:
    """The path of an experiment that may be changed. Raises Conflict for a snapshot."""
    path = _path(experiment_id)
    if ".s-id." in experiment_id:
        raise Conflict(
            f"{experiment_id} is a snapshot of a run and locked; change the experiment itself"
        )
    return path


def _is_ours(experiment: Experiment) -> bool:
    is_sample = experiment.id.startswith(GLOBAL_WORKSPACE + ".")
    return experiment.category in ("user", "") and not is_sample


def _request(draft: Draft, *, is_draft: bool) -> dict[str, Any]:
    """What creates, saves (`is_draft`) or runs an experiment."""
    return {
        "Description": draft.name,
        "Summary": draft.summary,
        "IsDraft": is_draft,
        "ParentExperimentId": draft.previous,
        "DisableNodeUpdate": False,
        "Category": draft.category,
        "ExperimentGraph": {**_EMPTY_GRAPH, **draft.graph.document},
        "WebService": draft.service.document if draft.service else None,
    }


def _experiment(document: Record, doing: str) -> Experiment:
    """An experiment as it was read, without the signed addresses of its outputs, and without the
    credentials of its graph in what it says of its nodes.

    Raises Misconfigured, without showing values: parameters may be passwords.
    """
    statuses = document.get("NodeStatuses")
    if isinstance(statuses, list):
        document = {**document, "NodeStatuses": list(_without_endpoints(statuses))}
    try:
        experiment = _reticent(Experiment.model_validate(document))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Misconfigured(
            f"{doing}: Studio answered something that is not an experiment ({place}: "
            f"{first['msg']}); check that the URL is that of the Studio API"
        ) from None
    for told in (experiment.id, experiment.run, experiment.previous):
        told_id(told, doing=doing)
    return experiment


def _reticent(experiment: Experiment) -> Experiment:
    """The experiment with statuses that can be shown: modules quote parameters they failed on."""
    secrets = secret_values(experiment.graph) if experiment.graph else ()

    def shown(status: Status) -> Status:
        detail = status.detail
        return status.changed(detail=redacted(detail, *secrets)) if detail else status

    experiment = experiment.changed(status=shown(experiment.status))
    if experiment.node_statuses is None:
        return experiment
    statuses = [item.changed(status=shown(item.status)) for item in experiment.node_statuses]
    return experiment.changed(node_statuses=tuple(statuses))


def _without_endpoints(statuses: Iterable[object]) -> Iterable[object]:
    for status in statuses:
        if isinstance(status, dict):
            yield {key: value for key, value in status.items() if key not in _ENDPOINTS}
        else:
            yield status
