"""Datasets over HTTP: uploads in one piece and in blocks, versions, schemas, downloads, faults."""

from __future__ import annotations

import http.client
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from devstack.studio.studio import Studio, StudioOptions
from devstack.studio.workspace.records import Asset, TableReport
from tests.devstack.studio.client import Client
from tests.devstack.studio.test_persistence import running
from tests.devstack.studio.workspace_client import TOKEN, WorkspaceClient, download

CENSUS = b"age,job\n39,clerk\n50,nurse\n"


@pytest.fixture
def workspace(client: Client) -> WorkspaceClient:
    return WorkspaceClient(client)


def test_a_dataset_is_there_at_once_in_the_captured_shape(workspace):
    upload = workspace.begin("genericcsv", CENSUS).json()
    assert {"DataTypeId": "GenericCSV", "Committed": True} == {
        key: upload[key] for key in ("DataTypeId", "Committed")
    }

    created = workspace.register(upload["Id"], "census one").json()

    assert re.fullmatch(rf"{workspace.id}\.[0-9a-f]{{32}}\.v1-default-\d+", created)
    (record,) = [found for found in workspace.listed() if found["Id"] == created]
    assert re.fullmatch(r"/Date\(\d{13}\)/", record["CreatedDate"])
    milliseconds = int(record["CreatedDate"][6:-2])
    assert 621355968000000000 + milliseconds * 10_000 == record["CreatedDateTicks"]
    assert "census one.csv" == record["UploadedFromFilename"]
    assert (created.split(".")[1], upload["Id"]) == (record["FamilyId"], record["ResourceUploadId"])
    assert "FromResourceUpload" == record["SourceOrigin"]
    assert len(CENSUS) == record["Size"] == record["DownloadLocation"]["Size"]
    assert set(record) == {
        "Id", "DataTypeId", "Name", "Description", "FamilyId", "ResourceUploadId", "SourceOrigin",
        "Size", "CreatedDate", "Owner", "ExperimentId", "ClientVersion", "PromotedFrom",
        "UploadedFromFilename", "ServiceVersion", "IsLatest", "Category", "DownloadLocation",
        "IsDeprecated", "Culture", "Batch", "CreatedDateTicks", "VisualizeEndPoint",
        "SchemaEndPoint", "SchemaStatus",
    }  # fmt: skip


