"""New web services in memory: whole definitions, plans, deployments that take time.

As in `web_services.py`: time is the clock given, and faults are put on operations by name.

    new = DoubleNewServices(clock, settle_seconds=60)
    new.fails = "the model cannot be read"
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from alm.domain.errors import Misconfigured, NotFound, Unavailable
from alm.domain.hosting import Hosting
from alm.domain.secret_texts import WITHHELD
from alm.domain.web_services import Document, NewWebService, Plan
from alm.ports import Clock, Grant, Reading
from tests.doubles.faulty import Faulty
from tests.doubles.studio import DoubleTarget, leave_end


@dataclass
class _Deployed:
    """A new web service: what is in force, and what will be at a time."""

    document: dict[str, Any]
    created: datetime
    stamp: int = 0
    state: str = "Provisioning"
    coming: dict[str, Any] | None = None
    at: datetime | None = None


class DoubleNewServices(Faulty):
    """Resource Manager web services. See `studio_ports.NewServices`.

    settle_seconds: how long a deployment takes. fails: why deployments that end now fail.
    storage_key: the only one that is taken; every name of a secret names it. changes_nothing:
    what is put is accepted, and forgotten. put_in: what was put or changed, in order. beside: the
    definition of what a deployer's double holds, by resource id.
    """

    def __init__(
        self, clock: Clock, *, settle_seconds: float = 0, storage_key: str = "storage-key"
    ) -> None:
        super().__init__()
        self.clock = clock
        self.settle_seconds = settle_seconds
        self.storage_key = storage_key
        self.fails = ""
        self.changes_nothing = False
        self.put_in: list[str] = []
        self.beside: Callable[[str], Document | None] = lambda _resource: None
        self.plans_by_id: dict[str, Plan] = {}
        self._deployed: dict[str, _Deployed] = {}
        self._why: dict[str, str] = {}

    def put_plan(self, plan: Plan) -> None:
        self.plans_by_id[plan.id.lower()] = plan

    def get(self, resource: str) -> Document:
        return self._do("get", lambda: self.beside(resource) or self._get(resource))

    def put(self, resource: str, definition: Document) -> None:
        self._do("put", lambda: self._put(resource, definition))

    def deploy(
        self,
        resource: str,
        definition: Document,
        model: Grant,
        *,
        trained_model: str,
        hosting: Hosting,
    ) -> None:
        def effect() -> None:
            self._put(resource, self._hosted(resource, definition, model, trained_model, hosting))

        self._do("deploy", effect)

    def change(
        self, resource: str, definition: Document, model: Grant, *, trained_model: str
    ) -> None:
        self._do("change", lambda: self._change(resource, definition, model, trained_model))

    def delete(self, resource: str) -> None:
        self._do("delete", lambda: self._delete(resource))

    def list(self, subscription: str, group: str = "") -> list[NewWebService]:
        return self._do("list", lambda: self._list(subscription, group))

    def plan(self, resource: str) -> Plan:
        return self._do("plan", lambda: self._plan(resource))

    def plans(self, subscription: str, group: str = "") -> builtins.list[Plan]:
        return self._do("plans", lambda: self._plans(subscription, group))

    def keys(self, resource: str) -> tuple[SecretStr, SecretStr]:
        return self._do("keys", lambda: self._keys(resource))

    def why_failed(self, resource: str) -> str:
        return self._why.get(resource.lower(), "the activity log of its resource group tells why")

    def _get(self, resource: str) -> dict[str, Any]:
        deployed = self._settled(resource)
        document = copy.deepcopy(deployed.document)
        properties = document["properties"]
        for hidden in ("keys", "commitmentPlan"):
            properties.pop(hidden, None)
        properties.get("storageAccount", {}).pop("key", None)
        properties |= {"provisioningState": deployed.state}
        properties["createdOn"] = deployed.created.isoformat()
        properties["modifiedOn"] = str(deployed.stamp)
        return {"id": resource, "name": resource.rpartition("/")[2], **document}

    def _put(self, resource: str, definition: Document) -> None:
        _checked_resource(resource)
        document = _sound(definition)
        known = self._deployed.get(resource.lower())
        if known is not None and self._settled(resource).coming is not None:
            raise Unavailable(f"put {resource}: another deployment is under way")
        properties = document["properties"]
        if (properties.get("storageAccount") or {}).get("key", "") != self.storage_key:
            raise Misconfigured(f"put {resource}: the storage key opens no account")
        plan = self.plans_by_id.get(
            str((properties.get("commitmentPlan") or {}).get("id", "")).lower()
        )
        if known is None and (plan is None or plan.region != document["location"]):
            raise Misconfigured(f"put {resource}: plan and location do not belong together")
        deployed = known or _Deployed(copy.deepcopy(document), self.clock.now())
        self.put_in.append(resource)
        if known is not None and self.changes_nothing:
            return
        deployed.stamp += 1
        deployed.coming, deployed.state = document, "Provisioning"
        deployed.at = self.clock.now() + timedelta(seconds=self.settle_seconds)
        self._deployed[resource.lower()] = deployed

    def _hosted(
        self, resource: str, definition: Document, model: Grant, name: str, hosting: Hosting
    ) -> dict[str, Any]:
        """A definition for the place that is declared."""
        document = self._with_model(resource, definition, model, name)
        account = document["properties"].get("storageAccount", {}).get("name", "")
        region = hosting.region or document["location"]
        if _plain(region) != _plain(document["location"]):
            account = ""
        account = hosting.storage_account or account
        plan = self.plans_by_id.get(hosting.plan.lower())
        if plan is None or _plain(plan.region) != _plain(region) or not account:
            raise Misconfigured(f"deploy {resource}: plan, region and storage do not belong")
        if resource.lower() in self._deployed:
            there = self._settled(resource).document
            places = there["location"], there["properties"]["storageAccount"]["name"]
            if _plain(places[0]) != _plain(region) or places[1] != account:
                raise Misconfigured(f"deploy {resource}: it is elsewhere, and cannot be moved")
        document["location"] = plan.region
        document["properties"] |= {
            "storageAccount": {"name": account, "key": self.storage_key},
            "commitmentPlan": {"id": hosting.plan},
        }
        return document

    def _change(self, resource: str, definition: Document, model: Grant, name: str) -> None:
        there = self._settled(resource).document
        document = self._with_model(resource, definition, model, name)
        if _plain(document["location"]) != _plain(there["location"]):
            raise Misconfigured(f"change {resource}: a web service cannot be moved")
        stays = {key: there["properties"][key] for key in ("storageAccount", "commitmentPlan")}
        properties = {**document["properties"], **stays}
        self._put(resource, {**there, "properties": properties})

    def _with_model(
        self, resource: str, definition: Document, model: Grant, name: str
    ) -> dict[str, Any]:
        """A definition with a model file, and the leave that the service has to read the others."""
        document = _sound(definition)
        assets = document["properties"].get("assets", {})
        named = [key for key, asset in assets.items() if _bare(asset["name"]) == _bare(name)]
        if not named:
            raise Misconfigured(f"{resource} has no resource named {name!r}")
        place = {"uri": model.location, "credentials": model.sas}
        assets[named[0]]["locationInfo"] = place
        there = self._deployed.get(resource.lower())
        known = there.document["properties"].get("assets", {}).values() if there else ()
        leave = {a["locationInfo"]["uri"]: a["locationInfo"] for a in known if "locationInfo" in a}
        for asset in assets.values():
            found = asset.get("locationInfo", {})
            if found.get("credentials") == WITHHELD and found["uri"] not in leave:
                raise Misconfigured(f"{resource}: leave to read {asset['name']} was withheld")
            if found.get("credentials") == WITHHELD:
                asset["locationInfo"] = leave[found["uri"]]
        return document

    def _settled(self, resource: str) -> _Deployed:
        """The web service as it is by now."""
        _checked_resource(resource)
        deployed = self._deployed.get(resource.lower())
        if deployed is None:
            raise NotFound(f"read {resource}: there is none")
        if deployed.coming is not None and deployed.at and self.clock.now() >= deployed.at:
            deployed.state = "Failed" if self.fails else "Succeeded"
            if self.fails:
                self._why[resource.lower()] = self.fails
            else:
                deployed.document = deployed.coming
            deployed.coming = None
        return deployed

    def _delete(self, resource: str) -> None:
        _checked_resource(resource)
        self._deployed.pop(resource.lower(), None)

    def _list(self, subscription: str, group: str) -> builtins.list[NewWebService]:
        scope = _scope(subscription, group)
        found = [name for name in self._deployed if name.startswith(scope)]
        return [self._listed(name) for name in sorted(found)]

    def _plans(self, subscription: str, group: str) -> builtins.list[Plan]:
        scope = _scope(subscription, group)
        return [self.plans_by_id[id] for id in sorted(self.plans_by_id) if id.startswith(scope)]

    def _keys(self, resource: str) -> tuple[SecretStr, SecretStr]:
        self._settled(resource)
        name = resource.lower()
        return SecretStr(f"primary key of {name}"), SecretStr(f"secondary key of {name}")

    def _listed(self, resource: str) -> NewWebService:
        document = self._get(resource)
        properties = document["properties"]
        return NewWebService(
            id=resource,
            name=document["name"],
            region=document["location"],
            state=properties["provisioningState"],
            title=properties.get("title", ""),
            created=properties["createdOn"],
            tags=document.get("tags") or {},
        )

    def _plan(self, resource: str) -> Plan:
        if "/commitmentplans/" not in resource.lower() or "/.." in resource:
            raise Misconfigured(f"{resource} is not the id of a plan")
        if resource.lower() not in self.plans_by_id:
            raise NotFound(f"read plan {resource}: there is none")
        return self.plans_by_id[resource.lower()]


def _scope(subscription: str, group: str) -> str:
    if "/" in subscription + group or ".." in (subscription, group):
        raise Misconfigured(f"{subscription!r} or {group!r} cannot be a name")
    scope = f"/subscriptions/{subscription}/".lower()
    return scope + (f"resourcegroups/{group}/".lower() if group else "")


class DoubleNewTarget(DoubleTarget):
    """A new web service as it is scored with: what it holds is its definition.

    What it has served since which time is known by what is put through `patch` only.
    """

    def __init__(self, services: DoubleNewServices, resource: str, trained_model: str) -> None:
        super().__init__(services.clock)
        self._services = services
        self._resource = resource
        self._trained_model = trained_model

    @property
    def answering(self) -> str:
        return self._asset()["locationInfo"]["uri"]

    def _read(self) -> Reading:
        document = self._services.get(self._resource)
        state, place = document["properties"]["provisioningState"], self._asset()["locationInfo"]
        if state == "Failed":
            raise Misconfigured(f"the last deployment failed: {self._services.fails}")
        return Reading(
            place["uri"],
            f"{document['properties']['modifiedOn']}/{place['uri']}",
            settled=state == "Succeeded",
            sas=place["credentials"],
            leave_ends=leave_end(place["credentials"]),
        )

    def _patch(self, model: Grant) -> None:
        there = self._services.get(self._resource)
        self._services.change(self._resource, there, model, trained_model=self._trained_model)

    def _asset(self) -> dict[str, Any]:
        assets = self._services.get(self._resource)["properties"]["assets"].values()
        return next(one for one in assets if _bare(one["name"]) == _bare(self._trained_model))


def _sound(definition: Mapping[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(dict(definition))
    for field in ("id", "name", "type"):
        document.pop(field, None)
    properties = document.get("properties") or {}
    if not document.get("location") or not properties.get("packageType"):
        raise Misconfigured("the definition is not that of a web service")
    return document


def _checked_resource(resource: str) -> None:
    if "/webservices/" not in resource.lower() or "/.." in resource or " " in resource:
        raise Misconfigured(f"{resource} is not the id of a web service")


def _bare(name: str) -> str:
    return name.removesuffix(" [trained model]")


def _plain(region: str) -> str:
    return "".join(region.lower().split())
