"""What the article on lifecycle management lets people do by hand, on local Studio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alm.entrypoints.cli.main import cli
from tests.contract.studio.cli_world import CliWorld, cli_world
from tests.devstack.studio.experiment_client import (
    Lab,
    line,
    scoring_graph,
    scoring_service,
    training_graph,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CliWorld]:
    folder: Path = tmp_path_factory.mktemp("cli")
    with cli_world(folder) as running:
        yield running


def test_a_workspace_tells_what_it_is_and_who_is_in_it(world):
    assert world.json("workspace", "show")["name"] == "local-studio"
    assert [user["role"] for user in world.json("workspace", "users")] == ["Owner"]


def test_run_history_and_saving_a_snapshot_with_newer_assets(world):
    first = world.dataset("history", line(2))
    experiment = world.experiment("with history", training_graph(first))
    world.ok("experiment", "run", experiment, "--wait")
    second = world.dataset("history", line(3), "--new-version")
    world.ok("experiment", "update-assets", experiment)
    world.ok("experiment", "set-parameter", experiment, "split-1", "Random seed", "7")

    entries = world.json("experiment", "history", "with history")
    assert [entry["edit"] for entry in entries] == ["editable", "locked"]
    assert [entry["status"] for entry in entries] == ["Draft", "Finished"]

    snapshot = entries[1]["id"]
    opened = world.json("experiment", "open", snapshot)
    assert (opened["locked"], {use["id"] for use in opened["uses"]}) == (True, {first})
    saved = world.json("experiment", "save-as", snapshot, "--name", "from history")
    assert second in saved["adopted"][0]
    uses = world.json("experiment", "show", saved["id"])["uses"]
    assert {use["id"] for use in uses} == {second}
    kept = world.json("experiment", "save-as", snapshot, "--name", "kept", "--keep-assets")
    uses = world.json("experiment", "show", kept["id"])["uses"]
    assert {use["id"] for use in uses} == {first}
    assert {use["id"] for use in world.json("experiment", "open", snapshot)["uses"]} == {first}
    assert "locked" in world.refused("experiment", "set-parameter", snapshot, "split-1", "x", "1")


def test_the_run_history_tells_which_runs_were_partial_and_which_failed(world):
    data = world.dataset("partly", line(2))
    experiment = world.experiment("run in parts", training_graph(data))
    world.ok("experiment", "run", experiment, "--wait")
    with world.client() as client:
        run_part_of(Lab(client), experiment, "split-1", "learner-2")
        run_part_of(Lab(client), experiment, "train-3", label="no such column")

    entries = world.json("experiment", "history", experiment)

    assert [(entry["place"], entry["edit"], entry["status"]) for entry in entries] == [
        ("", "editable", "Failed (Partial run)"),
        ("@1", "locked", "Failed (Partial run)"),
        ("@2", "locked", "Finished (Partial run)"),
        ("@3", "locked", "Finished"),
    ]
    assert "@2  locked" in world.ok("experiment", "history", experiment)
    why = world.refused("dataset", "promote", f"{experiment}@1", "train-3", "--name", "none")
    assert "no such column" in why
    world.ok("experiment", "set-parameter", experiment, "split-1", "Random seed", "3")
    assert world.json("experiment", "history", experiment)[0]["status"] == "Draft"
    names = [world.json("experiment", "open", f"{experiment}@{at}")["status"] for at in (1, 2, 3)]
    assert names == [entry["status"] for entry in entries[1:]], "a snapshot keeps its status"


def run_part_of(lab: Lab, experiment: str, *nodes: str, label: str = "y") -> None:
    """Run some modules as Studio's page does ("Run selected"), and wait for the end."""
    graph = lab.get(experiment)["Graph"]
    for node in graph["ModuleNodes"]:
        node["IsPartOfPartialRun"] = node["Id"] in nodes
        if node["Id"] == "train-3":
            node["ModuleParameters"][0]["Value"] = label
    assert lab.submit(experiment, ExperimentGraph=graph, IsDraft=False).ok
    lab.ended(experiment)


def test_a_run_by_hand_is_never_partial_whatever_was_marked_before(world):
    experiment = world.experiment("whole", training_graph(world.dataset("whole", line(2))))
    with world.client() as client:
        run_part_of(Lab(client), experiment, "split-1")
    assert world.json("experiment", "nodes", experiment)[4]["state"] != "Finished"

    world.ok("experiment", "run", experiment, "--wait")

    assert world.json("experiment", "history", experiment)[0]["status"] == "Finished"
    states = {row["state"] for row in world.json("experiment", "nodes", experiment)}
    assert states == {"Finished"}


