"""Resource Manager ("new") web services as resources: whole definitions, lists, plans.

A PUT creates or overwrites without asking, so whoever means to create looks first. It takes a
complete definition with storage account (name and key) and, on creation, a plan; a key in it is
sent and never shown, not even where the service repeats it in a refusal.

Source: webServices, api-versions 2016-05-01-preview and 2017-01-01; commitmentPlans,
2016-05-01-preview.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from pydantic import SecretStr

from alm.adapters.answers import error_of, expect, field_of, object_of, refusal
from alm.adapters.connections import Answer
from alm.adapters.studio import definitions
from alm.adapters.studio.definitions import ApiVersion, part
from alm.adapters.studio.hosting import (
    check_leave,
    check_stays,
    left_behind,
    placed,
    with_leave,
    with_model,
)
from alm.adapters.studio.resource_manager import ResourceManager
from alm.domain.errors import Misconfigured, NotFound, Unavailable
from alm.domain.hosting import Hosting
from alm.domain.nearest import shown
from alm.domain.web_services import Document, NewWebService, Plan
from alm.ports import Grant

PLAN_VERSION = "2016-05-01-preview"  # the only one plans have
_SEGMENT = r"[A-Za-z0-9_()-][A-Za-z0-9_.()-]{0,119}"  # never `.` or `..`
_ID = re.compile(
    rf"/subscriptions/{_SEGMENT}/resourceGroups/{_SEGMENT}/providers/Microsoft\.MachineLearning/"
    rf"(?P<kind>webServices|commitmentPlans)/(?P<name>{_SEGMENT})",
    re.IGNORECASE,
)
_REFUSED = (
    "correct the definition: location, plan and storage account must belong together, and the "
    "storage key must be the present one"
)
_STAYS = ("storageAccount", "commitmentPlan", "machineLearningWorkspace", "keys", "readOnly")
_ELSEWHERE = ("SubscriptionNotFound", "InvalidSubscriptionId")


class ArmWebServices:
    """All web services that our identity may manage. A `studio_ports.NewServices`.

    api_version: in which definitions are read; those that are put may have either's form. secret:
    looks a secret up by its name.
    """

    def __init__(
        self,
        manager: ResourceManager,
        api_version: ApiVersion = "2017-01-01",
        *,
        secret: Callable[[str], SecretStr],
    ) -> None:
        self._manager = manager
        self._secret = secret
        self._version = api_version

    def get(self, resource: str) -> Document:
        """The definition in force, as it is read: without keys. Raises NotFound."""
        name = name_of(resource, "webServices")
        doing = f"read web service {name!r}"
        answer = self._manager.send("GET", self._path(resource))
        if answer.status == 204:
            raise NotFound(f"{doing}: {answer.request.url} answered 204, there is none")
        return definitions.without_keys(object_of(expect(answer, 200, doing=doing), doing=doing))

    def put(self, resource: str, definition: Document) -> None:
        """Create or replace a web service; returns when it was accepted, `get` tells the state.

        Raises Misconfigured if the definition is refused, Unavailable while another deployment of
        it is under way (409; that this is all that 409 means is inferred).
        """
        doing = f"put web service {name_of(resource, 'webServices')!r}"
        document = definitions.to_send(definition, self._version)
        answer = self._manager.send("PUT", self._path(resource), json_body=document)
        self._accepted(resource, answer, (200, 201, 202), doing, definitions.secrets_of(document))

    def deploy(
        self,
        resource: str,
        definition: Document,
        model: Grant,
        *,
        trained_model: str,
        hosting: Hosting,
    ) -> None:
        """Deploy a definition with our model file, hosted as declared. As `put` beyond that."""
        whose = f"web service {name_of(resource, 'webServices')!r}"
        with self.deadline():
            there = self._there(resource)
            definition = with_leave(definition, there)
            assets = with_model(definition, model, trained_model, whose)
            check_leave(assets, whose)
            properties = definitions.changed(part(definition, "properties"), assets=assets)
            hosted = placed(
                definitions.changed(definition, properties=properties),
                hosting,
                plan=self.plan,
                secret=self._secret,
                whose=whose,
            )
            check_stays(there, hosted, whose)
            self.put(resource, hosted)

    def change(
        self, resource: str, definition: Document, model: Grant, *, trained_model: str
    ) -> None:
        """Make a web service that definition, with PATCH: what is read back has no keys to PUT."""
        whose = f"web service {name_of(resource, 'webServices')!r}"
        with self.deadline():
            there = self.get(resource)
            definition = with_leave(definition, there)
            assets = with_model(definition, model, trained_model, whose)
            check_leave(assets, whose)
            check_stays(there, definition, whose)
            properties = definitions.without(part(definition, "properties"), *_STAYS)
            assets = {**left_behind(there, assets, trained_model, whose), **assets}
            document = definitions.to_send(
                {
                    "location": definitions.text_at(there, "location"),
                    "properties": definitions.changed(properties, assets=assets),
                },
                self._version,
            )
            answer = self._manager.send("PATCH", self._path(resource), json_body=document)
            doing, secrets = f"change {whose}", definitions.secrets_of(document)
            self._accepted(resource, answer, (200, 201, 202), doing, secrets)

    def delete(self, resource: str) -> None:
        """Delete a web service with its keys; harmless if it is not there."""
        doing = f"delete web service {name_of(resource, 'webServices')!r}"
        answer = self._manager.send("DELETE", self._path(resource))
        if answer.status == 404 and not refusal(answer).names(*_ELSEWHERE):
            return
        self._accepted(resource, answer, (200, 202, 204), doing, ())

    def list(self, subscription: str, group: str = "") -> list[NewWebService]:
        """The web services of a subscription or of one resource group, all pages of them."""
        scope = _scope(subscription, group)
        doing = f"list the web services of {scope}"
        path = f"{scope}/providers/Microsoft.MachineLearning/webServices"
        with self._manager.http.within():
            entries = self._manager.entries(f"{path}?api-version={self._version}", doing=doing)
            return [_listed(entry, doing) for entry in entries]

    def plans(self, subscription: str, group: str = "") -> builtins.list[Plan]:
        """The commitment plans of a subscription or of one resource group, all pages of them."""
        scope = _scope(subscription, group)
        doing = f"list the plans of {scope}"
        path = f"{scope}/providers/Microsoft.MachineLearning/commitmentPlans"
        with self._manager.http.within():
            entries = self._manager.entries(f"{path}?api-version={PLAN_VERSION}", doing=doing)
            return [_plan(entry, str(field_of(entry, "id") or ""), doing) for entry in entries]

    def keys(self, resource: str) -> tuple[SecretStr, SecretStr]:
        """The keys that a web service is called with (listKeys). Raises NotFound."""
        doing = f"list the keys of web service {name_of(resource, 'webServices')!r}"
        answer = self._manager.send("GET", f"{resource}/listKeys?api-version={self._version}")
        document = object_of(expect(answer, 200, doing=doing), doing=doing)
        primary, secondary = (
            str(field_of(document, name) or "") for name in ("primary", "secondary")
        )
        return SecretStr(primary), SecretStr(secondary)

    def plan(self, resource: str) -> Plan:
        """A commitment plan; web services on it live in its region. Raises NotFound."""
        doing = f"read plan {name_of(resource, 'commitmentPlans')!r}"
        answer = self._manager.send("GET", f"{resource}?api-version={PLAN_VERSION}")
        if answer.status == 204:
            raise NotFound(f"{doing}: {answer.request.url} answered 204, there is none")
        remedy = "check the plan's resource id"
        document = object_of(expect(answer, 200, doing=doing, remedy=remedy), doing=doing)
        return _plan(document, resource, doing)

    def why_failed(self, resource: str) -> str:
        """What Resource Manager says about the last deployment that was asked for here."""
        return self._manager.why_failed(resource)

    def deadline(self) -> AbstractContextManager[None]:
        """One deadline for all calls inside."""
        return self._manager.http.within()

    def _there(self, resource: str) -> Document:
        try:
            return self.get(resource)
        except NotFound:
            return {}

    def _path(self, resource: str) -> str:
        return f"{resource}?api-version={self._version}"

    def _accepted(
        self,
        resource: str,
        answer: Answer,
        statuses: Sequence[int],
        doing: str,
        secrets: Sequence[str],
    ) -> None:
        if answer.status in statuses:
            self._manager.began(resource, answer)
            return
        error = error_of(answer, doing=doing, remedy=_REFUSED, secrets=secrets)
        if answer.status == 409:
            raise Unavailable(f"{error} (another deployment of it may be under way)") from error
        raise error


def name_of(resource: str, kind: str) -> str:
    """The name in a resource id. Raises Misconfigured if it is no id of that kind."""
    match = _ID.fullmatch(resource)
    if match is None or match["kind"].lower() != kind.lower():
        raise Misconfigured(
            f"{shown(resource)} is not the resource id of one of {kind}; write /subscriptions/…/"
            f"resourceGroups/…/providers/Microsoft.MachineLearning/{kind}/…"
        )
    return match["name"]


def _scope(subscription: str, group: str) -> str:
    """Where a list is asked for: a subscription, or one of its resource groups."""
    scope = f"/subscriptions/{_segment(subscription, 'a subscription')}"
    return f"{scope}/resourceGroups/{_segment(group, 'a resource group')}" if group else scope


def _plan(document: dict[str, object], resource: str, doing: str) -> Plan:
    region = definitions.text_at(document, "location")
    if not region:
        raise Misconfigured(f"{doing}: {shown(resource)} names no location; is it a plan?")
    name = definitions.text_at(document, "name")
    return Plan(id=resource, name=name or resource.rpartition("/")[2], region=region)


def _segment(text: str, what: str) -> str:
    if not re.fullmatch(_SEGMENT, text):
        raise Misconfigured(f"{shown(text)} cannot be the name of {what}; correct it")
    return text


def _listed(entry: dict[str, object], doing: str) -> NewWebService:
    resource = str(field_of(entry, "id") or "")
    if _ID.fullmatch(resource) is None:
        raise Misconfigured(
            f"{doing}: an entry has the id {shown(resource)}, which is no web service's; "
            "check that `arm_url` is Resource Manager"
        )
    tags = definitions.part(entry, "tags")
    return NewWebService(
        id=resource,
        name=definitions.text_at(entry, "name") or resource.rpartition("/")[2],
        region=definitions.text_at(entry, "location"),
        state=definitions.text_at(entry, "properties", "provisioningState"),
        title=definitions.text_at(entry, "properties", "title"),
        created=definitions.text_at(entry, "properties", "createdOn"),
        tags={str(name): str(value) for name, value in tags.items()},
    )