def test_a_schema_is_computed_from_the_content(workspace):
    dataset = workspace.upload("census schema", CENSUS)
    assert dataset["SchemaStatus"] in ("Pending", "Complete")

    record = workspace.inspected(dataset["Id"])

    assert "Complete" == record["SchemaStatus"]
    schema = download(record["SchemaEndPoint"]).json()
    columns = {c["name"]: c["elementType"]["typeName"] for c in schema["columnAttributes"]}
    assert {"age": "System.Int32", "job": "System.String"} == columns
    picture = download(record["VisualizeEndPoint"]).json()
    assert (2, 2, 44.5) == (
        picture["numberOfRows"], picture["numberOfColumns"], picture["columns"][0]["mean"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data_type", "content", "status"),
    [
        ("Zip", b"PK", "NotSupported"),
        ("PlainText", b"hello", "NotSupported"),
        ("RData", b"RDX2", "NotSupported"),
        ("GenericCSV", b"a,b\n1\n", "Failed"),
        ("GenericTSVNoHeader", b"1\t2\n", "Complete"),
        ("ARFF", b"@attribute a real\n@data\n1\n", "Complete"),
    ],
)
def test_what_is_no_table_or_a_broken_one_is_told_apart(workspace, data_type, content, status):
    name = f"{data_type} is {status}"

    dataset = workspace.upload(name, content, DataTypeId=data_type)

    record = workspace.inspected(dataset["Id"])
    assert (status, data_type) == (record["SchemaStatus"], record["DataTypeId"])
    assert (status == "Complete") == (record["SchemaEndPoint"] is not None)


def test_content_is_downloaded_without_a_token(workspace):
    location = workspace.upload("census download", CENSUS)["DownloadLocation"]

    assert CENSUS == download(location).content
    assert "api/sharedaccess" == location["Location"]


def test_blocks_come_in_any_order_and_more_than_once(workspace):
    upload = workspace.begin().json()
    assert upload["Committed"] is False
    pieces = [CENSUS[:5], CENSUS[5:12], CENSUS[12:]]

    answers = [
        workspace.block(upload["Id"], number, 3, content).json()["Committed"]
        for number, content in [(2, b"wrong"), (0, pieces[0]), (1, pieces[1]), (2, pieces[2])]
    ]
    created = workspace.register(upload["Id"], "census blocks", FamilyId=None)

    assert [False, False, True, True] == answers
    assert CENSUS == download(workspace.dataset(created.json())["DownloadLocation"]).content


def test_a_file_with_missing_blocks_is_not_registered_until_they_came(workspace):
    upload_id = workspace.begin().json()["Id"]
    nothing = workspace.register(upload_id, "census gap")
    workspace.block(upload_id, 2, 3, CENSUS[12:])

    refused = workspace.register(upload_id, "census gap")
    workspace.block(upload_id, 0, 3, CENSUS[:5])
    workspace.block(upload_id, 1, 3, CENSUS[5:12])
    accepted = workspace.register(upload_id, "census gap")

    assert (400, 400, 200) == (nothing.status_code, refused.status_code, accepted.status_code)
    assert "blocks missing: 0, 1" in refused.json()["error"]["message"]


def test_a_file_is_registered_once(workspace):
    upload_id = workspace.begin(content=CENSUS).json()["Id"]
    workspace.register(upload_id, "census once")

    again = workspace.register(upload_id, "census once more")
    late = workspace.block(upload_id, 0, 1, b"late")

    assert (409, 409) == (again.status_code, late.status_code)
    assert "is registered as" in again.json()["error"]["message"]


def test_a_refused_registration_leaves_the_upload_for_another_name(workspace):
    workspace.upload("census taken", CENSUS)
    upload_id = workspace.begin(content=b"a\n1\n").json()["Id"]

    refused = workspace.register(upload_id, "Census TAKEN")
    accepted = workspace.register(upload_id, "census free")

    assert (409, 200) == (refused.status_code, accepted.status_code)
    assert "'Census TAKEN' is there already" in refused.json()["error"]["message"]
    assert b"a\n1\n" == download(workspace.dataset(accepted.json())["DownloadLocation"]).content


def test_a_new_version_is_the_latest_and_the_only_one_listed(workspace):
    first = workspace.upload("census versions", CENSUS)

    second = workspace.upload("census versions", b"age\n1\n", FamilyId=first["FamilyId"])

    old = workspace.dataset(first["Id"])
    assert (False, True) == (old["IsLatest"], second["IsLatest"])
    assert second["ServiceVersion"] > old["ServiceVersion"]
    assert [second["Id"]] == [
        found["Id"] for found in workspace.listed() if found["Name"] == "census versions"
    ]
    assert CENSUS == download(old["DownloadLocation"]).content


def test_versions_are_made_only_in_a_family_that_is_there(workspace):
    upload_id = workspace.begin(content=CENSUS).json()["Id"]

    unknown = workspace.register(upload_id, "x", FamilyId="f" * 32)
    hostile = workspace.register(upload_id, "x", FamilyId="../../etc")

    assert (404, 400) == (unknown.status_code, hostile.status_code)


def test_deleting_a_family_deletes_every_version(workspace):
    first = workspace.upload("census gone", CENSUS)
    second = workspace.upload("census gone", b"a\n1\n", FamilyId=first["FamilyId"])
    address = second["DownloadLocation"]

    deleted = workspace.call("DELETE", f"/datasources/family/{first['FamilyId']}")
    again = workspace.call("DELETE", f"/datasources/family/{first['FamilyId']}")

    assert (200, 404) == (deleted.status_code, again.status_code)
    assert 404 == workspace.call("GET", f"/datasources/{first['Id']}").status_code
    assert 404 == download(address).status_code


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"Name": " "}, "Name must not be empty"),
        ({"Name": 7}, "Name must be text"),
        ({"Name": "\ud800"}, "Name must be text"),
        ({"DataTypeId": "Parquet"}, "'Parquet' cannot be uploaded"),
        ({"Description": "x" * 5000}, "Description must be text of at most"),
    ],
)
def test_a_wrong_request_is_refused_with_what_is_wrong(workspace, more, complaint):
    upload_id = workspace.begin(content=CENSUS).json()["Id"]

    refused = workspace.register(upload_id, "census wrong", **more)

    assert 400 == refused.status_code
    assert complaint in refused.json()["error"]["message"]


