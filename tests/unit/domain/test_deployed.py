"""Where the service that is deployed from an experiment is called: where the declaration says."""

from __future__ import annotations

from typing import Any

import pytest

from alm.domain.managed_model import DEPLOYED, ClassicEndpoint, ManagedModel
from alm.domain.run import Served

WORKSPACE, OTHER = "a" * 32, "b" * 32
PLACE = f"/workspaces/{WORKSPACE}/webservices/{'c' * 32}/endpoints/default"
HERE = f"https://management.azureml.net{PLACE}"
RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/webServices/churn"
PLAN = RESOURCE.replace("webServices/churn", "commitmentPlans/p")


def model(**service: Any) -> ManagedModel:
    source = {"source": {"experiment": f"{WORKSPACE}.f-id.{'d' * 32}"}}
    steps = {
        "workspace": {"workspace": WORKSPACE},
        "training": source,
        "predictive": source,
        "service": service,
    }
    return ManagedModel.model_validate({"model": "churn", "experiment": steps})


def new() -> ManagedModel:
    hosting = {"plan": PLAN, "storage_key": "env:KEY"}
    return model(kind="new", resource=RESOURCE, hosting=hosting)


def served(service: str) -> Served:
    return Served(version="v1", digest="sha256:1", blob="b", service=service)


@pytest.mark.parametrize(
    "address",
    [HERE, f"https://evil.example{PLACE}", f"http://169.254.169.254{PLACE}", f"//x@y{PLACE}"],
)
def test_the_token_of_a_workspace_goes_to_its_declared_address_only(address: str) -> None:
    target = model().target(DEPLOYED, served(address))

    assert target is not None
    assert isinstance(target.service, ClassicEndpoint)
    assert target.service.endpoint == HERE


@pytest.mark.parametrize(
    "address",
    [
        "",
        HERE.replace(WORKSPACE, OTHER),
        f"{HERE}/../../other/endpoints/default",
        f"{HERE}?api=1",
        HERE.replace("default", ".."),
        f"{HERE}\n",
        RESOURCE,
    ],
)
def test_a_service_of_another_place_is_not_the_declared_one(address: str) -> None:
    assert model().target(DEPLOYED, served(address)) is None


def test_a_region_that_studio_never_had_has_no_service() -> None:
    steps = model().experiment
    assert steps is not None
    workspace = steps.workspace.model_copy(update={"region": "Atlantis"})
    moved = model().model_copy(
        update={"experiment": steps.model_copy(update={"workspace": workspace})}
    )

    assert moved.target(DEPLOYED, served(HERE)) is None


@pytest.mark.parametrize(("place", "is_there"), [("", True), (RESOURCE, True), (HERE, False)])
def test_a_new_service_is_there_where_it_is_declared(place: str, is_there: bool) -> None:
    assert (new().target(DEPLOYED, served(place)) is not None) == is_there
