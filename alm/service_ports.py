"""Protocols of web services: classic ones with their endpoints, new ones, and what is deployed
beside them. As in `ports.py`: each has a double and an adapter that pass one contract suite.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from alm.domain.exchange import Grant
from alm.domain.hosting import Hosting
from alm.domain.web_services import (
    ClassicWebService,
    Document,
    Endpoint,
    EndpointSettings,
    NewWebService,
    Plan,
)

if TYPE_CHECKING:
    from alm.ports import ScoringTarget


class ClassicServices(Protocol):
    """The classic web services of a workspace, with their endpoints."""

    def services(self) -> list[ClassicWebService]: ...

    def service(self, service: str) -> ClassicWebService:
        """Raises NotFound."""
        ...

    def delete_service(self, service: str) -> None:
        """Delete a service with its endpoints; harmless if it is not there."""
        ...

    def endpoints(self, service: str) -> list[Endpoint]: ...

    def endpoint(self, service: str, name: str) -> Endpoint:
        """Raises NotFound."""
        ...

    def put_endpoint(self, service: str, name: str, settings: EndpointSettings) -> Endpoint:
        """Create an endpoint that serves what the service serves now, or change its settings.

        Harmless to repeat. Raises Misconfigured for a bad name, or where a free workspace allows
        no more.
        """
        ...

    def refresh_endpoint(self, service: str, name: str, *, overwrite: bool) -> bool:
        """Make an endpoint follow the service once; False: it was current.

        overwrite: its own trained models are replaced as well.
        """
        ...

    def delete_endpoint(self, service: str, name: str) -> None:
        """Harmless if it is not there. Raises Misconfigured for the default among others."""
        ...


class NewServices(Protocol):
    """Resource Manager web services, by their resource ids; whole definitions."""

    def get(self, resource: str) -> Document:
        """The definition in force, as it is read: without keys. Raises NotFound."""
        ...

    def put(self, resource: str, definition: Document) -> None:
        """Create or replace a web service; returns when it was accepted, `get` tells the state.

        Harmless to repeat. Raises Misconfigured if the definition is refused, Unavailable while
        another deployment of it is under way.
        """
        ...

    def deploy(
        self,
        resource: str,
        definition: Document,
        model: Grant,
        *,
        trained_model: str,
        hosting: Hosting,
    ) -> None:
        """Deploy a definition as that web service: with this model file, and hosted there.

        trained_model: the name of the definition's resource that the file stands in for. Harmless
        to repeat. Raises Misconfigured, before anything is sent, if plan, region and storage do not
        belong together or the service that is there is hosted elsewhere; else as `put`.
        """
        ...

    def change(
        self, resource: str, definition: Document, model: Grant, *, trained_model: str
    ) -> None:
        """Make a web service that definition, with this model file; where it is hosted stays.

        Returns when it was accepted; harmless to repeat. Raises as `put`, NotFound, and
        Misconfigured, before anything is sent, if the definition is for another place or lacks
        leave to read a file that the service cannot read either.
        """
        ...

    def delete(self, resource: str) -> None:
        """Harmless if it is not there."""
        ...

    def list(self, subscription: str, group: str = "") -> list[NewWebService]: ...

    def plan(self, resource: str) -> Plan:
        """Raises NotFound."""
        ...

    def plans(self, subscription: str, group: str = "") -> builtins.list[Plan]: ...

    def keys(self, resource: str) -> tuple[SecretStr, SecretStr]:
        """The primary and secondary key that a web service is called with. Raises NotFound."""
        ...

    def why_failed(self, resource: str) -> str:
        """What the service says about the last deployment of a web service asked for here."""
        ...


class Deployer(Protocol):
    """Deploys versions beside the service that a target names, which it never changes.

    A version gets an endpoint of its own on the same classic service, or a Resource Manager web
    service of its own, made from the target's. What was deployed here is marked as such: anything
    else of that name, made by people, is neither changed nor deleted nor listed.
    """

    def exists(self, name: str) -> bool:
        """Whether a deployment of that name is there; its model may still be missing.

        Raises Misconfigured if something else has the name, or nothing could have it.
        """
        ...

    def create(self, name: str, model: Grant) -> None:
        """Deploy a model file under a name; returns when the service has accepted.

        `target` tells when it has settled, and what it serves. Harmless to repeat: what an earlier
        attempt left undone is completed. Raises Misconfigured if something else has the name, if
        the service refuses, or if plan, region and storage do not belong together.
        """
        ...

    def target(self, name: str) -> ScoringTarget:
        """A deployment, to be read and scored with. Nothing is asked for yet."""
        ...

    def names(self) -> list[str]:
        """The deployments there are, oldest first."""
        ...

    def delete(self, name: str) -> None:
        """Delete a deployment with its keys; harmless if it is not there.

        Whether somebody still refers to it is the caller's to know. Raises Misconfigured for what
        was not deployed here, the target's own service above all.
        """
        ...
