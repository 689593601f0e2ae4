"""Packages: copying experiments into other workspaces and from the Gallery, hostile packages."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from devstack.studio.learning.tables import read_table
from tests.devstack.studio.client import Client, location
from tests.devstack.studio.experiment_client import (
    Lab,
    graph,
    line,
    module,
    scoring_graph,
    scoring_service,
    training_graph,
    training_service,
)

API = {"api-version": "2.0"}


@pytest.fixture(scope="module")
def lab(client: Client) -> Lab:
    return Lab(client)


@pytest.fixture(scope="module")
def other(client: Client) -> Lab:
    """A second workspace."""
    body = {
        "location": "West Europe",
        "properties": {
            "ownerEmail": "b@example.com",
            "userStorageAccountId": "/subscriptions/s/resourceGroups/g/providers/"
            "Microsoft.Storage/storageAccounts/devstoreaccount1",
        },
    }
    created = client.arm("PUT", "workspaces/packages", body, version="2016-04-01")
    assert created.ok, created.text
    keys = client.arm("POST", "workspaces/packages/listWorkspaceKeys", version="2016-04-01").json()
    return Lab(client, created.json()["properties"]["workspaceId"], keys["primaryToken"])


def waited(lab: Lab, key: str, activity: dict[str, Any]) -> dict[str, Any]:
    """A package activity once it has ended."""
    deadline = time.monotonic() + 20
    while activity["Status"] not in ("Complete", "Failed"):
        assert time.monotonic() < deadline
        response = lab.call("GET", "packages", params={key: activity["ActivityId"]})
        assert response.status_code == 200, response.text
        activity = response.json()
        time.sleep(0.01)
    return activity


def packed(lab: Lab, experiment: str, **query: str) -> dict[str, Any]:
    """Pack as Copy-AmlExperiment does, with the stray slash after the id."""
    asked = {
        **API,
        "experimentid": experiment + "/",
        "clearCredentials": "true",
        "includeAuthorId": "false",
        **query,
    }
    response = lab.call("POST", "packages", params=asked)
    assert response.ok, response.text
    return waited(lab, "packageActivityId", response.json())


def unpacked(lab: Lab, uri: str, **query: str) -> dict[str, Any]:
    asked = {**API, "packageUri": uri, "region": "SouthCentralUS", **query}
    response = lab.call("PUT", "packages", params=asked)
    assert response.ok, response.text
    return waited(lab, "unpackActivityId", response.json())


def names(lab: Lab, what: str) -> dict[str, str]:
    return {item["Id"]: item["Name"] for item in lab.call("GET", what).json()}


def test_an_experiment_is_copied_with_its_dataset_and_trains_there(lab: Lab, other: Lab) -> None:
    dataset = lab.dataset("package rows", line(6))
    created = lab.create(training_graph(dataset), "Packed", WebService=training_service())
    drawing = f"<DataV1><NodePosition Node='{dataset}'/></DataV1>"
    wanted = {**training_graph(dataset), "SerializedClientData": drawing, "Lanes": [1]}
    lab.submit(created, ExperimentGraph=wanted)

    activity = packed(lab, created)
    copy = unpacked(other, activity["Location"])

    assert (activity["ItemsComplete"], activity["ItemsPending"]) == (2, 0)
    assert (copy["ItemsComplete"], copy["ItemsPending"], copy["Status"]) == (2, 0, "Complete")
    document = other.get(copy["ExperimentId"])
    assert document["ExperimentId"].startswith(other.workspace_id)
    assert document["Description"] == "Packed"
    new = document["Graph"]["ModuleNodes"][0]["InputPortsInternal"][0]["DataSourceId"]
    assert names(other, "datasources")[new] == "package rows"
    assert document["Graph"]["SerializedClientData"] == drawing.replace(dataset, new)
    assert json.loads(json.dumps(wanted).replace(dataset, new)) == document["Graph"]
    assert training_service() == document["WebService"]
    assert other.run(copy["ExperimentId"])["Status"]["StatusCode"] == "Finished"


def test_a_predictive_experiment_takes_its_model_along(lab: Lab, other: Lab) -> None:
    dataset = lab.dataset("predictive rows", line(4))
    training = lab.create(training_graph(dataset))
    lab.run(training)
    model = lab.promote(training, "train-3", "Trained model", "Packed model")
    created = lab.create(scoring_graph(dataset, model), "Scoring", WebService=scoring_service())
    lab.run(created)
    lab.deploy(created)

    copy = unpacked(other, packed(lab, created)["Location"])["ExperimentId"]

    assert "Packed model" in names(other, "trainedmodels").values()
    assert other.get(copy)["WebService"]["WebServiceGroupId"] is None
    assert other.run(copy)["Status"]["StatusCode"] == "Finished"
    answers = [
        read_table(place.output(name, "score-1", "Scored dataset").content).rows
        for place, name in ((lab, created), (other, copy))
    ]
    assert answers[0] == answers[1]


def test_a_second_copy_uses_the_assets_of_the_first(lab: Lab, other: Lab) -> None:
    created = lab.create(training_graph(lab.dataset("copied twice", line(5))), "Twice")

    first, second = (unpacked(other, packed(lab, created)["Location"]) for _ in range(2))

    assert first["ExperimentId"] != second["ExperimentId"]
    assert list(names(other, "datasources").values()).count("copied twice") == 1


def test_a_name_that_is_taken_by_other_content_gets_a_number(lab: Lab, other: Lab) -> None:
    other.dataset("taken", line(1))
    created = lab.create(training_graph(lab.dataset("taken", line(8))))

    assert unpacked(other, packed(lab, created)["Location"])["Status"] == "Complete"

    assert {"taken", "taken (2)"} <= set(names(other, "datasources").values())


def secret_graph() -> dict[str, Any]:
    import_data = {
        **module("import-1", "Import Data"),
        "ModuleParameters": [
            {"Name": name, "Value": value, "ValueType": "Literal", "LinkedGlobalParameter": None}
            for name, value in (
                ("Account Name", "someone"),
                ("Account Key", "secret-1"),
                ("Password", "secret-2"),
                ("Database SAS URI", "secret-3"),
            )
        ],
    }
    return graph([import_data])


SECRET_PARAMETER = {
    "Name": "Key",
    "Value": "secret-4",
    "ParameterDefinition": {"ParameterType": "Credential", "DefaultValue": "secret-5"},
}


@pytest.mark.parametrize(("clear", "left"), [("true", False), ("false", True)])
def test_credentials_are_cleared_unless_told_otherwise(
    lab: Lab, other: Lab, clear: str, left: bool
) -> None:
    created = lab.create(secret_graph(), WebService={"Parameters": [SECRET_PARAMETER]})

    activity = packed(lab, created, clearCredentials=clear)
    copy = other.get(unpacked(other, activity["Location"])["ExperimentId"])

    assert ("secret" in json.dumps(copy)) is left
    assert "someone" in json.dumps(copy)
    assert "secret-1" in json.dumps(lab.get(created)), "the original keeps them"


def test_a_package_comes_from_the_gallery(lab: Lab, other: Lab) -> None:
    created = lab.create(training_graph(lab.dataset("gallery", line(5))), "From the gallery")
    gallery = "https://gallery.example.com/Details/abc"

    copy = unpacked(
        other, packed(lab, created)["Location"], communityUri=gallery, entityId="Entity.1"
    )

    document = other.get(copy["ExperimentId"])
    assert document["Description"] == "From the gallery"
    assert document["OriginalExperimentDocumentationLink"] == gallery


def test_a_package_on_a_host_that_is_not_allowed_is_refused(other: Lab) -> None:
    for uri in ("http://192.0.2.1/p.zip", "https://example.com/p.zip", "file:///etc/passwd", ""):
        response = other.call("PUT", "packages", params={**API, "packageUri": uri})
        assert response.status_code == 400, uri


def test_unknown_experiments_and_activities_are_not_found(lab: Lab) -> None:
    unknown = f"{lab.workspace_id}.f-id.{'0' * 32}/"

    assert lab.call("POST", "packages", params={"experimentid": unknown}).status_code == 404
    assert lab.call("GET", "packages", params={"packageActivityId": "x"}).status_code == 404
    assert lab.call("GET", "packages").status_code == 404


def package(**changes: Any) -> dict[str, Any]:
    """A package's own description, of an experiment without assets."""
    manifest = {
        "format": "local-studio-package",
        "version": 1,
        "experiment": {
            "Description": "Hostile",
            "ExperimentGraph": {"ModuleNodes": [], "EdgesInternal": []},
            "WebService": None,
        },
        "assets": [],
    }
    return {**manifest, **changes}


