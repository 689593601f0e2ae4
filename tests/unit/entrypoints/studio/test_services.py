"""Web services, endpoints, definitions and training services by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alm.domain.errors import Unavailable
from alm.domain.experiment import StudioWorkspace
from alm.domain.managed_model import ClassicEndpoint
from alm.domain.versions import Manifest
from alm.domain.web_services import Plan
from tests.doubles.storage import EPOCH
from tests.doubles.studio import DoubleJob, DoubleTraining
from tests.unit.entrypoints.studio.desk_world import HERE, PLAN, DeskWorld

RESOURCE = PLAN.replace("commitmentPlans/eu", "webServices/churn-eu")
DEFINITION: dict[str, Any] = {
    "location": "South Central US",
    "properties": {
        "packageType": "Graph",
        "title": "churn",
        "storageAccount": {"name": "account"},
        "assets": {
            "asset1": {
                "name": "churn [trained model]",
                "type": "Resource",
                "locationInfo": {"uri": "https://a.blob.core.windows.net/m/old.ilearner"},
            }
        },
        "package": {"nodes": {"n1": {"assetId": "asset1"}}, "edges": []},
    },
}


@pytest.fixture
def service(desk) -> str:
    """A classic web service, deployed from an experiment."""
    made = desk.finished()
    deployed: str = desk.json("web-service", "deploy", made)["id"]
    return deployed


# -- classic -------------------------------------------------------------------------------------


def test_only_an_experiment_that_ran_to_its_end_is_deployed(desk):
    made = desk.experiment()
    assert "alm experiment run" in desk.refused("web-service", "deploy", made)
    desk.ok("experiment", "run", made, "--wait")
    service = desk.json("web-service", "deploy", made)["id"]
    assert "--update" in desk.refused("web-service", "deploy", made)
    desk.ok("experiment", "run", made, "--wait")
    assert desk.json("web-service", "deploy", made, "--update")["id"] == service
    desk.workspace().fails_activities = "Failed: no web-service output"
    assert "no web-service output" in desk.refused("web-service", "deploy", made, "--update")


def test_keys_are_only_printed_when_asked_for(desk, service):
    listed = desk.json("web-service", "list")
    assert [row["id"] for row in listed] == [service]
    assert "key-" not in desk.ok("web-service", "show", service)
    assert "key-" not in desk.ok("web-service", "show", service, "--json")
    assert "key-1" in desk.ok("web-service", "show", "churn", "--keys", "--json")
    assert "key-1" in desk.ok("endpoint", "show", "churn", "default", "--keys")
    assert "key-1" not in desk.ok("endpoint", "show", "churn", "default")


def test_a_web_service_is_deleted_when_that_was_confirmed(desk, service):
    asked = desk.run("web-service", "delete", "churn", answer="n\n")
    assert (asked.exit_code, "endpoints" in asked.stderr) == (1, True)
    desk.ok("web-service", "delete", service, "--yes")
    assert desk.json("web-service", "list") == []


def test_many_endpoints_are_made_and_a_repeat_goes_on(desk, service):
    many = ("endpoint", "create", "churn", "--count", "3", "--name-template", "shop{n}")
    desk.studio.classic_services(StudioWorkspace(workspace=HERE)).fail(
        "put_endpoint", Unavailable("full"), after=True
    )
    desk.refused(*many, code=3)
    rows = desk.json(*many, "--first", "1")
    assert [row["made"] for row in rows] == ["was there", "yes", "yes"]
    assert desk.json("endpoint", "create", "churn", "ep2", "--calls", "50")[0]["calls"] == 50
    assert "no {n}" in desk.refused(
        "endpoint", "create", "churn", "--count", "2", "--name-template", "same"
    )
    assert "a name and --count" in desk.refused("endpoint", "create", "churn", "x", "--count", "2")
    assert len(desk.json("endpoint", "list", "churn")) == 5


def test_an_endpoint_is_patched_with_a_blob_or_a_version(desk, service):
    address = desk.json("endpoint", "create", "churn", "ep2")[0]["address"]
    desk.secrets["env:MODEL"] = "https://a.blob.core.windows.net/models/m.ilearner?sig=s3cret"
    patched = desk.run("endpoint", "patch", "churn", "ep2", "--blob", "env:MODEL", "--json")
    assert (
        json.loads(patched.stdout)["model"] == "https://a.blob.core.windows.net/models/m.ilearner"
    )
    assert "s3cret" not in patched.stdout + patched.stderr
    key = (ClassicEndpoint(kind="classic", endpoint=address), "m [trained model]")
    assert desk.services.targets[key].read().location.endswith("m.ilearner")

    keep_version(desk)
    answer = desk.json("endpoint", "patch", "churn", "ep2", "--version", "churn:v3")
    assert answer["model"].endswith("alm-versions/churn/v3.ilearner")
    assert "MODEL:vN" in desk.refused("endpoint", "patch", "churn", "ep2", "--version", "v3")
    assert "upload a local .ilearner" in desk.refused("endpoint", "patch", "churn", "ep2")
    assert "not the URL" in desk.refused(
        "endpoint", "patch", "churn", "ep2", "--blob", "m.ilearner"
    )


def test_an_endpoint_follows_when_it_is_refreshed_and_goes_when_it_is_deleted(desk, service):
    desk.ok("endpoint", "create", "churn", "ep2")
    assert desk.json("endpoint", "refresh", "churn", "ep2")["refreshed"] == "was current"
    desk.ok("experiment", "run", "churn", "--wait")
    desk.ok("web-service", "deploy", "churn", "--update")
    assert desk.json("endpoint", "refresh", "churn", "ep2", "--overwrite")["refreshed"] == "yes"
    assert desk.run("endpoint", "delete", "churn", "ep2", answer="n\n").exit_code == 1
    desk.ok("endpoint", "delete", "churn", "ep2", "--yes")
    assert [row["name"] for row in desk.json("endpoint", "list", "churn")] == ["default"]


def test_people_see_what_the_service_adds_to_the_rows(desk, service):
    shown = desk.ok("web-service", "test", "churn", "--row", "age=23,calls=9")
    assert "Scored Labels" in shown
    assert "age" not in shown
    echoed = desk.ok("web-service", "test", "churn", "--row", "Scored Labels=1")
    assert "Scored Labels" in echoed, "nothing was added: all is shown"


def test_rows_are_scored_by_one_call(desk, service):
    rows = desk.json("web-service", "test", "churn", "--row", "age=23,calls=9")
    assert "Scored Labels" in rows[0]
    file = desk.file("rows.csv", "age,calls\n1,2\n3,4\n")
    assert len(desk.json("web-service", "test", "churn", "--rows", file)) == 2
    file = desk.file("rows.json", '[{"age": 1}]')
    assert len(desk.json("web-service", "test", "churn", "--rows", file)) == 1
    assert "nothing to score" in desk.refused("web-service", "test", "churn")
    assert "no NAME=VALUE" in desk.refused("web-service", "test", "churn", "--row", "age")
    assert "has no input 'x'" in desk.refused(
        "web-service", "test", "churn", "--row", "a=1", "--input", "x"
    )
    desk.describes(outputs=())
    assert "needs --batch" in desk.refused("web-service", "test", "churn", "--row", "a=1")


def test_rows_are_scored_by_a_batch_job_that_leaves_nothing_behind(desk, service):
    desk.describes(batch_outputs=("output1",))
    address = desk.json("endpoint", "show", "churn", "default")["address"]
    training = DoubleTraining(desk.clock, job_seconds=5, outputs=("output1",))
    training.on_finished = lambda job: _write(desk, job, b"Scored Labels\n1\n")
    desk.services.put_training(ClassicEndpoint(kind="classic", endpoint=address), training)
    test = ("web-service", "test", "churn", "--batch", "--row", "age=23")
    assert desk.json(*test) == [{"Scored Labels": "1"}]
    training.fault_of = lambda _submission: "the column calls is missing"
    assert "the column calls is missing" in desk.refused(*test)
    assert [path for path in desk.blobs.stored if "by-hand" in path] == []


def _write(desk: DeskWorld, job: DoubleJob, content: bytes) -> None:
    """Write this into every output of a job."""
    for grant in job.outputs.values():
        desk.blobs.put(grant.relative, content)


def keep_version(desk: DeskWorld) -> None:
    """Version v3 of churn, with its file."""
    file = "alm-versions/churn/v3.ilearner"
    desk.blobs.put(file, b"model")
    desk.versions.put_manifest(
        Manifest(
            model="churn", version="v3", file=file, digest="sha256:0", size=5,
            created=EPOCH, run="churn.r3",
        )
    )  # fmt: skip


# -- definitions ---------------------------------------------------------------------------------


@pytest.fixture
def plan(desk) -> str:
    desk.studio.new.put_plan(Plan(id=PLAN, name="eu", region="West Europe"))
    return PLAN


def test_a_definition_is_kept_changed_and_deployed_elsewhere(desk, plan):
    file = desk.file("churn.json", DEFINITION)
    out = str(desk.folder / "v3.json")
    url = "https://a.blob.core.windows.net/m/new.ilearner?sig=s3cret"
    desk.ok("definition", "patch", file, "--blob", url, "--to", out)
    assert "s3cret" not in Path(out).read_text()
    assert "new.ilearner" in Path(out).read_text()
    where = ("--plan", plan, "--storage", "account")
    assert "was withheld" in desk.refused("definition", "deploy", "churn-eu", "--file", out, *where)

    keep_version(desk)
    desk.studio.new.settle_seconds = 30
    deploy = ("definition", "deploy", "churn-eu", "--file", out, *where, "--version", "churn:v3")
    answer = desk.json(*deploy)
    assert (answer["id"], answer["region"], answer["state"]) == (
        RESOURCE, "West Europe", "Succeeded",
    )  # fmt: skip
    assert desk.seconds_waited >= 30
    assert desk.studio.new.calls["put"] == 1
    assert desk.json(*deploy)["state"] == "Succeeded"
    assert desk.studio.new.calls["put"] == 1
    listed = desk.json("web-service", "list", "--subscription", "s", "--group", "g")
    assert listed[0]["name"] == "churn-eu"
    assert "churn [trained model]" in desk.ok("web-service", "show", RESOURCE)
    assert "primary key" not in desk.ok("web-service", "show", RESOURCE, "--json")
    assert "primary key of" in desk.json("web-service", "show", RESOURCE, "--keys")["primary key"]


def test_plans_are_listed_of_a_subscription_or_the_workspaces(desk, plan):
    (row,) = desk.json("plan", "list", "--subscription", "s")
    assert (row["id"].lower(), row["region"]) == (plan.lower(), "West Europe")
    assert desk.json("plan", "list", "--subscription", "s", "--group", "other") == []
    why = desk.refused("definition", "deploy", "x", "--file", desk.file("d.json", DEFINITION))
    assert "needs --plan and --storage" in why
    assert "alm plan list" in why


def test_another_service_of_that_name_is_not_replaced_unasked(desk, plan):
    where = ("--plan", plan, "--storage", "account")
    file = desk.file("churn.json", DEFINITION)
    desk.ok("definition", "deploy", "churn-eu", "--file", file, *where)
    other = json.loads(json.dumps(DEFINITION).replace('"churn"', '"another"'))
    deploy = ("definition", "deploy", RESOURCE, "--file", desk.file("other.json", other), *where)
    assert "--overwrite" in desk.refused(*deploy)
    assert "title" in desk.ok("definition", "compare", desk.file("other.json", other), RESOURCE)
    assert desk.json("definition", "compare", file, RESOURCE)["counts"]
    desk.ok(*deploy, "--overwrite")
    desk.studio.new.fails = "the model cannot be read"
    again = json.loads(json.dumps(DEFINITION).replace('"churn"', '"third"'))
    deploy = ("definition", "deploy", RESOURCE, "--file", desk.file("third.json", again), *where)
    assert "the model cannot be read" in desk.refused(*deploy, "--overwrite")


def test_what_does_not_fit_is_told_before_it_is_sent(desk, plan):
    file = desk.file("churn.json", DEFINITION)
    assert desk.json("definition", "check", file)["fits"] == "yes"
    assert "West Europe" in desk.refused(
        "definition", "check", file, "--plan", plan, "--location", "Japan East"
    )
    deploy = ("definition", "deploy", "churn-eu", "--file", file)
    assert "Japan East" in desk.refused(
        *deploy, "--plan", plan, "--storage", "account", "--location", "Japan East"
    )
    assert "--storage" in desk.refused(*deploy, "--plan", plan)
    assert "not the resource id" in desk.refused(*deploy, "--plan", "eu", "--storage", "account")
    assert "is not set" in desk.refused(
        *deploy, "--plan", plan, "--storage", "account", "--storage-key", "env:NONE"
    )
    assert "name one of" in desk.refused(*deploy, "--service", RESOURCE)
    assert desk.studio.new.calls["put"] == 0
    broken = desk.file("no.json", {"Graph": {}})
    assert "exported experiment" in desk.refused("definition", "check", broken)


def test_a_definition_is_exported_from_an_experiment_or_a_service_and_committed(desk, plan):
    desk.finished("churn predictive")
    assert json.loads(desk.ok("definition", "export", "--experiment", "churn predictive"))
    answer = desk.json("definition", "export", "--experiment", "churn predictive", "--commit")
    assert answer["path"].startswith("definitions/churn-predictive")
    file = desk.file("churn.json", DEFINITION)
    desk.ok("definition", "deploy", "churn-eu", "--file", file, "--plan", plan, "--storage",
            "account")  # fmt: skip
    exported = desk.ok("definition", "export", "--service", RESOURCE)
    assert "provisioningState" not in exported
    assert "no difference" not in desk.ok("definition", "compare", file, RESOURCE)  # the region


# -- training services ---------------------------------------------------------------------------


def test_a_training_service_goes_on_where_it_was_interrupted(desk):
    made = desk.experiment("churn training")
    workspace = desk.workspace()
    create = ("training-service", "create", "churn training")
    workspace.fail("save", Unavailable("away"))
    desk.refused(*create, code=3)
    workspace.fail("run", Unavailable("away"))
    desk.refused(*create, code=3)
    assert (workspace.calls["save"], len(workspace.runs)) == (2, 0)
    workspace.fail("deploy", Unavailable("away"))
    desk.refused(*create, code=3)
    assert (workspace.calls["save"], len(workspace.runs)) == (2, 1)
    training = desk.json(*create)["training"]
    assert len(workspace.runs) == 1
    assert training["outputs"] == {"model": "output1", "evaluation": "output2", "scored": "output3"}
    assert (training["input"], training["service"]["kind"]) == ("input1", "classic")
    assert desk.json("experiment", "show", made)["service"]["Outputs"][0]["Name"] == "output1"


def test_a_training_experiment_is_checked_first(desk):
    made = desk.experiment("churn training")
    desk.workspace().module_ids = desk.workspace().module_ids[:1]
    why = desk.refused("training-service", "create", made)
    assert "Train Model" in why
    assert (desk.workspace().calls["save"], len(desk.workspace().runs)) == (0, 0)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--kind", "other"), "classic or new"),
        (("--kind", "new"), "needs --plan"),
        (("--kind", "new", "--plan", PLAN, "--storage", "account"), "cannot be named"),
        (("--parameter", "x"), "no parameter"),
        (("--bind", "nobody"), "declares 'nobody'"),
        (("--train", "Score Model"), "puts out no trained model"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_experiment_is_touched(desk, words, why):
    desk.experiment("churn training")
    assert why in desk.refused("training-service", "create", "churn training", *words)
    assert desk.workspace().calls["save"] == 0


def test_a_failed_run_is_told_with_its_node(desk):
    desk.experiment("churn training")
    desk.workspace().fails_runs = "the label column is missing"
    why = desk.refused("training-service", "create", "churn training")
    assert "the label column is missing" in why
    assert desk.workspace().calls["deploy"] == 0
