"""The local collector: what it takes, what it refuses and why, what it shows."""

from __future__ import annotations

import gzip
import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from rich.console import Console

from devstack.collector import __main__ as command
from devstack.collector import server, store
from devstack.collector.server import Collector
from devstack.collector.tree import tree

PROTOBUF = {"Content-Type": "application/x-protobuf"}
TRACE = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    threading.Thread(target=found.serve, daemon=True).start()
    yield found
    found.close()


def request(*spans: tuple[str, int, int], trace: bytes = TRACE, model: str = "") -> bytes:
    """An export request: spans by name, number and the number of the parent."""
    told = ExportTraceServiceRequest()
    scope = told.resource_spans.add().scope_spans.add()
    for name, number, parent in spans:
        span = scope.spans.add()
        span.trace_id, span.span_id, span.name = trace, number.to_bytes(8, "big"), name
        span.parent_span_id = parent.to_bytes(8, "big") if parent else b""
        span.start_time_unix_nano, span.end_time_unix_nano = number * 10**9, (number + 1) * 10**9
        if model:
            attribute = span.attributes.add()
            attribute.key, attribute.value.string_value = "alm.model", model
    return bytes(told.SerializeToString())


def post(collector: Collector, body: bytes, path: str = "traces", **headers: str) -> Any:
    given = {**PROTOBUF, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return requests.post(f"{collector.url}/v1/{path}", data=body, headers=given, timeout=10)


def ask(collector: Collector, path: str) -> Any:
    return requests.get(f"{collector.url}/telemetry/{path}", timeout=10).json()


def test_spans_are_kept_and_shown(collector):
    assert post(collector, request(("begin", 2, 1), ("on_dataset", 1, 0))).content == b""

    spans = ask(collector, f"spans?trace={TRACE.hex()}")
    assert [(s["name"], s["seconds"]) for s in spans] == [("on_dataset", 1.0), ("begin", 1.0)]
    assert spans[1]["parent"] == spans[0]["span"] == "0000000000000001"
    assert ask(collector, "spans?trace=00") == []
    requests.delete(f"{collector.url}/telemetry", timeout=10)
    assert ask(collector, "traces") == []


@pytest.mark.parametrize(
    ("body", "headers", "status", "why"),
    [
        (b"\xff\xff junk", {}, 400, "the body is not what the path says"),
        (b"{}", {"Content_Type": "application/json"}, 415, "application/json"),
        (b"x", {"Content_Encoding": "br"}, 415, "'br'"),
        (b"no gzip at all", {"Content_Encoding": "gzip"}, 400, "not gzip"),
        (gzip.compress(b"x" * 999)[:-9], {"Content_Encoding": "gzip"}, 400, "cut off"),
        (gzip.compress(b"\0" * 40_000_000), {"Content_Encoding": "gzip"}, 413, "unpacks to more"),
    ],
    ids=["junk", "json", "brotli", "no gzip", "cut off", "bomb"],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(collector, body, headers, status, why):
    answer = post(collector, body, **headers)

    assert answer.status_code == status
    assert why in Status.FromString(answer.content).message
    assert ask(collector, "spans") == []


def test_a_body_that_is_too_long_is_not_even_read(collector, monkeypatch):
    monkeypatch.setattr(server, "BODY_BYTES_MAX", 10)

    assert post(collector, request(("begin", 1, 0))).status_code == 413


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/x"), ("GET", "/x"), ("DELETE", "/x")])
def test_a_path_that_is_none_is_told_which_there_are(collector, method, path):
    answer = requests.request(method, collector.url + path, headers=PROTOBUF, data=b"", timeout=10)

    assert answer.status_code == 404
    assert "there" in answer.text


def test_the_oldest_is_forgotten(monkeypatch):
    monkeypatch.setattr(store, "SPANS_MAX", 3)
    kept = store.Store()

    kept.put_spans({"trace": "t", "began": n} for n in range(5))

    assert [span["began"] for span in kept.spans()] == [2, 3, 4]


def test_a_series_is_its_last_value_and_there_are_not_too_many(monkeypatch):
    monkeypatch.setattr(store, "SERIES_MAX", 2)
    kept = store.Store()

    for name, value in (("a", 1), ("b", 1), ("c", 1), ("a", 2)):
        kept.put_points([{"name": name, "attributes": {}, "value": value}])

    assert [(point["name"], point["value"]) for point in kept.points()] == [("a", 2), ("b", 1)]


# -- for people ----------------------------------------------------------------------------------


def shown(collector: Collector) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(tree(collector.store.spans()))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_trace_is_a_tree_whatever_is_missing_in_it(collector):
    post(collector, request(("on_dataset", 1, 0), ("begin", 2, 1), ("retrain/[start]", 3, 2)))
    post(collector, request(("of a lost span", 5, 4)))

    lines = [line.rstrip() for line in shown(collector).splitlines()]
    assert lines[0] == f"trace {TRACE.hex()}"
    assert [
        line.index(name)
        for line, name in zip(lines[1:], ("on_d", "begin", "ret", "of a"), strict=True)
    ] == [4, 8, 12, 4]
    assert "retrain/[start]" in lines[3]
    assert "parent elsewhere" in lines[4]


def test_a_tree_may_be_deeper_than_anything_recursive(collector):
    post(collector, request(*((f"s{n}", n, n - 1) for n in range(1, 3000))))

    assert tree(collector.store.spans()) is not None


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = command.main(list(words))
    told = capsys.readouterr()
    return code, told.out + told.err


def test_the_command_shows_the_newest_trace_about_a_managed_model(collector, capsys):
    post(collector, request(("begin", 1, 0), model="churn"))
    post(collector, request(("on_sweep", 9, 0), trace=b"\1" * 16))

    code, told = run(capsys, "--url", collector.url, "tree")
    assert (code, TRACE.hex() in told, "begin" in told) == (0, True, True)
    code, told = run(capsys, "--url", collector.url, "tree", "0101")
    assert "on_sweep" in told
    code, told = run(capsys, "--url", collector.url, "traces")
    assert "churn" in told
    assert run(capsys, "--url", collector.url, "metrics")[0] == 0
    assert run(capsys, "--url", collector.url, "logs")[0] == 0
    code, told = run(capsys, "--url", collector.url, "--json", "tree", "4bf9")
    assert '"alm.model": "churn"' in told


def test_the_command_says_what_to_do_where_there_is_no_collector(capsys):
    code, told = run(capsys, "--url", "http://127.0.0.1:9", "tree")

    assert code == 1
    assert "no collector at http://127.0.0.1:9" in told
    assert "--telemetry" in told
