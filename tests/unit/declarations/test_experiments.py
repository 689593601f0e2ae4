"""A managed model that deploys from experiments: what it declares, and each mistake told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured
from alm.domain.managed_model import DEPLOYED
from tests.unit.declarations.folders import arm, classic, put

WORKSPACE = "a" * 32
TRAINING = f"{WORKSPACE}.f-id.{'1' * 32}"
PREDICTIVE = f"{WORKSPACE}.f-id.{'2' * 32}"
PLAN = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/commitmentPlans/p"
HOSTING = {
    "region": "West Europe",
    "plan": PLAN,
    "storage_account": "acct",
    "storage_key": "env:STORAGE_KEY",
}


def declaration(**changes: Any) -> dict[str, Any]:
    steps = {
        "workspace": {"workspace": WORKSPACE},
        "training": {"source": {"experiment": TRAINING}},
        "predictive": {"source": {"experiment": PREDICTIVE}},
        **changes.pop("experiment", {}),
    }
    return {
        "model": "churn",
        "dataset": "churn/*.csv",
        "experiment": steps,
        "gate": {"metrics": [{"name": "auc", "min": 0.8}]},
        **changes,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "managed_models"


def test_the_ten_steps_are_declared_with_two_experiments(folder: Path) -> None:
    put(folder, "churn.yaml", declaration(on_dataset="experiment"))

    model = Declarations.read(folder, None).resolve("churn")

    assert "experiment" == model.on_data
    assert (DEPLOYED,) == model.served_names
    assert model.target(DEPLOYED) is None  # until it is deployed


def test_a_new_service_is_a_target_from_the_start(folder: Path) -> None:
    service = {"kind": "new", "resource": arm("churn")["resource"], "hosting": HOSTING}
    put(folder, "churn.yaml", declaration(experiment={"service": service}))

    target = Declarations.read(folder, None).resolve("churn").target(DEPLOYED)

    assert target is not None
    assert "churn [trained model]" == target.trained_model


def source(**given: Any) -> dict[str, Any]:
    return {"experiment": {"training": {"source": given}}}


def target() -> dict[str, Any]:
    return {"name": "us", "service": classic("scoring", "live"), "trained_model": "m"}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    (source(), "names 0 of experiment, package, file"),
    (source(experiment=TRAINING, file="alm-definitions/x.json"), "names 2 of experiment, package"),
    (source(file="alm-definitions/x.json", in_place=True), "in_place needs an experiment"),
    (source(experiment="churn"), "experiment.training.source.experiment"),
    ({"targets": [target()]}, "targets: stands beside `experiment`"),
    ({"targets": [{**target(), "name": "service"}]}, "as ledgers call what is deployed from an"),
    ({"on_dataset": "retrain"}, "on_dataset: is `retrain`, and what is declared is `experiment`"),
    ({"dataset": ""}, "experiment: uploads a dataset, and no `dataset` says where it lands"),
    (
        {"experiment": {"poll_seconds_min": 100, "poll_seconds_max": 50}},
        "experiment.poll_seconds_min: is more than poll_seconds_max (50)",
    ),
    ({"experiment": {"deadline_minutes": 0.5}}, "poll_seconds_max: is longer than the deadline"),
    (
        {"experiment": {"service": {"kind": "new"}}},
        "a new service needs `resource` and `hosting`, a classic one has neither",
    ),
    ({"experiment": {"trained_model": 'my "best"'}}, "experiment.trained_model"),
    ({"smoke_tests": [{"rows": [{"a": 1}], "targets": ["us"]}]}, "'us' is not a target"),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_mistake_is_told(folder: Path, changes: dict[str, Any], told: str) -> None:
    put(folder, "churn.yaml", declaration(**changes))

    with pytest.raises(Misconfigured) as caught:
        Declarations.read(folder, None)

    assert told in str(caught.value)


def test_an_experiment_is_changed_in_place_by_one_managed_model_only(folder: Path) -> None:
    place = {"source": {"experiment": PREDICTIVE, "in_place": True}}
    for name in ("churn", "other"):
        document = declaration(
            model=name, dataset=f"{name}/*.csv", experiment={"predictive": place}
        )
        put(folder, f"{name}.yaml", document)

    with pytest.raises(Misconfigured, match="too"):
        Declarations.read(folder, None)


def family(**changes: Any) -> dict[str, Any]:
    document = declaration(dataset="sales/{shop}/*.csv", **changes)
    del document["model"]
    return {"family": "shops", **document}


def test_each_member_of_a_family_has_experiments_and_assets_of_its_own(folder: Path) -> None:
    put(folder, "shops.yaml", family())

    steps = Declarations.read(folder, None).resolve("shops--berlin").experiment

    assert steps is not None
    assert "{model} training" == steps.training.name
    assert "{model}" == steps.dataset


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"dataset": "Sales"}, "experiment.dataset"),
        ({"trained_model": "Sales model"}, "experiment.trained_model"),
        (
            {"predictive": {"source": {"experiment": PREDICTIVE, "in_place": True}}},
            "experiment.predictive.source",
        ),
        (
            {"service": {"kind": "new", "resource": arm("sales")["resource"], "hosting": HOSTING}},
            "experiment.service.resource",
        ),
    ],
)
def test_what_all_members_would_share_is_told(folder: Path, changes: Any, place: str) -> None:
    put(folder, "shops.yaml", family(experiment=changes))

    with pytest.raises(Misconfigured) as caught:
        Declarations.read(folder, None)

    assert f"{place}: is the same for members that differ in shop" in str(caught.value)
