"""The blob endpoint, spoken to with azure-storage-blob, and its signatures."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import (
    AccountSasPermissions,
    BlobBlock,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    ResourceTypes,
    generate_account_sas,
    generate_container_sas,
)

from tests.devstack.studio.client import Client, location


@pytest.fixture
def container(client: Client) -> ContainerClient:
    return client.blobs.create_container(f"c{uuid.uuid4().hex}")


def test_blobs_are_put_read_listed_and_deleted(container: ContainerClient) -> None:
    for name in ("a/one.csv", "a/two & three.csv", "b/four.csv"):
        container.upload_blob(name, b"0123456789", metadata={"state": "fresh"})

    listed = [blob.name for blob in container.list_blobs(name_starts_with="a/")]
    folders = [item.name for item in container.walk_blobs(delimiter="/")]
    blob = container.get_blob_client("a/one.csv")
    properties = blob.get_blob_properties()

    assert listed == ["a/one.csv", "a/two & three.csv"]
    assert folders == ["a/", "b/"]
    assert blob.download_blob(offset=3, length=4).readall() == b"3456"
    assert (properties.size, properties.metadata) == (10, {"state": "fresh"})
    blob.delete_blob()
    assert not blob.exists()
    with pytest.raises(ResourceNotFoundError):
        blob.download_blob()


def test_a_large_blob_goes_in_blocks(container: ContainerClient) -> None:
    blob = container.get_blob_client("large.bin")
    blob.stage_block("MQ==", b"first ")
    blob.stage_block("Mg==", b"second")

    assert not blob.exists()
    blob.commit_block_list([BlobBlock("MQ=="), BlobBlock("Mg==")])

    assert blob.download_blob().readall() == b"first second"
    with pytest.raises(HttpResponseError):
        blob.commit_block_list([BlobBlock("OQ==")])


def test_conditions_are_kept(container: ContainerClient) -> None:
    blob = container.get_blob_client("one")
    first = blob.upload_blob(b"1")["etag"]
    with pytest.raises(ResourceExistsError):
        blob.upload_blob(b"2")
    blob.upload_blob(b"2", overwrite=True)

    from azure.core import MatchConditions

    with pytest.raises(ResourceModifiedError):
        blob.upload_blob(
            b"3", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified
        )
    assert blob.download_blob().readall() == b"2"


def test_lists_come_in_pages(container: ContainerClient) -> None:
    for number in range(7):
        container.upload_blob(f"{number}", b"")

    pages = [
        [blob.name for blob in page] for page in container.list_blobs(results_per_page=3).by_page()
    ]

    assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_grants_are_checked(client: Client, container: ContainerClient) -> None:
    path = f"{container.container_name}/one.csv"
    client.upload(path, b"content")

    good, late = client.by_grant(path), client.by_grant(path, minutes=-1)
    other = {**good, "RelativeLocation": f"{container.container_name}/two.csv"}
    forged = {**good, "SasBlobToken": good["SasBlobToken"].replace("sp=r", "sp=rw")}
    none = {**good, "SasBlobToken": ""}

    def status(place: dict[str, str], method: str = "GET") -> int:
        return requests.request(method, location(place)).status_code

    assert status(good) == 200
    assert [status(place) for place in (late, other, forged, none)] == [403, 403, 403, 401]
    assert status(good, "DELETE") == 403


def test_container_and_account_grants_are_checked(
    client: Client, container: ContainerClient
) -> None:
    container.upload_blob("one", b"1")
    account = client.blobs.credential
    expiry = datetime.now(UTC) + timedelta(minutes=5)
    of_container = generate_container_sas(
        account.account_name,
        container.container_name,
        account.account_key,
        permission=ContainerSasPermissions(read=True, list=True),
        expiry=expiry,
    )
    of_account = generate_account_sas(
        account.account_name,
        account.account_key,
        ResourceTypes(container=True, object=True),
        AccountSasPermissions(read=True),
        expiry,
    )

    with ContainerClient(client.blobs.url, container.container_name, of_container) as reader:
        assert list(reader.list_blob_names()) == ["one"]
        with pytest.raises(HttpResponseError):
            reader.upload_blob("two", b"2")
    with BlobServiceClient(client.blobs.url, of_account) as service:
        blob = service.get_blob_client(container.container_name, "one")
        assert blob.download_blob().readall() == b"1"
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            blob.delete_blob()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/../b", "x" * 1100])
def test_hostile_blob_names_are_refused(client: Client, name: str) -> None:
    url = f"{client.base_url}/devstoreaccount1/samples/" + name.replace("..", "%2e%2e")
    headers = {"Authorization": "SharedKey devstoreaccount1:x"}

    response = requests.put(url, data=b"x", headers=headers)

    assert response.status_code == 400
    assert "x-ms-error-code" in response.headers


def test_what_is_not_there_is_refused_by_name(client: Client) -> None:
    headers = {"Authorization": "SharedKey devstoreaccount1:x"}

    response = requests.put(
        f"{client.base_url}/devstoreaccount1/samples/a?comp=page", headers=headers
    )

    assert response.status_code == 501
    assert "comp='page' is not implemented" in response.text
