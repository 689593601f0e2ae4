"""Finds everything of Studio's lifecycle that a declaration names. See `studio_ports.Studio`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import get_args

from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio.access import Caller
from alm.adapters.studio.classic_services import StudioClassicServices
from alm.adapters.studio.definitions import ApiVersion
from alm.adapters.studio.directory import WORKSPACES_MAX, StudioDirectory
from alm.adapters.studio.endpoint_deployer import EndpointDeployer
from alm.adapters.studio.new_services import ArmWebServices
from alm.adapters.studio.service_deployer import ServiceDeployer
from alm.adapters.studio.services import StudioServices
from alm.domain.errors import Misconfigured
from alm.domain.experiment import StudioWorkspace
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, Target
from alm.domain.regions import management_address
from alm.studio_ports import Deployer

_ENDPOINT = re.compile(
    r"(https?://[^/]+(?:/[^?#]+)?/workspaces/[^/]+)/webservices/[^/]+/endpoints/[^/]+"
)


class StudioLifecycle(StudioDirectory):
    """Workspaces, and the web services made from them. Clients are kept; secrets looked up late.

    services: the clients of single services, with which deployments are read and scored.
    """

    def __init__(
        self,
        http: Http,
        identity: Identity,
        services: StudioServices,
        *,
        downloads: Http | None = None,
    ) -> None:
        super().__init__(http, identity, downloads=downloads)
        self._services = services
        self._managers = {
            version: ArmWebServices(services.resource_manager, version, secret=identity.secret)
            for version in get_args(ApiVersion)
        }
        self._classic = lru_cache(maxsize=WORKSPACES_MAX)(self._make_classic)

    def classic_services(self, workspace: StudioWorkspace) -> StudioClassicServices:
        """Raises Misconfigured if the region of the workspace is unknown."""
        base = management_address(workspace)
        return self._classic(f"{base}/workspaces/{workspace.workspace}", workspace.token)

    def new_services(self) -> ArmWebServices:
        """Definitions are read in the form of api-version 2017-01-01."""
        return self._managers["2017-01-01"]

    def deployer(self, target: Target) -> Deployer:
        """Raises Misconfigured if versions are not deployed beside the target's service."""
        service, find = target.service, self._services.target
        if target.deploy == "new-endpoint" and isinstance(service, ClassicEndpoint):
            base = _ENDPOINT.fullmatch(service.endpoint.rstrip("/"))
            if base is not None:
                return EndpointDeployer(target, self._classic(base[1], service.token), find)
        if target.deploy == "new-service" and isinstance(service, ArmWebService) and target.hosting:
            manager = self._managers[service.api_version]
            return ServiceDeployer(target, manager, secret=self._identity.secret, find=find)
        raise Misconfigured(
            f"target {target.name!r} (`deploy: {target.deploy}`) cannot be deployed beside its "
            "service; declare `new-endpoint` with an endpoint's management URL, or `new-service` "
            "with a web service's resource id and `hosting`"
        )

    def _make_classic(self, address: str, token: str) -> StudioClassicServices:
        return StudioClassicServices(Caller(self._http, self._named(address, token)), address)
