"""The admin path: every effect, counts and log; off unless asked for."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from devstack.studio.studio import Studio, StudioOptions
from tests.devstack.studio.client import Client
from tests.devstack.studio.test_classic import line_model


def patch_body(client: Client, slope: float) -> dict[str, object]:
    path = client.upload(f"models/fault{slope}.ilearner", line_model(slope))
    name = client.sample("diabetes", "scoring", "classic", "ep2")["resource_name"]
    return {"Resources": [{"Name": name, "Location": client.by_grant(path)}]}


def endpoint_path(client: Client) -> str:
    return f"/{client.sample('diabetes', 'scoring', 'classic')['web_service_id']}/endpoints/ep2"


@pytest.mark.parametrize(("effect", "status"), [("503", 503), ("401", 401)])
def test_a_refusal_acts_as_often_as_asked(client: Client, effect: str, status: int) -> None:
    client.fault("GET", "/endpoints/ep2", effect)

    first = client.manage("GET", endpoint_path(client))
    second = client.manage("GET", endpoint_path(client))

    assert (status, 200) == (first.status_code, second.status_code)
    assert first.json()["error"]["code"] in ("ServiceUnavailable", "Unauthorized")


def test_slow_is_slow(client: Client) -> None:
    client.fault("GET", "/endpoints/ep2", "slow", seconds=0.2)

    began = time.monotonic()
    client.manage("GET", endpoint_path(client))

    assert time.monotonic() - began >= 0.2


def test_a_fault_may_let_the_first_calls_pass(client: Client) -> None:
    client.fault("GET", "/endpoints/ep2", "503", skip=2)

    answers = [client.manage("GET", endpoint_path(client)).status_code for _ in range(4)]

    assert [200, 200, 503, 200] == answers


def test_removing_a_fault_lets_a_call_go_on_that_it_slows_down(client: Client) -> None:
    wanted = {"match": {"path": "/endpoints/ep2"}, "effect": "slow", "seconds": 60}
    fault = client.admin("POST", "faults", wanted)
    began = time.monotonic()
    slow = threading.Thread(target=client.manage, args=("GET", endpoint_path(client)))
    slow.start()
    while not client.admin("GET", "faults")[0]["seen"]:
        pass

    client.admin("DELETE", f"faults/{fault['id']}")
    slow.join()

    assert time.monotonic() - began < 10
    assert [] == client.admin("GET", "faults")


def test_one_endpoint_may_take_longer_to_change_than_others(client: Client) -> None:
    client.admin("POST", "propagation", {"seconds": 0})
    client.admin("POST", "propagation", {"seconds": 3600, "name": "ep2"})
    sample = client.sample("diabetes", "scoring", "classic", "ep2")
    before = client.scores(sample)

    client.manage("PATCH", endpoint_path(client), patch_body(client, 9))

    assert before == client.scores(sample)


def test_a_lost_answer_was_carried_out(client: Client) -> None:
    client.fault("PATCH", "/endpoints/ep2", "lost_answer")

    with pytest.raises(requests.ConnectionError):
        client.manage("PATCH", endpoint_path(client), {"Description": "carried out"})

    assert client.manage("GET", endpoint_path(client)).json()["Description"] == "carried out"


def test_a_patch_may_answer_200_and_change_nothing(client: Client) -> None:
    before = client.manage("GET", endpoint_path(client)).json()["Resources"][0]["Location"]
    client.fault("PATCH", "/endpoints/ep2", "change_nothing")

    response = client.manage("PATCH", endpoint_path(client), patch_body(client, 7))

    after = client.manage("GET", endpoint_path(client)).json()["Resources"][0]["Location"]
    assert response.status_code == 200
    assert before["RelativeLocation"] == after["RelativeLocation"]


def test_a_deployment_may_succeed_and_change_nothing(client: Client) -> None:
    name = client.sample("diabetes", "scoring", "new")["web_service_name"]
    before = client.arm("GET", f"webServices/{name}").json()
    client.fault("PUT", "/webServices/", "change_nothing")

    changed = {**before, "tags": {"changed": "yes"}}
    response = client.arm("PUT", f"webServices/{name}", changed)

    assert (response.status_code, client.deployed(response)["status"]) == (200, "Succeeded")
    assert before == client.arm("GET", f"webServices/{name}").json()


def test_a_start_may_answer_204_and_start_nothing(client: Client) -> None:
    sample = client.sample("diabetes", "training", "classic")
    job_id = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})
    client.fault("POST", "/start", "change_nothing")

    client.start(sample, job_id)

    assert client.status(sample, job_id)["StatusCode"] == "NotStarted"
    client.start(sample, job_id)
    assert client.ended(sample, job_id)["StatusCode"] == "Finished"


def test_a_job_may_fail_with_details(client: Client) -> None:
    sample = client.sample("diabetes", "training", "classic")
    client.fault("POST", "/start", "fail_job", details="Error 0035: out of luck")

    status = client.run_job(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})

    assert (status["StatusCode"], status["Details"]) == ("Failed", "Error 0035: out of luck")


def test_calls_starts_and_patches_are_counted(client: Client) -> None:
    client.admin("DELETE", "calls")
    sample = client.sample("diabetes", "training", "classic")
    job_id = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})
    client.start(sample, job_id)
    client.manage("PATCH", endpoint_path(client), patch_body(client, 8))

    calls = client.admin("GET", "calls")

    counts = {route: count for route, count in calls["counts"].items() if route.startswith("P")}
    assert counts["POST /workspaces/{ws}/services/{id}/jobs/{job}/start"] == 1
    assert counts["PATCH /workspaces/{ws}/webservices/{service}/endpoints/{endpoint}"] == 1
    assert [("start", job_id), ("patch", endpoint_path(client)[1:].replace("endpoints/", ""))] == [
        (entry["event"], entry["what"]) for entry in calls["log"]
    ]
    client.ended(sample, job_id)


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "explode"},
        {"effect": "slow", "match": {"path": "["}},
        {"effect": "slow", "times": "x"},
    ],
)
def test_a_wrong_fault_is_refused(client: Client, fault: dict[str, object]) -> None:
    response = requests.post(f"{client.base_url}/admin/faults", json=fault)

    assert response.status_code == 400


def test_a_web_page_may_not_use_the_admin_path(client: Client) -> None:
    headers = {"Origin": "http://evil.example"}

    response = requests.delete(f"{client.base_url}/admin/faults", headers=headers)

    assert response.status_code == 403


def test_without_the_option_there_is_no_admin_path(tmp_path: object) -> None:
    from pathlib import Path

    with Studio(StudioOptions(data=Path(str(tmp_path)))) as studio:
        assert requests.get(f"{studio.base_url}/admin/faults").status_code == 404