def test_deleting_an_experiment_tells_what_goes_with_it(world):
    data = world.dataset("deleted", line(2))
    experiment = world.experiment("to be deleted", training_graph(data))
    for _ in range(2):
        world.ok("experiment", "run", experiment, "--wait")
    asked = world.run("experiment", "delete", experiment)
    assert (asked.exit_code, "with its 2 snapshots" in asked.stderr) == (1, True)
    answer = world.json("experiment", "delete", experiment, "--yes")
    assert answer["snapshots"] == 2
    assert "404" in world.refused("experiment", "show", experiment)


def test_an_export_is_imported_into_another_workspace(world):
    here = world.dataset("moved", line(2))
    world.experiment("moving", training_graph(here))
    file = str(world.path("moving-out.json"))
    world.ok("experiment", "export", "moving", "--to", file)
    assert world.ok("experiment", "export", "moving") == Path(file).read_text()
    _, there = world.other_workspace("elsewhere")

    refused = world.refused("experiment", "import", file, **there)
    assert here in refused
    assert "nothing was written" in refused
    path = world.file("there.csv", line(2))
    moved = world.json("dataset", "upload", path, "--name", "moved", **there)["id"]
    assert f"--map {here}={moved}" in world.refused("experiment", "import", file, **there)

    made = world.json("experiment", "import", file, "--map", f"{here}={moved}", **there)
    world.ok("experiment", "run", made["id"], "--wait", **there)
    assert "dataset" in world.ok("experiment", "diff", file, made["id"], **there)
    again = world.json("experiment", "import", file, "--overwrite", "moving")
    assert again["overwritten"] == "yes"
    assert world.ok("experiment", "diff", file, "moving").strip() == "no difference"


def test_an_experiment_is_copied_with_its_assets(world):
    data = world.dataset("copied", line(2))
    experiment = world.experiment("original", training_graph(data))
    world.ok("experiment", "run", experiment, "--wait")
    copied = world.json("experiment", "copy", "original", "--name", "same place")
    assert world.json("experiment", "show", copied["id"])["status"] == "Draft"
    other, there = world.other_workspace("copies")
    answer = world.json(
        *("experiment", "copy", "original", "--name", "far", "--to-workspace", other),
        *("--to-token", "env:OTHER_TOKEN"),
        OTHER_TOKEN=there["ALM_STUDIO_WORKSPACE_TOKEN"],
    )
    assert world.json("experiment", "list", **there)[0]["name"] == "far"
    assert [one["name"] for one in world.json("dataset", "list", **there)] == ["copied"]
    world.ok("experiment", "run", answer["id"], "--wait", **there)


def test_an_experiment_is_kept_in_a_git_repository(world, tmp_path):
    data = world.dataset("in git", line(2))
    world.experiment("versioned", training_graph(data))
    git = {"ALM_GIT": json.dumps({"url": str(tmp_path / "alm.git")})}
    first = world.json("experiment", "export", "versioned", "--commit", **git)
    world.ok("experiment", "set-parameter", "versioned", "split-1", "Random seed", "9")
    second = world.json("experiment", "export", "versioned", "--commit", **git)
    assert first["commit"] != second["commit"]
    path = f"repo:{first['path']}"
    changes = world.ok("experiment", "diff", f"{path}@{first['commit']}", path, **git)
    assert "'Random seed'" in changes
    world.ok("experiment", "import", f"{path}@{first['commit']}", "--overwrite", "versioned", **git)
    nodes = {row["id"]: row for row in world.json("experiment", "nodes", "versioned")}
    assert nodes["split-1"]["parameters"]["Random seed"] == "0"


def test_the_command_line_itself_is_connected_to_studio(world):
    result = CliRunner().invoke(cli, ["workspace", "show", "--json"], env=world.environment)
    assert (result.exit_code, json.loads(result.stdout)["name"]) == (0, "local-studio")
    wrong = {**world.environment, "ALM_STUDIO_WORKSPACE_TOKEN": "another"}
    result = CliRunner().invoke(cli, ["workspace", "show"], env=wrong)
    assert (result.exit_code, "401" in result.stderr, "another" in result.stderr) == (
        1,
        True,
        False,
    )
    away = {**world.environment, "ALM_STUDIO_URL": "http://127.0.0.1:1"}
    assert CliRunner().invoke(cli, ["experiment", "list"], env=away).exit_code == 3


def trained(world: CliWorld, name: str) -> tuple[str, str]:
    """A training experiment that ran, and its model as an asset."""
    data = world.dataset(f"{name} data", line(2))
    experiment = world.experiment(f"{name} training", training_graph(data))
    world.ok("experiment", "run", experiment, "--wait")
    model = world.json("trained-model", "promote", experiment, "train-3", "--name", name)["id"]
    return data, model


