"""Documents are written one way, and what cannot be read is refused in plain words."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.domain.canonical import canonical_json
from alm.domain.documents import BYTES_MAX, read_object
from alm.domain.errors import Refused

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, JSON, max_size=5))
def test_what_was_written_is_read_and_written_the_same(document: dict[str, Any]):
    content = canonical_json(document)

    assert document == read_object(content, "it")
    assert content == canonical_json(read_object(content, "it"))


def test_keys_are_sorted_and_letters_stay_letters():
    assert canonical_json({"b": 1, "a": "ö"}) == '{\n  "a": "ö",\n  "b": 1\n}\n'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_has_no_word_for_is_refused(value: object):
    with pytest.raises(Refused, match="cannot be written as JSON"):
        canonical_json({"a": value})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_files_of_any_tool_are_read(encoding: str):
    assert {"a": "ö"} == read_object('{"a": "ö"}'.encode(encoding), "it")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"  \n", "it is empty"),
        (b'{"a": [1, 2', "cut off"),
        (b'{"a": "xx', "cut off"),
        (b"<html>", "begins with '<html>'"),
        (b'{"a" 1}', "line 1, column 6"),
        (b'{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> x\n}', "merge conflict"),
        (b"[1]", "it is a list"),
        (b"7", "it is a single value"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b'{"\\ud800": 1}', "half a character"),
        (b"\xff\xfe\xff", "not text"),
        (b'{"a": "\xff"}', "not text at byte 7"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "nested more than 100 levels"),
        (b'{"a":' * 200_000, "nested too deep|cut off"),
        (b"[" * 4_000_000 + b"]" * 4_000_000, "nested too deep"),
        (b"{" + b" " * BYTES_MAX + b"}", "more than the 8,388,608"),
        (b"\x00" * 10_000_000, "more than the"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(content: bytes, why: str):
    with pytest.raises(Refused, match=why):
        read_object(content, "it")


@given(st.binary(max_size=60))
def test_no_bytes_make_reading_fail_in_another_way(content: bytes):
    with contextlib.suppress(Refused):
        assert isinstance(read_object(content, "it"), dict)


@given(st.text(max_size=40))
def test_no_text_makes_reading_fail_in_another_way(text: str):
    with contextlib.suppress(Refused):
        read_object(json.dumps({"a": text, text: 1}).encode(), "it")
