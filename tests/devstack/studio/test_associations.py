"""Web services on a commitment plan, their moves, what plans can be bought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.devstack.studio.client import PLANS, Client
from tests.devstack.studio.test_arm import plan_id

FIRST, SECOND, FAR = "plan-westeurope", "another", "plan-southeastasia"
ONE = f"commitmentPlans/{FIRST}/commitmentAssociations/diabetes-scoring"


@pytest.fixture(scope="module")
def second(client: Client) -> Iterator[str]:
    """The id of another plan in West Europe."""
    made = client.arm("PUT", f"commitmentPlans/{SECOND}", {"location": "West Europe"}, PLANS)
    assert made.status_code == 201, made.text
    yield str(made.json()["id"])
    client.arm("DELETE", f"commitmentPlans/{SECOND}", version=PLANS)


def on(client: Client, plan: str) -> list[str]:
    found = client.arm("GET", f"commitmentPlans/{plan}/commitmentAssociations", version=PLANS)
    return [item["name"] for item in found.json()["value"]]


def move(client: Client, path: str, destination: Any) -> Any:
    return client.arm("POST", f"{path}/move", {"destinationPlanId": destination}, PLANS)


def test_a_service_on_a_plan_is_one_association(client: Client) -> None:
    one = client.arm("GET", ONE, version=PLANS)

    assert one.status_code == 200, one.text
    properties = one.json()["properties"]
    assert properties["associatedResourceId"].endswith("/webServices/diabetes-scoring")
    assert properties["commitmentPlanId"] == plan_id(client)
    assert client.arm("GET", f"{ONE}x", version=PLANS).status_code == 404


def test_a_service_moves_to_another_plan_and_back(client: Client, second: str) -> None:
    moved = move(client, ONE, second)

    assert moved.json()["properties"]["commitmentPlanId"] == second
    assert on(client, SECOND) == ["diabetes-scoring"]
    assert on(client, FIRST) == ["cancer-scoring", "churn-scoring", "sales-scoring"]
    assert client.arm("DELETE", f"commitmentPlans/{SECOND}", version=PLANS).status_code == 409
    back = f"commitmentPlans/{SECOND}/commitmentAssociations/diabetes-scoring"
    assert move(client, back, plan_id(client)).status_code == 200
    assert "diabetes-scoring" in on(client, FIRST)


@pytest.mark.parametrize(
    ("name", "told"), [("nowhere", "must name a commitment plan"), ("southeastasia", "in South")]
)
def test_a_move_to_a_plan_that_does_not_fit_is_refused(
    client: Client, name: str, told: str
) -> None:
    refused = move(client, ONE, plan_id(client, name))

    assert refused.status_code == 400
    assert told in refused.json()["error"]["message"]
    assert "diabetes-scoring" in on(client, FIRST)


def test_a_move_needs_a_destination(client: Client) -> None:
    assert client.arm("POST", f"{ONE}/move", {}, PLANS).status_code == 400
    assert move(client, ONE, 7).status_code == 400


def test_a_move_changes_nothing_when_that_is_asked_for(client: Client, second: str) -> None:
    client.fault("POST", "/move$", "change_nothing")

    assert move(client, ONE, second).status_code == 200
    assert on(client, SECOND) == []


def test_nobody_is_billed(client: Client) -> None:
    usage = client.arm("GET", f"commitmentPlans/{FIRST}/usageHistory", version=PLANS)
    assert usage.json() == {"value": []}
    missing = client.arm("GET", "commitmentPlans/nobody/usageHistory", version=PLANS)
    assert missing.status_code == 404


def test_the_sku_that_plans_have_can_be_bought(client: Client) -> None:
    subscription, token = client.description["subscription_id"], client.description["arm_token"]
    url = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearning/skus"
    [sku] = client.call("GET", url, token, **{"api-version": PLANS}).json()["value"]
    plan = client.arm("GET", f"commitmentPlans/{FIRST}", version=PLANS).json()

    assert (sku["name"], sku["tier"]) == (plan["sku"]["name"], plan["sku"]["tier"])
    assert plan["location"] in sku["locations"]
