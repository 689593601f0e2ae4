"""BES on the wire: submit, start, status, results, cancel, queueing, errors."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from sklearn import metrics

from devstack.studio.jobs import RUNNING_MAX
from devstack.studio.learning.ilearner import read_model
from devstack.studio.learning.tables import read_table
from tests.devstack.studio.client import Client, location

KINDS = ("classic", "new")


def code(response: requests.Response) -> tuple[int, str, str]:
    """Status, code and the first detail's code of an error."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["details"][0]["code"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_job_yields_model_evaluation_and_scored_holdout(
    client: Client, kind: str
) -> None:
    sample = client.sample("cancer", "training", kind)

    results = client.train(sample, **{"Random seed": "3"})

    assert {"output1", "output2", "output3"} == set(results)
    contents = {name: requests.get(location(result)).content for name, result in results.items()}
    assert read_model(contents["output1"]).task == "two-class"
    evaluation, holdout = read_table(contents["output2"]), read_table(contents["output3"])
    auc = metrics.roc_auc_score(
        [float(cell or 0) for cell in holdout.column("target")],
        [float(cell or 0) for cell in holdout.column("Scored Probabilities")],
    )
    assert float(evaluation.column("AUC")[0] or 0) == pytest.approx(auc, abs=1e-6)
    assert len(holdout.rows) == 171


def test_a_regression_is_trained(client: Client) -> None:
    results = client.train(client.sample("diabetes", "training", "new"))

    evaluation = read_table(requests.get(location(results["output2"])).content)

    assert evaluation.columns == (
        "Mean Absolute Error",
        "Root Mean Squared Error",
        "Relative Absolute Error",
        "Relative Squared Error",
        "Coefficient of Determination",
    )


