"""Resource Manager on the wire: web services, plans, operations, both api-versions."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.studio.arm_schema import Record, properties_shape
from devstack.studio.definitions import module_uri
from devstack.studio.learning.transforms import Scale, Transform, write_transform
from devstack.studio.modules import MODULES
from devstack.studio.records import AssetSource
from devstack.studio.templates import scoring_properties
from tests.devstack.studio.client import PLANS, Client
from tests.devstack.studio.test_classic import line_model

OLD = "2016-05-01-preview"


def plan_id(client: Client, region: str = "westeurope") -> str:
    subscription, group = (
        client.description["subscription_id"],
        client.description["resource_group"],
    )
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearning/commitmentPlans/plan-{region}"
    )


def definition(client: Client, slope: float = 1, minutes: float = 10) -> dict[str, Any]:
    path = client.upload(f"models/arm{slope}.ilearner", line_model(slope))
    place = client.by_grant(path, minutes=minutes)
    source = AssetSource(
        uri=place["BaseLocation"] + place["RelativeLocation"], credentials=place["SasBlobToken"]
    )
    account = client.blobs.credential
    return {
        "location": "West Europe",
        "tags": {"team": "lines"},
        "properties": {
            **scoring_properties("Line", "Line", source, {"x": "Number"}),
            "storageAccount": {"name": account.account_name, "key": account.account_key},
            "commitmentPlan": {"id": plan_id(client)},
            "realtimeConfiguration": {"maxConcurrentCalls": 10},
        },
    }


@pytest.fixture
def service(client: Client) -> Iterator[str]:
    """A deployed service called `line`, of slope 1."""
    response = client.arm("PUT", "webServices/line", definition(client))
    assert response.status_code == 201, response.text
    assert client.deployed(response)["status"] == "Succeeded"
    yield "line"
    client.arm("DELETE", "webServices/line")


def services_on(client: Client, plan: str) -> list[str]:
    """The names of the web services on a plan."""
    name = plan.rpartition("/")[2]
    found = client.arm("GET", f"commitmentPlans/{name}/commitmentAssociations", version=PLANS)
    return [association["name"] for association in found.json()["value"]]


def got(client: Client, name: str = "line", **query: str) -> dict[str, Any]:
    response = client.arm("GET", f"webServices/{name}", **query)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def answer(client: Client, name: str = "line") -> Any:
    location = got(client, name)["properties"]["swaggerLocation"].removesuffix("/swagger.json")
    key = client.arm("GET", f"webServices/{name}/listKeys").json()["primary"]
    sample = {"api_location": location, "api_key": key}
    return client.score(sample, {"ColumnNames": ["x"], "Values": [["10"]]})


def slope(client: Client, name: str = "line") -> int:
    response = answer(client, name)
    assert response.status_code == 200, response.text
    return round(float(response.json()["Results"]["output1"]["value"]["Values"][0][-1]) / 10)


def test_a_service_is_deployed_answers_and_is_described(client: Client, service: str) -> None:
    document = got(client)

    properties = document["properties"]
    assert (
        document["name"],
        document["location"],
        document["type"],
    ) == ("line", "West Europe", "Microsoft.MachineLearning/webServices")
    assert document["tags"] == {"team": "lines"}
    assert properties["provisioningState"] == "Succeeded"
    assert set(properties["storageAccount"]) == {"name"}
    assert "keys" not in properties
    assert slope(client) == 1
    keys = client.arm("GET", "webServices/line/listKeys").json()
    assert {"primary", "secondary"} == set(keys)


def test_no_answer_holds_the_storage_key(client: Client, service: str) -> None:
    key = client.blobs.credential.account_key
    changed = client.arm("PUT", "webServices/line", definition(client, 2))
    client.deployed(changed)
    shown = [changed.text, client.arm("GET", "webServices/line").text]
    shown += [
        client.arm("GET", "webServices").text,
        client.arm("GET", "webServices/line", version=OLD).text,
    ]

    assert not [text for text in shown if key in text or json.dumps(key)[1:-1] in text]


def test_a_service_applies_a_transformation_that_is_its_asset(client: Client) -> None:
    """Rows are scaled by an `.itransform` asset before the line of slope 1 scores them."""
    halve = Transform(steps=[Scale(method="MinMax", columns={"x": (0.0, 2.0)})])
    place = client.by_grant(client.upload("models/halve.itransform", write_transform(halve)))
    document = definition(client)
    properties = document["properties"]
    properties["assets"] |= {
        "halve": {
            "name": "Halve",
            "type": "Resource",
            "locationInfo": {
                "uri": place["BaseLocation"] + place["RelativeLocation"],
                "credentials": place["SasBlobToken"],
            },
        },
        "apply": {
            "name": "Apply Transformation",
            "type": "Module",
            "locationInfo": {"uri": module_uri(MODULES["Apply Transformation"].family)},
        },
    }
    graph = properties["package"]
    graph["nodes"] |= {"halve": {"assetId": "halve"}, "apply": {"assetId": "apply"}}
    graph["edges"][0] = {
        "sourceNodeId": "input", "targetNodeId": "apply", "targetPortId": "Dataset",
    }  # fmt: skip
    graph["edges"] += [
        {"sourceNodeId": "halve", "targetNodeId": "apply", "targetPortId": "Transformation"},
        {
            "sourceNodeId": "apply", "sourcePortId": "Transformed dataset",
            "targetNodeId": "score", "targetPortId": "Dataset",
        },
    ]  # fmt: skip

    response = client.arm("PUT", "webServices/halved", document)

    assert client.deployed(response)["status"] == "Succeeded"
    scored = answer(client, "halved").json()["Results"]["output1"]["value"]["Values"][0]
    assert float(scored[-1]) == pytest.approx(5, abs=0.01)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_another_model_is_deployed_by_its_location(
    client: Client, service: str, method: str
) -> None:
    document = got(client)
    changed = definition(client, 2)["properties"]["assets"]["model"]
    if method == "PUT":
        document["properties"]["assets"]["model"] = changed
    else:
        document = {"properties": {"packageType": "Graph", "assets": {"model": changed}}}

    response = client.arm(method, "webServices/line", document)

    assert (response.status_code, client.deployed(response)["status"]) == (200, "Succeeded")
    assert slope(client) == 2
    shown = got(client)["properties"]["assets"]["model"]["locationInfo"]
    assert changed["locationInfo"]["uri"] == shown["uri"]


def test_the_old_model_answers_until_the_propagation_delay_is_over(
    client: Client, service: str
) -> None:
    client.admin("POST", "propagation", {"seconds": 60})

    client.deployed(client.arm("PUT", "webServices/line", definition(client, 3)))

    assert slope(client) == 1
    assert "arm3" in got(client)["properties"]["assets"]["model"]["locationInfo"]["uri"]


def test_the_operation_says_what_clients_and_the_specification_want(
    client: Client, service: str
) -> None:
    status = client.deployed(client.arm("PUT", "webServices/line", definition(client)))

    assert status["status"] == status["provisioningState"] == "Succeeded"
    assert status["percentComplete"] == 100
    assert {"id", "name", "startTime", "endTime"} <= set(status)


def test_a_change_names_its_operation_and_no_location(client: Client, service: str) -> None:
    text = {"properties": {"packageType": "Graph", "title": "Another"}}
    patched = client.arm("PATCH", "webServices/line", text)
    client.deployed(patched)
    put = client.arm("PUT", "webServices/line", definition(client))
    client.deployed(put)
    deleted = client.arm("DELETE", "webServices/line")

    for answered in (patched, put, deleted):
        assert "Azure-AsyncOperation" in answered.headers
        assert "Location" not in answered.headers


def test_a_model_that_cannot_be_fetched_fails_the_operation_and_keeps_the_old_one(
    client: Client, service: str
) -> None:
    response = client.arm("PUT", "webServices/line", definition(client, 4, minutes=-1))

    status = client.deployed(response)

    assert (status["status"], status["errorInfo"]["code"]) == ("Failed", "InternalError")
    assert "answered 403" in status["errorInfo"]["message"]
    assert got(client)["properties"]["provisioningState"] == "Failed"
    assert "arm1" in got(client)["properties"]["assets"]["model"]["locationInfo"]["uri"]
    assert slope(client) == 1


def test_a_service_whose_first_deployment_failed_is_not_found_by_callers(client: Client) -> None:
    response = client.arm("PUT", "webServices/broken", definition(client, 4, minutes=-1))

    assert client.deployed(response)["status"] == "Failed"

    assert answer(client, "broken").status_code == 404
    client.arm("DELETE", "webServices/broken")


def test_keys_in_any_case_and_text_parameters_of_2016_are_taken(client: Client) -> None:
    def shouted(value: Any) -> Any:
        if isinstance(value, dict):
            return {_shout(key): shouted(item) for key, item in value.items()}
        return [shouted(item) for item in value] if isinstance(value, list) else value

    response = client.arm("PUT", "webServices/loud", shouted(definition(client)), version=OLD)

    assert client.deployed(response)["status"] == "Succeeded"
    assert slope(client, "loud") == 1
    client.arm("DELETE", "webServices/loud")


def _shout(key: str) -> str:
    """Keys of the format in upper case; names that a definition chooses itself as they are."""
    own = ("input1", "output1", "x", "model", "score", "input", "output", "team")
    return key if key in own else key.upper()


def test_both_versions_write_parameters_their_way(client: Client) -> None:
    sample = client.sample("cancer", "training", "new")

    new = got(client, sample["web_service_name"])["properties"]
    old = client.arm("GET", f"webServices/{sample['web_service_name']}", version=OLD).json()

    assert new["parameters"]["Random seed"] == {"value": "0"}
    assert old["properties"]["parameters"]["Random seed"] == "0"
    assert old["properties"]["package"]["nodes"]["train"]["parameters"]["Label column"] == "target"


def test_what_one_version_gave_can_be_put_back(client: Client) -> None:
    name = client.sample("diabetes", "training", "new")["web_service_name"]
    for version in (OLD, "2017-01-01"):
        document = client.arm("GET", f"webServices/{name}", version=version).json()

        response = client.arm("PUT", f"webServices/{name}", document, version=version)

        assert client.deployed(response)["status"] == "Succeeded"
        again = client.arm("GET", f"webServices/{name}", version=version).json()
        again["properties"]["modifiedOn"] = document["properties"]["modifiedOn"]
        assert document == again


def test_all_mistakes_are_named_at_once(client: Client) -> None:
    document = definition(client)
    del document["location"]
    document["properties"]["realtimeConfiguration"]["maxConcurrentCalls"] = 1000
    document["properties"]["assets"]["model"]["type"] = "Thing"
    document["properties"]["title"] = 7
    del document["properties"]["assets"]["score"]["locationInfo"]

    response = client.arm("PUT", "webServices/wrong", document)

    error = response.json()["error"]
    assert response.status_code == 400
    assert {
        "webService.location is missing",
        "webService.properties.realtimeConfiguration.maxConcurrentCalls must be a whole number "
        "from 4 to 200",
        "webService.properties.assets.model.type must be one of Module, Resource, not 'Thing'",
        "webService.properties.title must be text",
        "webService.properties.assets.score.locationInfo is missing",
    } == {detail["message"] for detail in error["details"]}
    assert client.arm("GET", "webServices/wrong").status_code == 404


def _unknown_plan(document: dict[str, Any]) -> None:
    document["properties"]["commitmentPlan"]["id"] += "x"


def _other_region(document: dict[str, Any]) -> None:
    document["location"] = "southeastasia"


def _unknown_region(document: dict[str, Any]) -> None:
    document["location"] = "Atlantis"


def _wrong_key(document: dict[str, Any]) -> None:
    document["properties"]["storageAccount"]["key"] = "AAAA"


def _wrong_account(document: dict[str, Any]) -> None:
    document["properties"]["storageAccount"]["name"] = "other"


def _no_plan(document: dict[str, Any]) -> None:
    del document["properties"]["commitmentPlan"]


def _ghost_node(document: dict[str, Any]) -> None:
    document["properties"]["package"]["edges"][0]["targetNodeId"] = "ghost"


def _open_output(document: dict[str, Any]) -> None:
    document["properties"]["package"]["edges"].pop()


def _unknown_module(document: dict[str, Any]) -> None:
    score = document["properties"]["assets"]["score"]
    score["locationInfo"]["uri"], score["name"] = (
        "aml://module/a.b.v1-default-1",
        "Execute S Script",
    )


def _script_in_r(document: dict[str, Any]) -> None:
    document["properties"]["assets"]["score"]["locationInfo"]["uri"] = module_uri(
        MODULES["Execute R Script"].family
    )


def _foreign_host(document: dict[str, Any]) -> None:
    location = document["properties"]["assets"]["model"]["locationInfo"]
    location["uri"] = "https://198.51.100.7/c/m.ilearner"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_unknown_plan, "must name a commitment plan"),
        (_other_region, "must be in the same region"),
        (_unknown_region, "location must be one of"),
        (_wrong_key, "does not open the storage account"),
        (_wrong_account, "storageAccount.name must be"),
        (_no_plan, "must name a commitment plan"),
        (_ghost_node, "is no node"),
        (_open_output, "output 'output1' is not connected"),
        (_unknown_module, "'Execute S Script', which is not known here"),
        (_script_in_r, "'Execute R Script', which is not executable locally"),
        (_foreign_host, "does not fetch from '198.51.100.7'"),
    ],
)
def test_what_does_not_fit_is_refused(client: Client, change: Any, message: str) -> None:
    document = definition(client)
    change(document)

    response = client.arm("PUT", "webServices/wrong", document)

    assert response.status_code == 400
    assert message in response.json()["error"]["message"]
    assert client.arm("GET", "webServices/wrong").status_code == 404


def test_the_region_stays_and_the_plan_stays(client: Client, service: str) -> None:
    document = got(client)
    moved = {**document, "location": "South Central US"}
    replanned = copy.deepcopy(document)
    replanned["properties"]["commitmentPlan"] = {"id": plan_id(client, "southeastasia")}

    assert client.arm("PUT", "webServices/line", moved).status_code == 400
    client.deployed(client.arm("PUT", "webServices/line", replanned))
    assert "line" in services_on(client, plan_id(client))
    assert services_on(client, plan_id(client, "southeastasia")) == []


def test_the_plan_is_not_returned(client: Client, service: str) -> None:
    assert "commitmentPlan" not in got(client)["properties"]


def test_a_read_only_service_can_only_be_deleted(client: Client, service: str) -> None:
    patch = {"properties": {"packageType": "Graph", "readOnly": True}}
    client.deployed(client.arm("PATCH", "webServices/line", patch))

    assert client.arm("PATCH", "webServices/line", patch).status_code == 400
    assert client.arm("DELETE", "webServices/line").status_code == 202


def test_given_keys_are_taken_and_not_shown(client: Client, service: str) -> None:
    document = got(client)
    document["properties"]["keys"] = {"primary": "first", "secondary": "second"}

    client.deployed(client.arm("PUT", "webServices/line", document))

    keys = client.arm("GET", "webServices/line/listKeys").json()
    assert keys == {"primary": "first", "secondary": "second"}
    assert "keys" not in got(client)["properties"]


def test_services_are_listed_without_their_graphs(client: Client, service: str) -> None:
    group = client.arm("GET", "webServices").json()["value"]
    subscription = client.call(
        "GET",
        f"/subscriptions/{client.description['subscription_id']}"
        "/providers/Microsoft.MachineLearning/webServices",
        client.description["arm_token"],
        **{"api-version": "2017-01-01"},
    ).json()["value"]

    assert group == subscription
    assert "line" in [item["name"] for item in group]
    assert not [item for item in group if "package" in item["properties"]]


def test_long_lists_come_in_pages(client: Client) -> None:
    names = [f"p{number:03}" for number in range(60)]
    for name in names:
        client.arm("PUT", f"commitmentPlans/{name}", {"location": "West Europe"}, version=PLANS)

    first = client.arm("GET", "commitmentPlans", version=PLANS).json()
    second = client.call("GET", first["nextLink"], client.description["arm_token"]).json()

    assert "nextLink" not in second
    seen = [item["name"] for item in first["value"] + second["value"]]
    assert set(names) <= set(seen)
    for name in names:
        client.arm("DELETE", f"commitmentPlans/{name}", version=PLANS)


def test_a_deleted_service_is_gone_and_its_calls_with_it(client: Client, service: str) -> None:
    assert client.arm("DELETE", "webServices/line").status_code == 202

    assert client.arm("GET", "webServices/line").status_code == 404
    assert client.arm("DELETE", "webServices/line").status_code == 204


def test_plans_have_a_life_of_their_own(client: Client, service: str) -> None:
    created = client.arm(
        "PUT", "commitmentPlans/mine", {"LOCATION": "westeurope", "tags": {"a": "b"}}, version=PLANS
    )
    patched = client.arm("PATCH", "commitmentPlans/mine", {"sku": {"capacity": 3}}, version=PLANS)
    used = client.arm("DELETE", "commitmentPlans/plan-westeurope", version=PLANS)
    associated = client.arm(
        "GET", "commitmentPlans/plan-westeurope/commitmentAssociations", version=PLANS
    )

    assert (created.status_code, created.json()["location"]) == (201, "West Europe")
    assert (patched.json()["sku"]["capacity"], patched.json()["tags"]) == (3, {"a": "b"})
    assert used.status_code == 409
    assert "line" in [item["name"] for item in associated.json()["value"]]
    assert client.arm("DELETE", "commitmentPlans/mine", version=PLANS).status_code == 200
    assert client.arm("DELETE", "commitmentPlans/mine", version=PLANS).status_code == 200
    wrong = client.arm("PUT", "commitmentPlans/mine", {"location": "Mars"}, version=PLANS)
    assert wrong.status_code == 400


def test_tokens_versions_subscriptions_and_names_are_checked(client: Client) -> None:
    subscription = client.description["subscription_id"]
    url = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearning"
    token = client.description["arm_token"]

    def error(response: Any) -> tuple[int, str]:
        return response.status_code, response.json()["error"]["code"]

    assert error(client.call("GET", url + "/webServices", "no")) == (401, "AuthenticationFailed")
    assert error(client.call("GET", url + "/webServices", token)) == (
        400,
        "MissingApiVersionParameter",
    )
    assert error(client.arm("GET", "webServices", version="2020-01-01")) == (
        400,
        "InvalidApiVersionParameter",
    )
    assert error(
        client.call(
            "GET", "/subscriptions/x/providers/Microsoft.MachineLearning/webServices", token
        )
    ) == (404, "SubscriptionNotFound")
    for name in ("a b", "x" * 200, "..", "a%00b"):
        response = client.arm("PUT", f"webServices/{name}", definition(client))
        assert response.status_code in (400, 404), name


def test_regions_and_operations_are_answered(client: Client, service: str) -> None:
    regional = client.arm("POST", "webServices/line/CreateRegionalBlob", region="Southeast Asia")
    listed = client.call(
        "GET",
        "/providers/Microsoft.MachineLearning/operations",
        client.description["arm_token"],
        **{"api-version": "2017-01-01"},
    )

    assert regional.status_code == 202
    assert regional.headers["Location"] == regional.headers["Azure-AsyncOperation"]
    assert client.deployed(regional)["status"] == "Succeeded"
    assert listed.json()["value"]
    wrong = client.arm("POST", "webServices/line/CreateRegionalBlob", region="Mars")
    assert wrong.status_code == 400


@pytest.mark.parametrize("version", [OLD, "2017-01-01"])
def test_our_shape_is_that_of_the_specification(version: str) -> None:
    """Compared with the specification where STUDIO_SPECS names a folder that has it."""
    ours = properties_shape(version)
    folder = os.environ.get("STUDIO_SPECS")
    if folder is None:
        assert {"packageType", "assets", "package", "parameters"} <= set(ours.fields)
        return
    spec = json.loads((Path(folder) / version / "webservices.json").read_text())["definitions"]

    theirs = {**spec["WebServiceProperties"]["properties"], "package": None}

    assert set(theirs) == set(ours.fields)
    for name, ours_of in _records(ours):
        assert set(spec[name]["properties"]) == set(ours_of.fields), name
        assert set(spec[name].get("required", ())) == set(ours_of.required), name


def _records(shape: Record) -> list[tuple[str, Record]]:
    fields: dict[str, Any] = dict(shape.fields)
    table = fields["input"].fields["properties"].item
    asset, graph = fields["assets"].item, fields["package"]
    return [
        ("ServiceInputOutputSpecification", fields["input"]),
        ("TableSpecification", table),
        ("ColumnSpecification", table.fields["properties"].item),
        ("AssetItem", asset),
        ("DiagnosticsConfiguration", fields["diagnostics"]),
        ("GraphPackage", graph),
        ("GraphNode", graph.fields["nodes"].item),
        ("GraphEdge", graph.fields["edges"].item),
        ("GraphParameter", graph.fields["graphParameters"].item),
    ]