def test_hostile_uploads_are_refused(workspace):
    upload_id = workspace.begin().json()["Id"]

    answers = [
        workspace.begin("../../etc"),
        workspace.block("../../passwd", 0, 1, b"x"),
        workspace.block(upload_id, -1, 1, b"x"),
        workspace.block(upload_id, 1, 1, b"x"),
        workspace.block(upload_id, 0, 10**12, b"x"),
        workspace.block(upload_id, "0/../../x", 5, b"x"),
        workspace.register("0" * 32, "census"),
        workspace.call("POST", "/datasources", {"DataSource": {"Name": "x"}}),
        workspace.call("POST", "/datasources", {"UploadId": upload_id, "DataSource": []}),
    ]

    assert [400, 404, 400, 400, 400, 400, 404, 400, 400] == [a.status_code for a in answers]
    assert all(answer.json()["error"]["message"] for answer in answers)


def test_the_number_of_blocks_stays(workspace):
    upload_id = workspace.begin().json()["Id"]
    workspace.block(upload_id, 0, 2, b"x")

    assert 400 == workspace.block(upload_id, 0, 3, b"x").status_code


def test_a_block_that_breaks_off_is_not_there(workspace):
    upload_id = workspace.begin().json()["Id"]
    host = urlsplit(workspace.client.base_url).netloc
    path = f"/api/blobuploads/workspaces/{workspace.id}/?numberOfBlocks=1&blockId=0"
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.putrequest("POST", f"{path}&uploadId={upload_id}")
    connection.putheader(TOKEN, workspace.token)
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"only this")
    assert connection.sock is not None
    connection.sock.shutdown(1)

    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert 400 == answer.status
    assert 400 == workspace.register(upload_id, "census broken").status_code


def test_either_header_opens_and_anything_else_does_not(client, workspace):
    url = f"{client.base_url}/api/workspaces/{workspace.id}/datasources"
    headers = [
        {TOKEN: workspace.token},
        {"Authorization": f"bearer {workspace.token}"},
        {TOKEN: "wrong", "Authorization": f"Bearer {workspace.token}"},
        {TOKEN: "wrong"},
        {},
    ]

    answers = [client.http.get(url, headers=given) for given in headers]

    assert [200, 200, 200, 401, 401] == [answer.status_code for answer in answers]
    assert "Unauthorized" == answers[-1].json()["error"]["code"]


def test_an_address_that_was_tampered_with_is_refused(workspace):
    one = workspace.upload("census mine", CENSUS)["DownloadLocation"]
    other = workspace.upload("census other", b"secret\n1\n")
    tampered = {**one, "AccessCredential": one["AccessCredential"].replace(
        one["AccessCredential"].rsplit(".", 2)[-2], other["FamilyId"])}  # fmt: skip
    longer = re.sub(r"asset%2F(\d)", r"asset%2F9\1", one["AccessCredential"])

    answers = [
        download(tampered),
        download({**one, "AccessCredential": longer}),
        download({**one, "AccessCredential": ""}),
    ]

    assert longer != one["AccessCredential"] != tampered["AccessCredential"]
    assert [403, 403, 403] == [answer.status_code for answer in answers]


def test_an_address_ends_after_a_day(tmp_path):
    now = [1_700_000_000.0]
    options = StudioOptions(data=tmp_path, clock=lambda: now[0])
    with Studio(options) as studio, Client(studio.description()) as client:
        workspace = WorkspaceClient(client)
        dataset = workspace.upload("census", CENSUS)

        now[0] += 24 * 3600 + 1

        assert 403 == download(dataset["DownloadLocation"]).status_code
        fresh = workspace.dataset(dataset["Id"])["DownloadLocation"]
        assert 200 == download(fresh).status_code


