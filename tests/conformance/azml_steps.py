"""What a user of azmlclient 2.6.0 does with a web service; runs in an environment that has it.

Reads what it needs to know from standard input, prints what each step expected and saw as JSON.
The client is used as it is. Two things around it are arranged here: `autoclass`, which fails on
newer Pythons and of which it needs only a decorator that hides private fields; and where its blob
library's https address of the storage account leads.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import requests
from requests.adapters import HTTPAdapter

sys.modules["autoclass"] = ModuleType("autoclass")
sys.modules["autoclass"].autodict = lambda made: made  # type: ignore[attr-defined]

import pandas  # noqa: E402
from azmlclient import (  # noqa: E402
    AzmlException,
    AzureMLClient,
    ClientConfig,
    JobExecutionException,
    ServiceConfig,
    azureml_service,
    execute_bes,
    execute_rr,
)

POLLING_SECONDS = 0.05
DIGITS = 12


class ToStudio(HTTPAdapter):
    """Leads what goes to the storage account at Azure to that of local Studio."""

    def __init__(self, account: str, url: str) -> None:
        super().__init__()
        self._from, self._to = f"https://{account}.blob.core.windows.net/", f"{url}/{account}/"

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        assert request.url is not None and request.url.startswith(self._from), request.url
        request.url = self._to + request.url[len(self._from) :]
        return super().send(request, *args, **options)


class Steps:
    """Takes steps with what is known, and keeps what each expected and saw."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.taken: list[dict[str, Any]] = []
        self.known = known
        self.session = requests.Session()
        self.session.mount("https://", ToStudio(known["account"], known["url"]))
        self.frame = frame_of(known["table"])

    def take(self, name: str, expected: Any, seen: Any) -> None:
        """One step was taken."""
        self.taken.append({"name": name, "expected": expected, "seen": seen})

    def service(self, kind: str) -> dict[str, str]:
        """Where a service is, as the client's functions take it."""
        found = self.known["services"][kind]
        return {"api_key": found["api_key"], "base_url": found["api_location"]}

    def storage(self) -> dict[str, str]:
        """Where blobs go, as the client's functions take it."""
        return {
            "blob_storage_account": self.known["account"],
            "blob_storage_apikey": self.known["account_key"],
            "blob_container": self.known["container"],
            "blob_path_prefix": "in/a/folder",
        }

    def batch(self, kind: str, inputs: dict[str, Any], outputs: list[str], **more: Any) -> Any:
        """Run a job with the client."""
        return execute_bes(
            **self.service(kind),
            **self.storage(),
            inputs=inputs,
            output_names=outputs,
            nb_seconds_between_status_queries=POLLING_SECONDS,
            requests_session=self.session,
            **more,
        )

    def own_error(self, kind: str, path: str, body: Any, key: str = "") -> Any:
        """What Studio's own API says to a call that must fail."""
        service = self.known["services"][kind]
        headers = {"Authorization": f"Bearer {key or service['api_key']}"}
        url = f"{service['api_location']}/{path}?api-version=2.0"
        return requests.post(url, json=body, headers=headers, timeout=30).json()["error"]


def frame_of(table: dict[str, Any]) -> pandas.DataFrame:
    return pandas.DataFrame(table["Values"], columns=table["ColumnNames"]).astype(float)


def cells(frame: pandas.DataFrame) -> dict[str, Any]:
    """A frame as Studio's own answer has it, its cells as numbers.

    The client reads numbers with pandas' fast parser, which is not exact to the last digit.
    """
    rows = frame.astype(float).values.tolist()
    values = [[float(f"{cell:.{DIGITS}g}") for cell in row] for row in rows]
    return {"ColumnNames": list(frame.columns), "Values": values}


def refusal(call: Callable[[], Any]) -> Any:
    """The error that the client reports for a call that must fail."""
    try:
        call()
    except AzmlException as error:
        return error.error_dict
    return "no error"


def request_response(steps: Steps) -> None:
    """Scoring in both styles, of a classic and of a new service."""
    scored = cells(frame_of(steps.known["scored"]))
    inputs = {"input1": steps.frame}
    for kind in ("classic", "new"):
        for swagger in (False, True):
            found = execute_rr(
                **steps.service(kind),
                inputs=inputs,
                output_names=["output1"],
                use_swagger_format=swagger,
                requests_session=steps.session,
            )
            style = "swagger" if swagger else "table"
            steps.take(f"{kind} service, {style} style", scored, cells(found["output1"]))
    gaps = {"input1": steps.frame.copy()}
    gaps["input1"].iloc[0, 0] = None
    refused = refusal(lambda: execute_rr(**steps.service("classic"), inputs=gaps))
    steps.take("NaN is no JSON", "BadArgument", refused["code"])
    found = execute_rr(**steps.service("classic"), inputs=gaps, replace_NaN_with="NaN")
    steps.take("a gap is kept", 1, int(found["output1"].iloc[:, 0].isna().sum()))
    nothing = steps.frame.iloc[:0]
    empty = execute_rr(**steps.service("classic"), inputs={"input1": nothing})["output1"]
    steps.take("no rows", [scored["ColumnNames"], 0], [list(empty.columns), len(empty)])


