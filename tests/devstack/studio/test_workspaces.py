"""Workspaces: Resource Manager, tokens of their own, what goes with one, people, empty lists."""

from __future__ import annotations

from typing import Any

import pytest

from devstack.studio.records import WebService
from devstack.studio.studio import Studio, StudioOptions
from devstack.studio.workspace.experiment_records import Experiment
from devstack.studio.workspace.records import Asset, AssetName, Member, Upload
from tests.devstack.studio.client import Client
from tests.devstack.studio.experiment_client import Lab, line, training_graph
from tests.devstack.studio.test_classic import line_model
from tests.devstack.studio.workspace_client import WorkspaceClient, download

NEW, OLD = "2019-10-01", "2016-04-01"

STORAGE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/group1"
    "/providers/Microsoft.Storage/storageAccounts/teststorage"
)

# What a workspace has, by the specification of both api-versions; 2019 has a SKU besides.
TEXTS = {
    "userStorageAccountId", "ownerEmail", "workspaceType", "workspaceState", "workspaceId",
    "creationTime", "studioEndpoint", "keyVaultIdentifierId",
}  # fmt: skip
TYPES = {"Production", "Free", "Anonymous", "PaidStandard", "PaidPremium"}
STATES = {
    "Deleted", "Enabled", "Disabled", "Migrated", "Updated", "Registered", "Unregistered",
}  # fmt: skip


def check_workspace(document: dict[str, Any], version: str) -> None:
    """Hold a workspace against its specification."""
    known = {"id", "name", "type", "location", "tags", "properties"}
    assert set(document) == known | ({"sku"} if version == NEW else set())
    properties = document["properties"]
    assert {"userStorageAccountId", "ownerEmail"} <= set(properties) <= TEXTS
    assert all(isinstance(value, str) for value in properties.values())
    assert properties["workspaceType"] in TYPES
    assert properties["workspaceState"] in STATES
    assert set(document.get("sku", {})) <= {"name", "tier"}
    assert document["id"].endswith(f"/workspaces/{document['name']}")


def body(**more: Any) -> dict[str, Any]:
    return {
        "location": "West Europe",
        "tags": {"team": "data"},
        "properties": {"userStorageAccountId": STORAGE, "ownerEmail": "owner@example.com"},
        **more,
    }


def created(client: Client, name: str, **more: Any) -> WorkspaceClient:
    """A new workspace, and a client with its tokens."""
    response = client.arm("PUT", f"workspaces/{name}", body(**more), version=NEW)
    assert response.status_code == 200, response.text
    keys = client.arm("POST", f"workspaces/{name}/listWorkspaceKeys", version=NEW).json()
    workspace_id = response.json()["properties"]["workspaceId"]
    return WorkspaceClient(client, workspace_id, keys["primaryToken"])


def manage(workspace: WorkspaceClient, method: str, path: str = "", body: Any = None) -> Any:
    """A call of the management interface in a workspace."""
    url = f"/workspaces/{workspace.id}/webservices{path}"
    return workspace.client.call(method, url, workspace.token, body)


def service(workspace: WorkspaceClient, service_id: str) -> dict[str, Any]:
    """Publish a classic service that scores; its default endpoint."""
    client = workspace.client
    path = client.upload(f"models/{service_id}.ilearner", line_model(2))
    definition = {
        "packageType": "Graph",
        "title": "line",
        "input": {"type": "object", "properties": {"input1": {
            "type": "object", "properties": {"x": {"type": "Number"}}}}},
        "output": {"type": "object", "properties": {"output1": {
            "type": "object", "properties": {"Scored Labels": {"type": "Number"}}}}},
        "assets": {
            "score": {"name": "Score Model", "type": "Module", "locationInfo": {
                "uri": "aml://module/506153734175476c4f62416c57734963."
                "401b4f92e7244d5abe81d5b0ff9bdb33.v1-default-1"}},
            "model": {"name": "Line [trained model]", "type": "Resource", "locationInfo": {
                "uri": client.blobs.url.rstrip("/") + "/" + path,
                "credentials": client.by_grant(path)["SasBlobToken"]}},
        },
        "package": {
            "nodes": {"in": {"inputId": "input1"}, "s": {"assetId": "score"},
                      "m": {"assetId": "model"}, "out": {"outputId": "output1"}},
            "edges": [
                {"sourceNodeId": "in", "targetNodeId": "s", "targetPortId": "Dataset"},
                {"sourceNodeId": "m", "targetNodeId": "s", "targetPortId": "Trained model"},
                {"sourceNodeId": "s", "sourcePortId": "Scored dataset", "targetNodeId": "out"},
            ],
        },
    }  # fmt: skip
    published = manage(
        workspace,
        "PUT",
        f"/{service_id}",
        {"Name": "line", "Type": "Graph", "Definition": definition},
    )
    assert published.ok, published.text
    endpoint: dict[str, Any] = manage(workspace, "GET", f"/{service_id}/endpoints/default").json()
    return endpoint


