"""Deploys versions on endpoints of their own, beside the endpoint that a target names.

An endpoint is created, then its model is patched in; until then it answers with the service's own
model, and nobody calls it. It serves the graph that the service has now, which is newer than that
of the target's endpoint if the service was published again since. What was created here is known by
its description: the management API has no other place for a mark.
"""

from __future__ import annotations

from collections.abc import Callable

from alm.adapters.http import MODEL_DEADLINE_SECONDS
from alm.adapters.studio.classic_services import DEFAULT, StudioClassicServices
from alm.adapters.studio.deployed import checked, in_order, not_ours
from alm.domain.deployments import own_name
from alm.domain.errors import NotFound
from alm.domain.managed_model import ClassicEndpoint, Target
from alm.domain.web_services import Endpoint, EndpointSettings
from alm.ports import Grant, ScoringTarget

_MARK = "Deployed by alm beside endpoint {template}; old ones are deleted by it."


class EndpointDeployer:
    """A `studio_ports.Deployer` for targets with `deploy: new-endpoint`.

    find: finds the client of a target.
    """

    def __init__(
        self,
        target: Target,
        services: StudioClassicServices,
        find: Callable[[Target], ScoringTarget],
    ) -> None:
        assert isinstance(target.service, ClassicEndpoint), "declarations are checked for it"
        self._target = target
        self._endpoint = target.service
        self._services = services
        self._find = find
        self._service = target.service.endpoint.rstrip("/").split("/")[-3]
        self._template = own_name(target)
        self._mark = _MARK.format(template=self._template)

    def exists(self, name: str) -> bool:
        """Whether a deployment of that name is there; its model may still be missing."""
        return self._present(name) is not None

    def create(self, name: str, model: Grant) -> None:
        """Create an endpoint, then patch the model in; a repeat goes on where the first ended."""
        with self._services.deadline(MODEL_DEADLINE_SECONDS):
            if self._present(name) is None:
                template = self._services.endpoint(self._service, self._template)
                self._services.put_endpoint(self._service, name, self._settings(template))
            self.target(name).patch(model)

    def target(self, name: str) -> ScoringTarget:
        """A deployment, to be read and scored with. Nothing is asked for yet."""
        self._check(name)
        service = self._endpoint.model_copy(
            update={"endpoint": self._services.address_of(self._service, name)}
        )
        changes = {"service": service, "deploy": "patch"}
        return self._find(self._target.model_copy(update=changes))

    def names(self) -> list[str]:
        """The deployments there are, oldest first."""
        found = self._services.endpoints(self._service)
        return in_order((e.created, e.name) for e in found if self._is_ours(e))

    def delete(self, name: str) -> None:
        """Delete a deployment with its keys; harmless if it is not there."""
        if self._present(name) is not None:
            self._services.delete_endpoint(self._service, name)

    def _present(self, name: str) -> Endpoint | None:
        """The deployment of that name. Raises Misconfigured if it is something else."""
        self._check(name)
        try:
            endpoint = self._services.endpoint(self._service, name)
        except NotFound:
            return None
        if not self._is_ours(endpoint):
            raise not_ours(name, self._target)
        return endpoint

    def _check(self, name: str) -> None:
        checked(name, self._target, taken=(self._template, DEFAULT))

    def _is_ours(self, endpoint: Endpoint) -> bool:
        return endpoint.description == self._mark

    def _settings(self, template: Endpoint) -> EndpointSettings:
        """As the target's own endpoint is throttled."""
        is_high = template.throttle == "High"
        return EndpointSettings(
            description=self._mark,
            throttle="High" if is_high else "Low",
            concurrent_calls=template.concurrent_calls if is_high else None,
        )
