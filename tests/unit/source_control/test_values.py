"""Changes, repositories, pointers and canonical JSON, as values."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alm.domain.canonical import canonical_json
from alm.domain.errors import Refused
from alm.domain.source_control import (
    CHANGE_BYTES_MAX,
    Author,
    Change,
    Repository,
    Stored,
    check_path,
    check_size,
    kept,
    pointer,
    segment,
)

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DIGEST = "sha256:" + hashlib.sha256(b"model").hexdigest()
HOSTILE_PATHS = [
    *("", "/", "/etc/passwd", "a//b", "a/", "./a", "../a", "a/../b", "a/.."),
    *(".git/config", "a/.git/hooks/post-checkout", ".GIT/config", ".github/workflows/run.yml"),
    *("a\\b", "C:/a", "a:b", "a b", "ä.json", "a\nb", "a\x00b", "a\u202eb", "%2e%2e/a", "~/a"),
    *("con", "a/NUL.json", "com1", "aux.txt", "trailing.", "git~1/config", "-rf", "a" * 101),
    "/".join(["a" * 50] * 5),
]


def change(**fields: object) -> Change:
    given = {"id": "churn.r1/promote", "message": "Promote", "at": NOW, "files": {"a": b""}}
    return Change.model_validate({**given, **fields})


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_paths_are_refused(path: str):
    with pytest.raises(Refused, match="cannot be a path"):
        change(files={path: b""})


@pytest.mark.parametrize("path", ["a", "churn/v3.json", "A_b-c.1/x.tar.gz", "console/auxiliary"])
def test_plain_paths_are_kept(path: str):
    assert check_path(path) == path


@given(st.text())
def test_any_name_becomes_a_part_of_a_path(name: str):
    assert check_path(segment(name)) == segment(segment(name))


@given(st.text(), st.text())
def test_names_that_differ_stay_apart(one: str, other: str):
    assert (one == other) == (segment(one) == segment(other))


def test_a_change_cannot_hold_a_file_and_a_folder_of_one_name():
    with pytest.raises(Refused, match="'a/b' is to be a file and a folder"):
        change(files={"a/b": b"", "a/b/c": b""})
    assert change(files={"a/b": None, "a/b/c": b""}).files["a/b"] is None


def test_a_change_has_files_and_not_too_many():
    for count in (0, 1001):
        with pytest.raises(Refused, match=f"a change of {count} files"):
            change(files={f"f{number}": b"" for number in range(count)})


def test_a_change_that_is_too_large_is_refused():
    check_size(CHANGE_BYTES_MAX)
    with pytest.raises(Refused, match="lower `model_bytes_max`"):
        check_size(CHANGE_BYTES_MAX + 1)


@pytest.mark.parametrize("change_id", ["", "a b", "a\nb", "/a", "ä", "a" * 201, "a\n"])
def test_an_id_is_one_printable_word(change_id: str):
    with pytest.raises(ValidationError):
        change(id=change_id)


def test_control_characters_are_taken_out_of_a_message():
    assert change(message=" Promote\x00\x1b[31m\r\n\nv1\ud800 ").message == "Promote  [31m \n\nv1"
    with pytest.raises(ValidationError):
        change(message="\x00 \n")


def test_an_author_is_one_line_without_brackets():
    assert Author(name=" Ada ", email="ada@example.org").name == "Ada"
    for name in ("A <b>", "A\nB", "A\x00", " "):
        with pytest.raises(ValidationError):
            Author(name=name, email="ada@example.org")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "ssh://git@host/a.git"}, "no other protocol"),
        ({"url": "git@host:a.git"}, "SSH address"),
        ({"url": "https://user:secret@host/a.git"}, "name the secret in `token`"),
        ({"url": "https://host/a.git?token=1"}, "name the secret in `token`"),
        ({"url": "https://host/a.git", "branch": "../main"}, "not the name of a branch"),
        ({"url": "https://host/a.git", "branch": "main.lock"}, "not the name of a branch"),
        ({"url": "https://host/a.git", "branch": "-d"}, "not the name of a branch"),
        ({"url": "https://host/a.git", "token": "ghp_1234"}, "token"),
        ({"url": "/srv/a.git", "token": "env:TOKEN"}, "needs no `token`"),
    ],
)
def test_a_repository_that_cannot_be_is_told(fields: dict[str, object], said: str):
    with pytest.raises(ValidationError, match=said):
        Repository.model_validate(fields)


def test_a_repository_is_on_a_disk_or_behind_https():
    assert Repository(url="file:///srv/a.git").path == "/srv/a.git"
    assert Repository(url="data/a.git").path == "data/a.git"
    assert not Repository(url="https://host/a.git", branch="alm/definitions-2.x").is_local


def model(size: int) -> Stored:
    return Stored(blob="alm-versions/churn/churn-v3.ilearner", size=size, digest=DIGEST)


def test_a_model_file_is_committed_up_to_a_size_and_else_pointed_to():
    repository = Repository(url="/srv/a.git", models="file", model_bytes_max=10)

    small, large = (kept(repository, "churn/v3.ilearner", model(size)) for size in (10, 11))

    assert small.stored == {"churn/v3.ilearner": model(10)}
    assert small.files == {"churn/v3.ilearner.pointer.json": None}
    assert large.stored == {}
    assert large.files == {
        "churn/v3.ilearner.pointer.json": pointer(DIGEST, 11, model(11).blob),
        "churn/v3.ilearner": None,
    }


def test_pointers_or_nothing_are_committed_where_the_repository_says_so():
    pointed = kept(Repository(url="/srv/a.git"), "churn/v3.ilearner", model(1))
    nothing = kept(Repository(url="/srv/a.git", models="none"), "churn/v3.ilearner", model(1))

    assert list(pointed.files) == ["churn/v3.ilearner.pointer.json", "churn/v3.ilearner"]
    assert (nothing.files, nothing.stored) == ({}, {})


def test_a_pointer_says_what_and_where_and_gives_no_leave():
    text = pointer(DIGEST, 5, "https://account.blob.core.windows.net/a/b.ilearner?sv=1&sig=secret")

    assert text.decode().splitlines() == [
        "{",
        f'  "digest": "{DIGEST}",',
        '  "location": "https://account.blob.core.windows.net/a/b.ilearner",',
        '  "schema": "alm.pointer/1",',
        '  "size": 5',
        "}",
    ]


def test_equal_documents_are_equal_files():
    one = canonical_json({"b": [1, 2.5, None], "a": {"ü": "é", "x": True}})

    assert one == canonical_json({"a": {"x": True, "ü": "é"}, "b": [1, 2.5, None]})
    assert one.decode() == (
        '{\n  "a": {\n    "x": true,\n    "ü": "é"\n  },\n'
        '  "b": [\n    1,\n    2.5,\n    null\n  ]\n}\n'
    )


@pytest.mark.parametrize("document", [float("nan"), [float("inf")], {1, 2}, NOW, {"a": "\ud800"}])
def test_what_json_cannot_hold_is_refused(document: object):
    with pytest.raises(Refused, match="cannot be written as JSON"):
        canonical_json(document)
