"""Declarations on the local stack: filled in, copied, checked; and commands without a stack."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import declarations
from devstack.declarations import NotDeclared
from devstack.kept_addresses import NoStack, keep_addresses, kept_addresses

ROOT = Path(__file__).resolve().parents[2]
ADDRESSES = {
    "base_url": "http://127.0.0.1:1",
    "workspace_id": "w",
    "samples": [
        {"name": "churn", "role": "scoring", "kind": "classic", "web_service_id": "s"},
        {"name": "churn", "role": "scoring", "kind": "new", "arm_resource_id": "/subscriptions/x"},
    ],
    "experiments": [{"name": "churn", "role": "training", "experiment_id": "w.f-id.e"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "from").mkdir()
    return tmp_path / "from"


def test_names_of_the_stack_are_filled_in(folder: Path, tmp_path: Path) -> None:
    text = "a: ${churn-scoring}\nb: ${churn-scoring-new}\nc: ${churn-training-experiment}\n# ${…}\n"
    (folder / "one.yaml").write_text(text)

    (written,) = declarations.take(folder, tmp_path / "to", ADDRESSES, keep=False)

    address = "http://127.0.0.1:1/workspaces/w/webservices/s"
    assert written.read_text() == f"a: {address}\nb: /subscriptions/x\nc: w.f-id.e\n# ${{…}}\n"


def test_a_name_that_the_stack_does_not_have_is_told_with_those_it_has(folder: Path) -> None:
    (folder / "one.yaml").write_text("a: ${chrun-scoring}\n")
    with pytest.raises(NotDeclared, match=r"nothing called 'chrun-scoring'.*churn-scoring"):
        declarations.take(folder, folder / "to", ADDRESSES, keep=False)
    assert not (folder / "to").exists()


def test_a_folder_without_declarations_is_told(folder: Path) -> None:
    with pytest.raises(NotDeclared, match="has no declaration"):
        declarations.take(folder, folder / "to", ADDRESSES, keep=False)


def test_what_people_changed_is_kept_when_the_stack_starts_again(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "one.yaml").write_text("first: 1\n")
    declarations.take(folder, tmp_path / "to", ADDRESSES, keep=True)
    (tmp_path / "to/one.yaml").write_text("changed: 1\n")

    assert [] == declarations.take(folder, tmp_path / "to", ADDRESSES, keep=True)
    assert (tmp_path / "to/one.yaml").read_text() == "changed: 1\n"
    declarations.take(folder, tmp_path / "to", ADDRESSES, keep=False)
    assert (tmp_path / "to/one.yaml").read_text() == "first: 1\n"


def test_the_same_content_again_is_no_change(folder: Path, tmp_path: Path) -> None:
    (folder / "one.yaml").write_text("first: 1\n")
    declarations.take(folder, tmp_path / "to", ADDRESSES, keep=False)
    before = declarations.state(tmp_path / "to")

    declarations.take(folder, tmp_path / "to", ADDRESSES, keep=False)

    assert before == declarations.state(tmp_path / "to")


def test_the_app_says_what_it_would_not_accept(folder: Path) -> None:
    (folder / "one.yaml").write_text("model: one\nonly: this\n")
    assert "from/one.yaml:2: " in declarations.mistakes(folder, ROOT)
    assert "" == declarations.mistakes(ROOT / "managed_models", ROOT)


def test_addresses_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    keep_addresses(tmp_path, ADDRESSES)
    assert kept_addresses(tmp_path) == json.loads(json.dumps(ADDRESSES))
    assert (tmp_path / "addresses.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "words", [["declare", "examples/one-model"], ["upload", "README.md", "a/b"], ["missed"]]
)
def test_a_command_without_a_stack_says_how_to_start_one(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(NoStack):
        kept_addresses(tmp_path)

    command = [sys.executable, "-m", "devstack", *words, "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "start one (make dev)" in done.stderr
    assert "Traceback" not in done.stderr