def scored(client: Client, endpoint: dict[str, Any]) -> Any:
    table = {"ColumnNames": ["x"], "Values": [["3"]]}
    return client.call(
        "POST",
        endpoint["ApiLocation"] + "/execute",
        endpoint["PrimaryKey"],
        {"Inputs": {"input1": table}, "GlobalParameters": {}},
        **{"api-version": "2.0"},
    )


@pytest.fixture(scope="module")
def here(client: Client) -> WorkspaceClient:
    return WorkspaceClient(client)


@pytest.fixture(scope="module")
def there(client: Client) -> WorkspaceClient:
    return created(client, "there")


@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_workspace_is_made_changed_and_deleted(client, version):
    name = f"workspaces/life-{version}"
    sku = {"name": "Enterprise", "tier": "Enterprise"}

    made = client.arm("PUT", name, body(sku=sku), version=version)
    read = client.arm("GET", name, version=version)
    changes = {"tags": {"a": "b"}, "properties": {"workspaceState": "disabled"}}
    patched = client.arm("PATCH", name, changes, version=version)
    again = client.arm("PUT", name, body(tags={}), version=version)
    synced = client.arm("POST", name + "/resyncStorageKeys", version=version)
    deleted = client.arm("DELETE", name, version=version)
    twice = client.arm("DELETE", name, version=version)

    for answer in (made, read, patched, again):
        assert 200 == answer.status_code, answer.text
        check_workspace(answer.json(), version)
    assert made.json() == read.json()
    assert made.json().get("sku", sku) == sku
    assert ({"a": "b"}, "Disabled") == (
        patched.json()["tags"], patched.json()["properties"]["workspaceState"],
    )  # fmt: skip
    ids = {answer.json()["properties"]["workspaceId"] for answer in (made, patched, again)}
    assert 1 == len(ids)
    assert (200, 200, 204) == (synced.status_code, deleted.status_code, twice.status_code)
    gone = client.arm("GET", name, version=version)
    assert 404 == gone.status_code
    assert "ResourceNotFound" == gone.json()["code"] == gone.json()["error"]["code"]


def test_workspaces_are_listed_by_group_and_subscription(client, there):
    in_group = client.arm("GET", "workspaces", version=NEW).json()["value"]
    subscription = client.description["subscription_id"]
    url = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearning/workspaces"
    token = client.description["arm_token"]
    everywhere = client.call("GET", url, token, **{"api-version": OLD}).json()["value"]

    for document in in_group:
        check_workspace(document, NEW)
    for document in everywhere:
        check_workspace(document, OLD)
    ids = {document["properties"]["workspaceId"] for document in in_group}
    assert {client.description["workspace_id"], there.id} <= ids
    assert ids <= {document["properties"]["workspaceId"] for document in everywhere}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({}, "workspace.location is missing"),
        (body(location="Atlantis"), "location must be one of South Central US"),
        (body(properties={"ownerEmail": "a@b.c"}), "userStorageAccountId is missing"),
        (
            body(properties={"ownerEmail": "nobody", "userStorageAccountId": STORAGE}),
            "ownerEmail 'nobody' is no address",
        ),
        (
            body(properties={"ownerEmail": "a@b.c", "userStorageAccountId": "../x"}),
            "must be the id of a storage account",
        ),
    ],
)
def test_a_wrong_workspace_is_refused_with_what_is_wrong(client, document, complaint):
    refused = client.arm("PUT", "workspaces/wrong", document, version=NEW)

    assert 400 == refused.status_code
    assert complaint in refused.json()["message"]
    assert refused.json()["code"]


def test_location_stays_and_versions_are_checked(client, there):
    moved = client.arm("PUT", "workspaces/there", body(location="Japan East"), version=NEW)
    unknown = client.arm("GET", "workspaces/there", version="2017-01-01")
    unnamed = client.arm("PUT", "workspaces/-", body(), version=NEW)
    state = {"properties": {"workspaceState": "Sleeping"}}
    wrong_state = client.arm("PATCH", "workspaces/there", state, version=NEW)

    answers = (moved, unknown, unnamed, wrong_state)
    assert [400] * 4 == [answer.status_code for answer in answers]


