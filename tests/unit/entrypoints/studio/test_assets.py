"""Datasets, trained models, transforms, modules and node outputs by hand."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alm.domain.errors import Conflict, NotFound, Unavailable
from alm.entrypoints.cli.client import Client
from tests.devstack.studio.experiment_client import line
from tests.unit.entrypoints.api_server import ApiServer
from tests.unit.entrypoints.app_world import CHURN, KEYS, AppWorld

# -- datasets ------------------------------------------------------------------------------------


def test_a_dataset_is_uploaded_and_its_schema_waited_for(desk):
    desk.workspace().schema_looks = 3
    file = desk.file("day1.csv", line(2))
    answer = desk.json("dataset", "upload", file, "--description", "first")
    assert (answer["name"], answer["type"], answer["schema"]) == (
        "day1.csv", "GenericCSV", "Complete",
    )  # fmt: skip
    assert desk.workspace().contents[answer["id"]] == line(2)


def test_a_taken_name_needs_a_new_version_and_a_free_one_none(desk):
    file = desk.file("day1.csv", line(2))
    first = desk.json("dataset", "upload", file, "--name", "churn")["id"]
    assert "--new-version" in desk.refused("dataset", "upload", file, "--name", "churn")
    second = desk.json("dataset", "upload", file, "--name", "churn", "--new-version")["id"]
    assert first.split(".")[1] == second.split(".")[1]
    assert "leave --new-version out" in desk.refused(
        "dataset", "upload", file, "--name", "new", "--new-version"
    )
    assert [row["id"] for row in desk.json("dataset", "list")] == [second]


def test_an_interrupted_upload_registers_nothing_and_says_so(desk):
    desk.workspace().fail("upload", KeyboardInterrupt())
    result = desk.run("dataset", "upload", desk.file("day1.csv", line(2)))
    assert result.exit_code == 130
    assert "nothing was registered as 'day1.csv': repeat the command" in result.stderr


def test_a_file_that_changes_during_the_upload_is_not_registered(desk, monkeypatch):
    path = Path(desk.file("day1.csv", line(2)))
    workspace = desk.workspace()
    plain = workspace.upload

    def upload(declared: Any, content: Any, **more: Any) -> str:
        changed = io.BytesIO(content.read()[:-1] + b"9")
        return plain(declared, changed, **more)

    monkeypatch.setattr(workspace, "upload", upload)
    why = desk.refused("dataset", "upload", str(path))
    assert "changed while it was uploaded" in why
    assert desk.json("dataset", "list") == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("rows.xyz", b"a,b", "give it with --type"),
        ("empty.csv", b"", "is empty"),
        ("gone.csv", None, "cannot be read"),
    ],
)
def test_what_cannot_be_uploaded_is_told_before_anything_is_sent(desk, name, content, why):
    file = desk.file(name, content) if content is not None else str(desk.folder / name)
    assert why in desk.refused("dataset", "upload", file)
    assert desk.workspace().calls["upload"] == 0


def test_an_upload_that_broke_off_and_a_lost_race_are_told(desk):
    file = desk.file("day1.csv", line(2))
    desk.workspace().fail("upload", Unavailable("it broke off, nothing was registered"))
    assert "nothing was registered" in desk.refused("dataset", "upload", file, code=3)
    desk.workspace().fail("upload", Conflict("the name is taken"))
    assert "the name is taken" in desk.refused("dataset", "upload", file)


def test_a_dataset_is_downloaded_whole_and_not_over_a_file(desk, tmp_path):
    desk.workspace().put_asset("dataset", "churn", b"a,b\n1,2\n")
    target = tmp_path / "churn.csv"
    answer = desk.json("dataset", "download", "churn", "--to", str(target))
    assert (answer["size"], target.read_bytes()) == (8, b"a,b\n1,2\n")
    assert "--force" in desk.refused("dataset", "download", "churn", "--to", str(target))
    assert desk.ok("dataset", "download", "churn", "--to", "-") == "a,b\n1,2\n"
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_deleting_a_dataset_says_what_goes_and_asks(desk):
    first = desk.workspace().put_asset("dataset", "churn")
    desk.workspace().put_asset("dataset", "churn", family=first.split(".")[1])
    asked = desk.run("dataset", "delete", "churn", answer="n\n")
    assert (asked.exit_code, "all of its versions" in asked.stderr) == (1, True)
    assert desk.json("dataset", "delete", "churn", "--yes")["deleted"] == "churn"
    assert "there is no dataset" in desk.refused("dataset", "delete", "churn", "--yes")


# -- trained models and transforms ---------------------------------------------------------------


def test_a_trained_model_is_promoted_from_the_node_that_trains(desk):
    made = desk.finished()
    answer = desk.json("trained-model", "promote", made, "Train Model", "--name", "churn")
    assert answer["promoted_from"] == f"{made}.train-3.Trained model"
    why = desk.refused("trained-model", "promote", made, "train-3", "--name", "churn")
    assert "--new-version" in why
    again = desk.json("trained-model", "promote", made, "train-3", "--name", "churn",
                      "--new-version")  # fmt: skip
    assert again["id"] != answer["id"]


def test_promoting_from_a_snapshot_twice_makes_one_asset(desk):
    desk.finished()
    snapshot = desk.workspace().runs[0]
    promote = ("trained-model", "promote", snapshot, "train-3", "--name", "churn")
    first = desk.json(*promote)
    assert desk.json(*promote)["id"] == first["id"]
    assert desk.workspace().calls["promote"] == 1


def test_only_a_run_that_ended_well_is_promoted_from(desk):
    made = desk.experiment()
    why = desk.refused("trained-model", "promote", made, "train-3")
    assert (
        f"is a draft: what is saved has not been run yet; run it (alm experiment run {made}" in why
    )
    desk.workspace().fails_runs = "no label"
    desk.run("experiment", "run", made, "--wait")
    assert "no label" in desk.refused("trained-model", "promote", made, "train-3")


def test_several_outputs_need_a_name(desk):
    made = desk.finished()
    why = desk.refused("dataset", "promote", made, "split-1")
    assert "'Results dataset1', 'Results dataset2'" in why
    desk.ok("dataset", "promote", made, "split-1", "results dataset2", "--name", "holdout")
    assert desk.json("dataset", "list")[-1]["name"] == "holdout"


def test_a_trained_model_without_address_comes_from_the_run_that_made_it(desk, tmp_path):
    made = desk.finished()
    desk.ok("trained-model", "promote", made, "train-3", "--name", "my churn")
    target = tmp_path / "m.ilearner"
    desk.ok("trained-model", "download", "my churn", "--to", str(target))
    assert b"train-3 Trained model" in target.read_bytes()
    desk.workspace().put_asset("trained_model", "elsewhere")
    assert "names no address" in desk.refused(
        "trained-model", "download", "elsewhere", "--to", str(tmp_path / "x")
    )


def test_lists_of_what_there_is(desk):
    desk.workspace().put_asset("transform", "normal")
    assert desk.json("transform", "list")[0]["name"] == "normal"
    assert desk.json("trained-model", "list") == []
    desk.experiment()
    desk.workspace().module_ids.append(f"{'d' * 32}.{'c' * 32}.v1-default-3")
    listed = desk.json("module", "list")
    assert "Train Model" in [row["name"] for row in listed]
    assert [row["family"] for row in desk.json("module", "list", "--custom")] == ["c" * 32]


# -- node outputs --------------------------------------------------------------------------------


def test_node_outputs_are_listed_and_downloaded(desk, tmp_path):
    made = desk.finished()
    there = {row["output"]: row["there"] for row in desk.json("node-output", "list", made)}
    assert there["Trained model"] == "yes"
    target = tmp_path / "m.ilearner"
    snapshot = desk.workspace().runs[0]
    desk.ok("node-output", "download", snapshot, "train-3", "--to", str(target))
    assert target.read_bytes() == f"{snapshot} train-3 Trained model".encode()
    desk.workspace().fail("output", NotFound("not yet"))
    assert "not yet" in desk.refused("node-output", "download", made, "train-3", "--force")


@pytest.fixture
def api(desk, tmp_path) -> Iterator[AppWorld]:
    """The app's API, to which commands are connected."""
    world = AppWorld(tmp_path / "declared")
    with ApiServer(world) as server:
        desk.api = Client(server.url, KEYS["operator"])
        yield world


def test_a_node_output_is_handed_to_the_app_as_a_candidate(desk, api):
    made = desk.finished()
    answer = desk.json("node-output", "download", made, "train-3", "--into", "churn")
    assert answer["accepted"] == ["churn"]
    (trigger,) = api.messages()
    assert desk.workspace().runs[0] in str(trigger)
    assert "name one of them" in desk.refused(
        "node-output", "download", made, "train-3", "--into", "churn", "--to", "x"
    )


def test_a_declaration_can_name_the_workspace(desk):
    desk.file("managed_models/churn.yaml", yaml.safe_dump(CHURN))
    assert desk.json("workspace", "show", "--of", "churn")["id"] == "a" * 32
    without = {key: value for key, value in CHURN.items() if key != "workspace"}
    desk.file("managed_models/churn.yaml", yaml.safe_dump(without))
    assert "names no workspace" in desk.refused("workspace", "show", "--of", "churn")
