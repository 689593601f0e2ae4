"""Each example is played as its page says, and then looked at from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alm.adapters.declarations import Declarations
from devstack import declarations
from devstack.demo.operator import Operator
from devstack.demo.studio import Studio
from tests.docs.pages import ROOT, page
from tests.docs.playground import Playground, is_run, play

EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/README.md"))
PLAYED = [
    name for name in EXAMPLES if any(map(is_run, page(f"examples/{name}/README.md").blocks()))
]
FILES = sorted(path.parent.name for path in ROOT.glob("examples/*/*.yaml"))


class Seen:
    """What somebody sees who did not read the page: the app's ledgers, and Studio."""

    def __init__(self, playground: Playground, folder: Path) -> None:
        self._playground = playground
        self._folder = folder
        self._operator = Operator(playground.stack.addresses)
        self._studio = Studio(playground.stack.addresses)

    def played(self, example: str) -> Seen:
        play(self._playground, page(f"examples/{example}/README.md").blocks(), self._folder)
        return self

    def champion(self, model: str) -> str:
        return str(self._operator.get(f"models/{model}")["ledger"]["champion"])

    def results(self, model: str) -> list[tuple[str, str]]:
        """Pipeline and result of each run, oldest first."""
        runs = self._operator.get("runs", model=model)
        runs.sort(key=lambda run: int(run["run"].rpartition(".r")[2]))
        return [(str(run["pipeline"]), str(run["result"])) for run in runs]

    def file_in(self, sample: str, endpoint: str) -> str:
        """Which model file an endpoint of a sample's scoring service names."""
        service = self._studio.sample(sample, "scoring", "classic")["web_service_id"]
        url = self._studio.endpoint_url(service, endpoint)
        return self._studio.location(self._studio.endpoint_at(url))

    def close(self) -> None:
        self._operator.close()


@pytest.fixture
def seen(playground: Playground, tmp_path: Path) -> Iterator[Seen]:
    found = Seen(playground, tmp_path)
    yield found
    found.close()


def test_one_model(seen: Seen) -> None:
    seen.played("one-model")

    assert ("retrain", "ok") == seen.results("churn")[0]
    assert "/churn-v1-" in seen.file_in("churn", "ep2")


def test_a_family_per_shop(seen: Seen) -> None:
    before = seen.file_in("sales", "default")
    seen.played("family-per-shop")

    assert [("retrain", "ok"), ("verify", "verified")] == seen.results("shops--north")
    assert [("retrain", "rejected"), ("verify", "verified")] == seen.results("shops--south")
    assert "/shops--north-v1-" in seen.file_in("sales", "shop-north")
    assert before == seen.file_in("sales", "shop-south")


def test_scheduled_retraining_and_verification(seen: Seen) -> None:
    seen.played("scheduled")

    by_schedule = [("retrain", "ok"), ("verify", "verified")]
    assert by_schedule == sorted(seen.results("leavers")[1:])
    assert "v" in seen.champion("leavers")


def test_the_ten_steps(seen: Seen) -> None:
    seen.played("ten-steps")

    assert [("experiment", "ok")] == seen.results("customers")
    assert "v1" == seen.champion("customers")


def test_a_model_file_from_elsewhere(seen: Seen) -> None:
    before = seen.file_in("churn", "default")
    seen.played("bring-your-own-ilearner")

    assert [("publish", "ok")] == seen.results("scores")
    assert "/scores-v1-" in seen.file_in("churn", "scores")
    assert before != seen.file_in("churn", "scores-staging")


def test_a_producer(seen: Seen) -> None:
    seen.played("producer")

    assert ("retrain", "ok") in seen.results("churn")


def test_every_example_is_played() -> None:
    told = Path(__file__).read_text(encoding="utf-8")
    assert [] == [name for name in PLAYED if f'seen.played("{name}")' not in told]
    listed = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    assert [] == [name for name in EXAMPLES if f"({name}/README.md)" not in listed]


@pytest.mark.parametrize("example", FILES)
def test_the_declarations_of_an_example_are_accepted_together_with_all_others(
    example: str, playground: Playground, tmp_path: Path
) -> None:
    for name in FILES:
        folder = ROOT / "examples" / name
        declarations.take(folder, tmp_path, playground.stack.addresses, keep=False)

    declared = Declarations.read(tmp_path, None)

    assert len(list(tmp_path.glob("*.yaml"))) == len(declared.families()) + len(declared.models())