def test_the_first_workspace_stays(client, here):
    first = next(
        document["name"]
        for document in client.arm("GET", "workspaces", version=NEW).json()["value"]
        if document["properties"]["workspaceId"] == here.id
    )

    assert 409 == client.arm("DELETE", f"workspaces/{first}", version=NEW).status_code
    assert here.call("GET", "").ok


def test_each_workspace_has_tokens_of_its_own(client, here, there):
    keys = client.arm("POST", "workspaces/there/listWorkspaceKeys", version=OLD).json()
    stranger = WorkspaceClient(client, there.id, here.token)
    second = WorkspaceClient(client, there.id, keys["secondaryToken"])

    assert {"primaryToken", "secondaryToken"} == set(keys)
    assert 401 == stranger.call("GET", "/datasources").status_code
    assert 401 == manage(stranger, "GET").status_code
    assert 200 == second.call("GET", "/datasources").status_code
    assert 204 == manage(second, "GET").status_code
    nowhere = WorkspaceClient(client, "0" * 32, here.token)
    assert 404 == nowhere.call("GET", "/datasources").status_code
    assert 401 == WorkspaceClient(client, "0" * 32, "x").call("GET", "/datasources").status_code


def test_assets_of_one_workspace_are_not_those_of_another(here, there):
    dataset = here.upload("only here", b"a\n1\n")

    other = there.call("GET", f"/datasources/{dataset['Id']}")
    deleted = there.call("DELETE", f"/datasources/family/{dataset['FamilyId']}")
    same_name = there.upload("only here", b"a\n1\n")

    assert (404, 404) == (other.status_code, deleted.status_code)
    assert there.id == same_name["Id"].split(".")[0]


def test_uploads_of_one_workspace_are_not_those_of_another(here, there):
    upload_id = here.begin(content=b"a\n1\n").json()["Id"]

    assert 404 == there.register(upload_id, "stolen").status_code
    assert 404 == there.block(upload_id, 0, 1, b"x").status_code


def test_a_classic_service_belongs_to_its_workspace(client, here, there):
    endpoint = service(there, "1" * 32)

    assert f"/workspaces/{there.id}/services/" in endpoint["ApiLocation"]
    assert there.id == endpoint["WorkspaceId"]
    answer = scored(client, endpoint)
    assert "6.0" == answer.json()["Results"]["output1"]["value"]["Values"][0][-1][:3]
    elsewhere = endpoint["ApiLocation"].replace(there.id, here.id)
    assert 404 == scored(client, {**endpoint, "ApiLocation": elsewhere}).status_code
    assert 404 == manage(here, "GET", "/" + "1" * 32).status_code
    stolen = {"Name": "x", "Type": "Graph", "Definition": {}}
    assert 409 == manage(here, "PUT", "/" + "1" * 32, stolen).status_code
    assert there.id == manage(there, "GET").json()[0]["WorkspaceId"]


def test_deleting_a_workspace_takes_everything_but_new_services(studio, client):
    doomed = created(client, "doomed")
    lab = Lab(client, doomed.id, doomed.token)
    experiment_id = lab.create(training_graph(lab.dataset("line", line(2))))
    assert "Finished" == lab.run(experiment_id)["Status"]["StatusCode"]
    lab.promote(experiment_id, "train-3", "Trained model", "doomed model")
    running = lab.create(training_graph(lab.dataset("line again", line(3))))
    lab.start(running)
    endpoint = service(doomed, "2" * 32)
    manage(doomed, "PUT", f"/{'2' * 32}/endpoints/more", {})
    dataset = doomed.upload("doomed data", b"a,b\n1,2\n")
    begun = doomed.begin().json()["Id"]

    deleted = client.arm("DELETE", "workspaces/doomed", version=NEW)

    assert 200 == deleted.status_code
    assert 404 == scored(client, endpoint).status_code
    assert 404 == download(dataset["DownloadLocation"]).status_code
    assert 401 == doomed.call("GET", "/datasources").status_code
    assert 401 == manage(doomed, "GET").status_code
    assert 401 == doomed.block(begun, 0, 1, b"x").status_code
    for kind in (Asset, AssetName, Experiment, Upload, Member):
        assert [] == studio.context.store.list(kind, doomed.id)
    left = [one.id for one in studio.context.store.list(WebService) if one.workspace == doomed.id]
    assert [] == left
    assert client.scores(client.sample("diabetes", "scoring", "new"))
    assert client.scores(client.sample("diabetes", "scoring", "classic", "ep2"))


