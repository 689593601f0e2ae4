"""`alm init` on local Studio: managed models, families and experiments, valid as they stand."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from alm.adapters.declarations import Declarations
from alm.entrypoints.cli.main import cli
from tests.contract.studio.cli_world import CliWorld, cli_world
from tests.devstack.studio.experiment_client import (
    line,
    scoring_graph,
    scoring_service,
    training_graph,
)

ROOT = Path(__file__).resolve().parents[3]
SHOPS = ("north", "south", "east")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CliWorld]:
    """A workspace with a service `sales`, an endpoint for each shop, and one that retrains."""
    with cli_world(tmp_path_factory.mktemp("init")) as running:
        data = running.dataset("sales data", line(2))
        training = running.experiment("sales training", training_graph(data))
        running.ok("experiment", "run", training, "--wait")
        made = ("trained-model", "promote", training, "train-3", "--name", "sales")
        model = running.json(*made)["id"]
        graph = scoring_graph(data, model)
        running.experiment("sales predictive", graph, scoring_service())
        running.ok("experiment", "run", "sales predictive", "--wait")
        service = running.json("web-service", "deploy", "sales predictive")["id"]
        for shop in SHOPS:
            running.ok("endpoint", "create", service, shop)
        running.ok("training-service", "create", "sales training")
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "managed_models"


def init(world: CliWorld, folder: Path, *words: str) -> Result:
    given = ["init", *words, "--folder", str(folder)]
    return CliRunner().invoke(cli, given, env=world.environment)


def written(world: CliWorld, folder: Path, *words: str) -> dict[str, Any]:
    """What was written, as a document; the loader has accepted it, members too."""
    result = init(world, folder, *words)
    assert result.exit_code == 0, (result.stderr, result.exception)
    Declarations.read(folder, None).check_members()
    document: dict[str, Any] = yaml.safe_load((folder / f"{words[0]}.yaml").read_text())
    return document


NAMED = ("--target", "sales predictive/{shop}", "--training", "sales training")


def test_services_are_named_as_people_name_them(world, folder):
    document = written(
        world, folder, "sales", "--target", "sales predictive/north", *NAMED[2:],
        "--verify", "0 6 * * *", "--dataset", "in/sales/*.csv",
    )  # fmt: skip
    assert document["targets"][0]["service"]["endpoint"].endswith("/endpoints/north")
    assert document["training"]["outputs"]["model"]
    assert document["schedules"] == {"verify": "0 6 * * *"}
    assert document["dataset"] == "in/sales/*.csv"


def test_a_name_that_leaves_a_choice_is_refused_with_it(world, folder):
    refused = init(world, folder, "sales", "--target", "sales predictive")
    assert (refused.exit_code, "sales predictive/north" in refused.stderr) == (1, True)
    refused = init(world, folder, "sales", "--target", "sale predictive/north")
    assert "did you mean 'sales predictive'?" in refused.stderr
    assert not folder.exists()


def test_a_family_by_captures_is_made_from_an_endpoint_that_is_there(world, folder):
    result = init(world, folder, "shops", "--family", *NAMED, "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "3 members are there: " in result.stderr
    document = yaml.safe_load(result.stdout)
    assert not folder.exists()

    assert document == written(world, folder, "shops", "--family", *NAMED)
    assert (document["members"], document["dataset"]) == ("captures", "shops/{shop}/*.csv")
    (target,) = document["targets"]
    assert target["name"] == "{shop}"
    assert target["service"]["endpoint"].endswith("/endpoints/{shop}")
    declared = Declarations.read(folder, None)
    (member,) = declared.matching_dataset("shops/west/monday.csv")
    assert member.targets[0].service.endpoint.endswith("/endpoints/west")


def test_a_family_by_a_list_has_the_endpoints_that_are_there_or_those_named(world, folder):
    words = ("shops", "--family", "--members", "list", *NAMED)
    document = written(world, folder, *words)
    listed = [row["shop"] for row in document["members"]["list"]]
    assert sorted(listed) == sorted(SHOPS)
    (folder / "shops.yaml").unlink()
    named = written(world, folder, "shops", "--family", *NAMED, "--member", "east")
    assert named["members"] == {"list": [{"shop": "east"}]}
    assert Declarations.read(folder, None).models() == ["shops--east"]


def test_a_family_by_a_file_takes_columns_and_the_file_goes_beside_it(world, folder, tmp_path):
    file = tmp_path / "branches.csv"
    file.write_text("branch,endpoint\nn1,north\ns1,south\n")
    document = written(
        world, folder, "shops", "--family", "--members-file", str(file),
        "--member-column", "branch", "--target", "sales predictive/{endpoint}", *NAMED[2:],
    )  # fmt: skip
    assert document["members"] == {"file": "branches.csv", "key": ["branch"]}
    assert (folder / "branches.csv").read_text() == file.read_text()
    declared = Declarations.read(folder, None)
    assert declared.models() == ["shops--n1", "shops--s1"]
    found = declared.resolve("shops--s1").targets[0]
    assert (found.name, found.service.endpoint.rpartition("/")[2]) == ("s1", "south")


def test_addresses_can_be_templates_too(world, folder):
    single = written(world, folder, "one", "--target", "sales predictive/north")
    address = single["targets"][0]["service"]["endpoint"].replace("/north", "/{shop}")
    other = folder.parent / "others"
    trains = NAMED[2:]
    refused = init(world, other, "shops", "--family", "--target", address, *trains)
    assert "--sample" in refused.stderr
    words = ("shops", "--family", "--target", address, *trains, "--sample", "south")
    assert written(world, other, *words)["targets"][0]["service"]["endpoint"] == address


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--target", "sales predictive/north"), 1, "is the same for all members"),
        (("--target", "sales {shop}/north", "--member", "x"), 1, "no web service"),
        (("--target", "sales predictive/{shop}"), 1, "which needs --training"),
        (("--target", "sales predictive/{a}-{b}", *NAMED[2:]), 1, "--members-file"),
        (("--target", "sales predictive/x-{shop}", *NAMED[2:]), 1, "alm endpoint create"),
        (("--target", "sales predictive/{shop}", "--member", "a/b"), 1, "a value is made of"),
        (("--target", "sales predictive/{shop}", "--members", "all"), 2, "captures, list or file"),
        (("--target", "sales predictive/{shop}", "--members", "file"), 2, "--members-file"),
        (("--members-file", "none.csv", "--target", "x/{shop}"), 1, "cannot be read"),
        (("--experiment", "sales training"), 2, "--family"),
        ((), 2, "--target"),
    ],
)
def test_what_cannot_be_a_family_is_refused_with_what_to_do(world, folder, words, code, told):
    refused = init(world, folder, "shops", "--family", *words)
    assert (refused.exit_code, told in refused.stderr) == (code, True), refused.stderr
    assert not (folder / "shops.yaml").exists()


def test_experiments_are_declared_with_all_ten_steps(world, folder):
    document = written(world, folder, "sales", "--experiment", "sales training")
    assert (
        document["experiment"]["workspace"]["workspace"]
        == world.environment["ALM_STUDIO_WORKSPACE"]
    )
    ids = {one["name"]: one["id"] for one in world.json("experiment", "list")}
    for role in ("training", "predictive"):
        source = document["experiment"][role]["source"]
        assert source == {"experiment": ids[f"sales {role}"]}
    assert document["gate"]["task"] == "regression"
    assert document["smoke_tests"][0]["expect"]


def test_experiments_without_a_service_leave_the_smoke_tests_to_people(world, folder):
    world.experiment("bare training", training_graph(world.dataset("bare", line(2))))
    graph = scoring_graph(world.json("dataset", "list")[0]["id"], "")
    world.experiment("bare scores", graph, scoring_service())
    refused = init(world, folder, "bare", "--experiment", "bare training")
    assert "bare predictive" in refused.stderr
    words = ("--experiment", "bare training", "--predictive", "bare scores")
    document = written(world, folder, "bare", *words)
    assert document["gate"]["task"] == "regression"
    assert "smoke_tests" not in document


@pytest.mark.parametrize("name", ["../sales", "Sales", "/tmp/sales", "a b"])
def test_a_name_that_is_no_name_leads_nowhere(world, folder, name):
    refused = init(world, folder, name, "--target", "sales predictive/north")
    assert (refused.exit_code, "cannot be a name" in refused.stderr) == (1, True)


def test_a_file_is_not_written_over_and_json_names_it(world, folder):
    words = ("sales", "--target", "sales predictive/north")
    answer = json.loads(init(world, folder, *words, "--json").stdout)
    assert answer == {"file": str(folder / "sales.yaml")}
    assert "exists" in init(world, folder, *words).stderr
    assert (
        "targets:" in json.loads(init(world, folder, *words, "--dry-run", "--json").stdout)["text"]
    )


def test_on_a_terminal_what_is_missing_is_asked_for(world, folder):
    master, terminal = pty.openpty()
    words = [sys.executable, "-m", "alm", "init", "sales", "--folder", str(folder)]
    environment = {**os.environ, **world.environment, "TERM": "dumb"}
    asked = subprocess.Popen(
        words, cwd=ROOT, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    try:
        told = answered(master, {"Target": "sales predictive/north", "Training": ""})
        assert asked.wait(30) == 0, told
    finally:
        asked.kill()
        os.close(master)
    assert "training" not in yaml.safe_load((folder / "sales.yaml").read_text())


def answered(terminal: int, answers: dict[str, str]) -> str:
    """Type an answer when its question comes; returns all that was told."""
    told, ends = "", monotonic() + 30
    while monotonic() < ends:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # the other side has closed
            break
        told += piece
        for question in [one for one in answers if one in told]:
            os.write(terminal, f"{answers.pop(question)}\n".encode())
    return told