def test_the_steps_of_versioning_a_classic_web_service(world):
    data, model = trained(world, "classic")
    world.experiment("classic predictive", scoring_graph(data, model), scoring_service())
    world.ok("experiment", "run", "classic predictive", "--wait")
    service = world.json("web-service", "deploy", "classic predictive")["id"]
    world.ok("endpoint", "create", service, "ep2")

    world.dataset("classic data", line(5), "--new-version")
    world.ok("experiment", "update-assets", "classic training")
    world.ok("experiment", "run", "classic training", "--wait")
    promote = ("trained-model", "promote", "classic training", "train-3", "--name", "classic")
    world.ok(*promote, "--new-version")
    world.ok("experiment", "update-assets", "classic predictive", "--kind", "trained-model")
    world.ok("experiment", "run", "classic predictive", "--wait")
    assert "--update" in world.refused("web-service", "deploy", "classic predictive")
    assert world.json("web-service", "deploy", "classic predictive", "--update")["id"] == service
    world.ok("endpoint", "create", service, "ep3")

    answers = {name: scored(world, service, name) for name in ("default", "ep2", "ep3")}
    assert answers == {"default": 50.0, "ep2": 20.0, "ep3": 50.0}
    (row,) = world.json("web-service", "test", service, "--batch", "--row", "x=10,y=0")
    assert round(float(row["Scored Labels"]), 3) == 50.0

    world.ok("endpoint", "refresh", service, "ep2", "--overwrite")
    assert scored(world, service, "ep2") == 50.0
    assert "deleted" in world.ok("endpoint", "delete", service, "ep3", "--yes")
    names = [one["name"] for one in world.json("endpoint", "list", service)]
    assert sorted(names) == ["default", "ep2"]


def scored(world: CliWorld, service: str, endpoint: str) -> float:
    rows = world.json("web-service", "test", service, "--endpoint", endpoint, "--row", "x=10,y=0")
    return round(float(rows[0]["Scored Labels"]), 3)


def test_the_ten_steps_by_hand(world):
    old, old_model = trained(world, "template")
    world.experiment("template predictive", scoring_graph(old, old_model), scoring_service())

    new = world.dataset("ten", line(6))
    training = world.json("experiment", "copy", "template training", "--name", "ten training")["id"]
    world.ok("experiment", "replace-asset", training, "template data", "ten")
    world.ok("experiment", "run", training, "--wait")
    promote = ("trained-model", "promote", training, "Train Model", "--name", "ten")
    model = world.json(*promote)["id"]
    predictive = world.json("experiment", "copy", "template predictive", "--name", "ten predictive")
    replace = ("experiment", "replace-asset", predictive["id"], "template", "ten")
    world.ok(*replace, "--kind", "trained-model")
    world.ok("experiment", "run", "ten predictive", "--wait")
    service = world.json("web-service", "deploy", "ten predictive")["id"]
    assert scored(world, service, "default") == 60.0
    (row,) = world.json("web-service", "test", service, "--batch", "--row", "x=10,y=0")
    assert round(float(row["Scored Labels"]), 3) == 60.0

    uses = {one["id"] for one in world.json("experiment", "show", "ten predictive")["uses"]}
    assert uses == {old, model}
    assert {one["id"] for one in world.json("experiment", "show", training)["uses"]} == {new}


def test_many_identical_endpoints_are_made_and_patched(world):
    data, model = trained(world, "many")
    world.experiment("many predictive", scoring_graph(data, model), scoring_service())
    world.ok("experiment", "run", "many predictive", "--wait")
    service = world.json("web-service", "deploy", "many predictive")["id"]
    made = world.json("endpoint", "create", service, "--count", "3", "--name-template", "shop{n}")
    assert [one["name"] for one in made] == ["shop1", "shop2", "shop3"]
    again = world.json("endpoint", "create", service, "--count", "3", "--name-template", "shop{n}")
    assert {one["made"] for one in again} == {"was there"}

    world.dataset("many data", line(7), "--new-version")
    world.ok("experiment", "update-assets", "many training")
    world.ok("experiment", "run", "many training", "--wait")
    file = str(world.path("many.ilearner"))
    world.ok("node-output", "download", "many training", "train-3", "--to", file)
    url = world.put_blob("trained-models/many.ilearner", Path(file).read_bytes())
    world.ok("endpoint", "patch", service, "shop2", "--blob", "env:MODEL", MODEL=url)
    assert [scored(world, service, f"shop{n}") for n in (1, 2, 3)] == [20.0, 70.0, 20.0]
    assert "name one of --blob and --version" in world.refused(
        "endpoint", "patch", service, "shop1"
    )


