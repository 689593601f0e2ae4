"""The promises of ManagedModels and Clock, kept by the doubles and by what ships."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path

import pytest
import yaml

from alm.adapters.clock import SystemClock
from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured, UnknownModel
from alm.domain.managed_model import ManagedModel
from alm.ports import Clock, ManagedModels
from tests.doubles.storage import FixedClock, MemoryBlobs, MemoryModels

ENDPOINT = "https://management.azureml.net/workspaces/w/webservices/s/endpoints/ep2"
Declare = Callable[[Sequence[ManagedModel]], ManagedModels]


def churn(**changes: object) -> ManagedModel:
    return ManagedModel.model_validate(
        {
            "model": "churn",
            "model_pattern": f"{changes.get('model', 'churn')}/*.ilearner",
            "gate": {"kind": "smoke-only"},
            "targets": [
                {
                    "name": "eu",
                    "service": {"kind": "classic", "endpoint": ENDPOINT},
                    "trained_model": "Churn [trained model]",
                }
            ],
            "smoke_tests": [{"rows": [{"age": 39}]}],
            **changes,
        }
    )


@pytest.fixture(params=["double", "files"])
def declare(request: pytest.FixtureRequest, tmp_path: Path) -> Declare:
    """Declares managed models anew, as a deployment does; what was kept before stays."""
    if request.param == "double":
        models = MemoryModels()

        def in_memory(declared: Sequence[ManagedModel]) -> ManagedModels:
            models.declared = {model.model: model for model in declared}
            return models

        return in_memory
    blobs = MemoryBlobs(FixedClock())

    def in_files(declared: Sequence[ManagedModel]) -> ManagedModels:
        for path in tmp_path.glob("*.yaml"):
            path.unlink()
        for model in declared:
            document = model.model_dump(mode="json", exclude_defaults=True)
            (tmp_path / f"{model.model}.yaml").write_text(yaml.safe_dump(document))
        return Declarations.read(tmp_path, blobs)

    return in_files


def test_a_declared_model_is_found_by_its_name(declare: Declare):
    assert churn() == declare([churn()]).resolve("churn")


def test_nobody_declared_it(declare: Declare):
    with pytest.raises(UnknownModel, match="chrun"):
        declare([churn()]).resolve("chrun")


def test_a_run_uses_the_declaration_it_began_with(declare: Declare):
    began = declare([churn()]).resolve("churn")
    declare([began]).keep(began)

    changed = declare([churn(quiet_seconds=60)])

    assert began == changed.at("churn", began.digest)
    assert 60 == changed.resolve("churn").quiet_seconds


def test_a_run_goes_on_although_its_model_is_no_longer_declared(declare: Declare):
    models = declare([churn()])
    models.keep(churn())

    assert churn() == declare([churn(model="other")]).at("churn", churn().digest)


def test_keeping_again_is_harmless(declare: Declare):
    models = declare([churn()])

    models.keep(churn())
    models.keep(churn())

    assert churn() == models.at("churn", churn().digest)


def test_a_declaration_that_was_never_kept_is_lost(declare: Declare):
    models = declare([churn()])

    with pytest.raises(Misconfigured, match="churn"):
        models.at("churn", "0" * 24)


@pytest.mark.parametrize("clock", [FixedClock(), SystemClock()], ids=["double", "system"])
def test_time_is_aware_and_never_goes_back(clock: Clock):
    first, second = clock.now(), clock.now()

    assert UTC == first.tzinfo
    assert first <= second