def test_the_same_seed_gives_the_same_model_and_another_seed_another(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")

    def model(seed: str) -> bytes:
        results = client.train(sample, **{"Random seed": seed})
        return requests.get(location(results["output1"])).content

    first, second, other = model("1"), model("1"), model("2")

    assert first == second
    assert first != other


def test_a_job_does_nothing_until_it_is_started_and_starts_once(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")
    body = {"Inputs": {"input1": client.by_key(sample["dataset"])}}

    job_id = client.submit(sample, body)
    before = client.status(sample, job_id)
    client.start(sample, job_id)
    again = client.jobs(sample, "POST", f"/{job_id}/start")
    client.ended(sample, job_id)
    late = client.jobs(sample, "POST", f"/{job_id}/start")

    assert before == {"StatusCode": "NotStarted", "Results": None, "Details": None}
    assert (400, "InvalidOperation", "CannotStartJob") == code(again) == code(late)


def test_outputs_go_where_the_caller_named_them_in_both_forms(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")
    client.upload("landing/readme.txt", b"")
    body = {
        "Inputs": {"input1": client.by_grant(sample["dataset"])},
        "Outputs": {
            "output1": client.by_key("landing/a/model.ilearner"),
            "output2": client.by_grant("landing/a/evaluation.tsv", "cw"),
        },
    }

    status = client.run_job(sample, body)

    results = status["Results"]
    assert results["output1"]["RelativeLocation"] == "landing/a/model.ilearner"
    assert results["output1"]["ConnectionString"] is None
    assert results["output3"]["RelativeLocation"].startswith("experimentoutput/")
    table = read_table(client.blob("landing/a/evaluation.tsv"), extension=".tsv")
    assert table.columns[0] == "Accuracy"
    assert "sp=r&" in results["output2"]["SasBlobToken"]


def test_each_question_gives_a_grant_of_its_own(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")
    job_id = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})
    client.fault("GET", "/jobs/", "expire_sas")
    client.start(sample, job_id)

    expired = client.ended(sample, job_id)["Results"]["output1"]
    fresh = client.status(sample, job_id)["Results"]["output1"]

    assert requests.get(location(expired)).status_code == 403
    assert requests.get(location(fresh)).status_code == 200


def test_a_tsv_is_read(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")
    rows = client.dataset("cancer").replace(b",", b"\t")
    place = client.upload("landing/rows.tsv", rows)

    assert client.train(sample, place)


def test_scoring_by_batch_adds_the_scored_columns(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "classic", "ep2")
    body = {"Inputs": {"input1": client.by_key(sample["dataset"])}}

    status = client.run_job(sample, body)

    table = read_table(requests.get(location(status["Results"]["output1"])).content)
    assert table.columns[-2:] == ("Scored Labels", "Scored Probabilities")
    assert len(table.rows) == 569
    # A matrix product rounds differently for other numbers of rows, hence not ==.
    assert [float(cell or 0) for cell in table.column("Scored Probabilities")[:3]] == pytest.approx(
        [float(row[1]) for row in client.scores(sample, 3)]
    )


@pytest.mark.parametrize(
    ("rows", "parameters", "message"),
    [
        (b"a,b\n1,2\n3,4\n", {}, "column 'target' is not in the dataset"),
        (b"a,target\n" + b"1,1\n" * 20, {}, "label column 'target' has only one class ('1')"),
        (b"a,target\n", {}, "the dataset has 0 rows"),
        (b"", {}, "the dataset is empty"),
        (b"a,target\n1,0\n2,1\n" * 9, {"Test fraction": 2}, "'Test fraction' must be between"),
        (b"a,target\n1,0\n2,1\n", {"Label column": "price"}, "column 'price' is not in"),
    ],
)
def test_a_job_that_cannot_learn_fails_with_the_reason(
    client: Client, rows: bytes, parameters: dict[str, object], message: str
) -> None:
    sample = client.sample("cancer", "training", "classic")
    place = client.upload("landing/bad.csv", rows)
    body = {"Inputs": {"input1": client.by_key(place)}, "GlobalParameters": parameters}

    status = client.run_job(sample, body)

    assert status["StatusCode"] == "Failed"
    assert message in status["Details"]
    assert status["Results"] is None


def test_a_job_fails_when_its_input_is_not_there_or_its_grant_expired(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")

    def details(reference: dict[str, str]) -> str:
        status = client.run_job(sample, {"Inputs": {"input1": reference}})
        return str(status["Details"])

    assert "answered 404 BlobNotFound" in details(client.by_key("samples/none.csv"))
    assert "answered 403" in details(client.by_grant(sample["dataset"], minutes=-1))


def test_a_job_fails_when_its_output_may_not_be_written(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")
    place = client.by_grant("landing/locked.ilearner", "r")
    body = {
        "Inputs": {"input1": client.by_key(sample["dataset"])},
        "Outputs": {"output1": place},
    }

    assert "answered 403" in client.run_job(sample, body)["Details"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Inputs": {}}, "BatchJobInputsNotSpecified"),
        ({"Inputs": {"input2": {}}}, "InvalidInputNames"),
        ({"Inputs": {"input1": None}}, "MissingInputBlobInformation"),
        ({"Inputs": {"input1": {"RelativeLocation": "a-b/c.csv"}}}, "MissingInputBlobInformation"),
        ({"Inputs": []}, "RequestBodyInvalid"),
        ({"Outputs": {"output9": {}}}, "InvalidOutputOverrideName"),
        ({"GlobalParameters": {"Colour": "red"}}, "UnexpectedParameter"),
        ({"GlobalParameters": {"Random seed": "many"}}, "UserParameterInvalid"),
        ({"GlobalParameters": []}, "RequestBodyInvalid"),
    ],
)
def test_a_wrong_submission_is_refused_with_its_code(
    client: Client, change: dict[str, object], expected: str
) -> None:
    sample = client.sample("cancer", "training", "classic")
    body = {"Inputs": {"input1": client.by_key(sample["dataset"])}, **change}

    response = client.jobs(sample, "POST", "", body)

    assert response.status_code == 400
    assert expected == code(response)[2]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("landing/model.csv", "InvalidBlobExtension"),
        ("landing/../model.ilearner", "InputBlobRelativeLocationInvalid"),
        ("UPPER/model.ilearner", "ContainerSegmentInvalid"),
        ("landing", "InputBlobRelativeLocationInvalid"),
        ("landing/" + "x" * 1100 + ".ilearner", "BlobNameTooLong"),
        ("landing/a\x00b.ilearner", "InputBlobRelativeLocationInvalid"),
    ],
)
def test_a_hostile_or_wrong_output_name_is_refused(
    client: Client, place: str, expected: str
) -> None:
    sample = client.sample("cancer", "training", "classic")
    body = {
        "Inputs": {"input1": client.by_key(sample["dataset"])},
        "Outputs": {"output1": client.by_key(place)},
    }

    assert expected == code(client.jobs(sample, "POST", "", body))[2]


@pytest.mark.parametrize(
    "reference",
    [
        {"BaseLocation": "http://198.51.100.7/", "RelativeLocation": "abc/d.csv"},
        {"BaseLocation": "http://127.0.0.1@198.51.100.7/", "RelativeLocation": "abc/d.csv"},
        {"BaseLocation": "file:///etc/", "RelativeLocation": "abc/d.csv"},
        {
            "ConnectionString": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=YQ==",
            "RelativeLocation": "abc/d.csv",
        },
    ],
)
def test_a_host_that_is_not_allowed_is_never_asked(
    client: Client, reference: dict[str, str]
) -> None:
    sample = client.sample("cancer", "training", "classic")

    response = client.jobs(sample, "POST", "", {"Inputs": {"input1": reference}})

    assert response.status_code == 400
    assert code(response)[2] in ("InvalidBlob", "MissingInputBlobInformation")


def own_account(client: Client) -> str:
    """A connection string as clients write one that leave no room for an endpoint."""
    account = client.blobs.credential
    return (
        f"DefaultEndpointsProtocol=https;AccountName={account.account_name};"
        f"AccountKey={account.account_key}"
    )


def test_name_and_key_of_the_own_account_need_no_endpoint(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "classic", "ep2")
    connection = own_account(client)
    source = {"ConnectionString": connection, "RelativeLocation": sample["dataset"]}
    target = {"ConnectionString": connection, "RelativeLocation": "samples/named.csv"}

    status = client.run_job(sample, {"Inputs": {"input1": source}, "Outputs": {"output1": target}})

    assert status["StatusCode"] == "Finished", status
    assert status["Results"]["output1"]["BaseLocation"] == client.blobs.url.rstrip("/") + "/"
    written = requests.get(location(status["Results"]["output1"])).content
    assert written == client.blob("samples/named.csv") != b""


def test_another_key_is_another_account(client: Client) -> None:
    sample = client.sample("cancer", "scoring", "classic", "ep2")
    key = client.blobs.credential.account_key
    connection = own_account(client).replace(key, "YQ==")
    source = {"ConnectionString": connection, "RelativeLocation": sample["dataset"]}

    refused = client.jobs(sample, "POST", "", {"Inputs": {"input1": source}})

    assert code(refused) == (400, "BadArgument", "InvalidBlob")


def test_keys_versions_and_ids_are_checked(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")
    jobs = sample["api_location"] + "/jobs"
    key = sample["api_key"]

    wrong_key = client.call("POST", jobs, "nonsense", {}, **{"api-version": "2.0"})
    no_key = requests.post(jobs + "?api-version=2.0")
    lower = requests.get(
        f"{jobs}/{'0' * 32}?api-version=2.0", headers={"authorization": f"bearer {key}"}
    )
    no_version = client.call("POST", jobs, key, {})
    no_body = client.call("POST", jobs, key, **{"api-version": "2.0"})
    not_json = requests.post(
        jobs + "?api-version=2.0", data=b"{", headers={"Authorization": f"Bearer {key}"}
    )

    assert (401, "Unauthorized", "ScoreRequestUnauthorized") == code(wrong_key) == code(no_key)
    assert lower.status_code == 404
    assert code(no_version) == (400, "BadArgument", "BadVersionCall")
    assert code(no_body) == (400, "BadArgument", "RequestIsEmpty")
    assert code(not_json) == (400, "BadArgument", "RequestBodyInvalid")


def test_a_job_belongs_to_its_endpoint(client: Client) -> None:
    sample, other = (client.sample("cancer", "training", kind) for kind in KINDS)
    job_id = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})

    assert client.jobs(other, "GET", f"/{job_id}").status_code == 404


def test_a_cancelled_job_never_runs(client: Client) -> None:
    sample = client.sample("cancer", "training", "classic")
    job_id = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})

    assert client.jobs(sample, "DELETE", f"/{job_id}").status_code == 204

    assert client.status(sample, job_id)["StatusCode"] == "Cancelled"
    assert client.jobs(sample, "POST", f"/{job_id}/start").status_code == 400


