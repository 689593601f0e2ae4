"""Deploys versions as Resource Manager web services of their own, made from a target's.

The new one has the definition of the target's service with another model file, in the same resource
group. Region, plan and storage account are checked against each other before anything is sent, for
a service that is deployed to the wrong place cannot be moved. What was deployed here carries a tag.
The copy is never read-only: the leave to read its model file must be renewed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from alm.adapters.studio import hosting
from alm.adapters.studio.arm import end_of, web_service_of
from alm.adapters.studio.definitions import changed, part
from alm.adapters.studio.deployed import checked, in_order, not_ours
from alm.adapters.studio.new_services import ArmWebServices, name_of
from alm.domain.errors import NotFound
from alm.domain.managed_model import ArmWebService, Hosting, Target
from alm.domain.web_services import Document
from alm.ports import Grant, ScoringTarget

TAG = "alm-beside"  # its value is the name of the target's own service
LEAVE_LOST_MAX = timedelta(days=3)  # of 6: one that stood unused may have lost all of it
_DEPLOYED = ("succeeded", "provisioning", "unknown", "")  # or being deployed


class ServiceDeployer:
    """A `studio_ports.Deployer` for targets with `deploy: new-service`.

    secret: looks a secret up by its name. find: finds the client of a target.
    """

    def __init__(
        self,
        target: Target,
        services: ArmWebServices,
        *,
        secret: Callable[[str], SecretStr],
        find: Callable[[Target], ScoringTarget],
    ) -> None:
        assert isinstance(target.service, ArmWebService), "declarations are checked for it"
        assert target.hosting is not None, "declarations are checked for it"
        self._target = target
        self._service = target.service
        self._hosting: Hosting = target.hosting
        self._services = services
        self._secret = secret
        self._find = find
        self._template = name_of(target.service.resource, "webServices")

    def exists(self, name: str) -> bool:
        """Whether a deployment of that name is there; its model may still be missing."""
        return self._present(name) is not None

    def create(self, name: str, model: Grant) -> None:
        """Deploy a web service; one that is deployed with this file already is left alone."""
        with self._services.deadline():
            present = self._present(name)
            if present is not None and self._serves(present, model):
                return
            self._services.put(self._resource(name), self._definition(model))

    def target(self, name: str) -> ScoringTarget:
        """A deployment, to be read and scored with. Nothing is asked for yet."""
        self._check(name)
        service = self._service.model_copy(update={"resource": self._resource(name)})
        changes = {"service": service, "deploy": "patch", "hosting": None}
        return self._find(self._target.model_copy(update=changes))

    def names(self) -> list[str]:
        """The deployments there are, oldest first."""
        _, _, subscription, _, group, *_ = self._service.resource.split("/")
        found = self._services.list(subscription, group)
        return in_order((s.created, s.name) for s in found if self._is_ours(s.tags))

    def delete(self, name: str) -> None:
        """Delete a deployment with its keys; harmless if it is not there."""
        if self._present(name) is not None:
            self._services.delete(self._resource(name))

    def _present(self, name: str) -> Document | None:
        """The deployment of that name. Raises Misconfigured if it is something else."""
        self._check(name)
        try:
            document = self._services.get(self._resource(name))
        except NotFound:
            return None
        if not self._is_ours(part(document, "tags")):
            raise not_ours(name, self._target)
        return document

    def _check(self, name: str) -> None:
        checked(name, self._target, taken=(self._template,))

    def _is_ours(self, tags: dict[str, Any]) -> bool:
        return str(tags.get(TAG, "")).lower() == self._template.lower()

    def _resource(self, name: str) -> str:
        return f"{self._service.resource.rpartition('/')[0]}/{name}"

    def _serves(self, document: Document, model: Grant) -> bool:
        """Whether it is, or is being, deployed with this file, and leave that lasts."""
        service = web_service_of(document, self._service.resource)
        asset = service.resource(self._target.trained_model)
        ends, offered = end_of(asset.sas), end_of(model.sas)
        lasts = ends is None or offered is None or offered - ends < LEAVE_LOST_MAX
        return asset.location == model.location and service.state in _DEPLOYED and lasts

    def _definition(self, model: Grant) -> Document:
        """The definition of the target's service, with another model and hosting."""
        template = self._services.get(self._service.resource)
        whose = f"target {self._target.name!r}"
        assets = hosting.with_model(template, model, self._target.trained_model, whose)
        properties = changed(part(template, "properties"), assets=assets)
        tags = {**part(template, "tags"), TAG: self._template}
        return hosting.placed(
            changed(template, tags=tags, properties=properties),
            self._hosting,
            plan=self._services.plan,
            secret=self._secret,
            whose=whose,
        )
