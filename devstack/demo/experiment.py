"""The story that `make demo-experiment` tells: the ten Studio steps, driven by uploads.

One managed model whose data scientist drew two experiments; everything after that is events.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from devstack.demo import tables
from devstack.demo.models import clear_cut
from devstack.demo.story import Story
from devstack.demo.studio import Scoring, Studio

NAME = "patients"
OPENING = (
    "In Studio somebody drew two experiments: one trains a model on patients' measurements, one "
    "predicts with it. The managed model `patients` names both (managed_models/patients.yaml). "
    "From now on nobody opens Studio: files land in the container `datasets`, and the app takes "
    "Microsoft's ten steps by itself."
)
DRAWN = "Cancer model training experiment"
KNOWN_ROWS = (0, 7, 21)
STEPS = [
    "upload",
    "copy_training",
    "set_dataset",
    "run_training",
    "await_training",
    "take_output",
    "evaluate",
    "register",
    "promote",
    "copy_predictive",
    "set_model",
    "run_predictive",
    "await_predictive",
    "deploy",
    "deployed",
    "smoke",
]


def prepare(studio: Studio, folder: Path, name: str = NAME) -> dict[str, Any]:
    """Declare the managed model over the two sample experiments; returns the declaration."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = {entry["role"]: entry for entry in studio.experiments("cancer")}
    rows = [tables.halves(tables.cancer())[1].features(at) for at in KNOWN_ROWS]
    declaration = {
        "model": name,
        "dataset": f"{name}/*.csv",
        "on_dataset": "experiment",
        "experiment": {
            "workspace": studio.workspace_declared(),
            "training": {"source": {"experiment": samples["training"]["experiment_id"]}},
            "predictive": {"source": {"experiment": samples["predictive"]["experiment_id"]}},
            "service": {"propagation_seconds": 3},
            "poll_seconds_min": 0.2,
            "poll_seconds_max": 2,
            "deadline_minutes": 10,
        },
        "gate": {
            "label": tables.LABEL,
            "metrics": [{"name": "auc", "min": 0.9, "max_regression": 0.05}],
            "compare": "stored",
        },
        "smoke_tests": [
            {"name": "known-rows", "rows": rows, "batch": True},
            clear_cut(),
        ],
    }
    text = yaml.safe_dump(declaration, sort_keys=False, allow_unicode=True)
    (folder / f"{name}.yaml").write_text(text)
    return declaration


def first_dataset(story: Story) -> None:
    """(a) The first dataset lands. Ten steps later a web service answers."""
    story.operator.upload("datasets", f"{NAME}/day1.csv", rows_of(story).csv)
    run = story.operator.ended(f"{NAME}.r1", 120)
    story.claim("a", "the run ends well", run["result"] == "ok", run["why"])
    visited = list(dict.fromkeys(entry["stage"] for entry in run["history"]))[: len(STEPS)]
    told = f"{visited[0]}, {visited[1]} … {visited[-1]}: {len(visited)} stages"
    story.claim("a", "it took all ten steps, one stage after the other", visited == STEPS, told)
    seen = {entry["Description"]: entry for entry in story.studio.studio_api("experiments")}
    states = [state_of(seen, name) for name in (f"{NAME} training", DRAWN)]
    text = "a copy of the training experiment ran; the one that was drawn is still a draft"
    story.claim("a", text, states == ["Finished", "InDraft"], states)
    assets = [entry["Name"] for entry in story.studio.studio_api("trainedmodels")]
    story.claim("a", "the workspace has the trained model", NAME in assets, assets)
    answers = scored(story, service(story))
    text = "the new web service answers for three known patients"
    story.claim("a", text, len(answers) == len(KNOWN_ROWS), shown(answers))


def second_dataset(story: Story) -> None:
    """(b) Somebody adds an endpoint `ep2`, which keeps version 1; then another dataset lands."""
    default = service(story)
    ep2 = story.studio.add_endpoint(default.management.split("/")[-3], "ep2")
    before = {one.name: scored(story, one) for one in (default, ep2)}
    run = upload(story, "day2", rows_of(story).part(range(60, 420)))
    story.claim("b", "the run ends well", run["result"] == "ok", run["why"])
    after = {one.name: scored(story, one) for one in (default, ep2)}
    changed = after["default"] != before["default"]
    story.claim(
        "b", "the default endpoint answers with version 2", changed, shown(after["default"])
    )
    same = after["ep2"] == before["ep2"]
    story.claim("b", "ep2 answers byte for byte as before", same, shown(after["ep2"]))
    kept = default.management == service(story).management
    story.claim("b", "it is still the same service with the same keys", kept)