def errors(steps: Steps) -> None:
    """Refusals arrive with code, message and details."""
    table, classic = steps.known["table"], steps.service("classic")

    def rows(frame: pandas.DataFrame, name: str = "input1", **more: Any) -> Callable[[], Any]:
        return lambda: execute_rr(**{**classic, **more}, inputs={name: frame})

    own = steps.own_error("classic", "execute", {"Inputs": {"input1": table}}, "wrong")
    steps.take("a wrong key", own, refusal(rows(steps.frame, api_key="wrong")))
    own = steps.own_error("classic", "execute", {"Inputs": {"other": table}})
    steps.take("a wrong input", own, refusal(rows(steps.frame, "other")))
    few = {"ColumnNames": table["ColumnNames"][:2], "Values": [row[:2] for row in table["Values"]]}
    own = steps.own_error("classic", "execute", {"Inputs": {"input1": few}})
    steps.take("columns are missing", own, refusal(rows(frame_of(few))))
    training = steps.service("training")
    own = steps.own_error("training", "execute", {"Inputs": {"input1": table}})
    steps.take("a training service", own, refusal(rows(steps.frame, **training)))
    gone = {"base_url": classic["base_url"][:-4] + "0000"}
    seen = refusal(rows(steps.frame, **gone))
    steps.take("no such service", "NotFound", seen["code"])


def batches(steps: Steps) -> None:
    """Jobs whose tables go through blob storage, with the client's own keys."""
    scored, inputs = cells(frame_of(steps.known["scored"])), {"input1": steps.frame}
    for kind in ("classic", "new"):
        found = steps.batch(kind, inputs, ["output1"])
        steps.take(f"a job of a {kind} service", scored, cells(found["output1"]))
    whole = {"input1": frame_of(steps.known["whole_table"])}
    found = steps.batch("training", whole, ["output2", "output3"])
    steps.take("a training job has metrics", 1, len(found["output2"]))
    steps.take("and rows held out", True, 0 < len(found["output3"]) < len(whole["input1"]))
    seen = refusal(lambda: steps.batch("training", whole, ["output1"]))
    steps.take("a model is no CSV", "InvalidBlobExtension", seen["details"][0]["code"])
    few = {"input1": steps.frame.iloc[:, :2]}
    steps.take("a failed job tells why", True, "column" in failure(steps, few))


def failure(steps: Steps, inputs: dict[str, Any]) -> str:
    try:
        steps.batch("classic", inputs, ["output1"])
    except JobExecutionException as error:
        return str(error)
    return "no error"


class Diabetes(AzureMLClient):
    """The client as its users write one: a method per service."""

    @azureml_service
    def progression(self, patients: pandas.DataFrame) -> pandas.DataFrame:
        inputs = {"input1": patients}
        return self.call_azureml(self.progression, ws_inputs=inputs, ws_output_names=["output1"])[
            "output1"
        ]


def modes(steps: Steps) -> None:
    """A configured client that changes between its modes."""
    service, storage = steps.service("classic"), steps.storage()
    config = ServiceConfig(
        **service,
        blob_account=storage["blob_storage_account"],
        blob_api_key=storage["blob_storage_apikey"],
        blob_container=storage["blob_container"],
    )
    client = Diabetes(ClientConfig(progression=config), requests_session=steps.session)
    scored = cells(frame_of(steps.known["scored"]))
    steps.take("a configured client", scored, cells(client.progression(steps.frame)))
    with client.rr_calls(use_swagger_format=True):
        steps.take("in swagger style", scored, cells(client.progression(steps.frame)))
    with client.batch_calls(polling_period_seconds=POLLING_SECONDS):
        steps.take("in batch mode", scored, cells(client.progression(steps.frame)))


def main() -> None:
    """Take all steps."""
    steps = Steps(json.load(sys.stdin))
    request_response(steps)
    errors(steps)
    batches(steps)
    modes(steps)
    print(json.dumps(steps.taken))


if __name__ == "__main__":
    main()
