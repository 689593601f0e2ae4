"""Classic management on the wire: services, endpoints, patch, refresh, delete, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from devstack.studio.learning.ilearner import write_model
from devstack.studio.learning.learners import Learner
from devstack.studio.learning.tables import read_table
from devstack.studio.learning.training import train
from devstack.studio.records import AssetSource
from devstack.studio.studio import Studio
from devstack.studio.templates import scoring_properties
from tests.devstack.studio.client import Client, location
from tests.devstack.studio.test_bes import code

SERVICE = "0123456789abcdef0123456789abcdef"
RESOURCE = "Line [trained model]"


def line_model(slope: float) -> bytes:
    """A regression on one column `x` whose answers tell it apart: about slope times x."""
    rows = "".join(f"{x},{slope * x}\n" for x in range(20))
    return write_model(
        train(Learner("Linear Regression"), read_table(b"x,y\n" + rows.encode()), "y")
    )


def definition(client: Client, path: str) -> dict[str, Any]:
    place = client.by_grant(path)
    source = AssetSource(
        uri=place["BaseLocation"] + place["RelativeLocation"], credentials=place["SasBlobToken"]
    )
    return scoring_properties("Line", "Line", source, {"x": "Number"})


def publish(client: Client, slope: float) -> requests.Response:
    path = client.upload(f"models/published{slope}.ilearner", line_model(slope))
    body = {"Name": "Line", "Type": "Graph", "Definition": definition(client, path)}
    return client.manage("PUT", f"/{SERVICE}", body)


@pytest.fixture
def service(client: Client) -> Iterator[str]:
    """A service with a `default` endpoint and `ep2`, both of slope 1."""
    assert publish(client, 1).status_code == 201
    created = client.manage("PUT", f"/{SERVICE}/endpoints/ep2", {"ThrottleLevel": "High"})
    assert created.status_code == 201
    yield SERVICE
    client.manage("DELETE", f"/{SERVICE}")


def endpoint(client: Client, name: str) -> dict[str, Any]:
    response = client.manage("GET", f"/{SERVICE}/endpoints/{name}")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def slope(client: Client, name: str) -> int:
    """What an endpoint answers for x = 10, divided by 10."""
    document = endpoint(client, name)
    sample = {"api_location": document["ApiLocation"], "api_key": document["PrimaryKey"]}
    response = client.score(sample, {"ColumnNames": ["x"], "Values": [["10"]]})
    assert response.status_code == 200, response.text
    return round(float(response.json()["Results"]["output1"]["value"]["Values"][0][-1]) / 10)


def patch(client: Client, name: str, place: dict[str, str], resource: str = RESOURCE) -> Any:
    body = {"Resources": [{"Name": resource, "Location": place}]}
    return client.manage("PATCH", f"/{SERVICE}/endpoints/{name}", body)


def test_services_and_endpoints_are_listed(client: Client, service: str) -> None:
    services = {item["Id"]: item for item in client.manage("GET", "").json()}
    endpoints = client.manage("GET", f"/{service}/endpoints").json()

    assert tuple(
        services[service][key] for key in ("Name", "DefaultEndpointName", "EndpointCount")
    ) == ("Line", "default", 2)
    assert services[service] == client.manage("GET", f"/{service}").json()
    assert [item["Name"] for item in endpoints] == ["default", "ep2"]
    assert [item["MaxConcurrentCalls"] for item in endpoints] == [20, 20]
    assert [item["Name"] for item in endpoints[0]["Resources"]] == [RESOURCE]
    assert all(len(item["PrimaryKey"]) == 88 for item in endpoints)


def test_a_patched_endpoint_answers_with_the_new_model_and_reads_back_its_location(
    client: Client, service: str
) -> None:
    client.upload("models/two.ilearner", line_model(2))
    place = client.by_grant("models/two.ilearner", "rw")
    before = endpoint(client, "ep2")["Version"]

    assert patch(client, "ep2", place).status_code == 200

    shown = endpoint(client, "ep2")["Resources"][0]["Location"]
    assert (slope(client, "ep2"), slope(client, "default")) == (2, 1)
    assert place["BaseLocation"] == shown["BaseLocation"]
    assert place["RelativeLocation"] == shown["RelativeLocation"]
    assert "sp=r&" in shown["SasBlobToken"]
    assert line_model(2) == requests.get(location(shown)).content
    assert before < endpoint(client, "ep2")["Version"]


def test_the_model_is_copied_while_the_call_is_handled(client: Client, service: str) -> None:
    client.upload("models/gone.ilearner", line_model(3))
    patch(client, "ep2", client.by_grant("models/gone.ilearner"))

    client.blobs.get_blob_client("models", "gone.ilearner").delete_blob()

    assert slope(client, "ep2") == 3


def test_an_endpoint_key_opens_its_own_endpoint_only(client: Client, service: str) -> None:
    client.upload("models/two.ilearner", line_model(2))
    key = endpoint(client, "ep2")["PrimaryKey"]
    url = f"/workspaces/{client.description['workspace_id']}/webservices/{service}"
    resources = [{"Name": RESOURCE, "Location": client.by_grant("models/two.ilearner")}]

    own = client.call("PATCH", f"{url}/endpoints/ep2", key, {"Resources": resources})
    other = client.call("GET", f"{url}/endpoints/default", key)
    whole = client.call("GET", url, key)

    assert own.status_code == 200
    unauthorized = (401, "Unauthorized", "ManagementRequestUnauthorized")
    assert unauthorized == code(other) == code(whole)


def test_the_old_model_answers_until_the_propagation_delay_is_over(
    client: Client, service: str
) -> None:
    client.upload("models/five.ilearner", line_model(5))
    client.admin("POST", "propagation", {"seconds": 60})

    patch(client, "ep2", client.by_grant("models/five.ilearner"))

    assert slope(client, "ep2") == 1
    location_now = endpoint(client, "ep2")["Resources"][0]["Location"]["RelativeLocation"]
    assert location_now == "models/five.ilearner"


def test_the_default_endpoint_refuses_a_model(client: Client, service: str) -> None:
    client.upload("models/two.ilearner", line_model(2))

    response = patch(client, "default", client.by_grant("models/two.ilearner"))

    assert code(response)[:2] == (400, "InvalidOperation")
    assert slope(client, "default") == 1


def test_the_default_endpoint_follows_the_service_and_the_others_do_not(
    client: Client, service: str
) -> None:
    assert publish(client, 4).status_code == 200

    assert (slope(client, "default"), slope(client, "ep2")) == (4, 1)
    client.manage("PUT", f"/{service}/endpoints/ep3")
    assert slope(client, "ep3") == 4


def refresh(client: Client, name: str, overwrite: str) -> int:
    body = {"OverwriteResources": overwrite}
    return client.manage("POST", f"/{SERVICE}/endpoints/{name}/refresh", body).status_code


def test_refresh_takes_over_the_service_and_keeps_or_replaces_patched_models(
    client: Client, service: str
) -> None:
    client.upload("models/two.ilearner", line_model(2))
    patch(client, "ep2", client.by_grant("models/two.ilearner"))

    assert refresh(client, "default", "True") == 304
    assert refresh(client, "ep2", "False") == 304
    publish(client, 6)
    assert refresh(client, "ep2", "False") == 200
    assert slope(client, "ep2") == 2
    assert refresh(client, "ep2", "True") == 200
    assert slope(client, "ep2") == 6
    assert refresh(client, "ep2", "True") == 304
    assert refresh(client, "ep2", "perhaps") == 400


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("models/none.ilearner", (400, "BadArgument", "BlobNotFound")),
        ("models/text.ilearner", (400, "InvalidOperation", "IncompatibleModel")),
        ("models/classes.ilearner", (409, "Conflict", "ModelOutputMetadataMismatch")),
    ],
)
def test_a_model_that_does_not_fit_changes_nothing(
    client: Client, service: str, path: str, expected: tuple[int, str, str]
) -> None:
    client.upload("models/text.ilearner", b"not a model")
    rows = read_table(b"x,y\n1,no\n2,yes\n3,no\n4,yes\n")
    other = train(Learner("Two-Class Logistic Regression"), rows, "y")
    client.upload("models/classes.ilearner", write_model(other))
    before = endpoint(client, "ep2")

    response = patch(client, "ep2", client.by_grant(path))

    assert expected == code(response)
    after = endpoint(client, "ep2")
    assert before["Version"] == after["Version"]
    assert slope(client, "ep2") == 1


def test_an_expired_grant_is_refused_and_nothing_is_changed(client: Client, service: str) -> None:
    client.upload("models/two.ilearner", line_model(2))

    response = patch(client, "ep2", client.by_grant("models/two.ilearner", minutes=-1))

    assert code(response) == (400, "BadArgument", "InvalidBlob")
    assert slope(client, "ep2") == 1


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{"Name": "Other [trained model]"}], "BadParameterValue"),
        ([{"Name": RESOURCE}], "MissingInputBlobInformation"),
        ([{"Name": RESOURCE, "Location": {}}], "MissingInputBlobInformation"),
        (
            [{"Name": RESOURCE, "Location": {
                "BaseLocation": "http://198.51.100.7/", "RelativeLocation": "abc/m.ilearner"}}],
            "InvalidBlob",
        ),
        ("all", "RequestBodyInvalid"),
    ],
)  # fmt: skip
def test_a_wrong_patch_is_refused(
    client: Client, service: str, resources: object, expected: str
) -> None:
    body = {"Resources": resources, "Description": "changed"}

    response = client.manage("PATCH", f"/{service}/endpoints/ep2", body)

    assert (400, "BadArgument", expected) == code(response)
    assert endpoint(client, "ep2")["Description"] == ""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ThrottleLevel": "High", "MaxConcurrentCalls": "50"}, ("High", 50)),
        ({"ThrottleLevel": "High"}, ("High", 20)),
        ({"ThrottleLevel": "Low", "MaxConcurrentCalls": 50}, ("Low", 4)),
        ({}, ("Low", 4)),
    ],
)
def test_an_endpoint_is_created_with_its_settings(
    client: Client, service: str, body: dict[str, Any], expected: tuple[str, int]
) -> None:
    response = client.manage("PUT", f"/{service}/endpoints/new-1", body)

    document = response.json()
    assert response.status_code == 201
    assert expected == (document["ThrottleLevel"], document["MaxConcurrentCalls"])
    assert slope(client, "new-1") == 1


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("Upper", {}, "BadParameterValue"),
        ("-ep", {}, "BadParameterValue"),
        ("a" * 25, {}, "BadParameterValue"),
        ("..%2fep", {}, "BadParameterValue"),
        ("ep3", {"MaxConcurrentCalls": 0, "ThrottleLevel": "High"},
         "WebServiceConcurrentRequestRequirementInvalid"),
        ("ep3", {"MaxConcurrentCalls": 201, "ThrottleLevel": "High"},
         "WebServiceTooManyConcurrentRequestRequirement"),
        ("ep3", {"ThrottleLevel": "Medium"}, "BadParameterValue"),
        ("ep3", {"Description": "x" * 2001}, "BadParameterValue"),
        ("ep3", {"DiagnosticsTraceLevel": "Some"}, "BadParameterValue"),
        ("ep3", {"PreventUpdate": "maybe"}, "BadParameterValue"),
    ],
)  # fmt: skip
def test_a_wrong_endpoint_is_refused(
    client: Client, service: str, name: str, body: dict[str, Any], expected: str
) -> None:
    response = client.manage("PUT", f"/{service}/endpoints/{name}", body)

    assert response.status_code in (400, 404)
    if response.status_code == 400:
        assert expected == code(response)[2]


def test_settings_are_patched(client: Client, service: str) -> None:
    body = {"Description": "d", "MaxConcurrentCalls": 100, "DiagnosticsTraceLevel": "All"}

    client.manage("PATCH", f"/{service}/endpoints/ep2", body)

    document = endpoint(client, "ep2")
    assert tuple(document[name] for name in body) == ("d", 100, "All")


def test_what_is_deleted_is_gone(client: Client, service: str) -> None:
    sample = {
        "api_location": endpoint(client, "ep2")["ApiLocation"],
        "api_key": endpoint(client, "ep2")["PrimaryKey"],
    }

    default_first = client.manage("DELETE", f"/{service}/endpoints/default")
    deleted = client.manage("DELETE", f"/{service}/endpoints/ep2")

    assert (default_first.status_code, deleted.status_code) == (400, 200)
    assert client.manage("GET", f"/{service}/endpoints/ep2").status_code == 404
    assert client.score(sample, {}).status_code == 404
    assert client.manage("DELETE", f"/{service}/endpoints/default").status_code == 200
    assert client.manage("GET", f"/{service}/endpoints").status_code == 204
    assert client.manage("DELETE", f"/{service}").status_code == 200
    assert code(client.manage("GET", f"/{service}")) == (
        404,
        "NotFound",
        "WebServiceIdNotFoundInWorkspace",
    )


def test_tokens_and_workspaces_are_checked(client: Client) -> None:
    url = f"/workspaces/{client.description['workspace_id']}/webservices"
    other = f"/workspaces/{'0' * 32}/webservices"

    assert code(client.call("GET", url, "wrong")) == (
        401,
        "Unauthorized",
        "ManagementRequestUnauthorized",
    )
    assert code(client.call("GET", other, client.description["workspace_token"])) == (
        404,
        "NotFound",
        "WorkspaceNotFound",
    )


def test_code_is_not_published(client: Client) -> None:
    response = client.manage("PUT", f"/{'a' * 32}", {"Name": "f", "Type": "Code", "CodeBundle": {}})

    assert code(response) == (400, "BadArgument", "WebServiceTypeInvalid")


def test_a_graph_with_mistakes_is_not_published(client: Client) -> None:
    broken = definition(client, "models/x.ilearner")
    broken["package"]["edges"][0]["targetPortId"] = "Nowhere"

    body = {"Name": "Line", "Type": "Graph", "Definition": broken}
    response = client.manage("PUT", f"/{'b' * 32}", body)

    assert response.status_code == 400
    assert "has no input 'Nowhere'" in response.json()["error"]["message"]


def test_the_endpoint_has_an_api_document(client: Client, service: str) -> None:
    document = client.manage("GET", f"/{service}/endpoints/ep2/apidocument").json()

    assert document["info"]["x-endpoint-name"] == "ep2"


def test_an_endpoint_of_another_region_has_this_servers_address(
    studio: Studio, client: Client
) -> None:
    assert all(sample["api_location"].startswith(studio.base_url) for sample in client.samples)
    assert {"South Central US", "West Europe"} == {sample["region"] for sample in client.samples}