def test_a_definition_is_exported_and_deployed_in_another_region(world):
    data, model = trained(world, "wsd")
    world.experiment("wsd predictive", scoring_graph(data, model), scoring_service())
    world.ok("experiment", "run", "wsd predictive", "--wait")
    file = str(world.path("wsd.json"))
    world.ok("definition", "export", "--experiment", "wsd predictive", "--to", file)
    assert "sig=" not in Path(file).read_text()
    assert world.json("definition", "check", file)["fits"] == "yes"

    plan = world.plan("West Europe")
    storage = world.studio.context.account.name
    where = ("--plan", plan, "--storage", storage)
    assert "withheld" in world.refused("definition", "deploy", "wsd-eu", "--file", file, *where)
    world.ok("node-output", "download", "wsd training", "train-3", "--to", str(world.path("w.il")))
    url = world.put_blob("trained-models/wsd.ilearner", world.path("w.il").read_bytes())
    deploy = ("definition", "deploy", "wsd-eu", "--file", file, *where, "--blob", "env:MODEL")
    answer = world.json(*deploy, MODEL=url)
    assert (answer["region"], answer["state"]) == ("West Europe", "Succeeded")
    resource = answer["id"]
    assert world.json(*deploy, MODEL=url)["id"] == resource

    rows = world.json("web-service", "test", resource, "--row", "x=10,y=0")
    assert round(float(rows[0]["Scored Labels"]), 3) == 20.0
    wrong = ("--location", "Southeast Asia")
    assert "plan" in world.refused(*deploy, *wrong, MODEL=url)
    difference = world.ok("definition", "compare", file, resource)
    assert "hosting" in difference
    assert json.loads(world.ok("definition", "export", "--service", resource))["location"]
    listed = world.json(
        "web-service", "list", "--subscription", world.studio.context.identity.subscription_id
    )
    assert resource in [one["id"] for one in listed]
    world.ok("web-service", "delete", resource, "--yes")
    assert "404" in world.refused("web-service", "show", resource)


DECLARED = """\
# whose model this is
model: churn
dataset: "churn/*.csv"
training:            # how it is trained
  service:           # the service
    kind: classic
    endpoint: https://management.azureml.net/workspaces/w/webservices/s/endpoints/old   # old
    token: env:ALM_STUDIO_WORKSPACE_TOKEN
  input: input9      # its input
  attempts: 2        # jobs
gate:
  task: regression
  metrics: [{name: r2, min: 0.5}]
  LABEL
targets:
  - name: us
    service:
      kind: classic
      endpoint: https://management.azureml.net/workspaces/w/webservices/s/endpoints/ep2
    trained_model: "churn [trained model]"
# the end
"""


def test_a_training_service_is_made_of_an_experiment_with_nothing_prepared(world):
    data = world.dataset("churn", line(2))
    world.experiment("churn training", training_graph(data))
    made = world.json("training-service", "create", "churn training")["training"]
    assert made["outputs"] == {"model": "output1", "evaluation": "output2", "scored": "output3"}
    again = world.run("training-service", "create", "churn training", "--json")
    assert json.loads(again.stdout)["training"] == made
    assert "was deployed from this run before" in again.stderr
    service = made["service"]["endpoint"].split("/webservices/")[1].split("/")[0]
    rows = world.json(
        *("web-service", "test", service, "--batch", "--row", "x=1,y=2"),
        *[word for n in range(2, 30) for word in ("--row", f"x={n},y={2 * n}")],
    )
    assert rows["kind"] == "trained model"


def test_a_training_service_is_bound_to_a_declaration(world):
    data = world.dataset("bound", line(2))
    world.experiment("bound training", training_graph(data))
    incomplete = DECLARED.replace("  LABEL\n", "")
    path = Path(world.file("managed_models/churn.yaml", incomplete))
    why = world.refused("training-service", "create", "bound training", "--bind", "churn")
    assert ("gate.label" in why, path.read_text()) == (True, incomplete)
    path.write_text(DECLARED.replace("LABEL", "label: y"))
    world.ok("training-service", "create", "bound training", "--bind", "churn")
    text = path.read_text()
    for kept in ("# whose model this is", "# how it is trained", "# jobs", "# old", "# the end"):
        assert kept in text
    assert "endpoints/default   # old" in text
    assert "input: input1      # its input" in text


def test_a_new_training_service_is_deployed(world):
    data = world.dataset("new", line(2))
    world.experiment("new training", training_graph(data))
    where = ("--plan", world.plan("South Central US"), "--name", "new-training")
    where = (*where, "--storage", world.studio.context.account.name)
    create = ("training-service", "create", "new training", "--kind", "new", *where)
    made = world.json(*create)["training"]
    assert made["service"]["resource"].endswith("/webServices/new-training")
    assert world.json(*create)["training"] == made