def test_cancelling_a_finished_job_keeps_its_results(client: Client) -> None:
    sample = client.sample("diabetes", "training", "classic")
    job_id = client.submit(sample, {"Inputs": {"input1": client.by_key(sample["dataset"])}})
    client.start(sample, job_id)
    client.ended(sample, job_id)

    assert client.jobs(sample, "DELETE", f"/{job_id}").status_code == 204

    assert client.status(sample, job_id)["StatusCode"] == "Finished"


def test_jobs_may_be_started_by_many_at_once_while_others_begin_to_run(client: Client) -> None:
    sample = client.sample("diabetes", "training", "classic")
    body = {"Inputs": {"input1": client.by_key("samples/not-there.csv")}}  # fails at once

    def start() -> dict[str, Any]:
        return client.run_job(sample, body)

    with ThreadPoolExecutor(8) as threads:
        started = [threads.submit(start) for _ in range(32)]
        states = {future.result(30)["StatusCode"] for future in started}

    assert {"Failed"} == states


def test_forty_jobs_run_at_once_and_the_rest_waits_in_order(client: Client) -> None:
    sample = client.sample("diabetes", "scoring", "classic", "ep2")
    client.fault("GET", "/samples/diabetes.csv", "slow", seconds=0.4, times=None)
    body = {"Inputs": {"input1": client.by_key(sample["dataset"])}}
    job_ids = [client.submit(sample, body) for _ in range(RUNNING_MAX + 5)]

    for job_id in job_ids:
        client.start(sample, job_id)
    states = [client.status(sample, job_id)["StatusCode"] for job_id in job_ids]
    client.admin("DELETE", "faults")

    assert states.count("Running") <= RUNNING_MAX
    assert states[-1] == "NotStarted"
    assert states[RUNNING_MAX - 1] == "Running"
    assert {"Finished"} == {client.ended(sample, job_id)["StatusCode"] for job_id in job_ids}
    ordered = [job for job in client.admin("GET", "jobs") if job["id"] in job_ids]
    assert job_ids == [job["id"] for job in ordered]
    began = [job["started"] for job in ordered]
    assert began == sorted(began)


def test_a_job_that_is_cancelled_while_it_runs_writes_nothing(client: Client) -> None:
    sample = client.sample("diabetes", "scoring", "classic", "ep2")
    client.fault("GET", "/samples/diabetes.csv", "slow", seconds=0.5)
    body = {
        "Inputs": {"input1": client.by_key(sample["dataset"])},
        "Outputs": {"output1": client.by_key("landing/cancelled.csv")},
    }
    job_id = client.submit(sample, body)
    client.start(sample, job_id)

    client.jobs(sample, "DELETE", f"/{job_id}")
    client.run_job(sample, {"Inputs": body["Inputs"]})
    time.sleep(0.6)

    assert client.status(sample, job_id)["StatusCode"] == "Cancelled"
    assert not client.blobs.get_blob_client("landing", "cancelled.csv").exists()


def test_the_oldest_form_with_one_input_is_taken(client: Client) -> None:
    sample = client.sample("diabetes", "scoring", "classic", "ep2")

    status = client.run_job(sample, {"Input": client.by_key(sample["dataset"])})

    assert status["StatusCode"] == "Finished"
