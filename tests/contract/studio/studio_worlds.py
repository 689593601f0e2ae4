"""The worlds of the real adapters, in front of local Studio."""

from __future__ import annotations

from typing import Any

import requests

from alm.domain.managed_model import ArmWebService, ClassicEndpoint, Service, Target
from alm.ports import Grant, Row, ScoringTarget, Submission
from devstack.studio.records import Job
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.worlds import Kind

_EFFECTS = {"unavailable": "503", "denied": "401", "lost answer": "lost_answer"}


class StudioTraining:
    """A training service of local Studio."""

    def __init__(self, local: LocalStudio, service: Service) -> None:
        self._local = local
        self.service = local.services().training(service)
        self._count = 0

    def submission(self, dataset: str = "day1.csv") -> Submission:
        self._count += 1
        path = f"contract/{id(self)}-{self._count}/model.ilearner"
        inputs = {"input1": self._local.grant(f"contract/{dataset}", "read")}
        return Submission(inputs, {"output1": self._local.grant(path, "create write")}, {})

    def failing_submission(self) -> Submission:
        self._local.upload("contract/empty.csv", b"a,target\n")
        return self.submission("empty.csv")

    def delete(self, job_id: str) -> None:
        self._local.studio.context.store.delete(Job, job_id)

    def content(self, output: Grant) -> bytes:
        answer = requests.get(output.url, timeout=10)
        answer.raise_for_status()
        return answer.content

    def fault(self, operation: str, kind: Kind) -> None:
        self._local.fault(_EFFECTS[kind], operation, times=None if kind == "denied" else 1)


class ClassicTraining(StudioTraining):
    def __init__(self, local: LocalStudio) -> None:
        sample = local.sample("training", "classic")
        super().__init__(local, local.classic(sample["web_service_id"], sample["endpoint"]))


class NewTraining(StudioTraining):
    def __init__(self, local: LocalStudio) -> None:
        resource = local.sample("training", "new")["arm_resource_id"]
        super().__init__(local, ArmWebService(kind="new", resource=resource))


class StudioTarget:
    """A scoring service of local Studio."""

    def __init__(
        self, local: LocalStudio, service: ClassicEndpoint | ArmWebService, missing: Any
    ) -> None:
        self._local = local
        self._name = str(local.sample("scoring", "classic")["resource_name"])
        self.target = self._client(service)
        self.missing = self._client(missing)
        self.misnamed = self._client(service, "Another [trained model]")
        self.refusing = self._refusing(service)
        self.rows = local.rows
        self.unfit_rows: tuple[Row, ...] = ({"no such column": 1},)
        self.models = (local.models[0], local.models[1])

    def _client(
        self, service: ClassicEndpoint | ArmWebService, trained_model: str = ""
    ) -> ScoringTarget:
        target = Target(name="t", service=service, trained_model=trained_model or self._name)
        return self._local.services().target(target)

    def _refusing(self, service: ClassicEndpoint | ArmWebService) -> ScoringTarget:
        return self._client(service, "Another [trained model]")

    def answers(self, model: Grant) -> tuple[str | None, ...]:
        return self._local.expected[model.location]

    def forward(self, seconds: float) -> None:
        self._local.clock.forward(seconds)

    def fault(self, operation: str, kind: Kind) -> None:
        self._local.fault(_EFFECTS[kind], operation, times=None if kind == "denied" else 1)

    def let_patches_change_nothing(self) -> None:
        self._local.fault("change_nothing", "patch", times=None)

    def batch_submission(self) -> Submission:
        return Submission({"input1": self._local.grant("contract/day1.csv", "read")}, {}, {})


class ClassicTargetWorld(StudioTarget):
    def __init__(self, local: LocalStudio) -> None:
        endpoint = local.new_endpoint()
        service = endpoint.endpoint.rpartition("/")[0].split("/")[-2]
        super().__init__(local, endpoint, local.classic(service, "missing"))
        self.refusing = self._client(local.classic(service, "default"))


class NewTargetWorld(StudioTarget):
    api_version = "2017-01-01"

    def __init__(self, local: LocalStudio) -> None:
        resource = str(local.sample("scoring", "new")["arm_resource_id"])
        super().__init__(local, self._service(resource), self._service(f"{resource}-missing"))

    def _service(self, resource: str) -> ArmWebService:
        return ArmWebService.model_validate(
            {"kind": "new", "resource": resource, "api_version": self.api_version}
        )


class NewTargetWorld2016(NewTargetWorld):
    api_version = "2016-05-01-preview"
