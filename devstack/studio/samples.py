"""Samples: for the tables of `sample_tables`, services that train and services that score.

Per table: a classic and a new training service; a classic scoring service with the endpoints
`default` and `ep2`, and a new one. What scores at first ("deployed by hand") was trained on a few
rows, so that a retrained model answers differently. Made once: ids and keys stay the same at every
later start.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from devstack.studio.accounts import BlobReference
from devstack.studio.arm import NewServices
from devstack.studio.arm_paths import REGIONS, resource_id
from devstack.studio.arm_plans import Plans
from devstack.studio.classic import ClassicServices, Publication
from devstack.studio.classic_models import DEFAULT_ENDPOINT
from devstack.studio.context import Context
from devstack.studio.jobs import OUTPUT_CONTAINER
from devstack.studio.learning.ilearner import write_model
from devstack.studio.learning.learners import REGRESSION, TWO_CLASS, Learner
from devstack.studio.learning.tables import Table, write_table
from devstack.studio.learning.training import train
from devstack.studio.names import moment
from devstack.studio.records import AssetSource, Deployment, Endpoint, NewService, WebService
from devstack.studio.sample_tables import sample_table
from devstack.studio.templates import (
    MODEL_SUFFIX,
    scoring_properties,
    training_properties,
)
from devstack.studio.transfer import TransferFailure

# Rows that the first model is trained on: enough to work, too few to work well.
FIRST_MODEL_ROWS = 60
SAMPLE_CONTAINER = "samples"
WORKSPACE_REGION = "South Central US"
TRAINING_REGION, SCORING_REGION = "South Central US", "West Europe"

# The grant that the new services are deployed with; long, so that samples last.
GRANT = timedelta(days=3650)

TRAINING_OUTPUTS = {
    "output1": "trained model",
    "output2": "evaluation",
    "output3": "scored holdout",
}
SCORING_OUTPUTS = {"output1": "scored dataset"}


@dataclass(frozen=True)
class Sample:
    """A table and what is trained on it."""

    name: str
    title: str
    task: str
    learner: str
    label: str = "target"

    @property
    def table(self) -> Table:
        """The whole table; its label column comes last."""
        return sample_table(self.name, self.label)


SAMPLES = (
    Sample("cancer", "Cancer model", TWO_CLASS, "Two-Class Logistic Regression"),
    Sample("diabetes", "Diabetes model", REGRESSION, "Linear Regression"),
    Sample("churn", "Churn model", TWO_CLASS, "Two-Class Logistic Regression", "churned"),
    Sample("sales", "Sales model", REGRESSION, "Linear Regression", "sold"),
)


def first_model(sample: Sample, table: Table) -> bytes:
    """The model that scores at first: trained on a few rows; the same bytes each time."""
    step = len(table.rows) // FIRST_MODEL_ROWS
    few = table.take(range(0, step * FIRST_MODEL_ROWS, step))
    return write_model(train(Learner(sample.learner), few, sample.label))


def make_samples(
    context: Context, classic: ClassicServices, new_services: NewServices, plans: Plans
) -> list[dict[str, Any]]:
    """Make what is missing of the samples and describe all of them, training services first."""
    maker = _Maker(context, classic, new_services, plans)
    return [entry for sample in SAMPLES for entry in maker.make(sample)]


class _Maker:
    def __init__(
        self, context: Context, classic: ClassicServices, new_services: NewServices, plans: Plans
    ) -> None:
        self._context = context
        self._classic = classic
        self._new = new_services
        self._plans = plans
        self._group = context.identity.resource_group

    def make(self, sample: Sample) -> list[dict[str, Any]]:
        first = self._place(sample)
        if self._is_missing(sample):
            self._make(sample, first)
        self._restore(sample, first)
        return [
            self._classic_entry(sample, "training", DEFAULT_ENDPOINT),
            self._new_entry(sample, "training"),
            self._classic_entry(sample, "scoring", "ep2"),
            self._new_entry(sample, "scoring"),
            self._classic_entry(sample, "scoring", DEFAULT_ENDPOINT),
        ]

    def _is_missing(self, sample: Sample) -> bool:
        """The new scoring service is made last: with it, all is there or was deleted on purpose."""
        return self._context.store.get(NewService, self._new_key(sample, "scoring")) is None

    def _make(self, sample: Sample, first: BlobReference) -> None:
        table = sample.table
        self._upload(sample, table, first)
        columns = {name: "Number" for name in table.columns if name != sample.label}
        training = training_properties(
            f"{sample.title} training",
            sample.learner,
            sample.label,
            {**columns, sample.label: _kind(sample)},
        )
        source = AssetSource(uri=first.url, credentials=first.grant)
        scoring = scoring_properties(f"{sample.title} scoring", sample.title, source, columns)
        self._publish(sample, "training", training)
        self._publish(sample, "scoring", scoring)
        self._deploy(sample, "training", TRAINING_REGION, training)
        self._deploy(sample, "scoring", SCORING_REGION, scoring)

    def _upload(self, sample: Sample, table: Table, first: BlobReference) -> None:
        account, transfer = self._context.account, self._context.transfer
        now = moment(self._context.clock())
        transfer.create_container(account, SAMPLE_CONTAINER, account.own_grant(now))
        place = f"{SAMPLE_CONTAINER}/{sample.name}.csv"
        dataset = BlobReference(account.base_location, place, account.own_grant(now))
        transfer.put(dataset, write_table(table), "text/csv")
        model = first_model(sample, table)
        self._put_model(first, model)
        self._context.model_library.add(model)

    def _put_model(self, first: BlobReference, model: bytes) -> None:
        grant = self._context.account.own_grant(moment(self._context.clock()))
        place = BlobReference(first.base, first.relative, grant)
        self._context.transfer.put(place, model, "application/octet-stream")

    def _restore(self, sample: Sample, first: BlobReference) -> None:
        """Put the first model back when the storage account was emptied since."""
        service = self._context.store.get(WebService, self._id(sample, "scoring"))
        if service is None:
            return
        try:
            self._context.transfer.fetch(first)
        except TransferFailure as error:
            if error.status == 404:
                digest = service.resources["model"].digest
                self._put_model(first, self._context.model_library.content(digest))

    def _publish(self, sample: Sample, role: str, properties: dict[str, Any]) -> None:
        context, service_id = self._context, self._id(sample, role)
        title = f"{sample.title} {role}"
        if context.store.get(WebService, service_id) is None:
            checked = context.checked_properties(properties)
            publication = Publication(title, "", checked)
            self._classic.publish(context.identity.workspace_id, service_id, publication)
        if role == "scoring" and context.store.get(Endpoint, f"{service_id}/ep2") is None:
            self._classic.add_endpoint(service_id, "ep2")

    def _deploy(self, sample: Sample, role: str, region: str, properties: dict[str, Any]) -> None:
        if self._context.store.get(NewService, self._new_key(sample, role)) is not None:
            return
        account, subscription = self._context.account, self._context.identity.subscription_id
        plan = f"plan-{region.replace(' ', '').lower()}"
        for name in REGIONS.values():
            self._plans.create(self._group, f"plan-{name.replace(' ', '').lower()}", name, {})
        document = {
            "location": region,
            "tags": {},
            "properties": {
                **self._context.checked_properties(properties),
                "realtimeConfiguration": {"maxConcurrentCalls": 20},
                "storageAccount": {"name": account.name, "key": account.key},
                "commitmentPlan": {
                    "id": resource_id(subscription, self._group, "commitmentPlans", plan)
                },
            },
        }
        self._new.publish(self._group, self._new_name(sample, role), document)

    def _id(self, sample: Sample, role: str) -> str:
        namespace = uuid.UUID(self._context.identity.workspace_id)
        return uuid.uuid5(namespace, f"{sample.name}/{role}").hex

    def _place(self, sample: Sample) -> BlobReference:
        now, account = moment(self._context.clock()), self._context.account
        folder, file = self._id(sample, "folder"), self._id(sample, "file")
        relative = f"{OUTPUT_CONTAINER}/{folder}/{file}.ilearner"
        start = now - timedelta(minutes=5)
        grant = account.read_grant(relative, start=start, expiry=now + GRANT)
        return BlobReference(account.base_location, relative, grant)

    def _new_name(self, sample: Sample, role: str) -> str:
        return f"{sample.name}-{role}"

    def _new_key(self, sample: Sample, role: str) -> str:
        return f"{self._group}/{self._new_name(sample, role)}".lower()

    def _classic_entry(self, sample: Sample, role: str, endpoint: str) -> dict[str, Any]:
        service_id = self._id(sample, role)
        record = self._context.store.get(Endpoint, f"{service_id}/{endpoint}")
        deployment = self._deployment(record.deployment_id if record else "")
        return {
            **self._entry(sample, role, "classic", WORKSPACE_REGION, deployment),
            "web_service_id": service_id,
            "endpoint": endpoint,
        }

    def _new_entry(self, sample: Sample, role: str) -> dict[str, Any]:
        service = self._context.store.get(NewService, self._new_key(sample, role))
        deployment = self._deployment(service.deployment_id if service else "")
        region = str(service.document["location"]) if service else ""
        subscription = self._context.identity.subscription_id
        name = self._new_name(sample, role)
        return {
            **self._entry(sample, role, "new", region, deployment),
            "web_service_name": name,
            "arm_resource_id": resource_id(subscription, self._group, "webServices", name),
        }

    def _deployment(self, deployment_id: str) -> Deployment | None:
        return self._context.store.get(Deployment, deployment_id)

    def _entry(
        self, sample: Sample, role: str, kind: str, region: str, deployment: Deployment | None
    ) -> dict[str, Any]:
        """What all entries have; the key and address are None for what was deleted since."""
        scores = role == "scoring"
        return {
            "name": sample.name,
            "task": sample.task,
            "role": role,
            "kind": kind,
            "region": region,
            "api_location": self._context.base_url + deployment.path if deployment else None,
            "api_key": deployment.primary_key if deployment else None,
            "resource_name": sample.title + MODEL_SUFFIX if scores else None,
            "label": sample.label,
            "dataset": f"{SAMPLE_CONTAINER}/{sample.name}.csv",
            "inputs": ["input1"],
            "outputs": SCORING_OUTPUTS if scores else TRAINING_OUTPUTS,
        }


def _kind(sample: Sample) -> str:
    return "Integer" if sample.task == TWO_CLASS else "Number"
