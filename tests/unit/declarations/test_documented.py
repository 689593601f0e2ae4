"""The declarations in the documentation are accepted as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from alm.adapters.declarations import Declarations
from alm.domain.managed_model import ManagedModel
from alm.entrypoints.cli.studio.connection import repository
from tests.unit.declarations.folders import put

ROOT = Path(__file__).resolve().parents[3]
STUDIO = (ROOT / "docs/studio.md").read_text(encoding="utf-8")
CHURN = (ROOT / "managed_models/churn.yaml").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", STUDIO, re.MULTILINE | re.DOTALL)


def read(folder: Path, *texts: str) -> dict[str, ManagedModel]:
    for number, text in enumerate(texts):
        put(folder, f"{number}.yaml", text)
    declared = Declarations.read(folder, None)
    return {name: declared.resolve(name) for name in declared.models()}


def test_each_way_has_an_example_that_is_accepted(tmp_path: Path) -> None:
    models = read(tmp_path, *blocks("yaml"))

    assert set(models) == {"patients", "churn", "prices"}
    assert models["patients"].experiment is not None
    ways = [models[name].targets[0].deploy for name in ("churn", "prices")]
    assert ways == ["new-endpoint", "new-service"]


def test_what_is_commented_out_in_an_example_is_accepted_too(tmp_path: Path) -> None:
    (patients,) = (text for text in blocks("yaml") if "model: patients" in text)
    text = re.sub(r"^(\s+)# (\w+:)", r"\1\2", patients, flags=re.MULTILINE)
    steps = read(tmp_path, text)["patients"].experiment

    assert steps is not None
    assert (steps.training.replaces, steps.predictive.replaces) == ("old patients", "old model")
    assert steps.training.scored is not None


def test_a_new_service_can_stand_in_place_of_the_classic_one(tmp_path: Path) -> None:
    (part,) = blocks("yaml part")
    document = yaml.safe_load(blocks("yaml")[0])
    document["experiment"] |= yaml.safe_load(part)
    steps = read(tmp_path, yaml.safe_dump(document))["patients"].experiment

    assert steps is not None
    assert steps.service.kind == "new"


def test_the_setting_of_the_repository_is_accepted() -> None:
    (text,) = blocks("json")
    assert repository({"ALM_GIT": text}).models == "pointer"


@pytest.mark.parametrize(("target", "deploy"), [(0, "new-endpoint"), (1, "new-service")])
def test_the_comments_on_targets_in_the_sample_can_be_taken_as_they_are(
    tmp_path: Path, target: int, deploy: str
) -> None:
    before, after = CHURN.split("    # deploy: ")[:1], CHURN.split("    # deploy: ")[1:]
    after[target] = re.sub(r"^    # ", "    ", f"    # deploy: {after[target]}", flags=re.MULTILINE)
    after[1 - target] = f"    # deploy: {after[1 - target]}"
    model = read(tmp_path, "".join([*before, *after]))["churn"]

    assert model.targets[target].deploy == deploy
    assert model.targets[1 - target].deploy == "patch"
