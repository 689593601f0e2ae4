"""Targets that deploy each version beside their service: names, hosting, and who may share what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alm.adapters.declarations import Declarations
from alm.domain.deployments import deployment_name, name_fault
from alm.domain.managed_model import Target
from tests.unit.declarations.folders import CHURN, SHOPS, arm, changed, classic, mistakes, put

PLAN = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/commitmentPlans/p"
HOSTING = {"plan": PLAN, "storage_key": "env:STORAGE_KEY"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "managed_models"


def endpoint(**changes: object) -> dict[str, Any]:
    """A target beside whose endpoint each version gets an endpoint."""
    service = classic("scoring", "live")
    target = {"name": "us", "service": service, "trained_model": "m", "deploy": "new-endpoint"}
    return {**target, **changes}


def web_service(**changes: object) -> dict[str, Any]:
    """A target beside whose web service each version gets a web service."""
    target = {"name": "eu", "service": arm("churn"), "trained_model": "m", "deploy": "new-service"}
    return {**target, "hosting": HOSTING, **changes}


def with_targets(*targets: dict[str, Any]) -> Callable[[dict[str, Any]], object]:
    return lambda declaration: declaration.update(targets=list(targets))


def test_versions_are_deployed_beside_endpoints_and_web_services(folder: Path) -> None:
    targets = endpoint(name_template="{model}-{version}", keep=5), web_service()
    put(folder, "churn.yaml", changed(CHURN, with_targets(*targets)))

    us, eu = Declarations.read(folder, None).resolve("churn").targets

    assert (us.deploy, us.keep, deployment_name(us, "churn", 7)) == ("new-endpoint", 5, "churn-7")
    assert (eu.deploy, eu.keep, deployment_name(eu, "churn", 7)) == ("new-service", 3, "ep7")
    assert eu.hosting is not None
    assert (eu.hosting.plan, eu.hosting.storage_key) == (PLAN, "env:STORAGE_KEY")


def test_a_patched_target_is_declared_as_before(folder: Path) -> None:
    put(folder, "churn.yaml", CHURN)

    assert {t.deploy for t in Declarations.read(folder, None).resolve("churn").targets} == {"patch"}


def test_the_default_endpoint_may_be_what_others_are_made_from(folder: Path) -> None:
    target = endpoint(service=classic("scoring", "default"))
    put(folder, "churn.yaml", changed(CHURN, with_targets(target)))

    assert Declarations.read(folder, None).models() == ["churn"]


def test_two_regions_may_be_made_from_one_web_service(folder: Path) -> None:
    us = {**HOSTING, "region": "South Central US", "storage_account": "churnus"}
    targets = web_service(), web_service(name="us", hosting=us, name_template="us-ep{version}")
    put(folder, "churn.yaml", changed(CHURN, with_targets(*targets)))

    assert Declarations.read(folder, None).models() == ["churn"]


CASES: list[tuple[dict[str, Any], str]] = [
    (endpoint(deploy="new-endpont"), "deploy: is 'new-endpont'; did you mean 'new-endpoint'?"),
    (endpoint(service=arm("x")), "targets[0].deploy: is `new-endpoint`, and the service is not of"),
    (web_service(service=classic("a", "b")), "write `new-endpoint`, or name another service"),
    (endpoint(name_template="ep"), "targets[0].name_template: has no {version}"),
    (endpoint(name_template="ep{verison}"), "has {verison}, which has no value; did you mean 'ver"),
    (endpoint(name_template="Ep{version}"), "makes names that cannot be: 'Ep99999'"),
    (endpoint(name_template="ep_{version}"), "1 to 24 small letters, digits and, not first or"),
    (endpoint(name_template="-{version}"), "makes names that cannot be: '-99999'"),
    (endpoint(name_template="{version}-"), "makes names that cannot be: '99999-'"),
    (endpoint(name_template="a" * 20 + "{version}"), "makes names that cannot be"),
    (endpoint(name_template="../{version}"), "makes names that cannot be: '../99999'"),
    (web_service(name_template="a/{version}"), "makes names that cannot be: 'a/99999'"),
    (web_service(name_template="{version}."), "makes names that cannot be: '99999.'"),
    (
        endpoint(service=classic("scoring", "ep2")),
        "can make 'ep2', the name of the service it is deployed beside; make the names differ",
    ),
    (web_service(service=arm("EP12")), "can make 'EP12', the name of the service"),
    (endpoint(keep=0), "targets[0].keep: is 0, out of range"),
    (endpoint(hosting=HOSTING), "targets[0].hosting: is for new web services"),
    (web_service(hosting=None), "targets[0].hosting: is missing: plan and storage key"),
    (web_service(hosting={"plan": PLAN}), "targets[0].hosting.storage_key: is missing; add `st"),
    (web_service(hosting={"storage_key": "env:K"}), "targets[0].hosting.plan: is missing; add `p"),
    (
        web_service(hosting={**HOSTING, "plan": "plan-eu"}),
        "hosting.plan: has not the right form; write `/subscriptions/…/resourceGroups/…",
    ),
    (
        web_service(hosting={**HOSTING, "plan": PLAN.replace("/g/", "/../")}),
        "hosting.plan: has not the right form",
    ),
    (
        web_service(hosting={**HOSTING, "region": "West Europe"}),
        "hosting.region: names another region, and no storage account for it; add `sto",
    ),
    (
        web_service(hosting={**HOSTING, "storage_account": "Not_One"}),
        "hosting.storage_account: has not the right form",
    ),
    (
        {**endpoint(), "deploy": "patch", "name_template": "a{version}"},
        "targets[0].name_template: counts only where each version is deployed beside the service",
    ),
]


@pytest.mark.parametrize(("target", "words"), CASES, ids=[words for _, words in CASES])
def test_a_mistake_is_told(folder: Path, target: dict[str, Any], words: str) -> None:
    put(folder, "churn.yaml", changed(CHURN, with_targets(target)))

    told = mistakes(folder)

    assert any(words in line for line in told), told
    assert len(told) <= 2, told


def test_a_literal_storage_key_is_refused_and_never_repeated(folder: Path) -> None:
    target = web_service(hosting={**HOSTING, "storage_key": "canary-key=="})
    put(folder, "churn.yaml", changed(CHURN, with_targets(target)))

    told = "\n".join(mistakes(folder))

    assert "`env:NAME` or `keyvault:vault/name`" in told
    assert "canary" not in told


def test_two_targets_must_not_make_the_same_names(folder: Path) -> None:
    other = endpoint(name="eu", service=classic("scoring", "other"))
    put(folder, "churn.yaml", changed(CHURN, with_targets(endpoint(), other)))

    (told,) = mistakes(folder)

    assert "targets[1]" in told
    assert "makes the names of another target as well" in told


def test_two_managed_models_must_not_make_the_same_names(folder: Path) -> None:
    alone = {"staging": None, "gate": {"metrics": [{"name": "auc", "min": 0.5}]}}
    put(folder, "a.yaml", CHURN | alone | {"targets": [endpoint()]})
    put(folder, "b.yaml", CHURN | alone | {"model": "upsell", "targets": [endpoint()]})

    (told,) = mistakes(folder)

    assert "makes the names of 'churn' (managed_models/a.yaml:" in told


def test_two_managed_models_may_share_a_service_where_the_names_differ(folder: Path) -> None:
    alone = {"staging": None, "gate": {"metrics": [{"name": "auc", "min": 0.5}]}}
    targets = {"targets": [endpoint(name_template="{model}-{version}")]}
    put(folder, "a.yaml", CHURN | alone | targets)
    put(folder, "b.yaml", CHURN | alone | targets | {"model": "upsell"})

    assert Declarations.read(folder, None).models() == ["churn", "upsell"]


def test_the_staging_target_is_patched(folder: Path) -> None:
    change = {"staging": {**endpoint(name="stage"), "name_template": "s{version}"}}
    put(folder, "churn.yaml", CHURN | change)

    assert any("staging.deploy: is `new-endpoint`" in line for line in mistakes(folder))


def test_members_of_a_family_may_share_one_service(folder: Path) -> None:
    target = endpoint(name="{shop}", name_template="{shop}-v{version}")
    members = {"members": {"list": [{"shop": "north"}, {"shop": "south"}], "key": ["shop"]}}
    naming = {"naming": {"prefix": "{shop}-", "suffix": "-{family}"}}
    put(folder, "shops.yaml", SHOPS | members | naming | {"targets": [target]})

    member = Declarations.read(folder, None).resolve("shops--north")

    (north,) = member.targets
    assert ("north-", "-shops") == (member.naming.prefix, member.naming.suffix)
    assert (north.name_template, deployment_name(north, "m", 3)) == ("north-v{version}", "north-v3")


def test_members_of_a_family_must_not_make_the_same_names(folder: Path) -> None:
    put(folder, "shops.yaml", SHOPS | {"targets": [endpoint(name="{shop}")]})

    (told,) = mistakes(folder)

    assert "is the same for members that differ in shop; put {shop} or {model} into it" in told


@pytest.mark.parametrize("name", ["a", "ep7", "a-b", "0", "a" * 24])
def test_names_that_endpoints_can_have(name: str) -> None:
    assert name_fault("new-endpoint", name) == ""


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "A", "a.b", "a_b", "a/b", "..", "a" * 25, "a\n", "é", "a%2fb", "a b"]
)
def test_names_that_endpoints_cannot_have(name: str) -> None:
    assert "is no name for one" in name_fault("new-endpoint", name)


@pytest.mark.parametrize("name", ["", ".", "..", "a.", "-a", "a/b", "a b", "é", "a" * 121, "a\n"])
def test_names_that_web_services_cannot_have(name: str) -> None:
    assert "is no name for one" in name_fault("new-service", name)


def test_a_name_is_filled_in_once() -> None:
    target = Target.model_validate(endpoint(name_template="{model}-{version}"))

    assert deployment_name(target, "{version}", 3) == "{version}-3"