def test_a_free_workspace_has_three_endpoints_and_low_throttling(client):
    free = created(client, "free", sku={"name": "Free", "tier": "Free"})
    endpoint = service(free, "3" * 32)
    path = f"/{'3' * 32}/endpoints"

    high = manage(free, "PUT", path + "/a", {"ThrottleLevel": "High"})
    made = [manage(free, "PUT", f"{path}/{name}", {}).status_code for name in "abc"]
    patched = manage(free, "PATCH", path + "/a", {"ThrottleLevel": "High"})

    assert "Free" == free.call("GET", "").json()["Type"]
    assert ("Low", 4) == (endpoint["ThrottleLevel"], endpoint["MaxConcurrentCalls"])
    assert (400, [201, 201, 400], 400) == (high.status_code, made, patched.status_code)


def test_a_workspace_is_shown_with_its_tokens(client, here):
    document = here.call("GET", "").json()

    assert here.id == document["WorkspaceId"]
    assert here.token == document["AuthorizationToken"]["PrimaryToken"]
    assert {
        "WorkspaceId", "FriendlyName", "Description", "HDInsightClusterConnectionString",
        "HDInsightStorageConnectionString", "UseDefaultHDInsightSettings", "AuthorizationToken",
        "MigrationStatus", "OwnerEmail", "UserStorage", "UserStorageKey", "UserStorageArmId",
        "UserStorageBlobEndpoint", "SubscriptionId", "SubscriptionName", "SubscriptionState",
        "Region", "WorkspaceStatus", "Type", "CreatedTime", "OwnerPrincipalId", "Tags",
        "KeyVaultKeyIdentifier", "MsIdentityUrl", "MsIdentityPrincipalOid", "MsIdentityClientId",
        "MsIdentityCertificate", "TenantId",
    } == set(document)  # fmt: skip


def test_people_are_invited_by_json_that_is_not_quite_json(there):
    def invite(text: str) -> Any:
        return there.send("POST", f"/workspaces/{there.id}/invitations", data=text)

    answer = invite('{Role: "User", Emails:"ann@example.com, nobody"}').json()

    assert [("ann@example.com", False), ("nobody", True)] == [
        (one["Email"], one["Failed"]) for one in answer
    ]
    people = {one["User"]["Email"]: one for one in there.call("GET", "/users").json()}
    assert {"owner@example.com", "ann@example.com"} == set(people)
    assert "User" == people["ann@example.com"]["User"]["Role"]
    wrong = ("{", "[]", '{"Role": "God", "Emails": "a@b.c"}', '{"Role": "User"}')
    assert [400] * 4 == [invite(text).status_code for text in wrong]


def test_lists_of_what_local_studio_has_not_are_empty(here):
    for name in ("notebooks", "projectcontainers", "gateways"):
        assert [] == here.call("GET", f"/{name}").json()


def test_faults_reach_workspaces(client):
    client.fault("PUT", "/workspaces/faulty", "change_nothing")
    made_up = client.arm("PUT", "workspaces/faulty", body(), version=NEW)
    assert 200 == made_up.status_code
    assert 404 == client.arm("GET", "workspaces/faulty", version=NEW).status_code

    created(client, "faulty")
    client.fault("DELETE", "/workspaces/faulty", "change_nothing")
    assert 200 == client.arm("DELETE", "workspaces/faulty", version=NEW).status_code
    assert 200 == client.arm("GET", "workspaces/faulty", version=NEW).status_code

    client.fault("GET", "/workspaces/faulty", "503")
    assert 503 == client.arm("GET", "workspaces/faulty", version=NEW).status_code


def test_workspaces_outlast_a_restart(tmp_path):
    with Studio(StudioOptions(data=tmp_path)) as studio, Client(studio.description()) as client:
        first = WorkspaceClient(client)
        more = created(client, "more")
        more.upload("kept", b"a\n1\n")

    with Studio(StudioOptions(data=tmp_path)) as studio, Client(studio.description()) as client:
        assert (first.id, first.token) == (
            client.description["workspace_id"], client.description["workspace_token"],
        )  # fmt: skip
        again = WorkspaceClient(client, more.id, more.token)
        assert ["kept"] == [dataset["Name"] for dataset in again.listed()]


def test_services_of_an_earlier_studio_belong_to_the_first_workspace(tmp_path):
    with Studio(StudioOptions(data=tmp_path)) as studio, Client(studio.description()) as client:
        service(WorkspaceClient(client), "4" * 32)
        store = studio.context.store
        old = store.get(WebService, "4" * 32)
        store.put(old.id, old.model_copy(update={"workspace": ""}))

    with Studio(StudioOptions(data=tmp_path)) as studio, Client(studio.description()) as client:
        assert ["4" * 32] == [one["Id"] for one in client.manage("GET", "").json()]