def shuffled_labels(story: Story) -> None:
    """(c) A broken export lands: every label stands beside somebody else's measurements."""
    before = scored(story, service(story)), versions_of(story)
    run = upload(story, "day3-shuffled", tables.shuffled_labels(rows_of(story), seed=5))
    story.claim("c", "the gate rejects the model", run["result"] == "rejected", run["why"])
    after = scored(story, service(story)), versions_of(story)
    models = f"{len(after[1])} trained models"
    story.claim("c", "service and workspace are as before", after == before, models)


def worn_instrument(story: Story) -> None:
    """(d) A worn instrument: the model is good enough for the gate, not for the smoke test."""
    before = scored(story, service(story))
    run = upload(story, "day4-worn", tables.blurred(rows_of(story), seed=3, share=0.35))
    stages = [entry["stage"] for entry in run["history"]]
    story.claim("d", "the gate accepts it, and it is deployed", "deployed" in stages)
    rolled_back = run["result"] == "rolled_back"
    story.claim("d", "its smoke test fails, so the run is undone", rolled_back, run["why"])
    told = dict.fromkeys(stage for stage in stages if stage.startswith("undo_"))
    text = "the experiment of before is run and deployed again"
    story.claim("d", text, "undo_deploy" in stages, list(told))
    after = scored(story, service(story))
    story.claim("d", "the service answers as before", after == before, shown(after))


def by_order(story: Story) -> None:
    """(e) Two orders come by queue: back to version 1, and keep what a node put out."""
    run = story.operator.next_run(NAME)
    body = {"kind": "roll_back", "model": NAME, "version": "v1", "id": "demo-back"}
    story.operator.request(json.dumps(body).encode(), "demo-back")
    ended = story.operator.ended(run, 120)
    story.claim("e", "version 1 is in service again", ended["result"] == "ok", ended["why"])
    champion = story.operator.get(f"models/{NAME}")["ledger"]["champion"]
    story.claim("e", "and is the champion", champion == "v1", champion)
    training = next(
        entry
        for entry in story.studio.studio_api("experiments")
        if entry["Description"] == f"{NAME} training"
    )
    run = story.operator.next_run(NAME)
    body = {
        "kind": "harvest",
        "model": NAME,
        "experiment": training["ExperimentId"],
        "node": "Train Model",
        "id": "demo-harvest",
    }
    story.operator.request(json.dumps(body).encode(), "demo-harvest")
    ended = story.operator.ended(run, 60)
    text = "what `Train Model` put out is kept as a version, deployed nowhere"
    story.claim("e", text, ended["result"] == "harvested", ended["why"])
    served = story.operator.get(f"models/{NAME}/served")
    seen = [record["champion"] for record in served]
    story.claim("e", "what served when is on record", seen == ["v1", "v2", "v1"], seen)


SCENES: tuple[Callable[[Story], None], ...] = (
    first_dataset,
    second_dataset,
    shuffled_labels,
    worn_instrument,
    by_order,
)


def state_of(experiments: dict[str, Any], name: str) -> str:
    """The state of an experiment in a list, by its name."""
    found = experiments.get(name, {"Status": {"StatusCode": "missing"}})
    return str(found["Status"]["StatusCode"])


def rows_of(_story: Story) -> tables.Dataset:
    """What is trained on: three rows of four."""
    return tables.halves(tables.cancer())[0]


def upload(story: Story, name: str, rows: tables.Dataset) -> dict[str, Any]:
    run = story.operator.next_run(NAME)
    story.operator.upload("datasets", f"{NAME}/{name}.csv", rows.csv)
    return story.operator.ended(run, 120)


def service(story: Story) -> Scoring:
    """The web service that the managed model deployed, as its callers see it."""
    served = story.operator.get(f"models/{NAME}")["ledger"]["serves"]["service"]
    return story.studio.endpoint_at(served["service"])


def versions_of(story: Story) -> list[str]:
    return sorted(entry["Id"] for entry in story.studio.studio_api("trainedmodels"))


def scored(story: Story, target: Scoring) -> list[str]:
    """Whole answers to the known rows, byte for byte."""
    held_out = tables.halves(tables.cancer())[1]
    rows = [held_out.features(at) for at in KNOWN_ROWS]
    return [json.dumps(row, sort_keys=True) for row in story.studio.score(target, rows)]


def shown(answers: list[str]) -> list[str]:
    """How probable each answer says it is, for people."""
    return [f"{float(json.loads(answer)['Scored Probabilities']):.3g}" for answer in answers]
