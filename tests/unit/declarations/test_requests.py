"""Requests of other systems: what is understood, and how each mistake is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from alm.domain.errors import Refused
from alm.domain.requests import NEEDS, Request, read_request, request_schema
from alm.domain.run import Reply
from alm.engine import sending
from alm.entrypoints.published import schemas

STORED = Path(__file__).resolve().parents[3] / "docs"


def read(
    body: object, *, message_id: str = "m1", correlation: str = "", reply_to: str = ""
) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_request(raw, message_id, correlation, reply_to)


def refusal(body: object, **properties: str) -> str:
    with pytest.raises(Refused) as error:
        read(body, **properties)
    return str(error.value)


def test_properties_of_the_message_stand_in_for_what_the_body_leaves_out():
    body = {"kind": "retrain", "model": "churn"}
    request = read(body, message_id="m1", correlation="c1", reply_to="answers")
    assert (request.id, request.correlation_id, request.reply_to) == ("m1", "c1", "answers")


def test_the_body_wins_over_the_properties():
    body = {"kind": "retrain", "model": "churn", "id": "b", "correlation_id": "c", "reply_to": "q"}
    request = read(body, message_id="m1", correlation="c1", reply_to="answers")
    assert (request.id, request.correlation_id, request.reply_to) == ("b", "c", "q")


def test_an_azure_message_id_is_accepted():
    guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert read({"kind": "verify", "family": "shops"}, message_id=guid).id == guid


@pytest.mark.parametrize(
    ("kind", "pipeline"),
    [
        ("retrain", "retrain"),
        ("publish", "publish"),
        ("roll_back", "roll_back"),
        ("verify", "verify"),
        ("smoke_test", "verify"),
        ("approve", None),
        ("refuse", None),
        ("cancel", None),
    ],
)
def test_each_kind_leads_to_its_pipeline(kind, pipeline):
    needed = {"blob": "churn/a.ilearner", "version": "v3", "run": "churn.r1", "digest": "d1"}
    body = {"kind": kind, "model": "churn"}
    body |= {name: needed[name] for name in NEEDS.get(kind, ()) if name in needed}
    assert read(body).pipeline == pipeline


@pytest.mark.parametrize("blob", ["churn/a.ilearner", "trained-models/churn/a.ilearner"])
def test_a_file_is_named_with_or_without_its_container(blob):
    request = read({"kind": "publish", "model": "churn", "blob": blob})
    assert request.blob_name == "churn/a.ilearner"


def test_a_typo_is_told_with_the_word_that_was_meant():
    told = refusal({"kind": "retrian", "modle": "churn"})
    assert "kind: 'retrian' is not a request; did you mean 'retrain'?" in told
    assert "'modle': no such field; did you mean 'model'?" in told


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "kind: missing"),
        ({"kind": "retrain"}, "neither is given"),
        ({"kind": "retrain", "model": "a", "family": "b"}, "both given"),
        ({"kind": "retrain", "model": "Churn"}, "model: 'Churn' is not accepted"),
        ({"kind": "retrain", "model": "a", "version": "v1"}, "version: means nothing to 'retrain'"),
        ({"kind": "publish", "model": "a"}, "blob: missing"),
        ({"kind": "publish", "model": "a", "blob": "../a"}, "blob: the name has a path segment"),
        ({"kind": "roll_back", "model": "a"}, "version: missing"),
        ({"kind": "roll_back", "model": "a", "version": "3"}, "version: '3' is not accepted"),
        ({"kind": "roll_back", "model": "a", "version": "v01"}, "version: 'v01'"),
        ({"kind": "approve", "model": "a", "run": "a.r1"}, "digest: missing"),
        ({"kind": "cancel", "family": "a", "run": "a.r1"}, "family: 'cancel' is about one run"),
        ({"kind": 5, "model": "a"}, "kind: 5 is not accepted"),
        ({"kind": "retrain", "model": 7}, "model: is a number"),
        ({"kind": "retrain", "model": ["a"]}, "model: is an array"),
        ({"kind": "retrain", "model": "a", "schema": "1"}, "schema: '1' is not accepted"),
        ({"kind": "retrain", "model": "a", "schema": 2}, "schema: 2 is not accepted"),
        ({"kind": "retrain", "model": "a", "id": 5}, "id: is a number"),
        ({"kind": "retrain", "model": "a", "id": "a b"}, "id: 'a b' is not accepted"),
        ({"kind": "retrain", "model": "a", "by": "x\ny"}, "by: 'x\\ny' is not accepted"),
        ({"kind": "retrain", "model": "a", "reply_to": "q?x"}, "reply_to: 'q?x' is not accepted"),
        (b"", "not JSON"),
        (b"[]", "is an array"),
        (b'"retrain"', "is a string"),
        (b"null", "is null"),
        (b"12", "is a number"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"kind": NaN}', "NaN is not a JSON number"),
        (b'{"kind": "retrain", "kind": "verify", "model": "a"}', "'kind': given twice"),
        (b'{"kind": "retrain", "model": "a", "x": {"b": 1, "b": 2}}', "'b': given twice"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"a":' * 10_000, "nested too deeply"),
        (b"1" * 5_000, "not JSON"),
        (b"x" * (256 << 10), "262144 bytes"),
        (b'{"kind": "\\ud800", "model": "a"}', "kind: '\\ud800' is not accepted"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_mistake_is_told_with_its_field_and_a_remedy(body, words):
    assert words in refusal(body)


def test_every_mistake_is_told_at_once():
    told = refusal({"kind": "publish", "version": "v1", "blob": "a//b"})
    assert told.count(";") >= 3
    for field in ("model, family:", "version:", "blob:"):
        assert field in told


def test_a_flood_of_mistakes_is_cut_short():
    assert len(refusal({f"field{index}": 1 for index in range(2_000)})) < 20_000


def test_an_order_without_any_id_is_refused():
    assert "id: missing" in refusal({"kind": "retrain", "model": "a"}, message_id="")


def test_a_byte_order_mark_is_no_mistake():
    assert read(b'\xef\xbb\xbf{"kind": "verify", "model": "a"}').kind == "verify"


@given(st.binary(max_size=200))
def test_junk_is_refused_and_nothing_else_happens(junk):
    refusal(junk)


texts = st.text(max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | texts | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
fields = st.sampled_from(
    ["kind", "model", "family", "id", "blob", "run", "version", "schema", "by"]
)


@given(st.dictionaries(fields, json_values | st.sampled_from(["publish", "retrain", "a"])))
def test_any_object_is_a_request_or_refused(body):
    try:
        read(body)
    except Refused as error:
        assert str(error)


def test_the_published_schema_is_current():
    for name, text in schemas.schemas().items():
        assert (STORED / name).read_text(encoding="utf-8") == text, (
            f"{name} is stale: run `python -m alm.entrypoints.published.schemas`"
        )


def test_the_schema_names_what_each_kind_needs():
    schema = request_schema()
    assert schema["additionalProperties"] is False
    needed = {
        rule["if"]["properties"]["kind"]["const"]: tuple(rule["then"]["required"])
        for rule in schema["allOf"]
    }
    assert needed == dict(NEEDS)


def test_the_schema_writer_writes_every_schema(tmp_path):
    schemas.write(tmp_path)
    written = (path for path in tmp_path.rglob("*") if path.is_file())
    assert sorted(str(path.relative_to(tmp_path)) for path in written) == sorted(schemas.schemas())
    kept = [*STORED.glob("schemas/*.json"), *STORED.glob("*.json")]
    assert sorted(str(path.relative_to(STORED)) for path in kept) == sorted(schemas.schemas())


@pytest.mark.parametrize("event", ["accepted", "refused", "ended"])
def test_an_answer_is_what_its_schema_says(event):
    facts = {"run": "churn.r7", "result": "ok", "why": ""} if event == "ended" else {}
    sent = sending.answer(Reply(queue="q", request="r"), event, model="churn", **facts)
    schema = json.loads(schemas.schemas()["schemas/answer.json"])
    said = {"schema": 1, "request": "r", "event": event, "model": "churn", **facts}
    assert json.loads(sent.body) == said
    assert said.keys() <= schema["properties"].keys()
    Draft202012Validator(schema).validate(said)
