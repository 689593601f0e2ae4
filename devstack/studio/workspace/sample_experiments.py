"""Sample experiments: for each sample table one that trains and one that predicts.

Training: dataset -> select columns -> split -> train, score, evaluate; its web-service input is at
the columns, its outputs are `output1` trained model, `output2` evaluation, `output3` scored
holdout. Predictive: dataset -> select the features -> score with a trained model of the workspace;
its input feeds Score Model, so that callers need not send the label. Made once in the first
workspace: what is deleted later stays deleted. Neither is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from devstack.studio.context import Context
from devstack.studio.learning.tables import write_table
from devstack.studio.samples import SAMPLES, TRAINING_OUTPUTS, Sample, first_model
from devstack.studio.templates import MODEL_SUFFIX
from devstack.studio.workspace.experiment_records import Content, Experiment
from devstack.studio.workspace.history import History
from devstack.studio.workspace.records import Asset, AssetKind
from devstack.studio.workspace.sample_graphs import PREDICTIVE, TRAINING, predictive, training
from devstack.studio.workspace.unpacking import Inspect

OWNER = "Local Studio"


class SampleExperiments(BaseModel):
    """Key: name of the sample. The ids of what was made for it."""

    dataset: str
    model: str
    training: str
    predictive: str


def make_sample_experiments(
    context: Context, history: History, inspect: Inspect
) -> list[dict[str, Any]]:
    """Make what was never made, and describe all: per sample the training experiment first."""
    maker = _Maker(context, history, inspect)
    return [entry for sample in SAMPLES for entry in maker.make(sample)]


class _Maker:
    def __init__(self, context: Context, history: History, inspect: Inspect) -> None:
        self._context = context
        self._history = history
        self._inspect = inspect
        self._workspace = context.workspaces.first_id

    def make(self, sample: Sample) -> list[dict[str, Any]]:
        made = self._context.store.get(SampleExperiments, sample.name)
        if made is None:
            made = self._make(sample)
            self._context.store.put(sample.name, made)
        return [_training_entry(sample, made), _predictive_entry(sample, made)]

    def _make(self, sample: Sample) -> SampleExperiments:
        table = sample.table
        features = [name for name in table.columns if name != sample.label]
        dataset = self._asset("dataset", _dataset_name(sample), "GenericCSV", write_table(table))
        model = self._asset(
            "trained_model", sample.title, "ILearnerDotNet", first_model(sample, table)
        )
        with self._context.store.transaction():
            trains = training(sample, dataset.id, list(table.columns))
            predicts = predictive(sample, dataset.id, model.id, features)
            return SampleExperiments(
                dataset=dataset.id,
                model=model.id,
                training=self._experiment(_title(sample, "training"), *trains).id,
                predictive=self._experiment(_title(sample, "predictive"), *predicts).id,
            )

    def _asset(self, kind: AssetKind, name: str, data_type: str, content: bytes) -> Asset:
        found = self._context.assets.named(self._workspace, kind, name)
        if found is not None:
            return found
        path: Path = self._context.assets.temporary()
        path.write_bytes(content)
        added = self._context.assets.add(
            self._workspace,
            kind,
            name=name,
            data_type=data_type,
            content=path,
            owner=OWNER,
            schema_status="Pending" if kind == "dataset" else "NotSupported",
        )
        if kind == "dataset":
            self._inspect(added)
        return added

    def _experiment(
        self, title: str, graph: dict[str, Any], web_service: dict[str, Any]
    ) -> Experiment:
        content = Content(description=title, graph=graph, web_service=web_service)
        return self._history.create(self._workspace, content)


def _training_entry(sample: Sample, made: SampleExperiments) -> dict[str, Any]:
    return {
        **_entry(sample, made, "training"),
        "experiment_id": made.training,
        "nodes": dict(TRAINING),
        "dataset_port": f"{TRAINING['select']}:Dataset",
        "model_node": TRAINING["train"],
        "model_port": "Trained model",
        "evaluation_node": TRAINING["evaluate"],
        "evaluation_port": "Evaluation results",
        "outputs": TRAINING_OUTPUTS,
    }


def _predictive_entry(sample: Sample, made: SampleExperiments) -> dict[str, Any]:
    return {
        **_entry(sample, made, "predictive"),
        "experiment_id": made.predictive,
        "nodes": dict(PREDICTIVE),
        "dataset_port": f"{PREDICTIVE['select']}:Dataset",
        "trained_model_id": made.model,
        "trained_model_port": f"{PREDICTIVE['score']}:Trained model",
        "scored_node": PREDICTIVE["score"],
        "scored_port": "Scored dataset",
        "resource_name": sample.title + MODEL_SUFFIX,
        "outputs": {"output1": "scored dataset"},
    }


def _entry(sample: Sample, made: SampleExperiments, role: str) -> dict[str, Any]:
    return {
        "name": sample.name,
        "task": sample.task,
        "role": role,
        "description": _title(sample, role),
        "dataset_id": made.dataset,
        "dataset_name": _dataset_name(sample),
        "trained_model_name": sample.title,
        "label": sample.label,
        "inputs": ["input1"],
    }


def _title(sample: Sample, role: str) -> str:
    return f"{sample.title} {role} experiment"


def _dataset_name(sample: Sample) -> str:
    return f"{sample.title.removesuffix(' model')} training data"