def test_faults_reach_the_routes_of_datasets(client, workspace):
    upload_id = workspace.begin(content=CENSUS).json()["Id"]
    client.fault("POST", "/datasources$", "lost_answer")
    with pytest.raises(requests.ConnectionError):
        workspace.register(upload_id, "census lost")
    assert "census lost" in [found["Name"] for found in workspace.listed()]

    client.fault("POST", "/datasources$", "change_nothing")
    upload_id = workspace.begin(content=CENSUS).json()["Id"]
    made_up = workspace.register(upload_id, "census unchanged")
    assert 200 == made_up.status_code
    assert 404 == workspace.call("GET", f"/datasources/{made_up.json()}").status_code

    dataset = workspace.upload("census faults", CENSUS)
    client.fault("GET", "/datasources/", "expire_sas")
    assert 403 == download(workspace.dataset(dataset["Id"])["DownloadLocation"]).status_code

    client.fault("DELETE", "/datasources/family/", "change_nothing")
    assert 200 == workspace.call("DELETE", f"/datasources/family/{dataset['FamilyId']}").status_code
    assert dataset["Id"] == workspace.dataset(dataset["Id"])["Id"]

    client.fault("POST", "/blobuploads/", "change_nothing")
    upload_id = workspace.begin().json()["Id"]
    workspace.block(upload_id, 0, 1, CENSUS)
    assert 400 == workspace.register(upload_id, "census no block").status_code

    client.fault("GET", "/datasources$", "503")
    assert 503 == workspace.call("GET", "/datasources").status_code


def test_what_was_begun_before_a_restart_goes_on_after_it(tmp_path):
    options = StudioOptions(data=tmp_path)
    with Studio(options) as studio, Client(studio.description()) as client:
        workspace = WorkspaceClient(client)
        upload_id = workspace.begin().json()["Id"]
        workspace.block(upload_id, 1, 2, CENSUS[5:])
        pending = workspace.inspected(workspace.upload("census pending", CENSUS)["Id"])
        left_as_by_a_kill(studio, pending)

    with Studio(options) as studio, Client(studio.description()) as client:
        workspace = WorkspaceClient(client)
        workspace.block(upload_id, 0, 2, CENSUS[:5])
        created = workspace.register(upload_id, "census later").json()

        assert "Complete" == workspace.inspected(created)["SchemaStatus"]
        assert "Complete" == workspace.inspected(pending["Id"])["SchemaStatus"]


def left_as_by_a_kill(studio: Studio, dataset: dict[str, Any]) -> None:
    """A dataset as it is in the store while its schema is computed."""
    store = studio.context.store
    asset = store.get(Asset, f"{dataset['Id'].split('.')[0]}/{dataset['Id']}")
    assert asset is not None
    store.put(asset.key, asset.model_copy(update={"schema_status": "Pending"}))
    assert store.delete(TableReport, f"{asset.digest}/{asset.data_type}")


def test_many_uploads_at_once_get_ids_of_their_own(workspace):
    ids: list[str] = []

    def upload(number: int) -> None:
        with Client(workspace.client.description) as client:
            one = WorkspaceClient(client)
            ids.append(one.upload(f"census {number}", f"a\n{number}\n".encode())["Id"])

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 8 == len(set(ids)) == len({name.rsplit("-")[-1] for name in ids})


def test_memory_stays_flat_while_a_large_file_comes_and_goes(tmp_path):
    size, piece = 192 * 1024 * 1024, b"x" * (1024 * 1024)
    with running(tmp_path) as (process, description), Client(description) as client:
        workspace = WorkspaceClient(client)
        workspace.upload("small", b"small", DataTypeId="PlainText")
        before = peak_bytes(process.pid)
        url = f"{client.base_url}/api/resourceuploads/workspaces/{workspace.id}/"
        host = urlsplit(url)
        connection = http.client.HTTPConnection(host.netloc, timeout=60)
        connection.putrequest("POST", host.path + "?dataTypeId=PlainText")
        connection.putheader(TOKEN, workspace.token)
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        for _ in range(size // len(piece)):
            connection.send(piece)
        upload_id = re.search(rb'"Id": "(\w+)"', connection.getresponse().read())[1].decode()
        connection.close()
        created = workspace.register(upload_id, "large", DataTypeId="PlainText").json()
        location = workspace.dataset(created)["DownloadLocation"]
        address = location["BaseUri"] + location["Location"] + location["AccessCredential"]
        with requests.get(address, timeout=60, stream=True) as answer:
            received = sum(len(part) for part in answer.iter_content(len(piece)))

        assert size == location["Size"] == received
        assert peak_bytes(process.pid) - before < 24 * 1024 * 1024


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
