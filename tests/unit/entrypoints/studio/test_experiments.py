"""Experiments by hand: history, files, edits, runs; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alm.domain.drafts import draft_from
from alm.domain.errors import Denied, Unavailable, Unknown
from alm.entrypoints.cli.studio.experiments import summary
from tests.unit.entrypoints.studio.desk_world import HERE, THERE

# -- looking -------------------------------------------------------------------------------------


def test_an_experiment_is_found_by_name_or_id(desk):
    made = desk.experiment("churn training")
    assert [row["id"] for row in desk.json("experiment", "list")] == [made]
    for wanted in (made, "churn training", " Churn Training "):
        assert desk.json("experiment", "show", wanted)["id"] == made
    assert "did you mean 'churn training'?" in desk.refused("experiment", "show", "churn trainin")


def test_a_name_that_two_have_is_refused_with_their_ids(desk):
    made = desk.experiment("twice")
    workspace = desk.workspace()
    draft = workspace.experiment(made)
    other = workspace.create(draft_from(draft))
    why = desk.refused("experiment", "show", "twice")
    assert made in why
    assert other in why


def test_people_read_tables(desk):
    made = desk.finished()
    shown = desk.ok("experiment", "show", made)
    for text in ("can be edited: yes", "Finished", "Train Model", "datasets: 'churn data' version"):
        assert text in shown
    nodes = desk.ok("experiment", "nodes", made)
    assert "Trained model" in nodes
    opened = desk.ok("experiment", "open", desk.workspace().runs[0])
    assert "can be edited: no: locked, a snapshot" in opened


def test_the_run_history_tells_what_can_be_edited(desk):
    made = desk.finished()
    desk.workspace().fails_runs = "Train Model: the label column is missing"
    assert "label column" in desk.refused("experiment", "run", made, "--wait")
    desk.ok("experiment", "set-parameter", made, "train-3", "Label column", "x")
    entries = desk.json("experiment", "history", made)
    assert [entry["edit"] for entry in entries] == ["editable", "locked", "locked"]
    assert [entry["status"] for entry in entries] == ["Draft", "Failed", "Finished"]
    assert len(desk.json("experiment", "history", made, "--limit", "2")) == 2
    assert [entry["place"] for entry in entries] == ["", "@1", "@2"]


def test_a_snapshot_is_named_by_its_place_in_the_history(desk):
    made = desk.finished("churn")
    desk.ok("experiment", "run", made, "--wait")
    older, newer = desk.workspace().runs
    assert desk.json("experiment", "open", "churn@1")["id"] == newer
    assert desk.json("experiment", "open", f"{made}@2")["id"] == older
    assert "has 2 snapshots, none is @3" in desk.refused("experiment", "open", "churn@3")
    assert "is locked" in desk.refused("experiment", "run", "churn@1")
    desk.ok("experiment", "copy", "churn", "--name", "churn@1")
    assert desk.json("experiment", "show", "churn@1")["locked"] is False


@pytest.mark.parametrize(
    ("state", "is_partial", "told"),
    [
        ("Finished", False, "Finished"),
        ("Finished", True, "Finished (Partial run)"),
        ("Failed", False, "Failed"),
        ("Failed", True, "Failed (Partial run)"),
        ("InDraft", True, "Draft"),
        ("InDraft", None, "Draft"),
    ],
)
def test_each_state_has_the_words_of_studio(desk, state, is_partial, told):
    workspace = desk.workspace()
    found = workspace.experiment(desk.finished())
    changed = found.changed(is_partial=is_partial, status=found.status.changed(state=state))
    assert summary(changed)["status"] == told


# -- a snapshot is locked ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("delete", "--yes"),
        ("update-assets",),
        ("update-modules",),
        ("set-parameter", "train-3", "Label column", "x"),
        ("replace-asset", "a", "b"),
        ("set-dataset", "a"),
    ],
)
def test_nothing_is_written_to_a_snapshot(desk, words):
    desk.finished()
    snapshot = desk.workspace().runs[0]
    before = dict(desk.workspace().calls)
    why = desk.refused("experiment", words[0], snapshot, *words[1:])
    assert f"alm experiment save-as {snapshot}" in why
    after = desk.workspace().calls
    assert {name: after[name] for name in ("save", "run", "delete")} == {
        name: before.get(name, 0) for name in ("save", "run", "delete")
    }


# -- running -------------------------------------------------------------------------------------


def test_a_run_tells_each_node_once(desk):
    made = desk.experiment()
    desk.workspace().run_looks = 5
    result = desk.run("experiment", "run", made, "--wait")
    assert (result.exit_code, "Finished" in result.stdout) == (0, True)
    assert result.stderr.count("'train-3' (Train Model): Finished") == 1


@pytest.mark.parametrize("error", [Unknown("lost"), Unavailable("restarting")])
def test_a_studio_that_is_away_for_a_while_is_waited_for(desk, error):
    made, workspace = desk.experiment(), desk.workspace()
    workspace.run_looks = 2
    desk.when_waiting = lambda: workspace.fail("experiment", error, times=3)
    assert desk.run("experiment", "run", made, "--wait").exit_code == 0
    assert not workspace.calls["experiment"] < 6


def test_a_studio_that_stays_away_is_told(desk):
    made, workspace = desk.experiment(), desk.workspace()
    desk.when_waiting = lambda: workspace.fail("experiment", Unknown("lost"), times=None)
    assert "lost" in desk.refused("experiment", "run", made, "--wait")
    assert 120 <= desk.seconds_waited < 200


def test_a_run_that_goes_on_already_is_followed(desk):
    made = desk.experiment()
    desk.workspace().run_looks = 3
    assert desk.json("experiment", "run", made)["status"] == "Running"
    assert "running already" in desk.run("experiment", "run", made, "--wait").stderr
    assert len(desk.workspace().runs) == 1


def test_waiting_for_a_run_has_an_end(desk):
    made = desk.experiment()
    desk.workspace().stays_running = True
    why = desk.refused("experiment", "run", made, "--wait", "--minutes", "1", code=5)
    assert "not over after 1 minutes" in why
    assert desk.seconds_waited >= 60


def test_a_long_wait_without_a_terminal_is_told_from_begin_to_end(desk):
    made = desk.experiment()
    desk.workspace().run_looks = 60
    told = desk.run("experiment", "run", made, "--wait").stderr.splitlines()
    assert "running 'churn'" in told
    assert any(line.startswith("running 'churn', 1:") for line in told)
    assert any(line.startswith("running 'churn': over after ") for line in told)


def test_a_region_that_studio_has_not_is_refused_wherever_studio_is(desk):
    for more in ({}, {"ALM_STUDIO_URL": "http://127.0.0.1:1"}):
        why = desk.refused("workspace", "show", "--region", "West Europa", **more)
        assert "did you mean 'West Europe'?" in why
    assert desk.json("workspace", "show", "--region", "west-europe")["id"] == HERE


def test_a_refused_token_and_a_studio_that_is_away_have_their_exit_codes(desk):
    desk.workspace().fail("experiments", Denied("the token is refused"))
    assert "the token is refused" in desk.refused("experiment", "list")
    desk.workspace().fail("experiments", Unavailable("no answer"))
    assert "unreachable" in desk.refused("experiment", "list", code=3)


# -- deleting ------------------------------------------------------------------------------------


def test_deleting_says_how_many_snapshots_go_and_asks(desk):
    made = desk.finished()
    desk.ok("experiment", "run", made, "--wait")
    asked = desk.run("experiment", "delete", made, answer="n\n")
    assert (asked.exit_code, "with its 2 snapshots" in asked.stderr) == (1, True)
    assert desk.json("experiment", "show", made)["id"] == made
    assert desk.run("experiment", "delete", made, answer="y\n").exit_code == 0
    assert desk.json("experiment", "list") == []


def test_deleting_names_the_web_service_that_goes_with_it(desk):
    made = desk.finished()
    service = desk.json("web-service", "deploy", made)["id"]
    asked = desk.run("experiment", "delete", made, answer="n\n")
    assert f"classic web service {service}" in asked.stderr


# -- edits ---------------------------------------------------------------------------------------


def test_newer_assets_are_used_where_that_is_said(desk):
    workspace = desk.workspace()
    first = workspace.put_asset("dataset", "churn")
    made = desk.experiment("churn", first)
    assert desk.json("experiment", "update-assets", made)["saved"] == "no change"
    second = workspace.put_asset("dataset", "churn", family=first.split(".")[1])
    assert desk.json("experiment", "update-assets", made, "--kind", "transform")["saved"] != "yes"
    answer = desk.json("experiment", "update-assets", made, "--kind", "datasets")
    assert (answer["saved"], second in answer["changes"][0]) == ("yes", True)
    assert "no kind of asset" in desk.refused("experiment", "update-assets", made, "--kind", "x")


def test_an_asset_is_replaced_by_name(desk):
    workspace = desk.workspace()
    old, new = (workspace.put_asset("dataset", name) for name in ("old", "new"))
    made = desk.experiment("churn", old)
    desk.ok("experiment", "replace-asset", made, "old", "new")
    uses = desk.json("experiment", "show", made)["uses"]
    assert [use["id"] for use in uses] == [new]
    assert "uses no dataset 'old'" in desk.refused(
        "experiment", "replace-asset", made, "old", "new"
    )
    desk.ok("experiment", "set-dataset", made, "old", "--port", "split-1:Dataset")
    assert desk.json("experiment", "show", made)["uses"][0]["id"] == old


def test_modules_are_updated(desk):
    made = desk.experiment()
    newer = desk.workspace().module_ids[2].rpartition("-")[0] + "-99999"
    desk.workspace().module_ids.append(newer)
    answer = desk.json("experiment", "update-modules", made, "--node", "train-3")
    assert "99999" in answer["changes"][0]
    assert newer in desk.ok("experiment", "show", made, "--json")


# -- files ---------------------------------------------------------------------------------------


def test_an_export_goes_to_a_file_and_is_not_written_over_unasked(desk, tmp_path):
    made = desk.experiment()
    target = str(tmp_path / "out" / "churn.json")
    desk.ok("experiment", "export", made, "--to", target)
    assert json.loads(Path(target).read_text())["Description"] == "churn"
    desk.ok("experiment", "export", made, "--to", target)  # the same bytes
    desk.ok("experiment", "set-parameter", made, "split-1", "Random seed", "5")
    assert "--force" in desk.refused("experiment", "export", made, "--to", target)
    desk.ok("experiment", "export", made, "--to", target, "--force")


def test_an_export_is_committed_once_and_read_again(desk):
    made = desk.experiment()
    answer = desk.json("experiment", "export", made, "--commit")
    assert (answer["path"], answer["committed"]) == ("experiments/churn.json", "yes")
    assert desk.json("experiment", "export", made, "--commit")["committed"] == "no change"
    first = answer["commit"]
    desk.ok("experiment", "set-parameter", made, "split-1", "Random seed", "5")
    desk.ok("experiment", "export", made, "--commit", "--message", "Another seed")
    assert desk.repository.commits[-1][0].message == "Another seed"
    changes = desk.ok("experiment", "diff", f"repo:experiments/churn.json@{first}", made)
    assert "Random seed" in changes
    name = desk.json("experiment", "import", f"repo:experiments/churn.json@{first}", "--name", "b")
    assert desk.ok("experiment", "diff", name["id"], made).count("Random seed") == 1
    assert desk.json("experiment", "diff", made, "repo:experiments/churn.json")["changes"] == []


def test_a_difference_can_be_the_exit_code(desk):
    made = desk.experiment()
    desk.experiment("other", desk.json("dataset", "list")[0]["id"])
    diff = ("experiment", "diff", made, "other")
    assert "churn -> other" in desk.ok(*diff)
    assert desk.run(*diff, "--exit-code").exit_code == 1
    assert desk.run("experiment", "diff", made, made, "--exit-code").exit_code == 0


def test_assets_are_mapped_by_name_too(desk):
    made = desk.experiment("churn", desk.workspace().put_asset("dataset", "rows"))
    file = desk.file("out.json", desk.ok("experiment", "export", made))
    other = desk.workspace(THERE).put_asset("dataset", "our rows")
    desk.workspace(THERE).module_ids = desk.workspace().module_ids
    there = {"ALM_STUDIO_WORKSPACE": THERE}
    imported = ("experiment", "import", file, "--map")
    assert "did you mean 'our rows'" in desk.refused(*imported, "rows=our row", **there)
    copy = desk.json(*imported, "rows=our rows", **there)["id"]
    assert [use["id"] for use in desk.json("experiment", "show", copy, **there)["uses"]] == [other]


def test_an_import_is_checked_before_anything_is_written(desk):
    made = desk.experiment("churn", desk.workspace().put_asset("dataset", "rows"))
    file = desk.file("out.json", desk.ok("experiment", "export", made))
    there = {"ALM_STUDIO_WORKSPACE": THERE}
    why = desk.refused("experiment", "import", file, **there)
    assert "nothing was written" in why
    assert "'rows'" in why
    assert "Train Model" in why  # the modules are missing, too
    assert desk.workspace(THERE).calls["create"] == 0
    desk.workspace(THERE).module_ids = desk.workspace().module_ids
    moved = desk.workspace(THERE).put_asset("dataset", "rows")
    old = next(iter(json.loads(Path(file).read_text())["Provenance"]["Assets"]))
    checked = desk.json("experiment", "import", file, "--map", f"{old}={moved}", "--check", **there)
    assert (checked["accepted"], desk.workspace(THERE).calls["create"]) == ("yes", 0)
    desk.ok("experiment", "import", file, "--map", f"{old}={moved}", **there)
    assert "already" in desk.refused(
        "experiment", "import", file, "--map", f"{old}={moved}", **there
    )
    assert "old-id=new-id" in desk.refused("experiment", "import", file, "--map", "x", **there)


def test_what_was_withheld_is_told(desk):
    made = desk.experiment()
    text = desk.ok("experiment", "export", made)
    document = json.loads(text)
    node = document["Graph"]["ModuleNodes"][0]
    node["ModuleParameters"].append(
        {"Name": "Account Key", "Value": "s3cret", "ValueType": "Literal"}
    )
    desk.ok("experiment", "import", desk.file("k.json", document), "--overwrite", made)
    exported = desk.run("experiment", "export", made)
    assert "s3cret" not in exported.stdout
    assert "'Account Key'" in exported.stderr
    again = desk.run("experiment", "import", desk.file("w.json", exported.stdout), "--name", "n")
    assert "set it again, it was withheld: 'Account Key'" in again.stderr
    over = desk.run(
        "experiment", "import", desk.file("w.json", exported.stdout), "--overwrite", made
    )
    assert (over.exit_code, "set it again" in over.stderr) == (0, False)


def test_a_file_that_is_not_there_is_told_from_a_name(desk):
    assert "there is no file gone.json" in desk.refused("experiment", "diff", "gone.json", "x")
    assert "cannot be read" in desk.refused("experiment", "import", "gone.json")


# -- copies --------------------------------------------------------------------------------------


def test_a_copy_has_no_history_and_no_service(desk):
    made = desk.finished()
    desk.ok("web-service", "deploy", made)
    copied = desk.json("experiment", "copy", made)
    assert copied["name"] == "churn - Copy"
    shown = desk.json("experiment", "show", copied["id"])
    assert (shown["run"], (shown["service"] or {}).get("WebServiceGroupId")) == ("", None)
    assert "choose another" in desk.refused("experiment", "copy", made)


def test_a_copy_into_another_workspace_has_its_assets_there(desk):
    made = desk.finished()
    answer = desk.json("experiment", "copy", made, "--name", "far", "--to-workspace", THERE)
    assert [asset.split(".")[0] for asset in answer["assets"]] == [THERE]
    assert desk.workspace(THERE).experiments()[0].name == "far"
    assert "--workspace" in desk.refused("experiment", "copy", made, "--to-workspace", "x")
    desk.workspace().fails_activities = "Failed: no room"
    assert "no room" in desk.refused("experiment", "copy", made, "--to-workspace", THERE)


def test_an_experiment_comes_from_the_gallery(desk):
    made = desk.experiment()
    package = desk.workspace(THERE)
    location = desk.workspace()
    begun = location.pack(made)
    while not (packed := location.packing(begun.id)).done:
        pass
    answer = desk.json(
        *("experiment", "copy-from-gallery", packed.location, "--name", "from the gallery"),
        *("--gallery", "https://gallery.test/Details/churn"),
        ALM_STUDIO_WORKSPACE=THERE,
    )
    assert package.experiment(answer["id"]).name == "from the gallery"


# -- which workspace -----------------------------------------------------------------------------


def test_a_workspace_must_be_named(desk):
    assert "--workspace or ALM_STUDIO_WORKSPACE" in desk.refused(
        "experiment", "list", ALM_STUDIO_WORKSPACE=""
    )
    assert "workspace" in desk.refused("experiment", "list", "--workspace", "not-an-id")
    assert desk.json("workspace", "show", "--workspace", THERE)["id"] == THERE
    assert desk.json("workspace", "show")["id"] == HERE
    assert desk.json("workspace", "users")[0]["role"] == "Owner"


# -- what people do, and do wrong ----------------------------------------------------------------


def interrupt() -> None:
    raise KeyboardInterrupt


def test_whoever_interrupts_a_wait_is_told_that_the_run_goes_on(desk):
    made = desk.experiment()
    desk.workspace().run_looks = 5
    desk.when_waiting = interrupt
    result = desk.run("experiment", "run", made, "--wait")
    assert result.exit_code == 130
    told = "it goes on in Studio: running 'churn'; repeat the command to follow it\ninterrupted"
    assert told in result.stderr
    assert len(desk.workspace().runs) == 1


def test_nothing_is_deleted_where_nobody_can_be_asked(desk):
    made = desk.experiment()
    why = desk.refused("experiment", "delete", made)
    assert "nothing was done; --yes answers" in why
    assert desk.workspace().experiment(made).id == made


def test_an_experiment_that_never_ran_has_no_time_of_a_run(desk):
    desk.experiment()
    (row,) = desk.json("experiment", "list")
    assert (row["status"], row["ran"]) == ("Draft", "")


def test_names_in_any_script_are_told_as_they_are(desk):
    desk.experiment("名前 – Prüfung")
    assert "'名前 – Prüfung'?" in desk.refused("experiment", "show", "名前 – Prufung")
    why = desk.refused("experiment", "copy", "名前 – Prüfung", "--name", "名前 – Prüfung")
    assert "an experiment is named '名前 – Prüfung' already" in why


def test_a_workspace_that_cannot_be_one_is_told_plainly(desk):
    why = desk.refused("experiment", "list", "--workspace", "My Workspace")
    assert "'My Workspace' is no id of a workspace, which is 32 hex digits" in why
