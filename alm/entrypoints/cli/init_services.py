"""Services for `alm init`: found by name or address, described, and asked for one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import typer
from rich.console import Console

from alm.adapters.clock import SystemClock
from alm.adapters.http import Http
from alm.adapters.identity import Identity
from alm.adapters.studio import inspect
from alm.adapters.studio.declaring import Known, answers_of
from alm.adapters.studio.inspect import Description
from alm.adapters.studio.services import StudioServices
from alm.bootstrap import allowed_hosts
from alm.domain.errors import AlmError, Misconfigured, Refused
from alm.domain.managed_model import ArmWebService, ClassicEndpoint, Target
from alm.domain.web_services import ClassicWebService
from alm.entrypoints.cli import tables_out
from alm.entrypoints.cli.client import Client
from alm.entrypoints.cli.studio.connection import connect
from alm.entrypoints.cli.studio.desk import REGION, TOKEN, Choice, Desk
from alm.entrypoints.studio import finding
from alm.ports import Row
from alm.settings import Settings

NAMED = ("ALM_LOCAL", "ALM_ARM_URL", "ALM_STUDIO_URL", "ALM_ALLOWED_HOSTS")
PANEL = "Which workspace, for names"
Service = ClassicEndpoint | ArmWebService


@dataclass(frozen=True)
class Where:
    """The workspace in which names are looked up."""

    workspace: Annotated[
        str,
        typer.Option(
            help="The id of the workspace.", envvar="ALM_STUDIO_WORKSPACE", rich_help_panel=PANEL
        ),
    ] = ""
    region: Annotated[
        str, typer.Option(help="Its region.", envvar="ALM_STUDIO_REGION", rich_help_panel=PANEL)
    ] = REGION
    token: Annotated[
        str,
        typer.Option(
            help="The name of its token: env:NAME or keyvault:vault/name.", rich_help_panel=PANEL
        ),
    ] = TOKEN


class Services:
    """What `alm init` asks of Studio and Resource Manager; nothing is changed."""

    def __init__(self, environment: Mapping[str, str], where: Where, api: Client) -> None:
        self._environment = environment
        self._where = where
        self._api = api
        self._told = Console(stderr=True)

    @cached_property
    def desk(self) -> Desk:
        """The workspace by whose names services and experiments are found."""
        where = self._where
        choice = Choice(workspace=where.workspace, region=where.region, token=where.token)
        return Desk(connect(self._environment), choice, self._api)

    @cached_property
    def clients(self) -> StudioServices:
        """Clients of services; of the app's settings only those that say where they are."""
        given = {name: value for name in NAMED if (value := self._environment.get(name))}
        local = given.get("ALM_LOCAL") == "1"
        standing_in = given.get("ALM_STUDIO_URL", "") if local else ""
        settings = Settings.model_construct(
            local=local,
            arm_url=given.get("ALM_ARM_URL") or standing_in or "https://management.azure.com",
            allowed_hosts=tuple(filter(None, given.get("ALM_ALLOWED_HOSTS", "").split(","))),
        )
        identity = Identity(self._environment, SystemClock())
        return StudioServices(Http(allowed_hosts(settings)), identity, settings.arm_url)

    def target(self, text: str) -> Service:
        """A scoring service by address or name. Raises Refused if a name leaves a choice."""
        if is_address(text):
            return self._declared(text)
        found, endpoint = self.named(text)
        if not endpoint:
            endpoint = self._only_endpoint(found)
        return self.endpoint(found, endpoint)

    def training(self, text: str) -> Service:
        """A training service by address or name; by name its default endpoint, if none is named."""
        if is_address(text):
            return self._declared(text)
        found, endpoint = self.named(text)
        return self.endpoint(found, endpoint or found.default_endpoint)

    def named(self, text: str) -> tuple[ClassicWebService, str]:
        """The classic service of a name, and the endpoint's name ("" if none is given)."""
        service, slash, endpoint = text.rpartition("/")
        return finding.service(self.desk.classic, service if slash else text), endpoint * bool(
            slash
        )

    def endpoint(self, service: ClassicWebService, name: str) -> ClassicEndpoint:
        record = self.desk.classic.endpoint(service.id, name)
        token = self.desk.declared.token
        return ClassicEndpoint(kind="classic", endpoint=record.address, token=token)

    def endpoints(self, service: ClassicWebService) -> list[str]:
        """The names of the endpoints that take a model: all but the default one."""
        listed = self.desk.classic.endpoints(service.id)
        return [one.name for one in listed if one.name != service.default_endpoint]

    def known(self, targets: Sequence[Service], training: Service | None) -> Known:
        """What services say of themselves. Raises Misconfigured if one cannot be a target."""
        found = [inspect.describe(self.clients, service) for service in targets]
        for target in found:
            if not target.patchable:
                raise Misconfigured(f"{target.name} cannot be a target: {target.why_not}")
        trains = inspect.describe(self.clients, training) if training else None
        if trains is not None and not trains.trains:
            raise Misconfigured(
                f"{trains.name} puts out no trained model; name the training service with "
                "--training"
            )
        answers = answers_of(found[0], lambda row: self._scored(found[0], row))
        return Known(targets=tuple(found), training=trains, answers=answers)

    def deployed(self, service: ClassicEndpoint) -> Known:
        """What a service that is deployed from an experiment says: its default endpoint."""
        found = inspect.describe(self.clients, service)
        answers = answers_of(found, lambda row: self._scored(found, row))
        return Known(targets=(found,), training=None, answers=answers)

    def tell(self, text: str) -> None:
        tables_out.line(self._told, text)

    def _declared(self, text: str) -> Service:
        found = inspect.declared(text)
        if isinstance(found, ClassicEndpoint) and self._where.token != TOKEN:
            return found.model_copy(update={"token": self._where.token})
        return found

    def _only_endpoint(self, service: ClassicWebService) -> str:
        names = self.endpoints(service)
        if len(names) == 1:
            return names[0]
        if names:
            listed = ", ".join(f"{service.name}/{name}" for name in names[:12])
            raise Refused(f"{service.name} has {len(names)} endpoints; name one: {listed}")
        raise Refused(
            f"{service.name} has no endpoint but the default one, which takes no model; add one: "
            f"alm endpoint create {service.name} production"
        )

    def _scored(self, target: Description, row: Row) -> Mapping[str, str | None]:
        """What the service answers to one row; nothing if it cannot score it."""
        model = target.resources[0].name if target.resources else "none"
        declared = Target(name="init", service=target.service, trained_model=model)
        api = target.api
        try:
            scores = self.clients.target(declared).score(
                [row], input=api.inputs[0].name, output=api.outputs[0].name
            )
        except AlmError as error:
            self.tell(f"the example row could not be scored: {error}")
            return {}
        return dict(zip(scores.columns, scores.rows[0], strict=True))


def is_address(text: str) -> bool:
    """Whether a service is named by its URL or resource id, not by a name of people."""
    return text.startswith("/") or "://" in text
