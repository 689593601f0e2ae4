"""Finds the Studio service that a declaration names, and keeps its client. See `ports.Services`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import assert_never

from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio.access import Caller, NamedAccess
from alm.adapters.studio.arm import ArmService, ArmTarget
from alm.adapters.studio.batch import BatchService
from alm.adapters.studio.classic import ClassicService, ClassicTarget
from alm.adapters.studio.resource_manager import ResourceManager
from alm.domain.errors import Misconfigured
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, ExecutionUrl, Service, Target
from alm.ports import Grant, Reading, Row, Scores, ScoringTarget, TrainingService

CLIENTS_MAX = 2000  # a client holds an URL and a key, 1 KB; families have tens of thousands


class TemplateTarget:
    """A service that versions are deployed beside: it is read and scored with, never changed."""

    def __init__(self, service: ScoringTarget, target: Target) -> None:
        self._service = service
        self._target = target

    def read(self) -> Reading:
        return self._service.read()

    def patch(self, model: Grant) -> None:
        raise Misconfigured(
            f"put {model.relative} into target {self._target.name!r}: it is declared as "
            f"`deploy: {self._target.deploy}`, its service is never patched; deploy the version "
            "beside it, or declare `deploy: patch`"
        )

    def score(self, rows: Sequence[Row], *, input: str, output: str) -> Scores:
        return self._service.score(rows, input=input, output=output)

    def batch(self) -> TrainingService:
        return self._service.batch()


class StudioServices:
    """Clients per declaration; credentials are looked up when first needed, not when found."""

    def __init__(self, http: Http, identity: Identity, arm_url: str) -> None:
        self._http = http
        self._identity = identity
        manager = NamedAccess(arm_url, identity.arm_token, identity.forget)
        self.resource_manager = ResourceManager(http, manager, arm_url)
        self._classic = lru_cache(maxsize=CLIENTS_MAX)(self._make_classic)
        self._arm = lru_cache(maxsize=CLIENTS_MAX)(self._make_arm)

    def training(self, service: Service) -> TrainingService:
        match service:
            case ClassicEndpoint():
                return self._classic(service).batch()
            case ArmWebService():
                return self._arm(service).batch()
            case ExecutionUrl():
                url = service.url.removesuffix("/jobs").removesuffix("/execute")
                return BatchService(Caller(self._http, self._named(url, service.key)))
            case _:
                assert_never(service)

    def target(self, target: Target) -> ScoringTarget:
        """The client of a target; of one that is only deployed beside, one that refuses patches."""
        found = self._target(target)
        return found if target.deploy == "patch" else TemplateTarget(found, target)

    def _target(self, target: Target) -> ScoringTarget:
        match target.service:
            case ClassicEndpoint():
                return ClassicTarget(self._classic(target.service), target.trained_model)
            case ArmWebService():
                return ArmTarget(self._arm(target.service), target.trained_model)
            case _:
                assert_never(target.service)

    def classic(self, service: ClassicEndpoint) -> ClassicService:
        """The client of an endpoint, for those who describe it."""
        return self._classic(service)

    def arm(self, service: ArmWebService) -> ArmService:
        """The client of a Resource Manager web service, for those who describe it."""
        return self._arm(service)

    def _make_classic(self, service: ClassicEndpoint) -> ClassicService:
        return ClassicService(self._http, self._named(service.endpoint, service.token))

    def _make_arm(self, service: ArmWebService) -> ArmService:
        return ArmService(
            self._http,
            self.resource_manager,
            resource=service.resource,
            api_version=service.api_version,
        )

    def _named(self, url: str, secret: str) -> NamedAccess:
        identity = self._identity
        return NamedAccess(url, lambda: identity.secret(secret), lambda: identity.forget(secret))