def packed_by_hand(manifest: Any, **files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        if manifest is not None:
            archive.writestr("package.json", json.dumps(manifest))
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def asset(kind: str = "dataset", file: str = "a", **more: Any) -> dict[str, Any]:
    return {"id": "x.y.z", "kind": kind, "name": "n", "data_type": "GenericCSV", "file": file,
            **more}  # fmt: skip


def _with_asset_at_port() -> bytes:
    experiment = {
        "Description": "Hostile",
        "ExperimentGraph": graph([module("s", "Split Data", Dataset="not.in.package")]),
        "WebService": None,
    }
    return packed_by_hand(package(experiment=experiment))


def _bomb() -> bytes:
    """A ZIP whose directory says that a file unpacks to 3 GiB."""
    content = bytearray(packed_by_hand(package(), a=b"x"))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (3 * 1024**3).to_bytes(4, "little")
    return bytes(content)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "no ZIP": lambda: b"hello",
    "empty": lambda: b"",
    "no description": lambda: packed_by_hand(None),
    "a list": lambda: packed_by_hand([]),
    "another format": lambda: packed_by_hand(package(format="other")),
    "another version": lambda: packed_by_hand(package(version=2)),
    "no graph": lambda: packed_by_hand(package(experiment={"Description": "x"})),
    "no name": lambda: packed_by_hand(package(experiment={"ExperimentGraph": {}})),
    "an asset without file": lambda: packed_by_hand(package(assets=[asset()])),
    "an asset outside": lambda: packed_by_hand(package(assets=[asset(file="../../etc/passwd")])),
    "a model that is none": lambda: packed_by_hand(
        package(assets=[asset("trained_model")]), a=b"x"
    ),
    "a module": lambda: packed_by_hand(package(assets=[asset("module")]), a=b"x"),
    "another kind": lambda: packed_by_hand(package(assets=[asset("secret")]), a=b"x"),
    "too many assets": lambda: packed_by_hand(package(assets=[asset()] * 501), a=b"x"),
    "too many files": lambda: packed_by_hand(package(), **{f"f{at}": b"" for at in range(502)}),
    "an asset that is not packed": _with_asset_at_port,
    "a bomb": _bomb,
    "a huge description": lambda: packed_by_hand(package(x="0" * 17_000_000)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_package_fails_and_leaves_no_experiment(
    other: Lab, client: Client, kind: str
) -> None:
    path = client.upload("hostile/p.zip", HOSTILE[kind]())
    before = len(other.call("GET", "experiments").json())

    activity = unpacked(other, location(client.by_grant(path)))

    assert activity["Status"] == "Failed"
    assert activity["Message"]
    assert "Traceback" not in activity["Message"]
    assert activity["ExperimentId"] is None
    assert before == len(other.call("GET", "experiments").json())


def test_a_package_that_is_not_there_fails(other: Lab, client: Client) -> None:
    activity = unpacked(other, location(client.by_grant("hostile/gone.zip")))

    assert (activity["Status"], "404" in activity["Message"]) == ("Failed", True)


def test_a_snapshot_can_be_packed(lab: Lab, other: Lab) -> None:
    created = lab.create(training_graph(lab.dataset("packed run", line(5))), "Run")
    run = lab.run(created)["RunId"]
    lab.submit(created, Description="Later")

    copy = unpacked(other, packed(lab, run)["Location"])["ExperimentId"]

    assert other.get(copy)["Description"] == "Run"
