"""Deployments beside a target's service: how they are named, and what a name may be. Pure.

A target with `deploy: new-endpoint` or `new-service` is a template that is never changed: each
version gets an endpoint, or a web service, of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from alm.domain.managed_model import DEPLOYED, ClassicEndpoint, ManagedModel, Target
from alm.domain.mistakes import Finding, Place
from alm.domain.nearest import shown, suggestion
from alm.domain.run import Served

PLACEHOLDERS = ("version", "model")
VERSIONS_MAX = 99_999  # names must fit up to this version: a year of one each five minutes
NAME_FORMS = {
    "new-endpoint": "1 to 24 small letters, digits and, not first or last, hyphens",
    "new-service": "1 to 120 letters, digits, . _ -, a letter or digit first, no dot last",
}
_NAMES = {
    # Source: management API, Endpoint.Name.
    "new-endpoint": re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?"),
    # Inferred: the service's rule is not published; this is the narrower part of what is in use.
    "new-service": re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,118}[A-Za-z0-9_-])?"),
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_KINDS = {"new-endpoint": "classic", "new-service": "new"}
_OF_DEPLOYMENTS = ("name_template", "keep", "hosting")


def deployment_name(target: Target, model: str, version: int) -> str:
    """The name of the endpoint or web service on which a target serves a version."""
    values = {"version": str(version), "model": model}
    return _PLACEHOLDER.sub(
        lambda found: values.get(found.group(1), found.group()), target.name_template
    )


def placed(model: ManagedModel, served: Served) -> dict[str, Served]:
    """A version as each target of a managed model will serve it."""
    if model.experiment is not None:
        return {DEPLOYED: served}
    return {target.name: _placed(served, target, model.model) for target in model.targets}


def _placed(served: Served, target: Target, model: str) -> Served:
    """A version as a target will serve it: where each has a place of its own, with its name."""
    number = served.version.removeprefix("v")
    if target.deploy == "patch" or not number.isdecimal():
        return served
    return served.model_copy(update={"service": deployment_name(target, model, int(number))})


def version_in(name: str, target: Target, model: str) -> int | None:
    """The version that a deployment's name stands for; None if it is none of this target's."""
    form = _form(target, model, r"(\d{1,5})")
    found = re.fullmatch(form, name, re.IGNORECASE)
    return int(found.group(1)) if found else None


def spare(names: Iterable[str], target: Target, model: str, used: Iterable[str]) -> list[str]:
    """The deployments that are not used, without the newest `keep` of them."""
    in_use = {name.lower() for name in used}
    numbered = {name: number for name in names if (number := version_in(name, target, model))}
    unused = [name for name in numbered if name.lower() not in in_use]
    return sorted(unused, key=lambda name: -numbered[name])[target.keep :]


def name_fault(deploy: str, name: str) -> str:
    """Why an endpoint or web service cannot have a name; "" if it can."""
    if _NAMES[deploy].fullmatch(name):
        return ""
    return f"{shown(name)} is no name for one: {NAME_FORMS[deploy]}"


def findings(model: ManagedModel) -> Iterator[Finding]:
    """What is wrong with how targets are deployed."""
    for index, target in enumerate(model.targets):
        yield from _target_findings(("targets", index), target, model.model)
    if model.staging is not None and model.staging.deploy != "patch":
        what = f"is `{model.staging.deploy}`, and candidates are patched into the staging target"
        yield Finding(("staging", "deploy"), what, "remove it")


def _target_findings(place: Place, target: Target, model: str) -> Iterator[Finding]:
    if target.deploy == "patch":
        for field in _OF_DEPLOYMENTS:
            if field in target.model_fields_set:
                what = "counts only where each version is deployed beside the service"
                remedy = "add `deploy: new-endpoint` or `new-service`, or remove it"
                yield Finding((*place, field), what, remedy)
        return
    kind = _KINDS[target.deploy]
    if target.service.kind != kind:
        what = f"is `{target.deploy}`, and the service is not of the kind `{kind}`"
        other = "new-service" if target.deploy == "new-endpoint" else "new-endpoint"
        yield Finding((*place, "deploy"), what, f"write `{other}`, or name another service")
    else:
        yield from _name_findings((*place, "name_template"), target, model)
    yield from _hosting_findings(place, target)


def _name_findings(place: Place, target: Target, model: str) -> Iterator[Finding]:
    template = target.name_template
    names = _PLACEHOLDER.findall(template)
    unknown = [name for name in names if name not in PLACEHOLDERS]
    if unknown:
        what = f"has {{{unknown[0]}}}, which has no value"
        yield Finding(place, what, suggestion(unknown[0], PLACEHOLDERS))
    elif "version" not in names:
        what = "has no {version}: every version would have the same name"
        yield Finding(place, what, "put {version} into it")
    elif wrong := name_fault(target.deploy, deployment_name(target, model, VERSIONS_MAX)):
        yield Finding(place, f"makes names that cannot be: {wrong}", "shorten or correct it")
    elif makes(target, model, own_name(target)):
        what = f"can make {own_name(target)!r}, the name of the service it is deployed beside"
        yield Finding(place, what, "make the names differ")


def _hosting_findings(place: Place, target: Target) -> Iterator[Finding]:
    if target.deploy == "new-endpoint" and target.hosting is not None:
        what = "is for new web services; an endpoint has the hosting of its service"
        yield Finding((*place, "hosting"), what, "remove it")
    if target.deploy == "new-service" and target.hosting is None:
        what = "is missing: plan and storage key of a web service cannot be read from it"
        yield Finding((*place, "hosting"), what, "add it with `plan` and `storage_key`")
    hosting = target.hosting
    if hosting is not None and hosting.region and not hosting.storage_account:
        what = "names another region, and no storage account for it"
        yield Finding((*place, "hosting", "region"), what, "add `storage_account`")


def makes(target: Target, model: str, name: str) -> bool:
    """Whether some version of a target could have a name."""
    return re.fullmatch(_form(target, model, r"\d+"), name, re.IGNORECASE) is not None


def _form(target: Target, model: str, number: str) -> str:
    return "".join(
        number if part == "{version}" else re.escape(model if part == "{model}" else part)
        for part in re.split(r"(\{[^{}]*\})", target.name_template)
    )


def own_name(target: Target) -> str:
    """The name of the endpoint or web service that a target names."""
    service = target.service
    text = service.endpoint if isinstance(service, ClassicEndpoint) else service.resource
    return text.rstrip("/").rpartition("/")[2]


def deployed_as(service: str, name_template: str) -> str:
    """What names the deployments beside a service: its neighbours, all versions of them."""
    return neighbour(service, name_template.replace("{version}", "0"))


def neighbour(service: str, name: str) -> str:
    """The address of what stands beside a service under a name."""
    return f"{service.rstrip('/').rpartition('/')[0]}/{name}"
