"""Declarations as the engine and the triggers use them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alm.adapters.declarations import Declarations
from alm.domain.errors import Conflict, Misconfigured, NotFound, UnknownModel
from alm.domain.managed_model import ManagedModel
from alm.domain.versions import Naming, file_name
from tests.unit.declarations.folders import CHURN, SHOPS, put

ROOT = Path(__file__).resolve().parents[3]
SIX = datetime(2024, 5, 6, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Shelf:
    """The two calls of `Blobs` that declarations make, and how often they were made."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.puts = 0

    def get(self, path: str, *, etag: str = "", bytes_max: int = 0) -> bytes:
        if path not in self.content:
            raise NotFound(f"no blob {path}")
        return self.content[path]

    def put(self, path: str, content: bytes, *, if_absent: bool = False) -> str:
        self.puts += 1
        if if_absent and path in self.content:
            raise Conflict(f"{path} exists")
        self.content[path] = content
        return "etag"


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def declarations(tmp_path: Path, shelf: Shelf) -> Declarations:
    folder = tmp_path / "managed_models"
    put(folder, "churn.yaml", CHURN)
    put(folder, "shops.yaml", SHOPS)
    return Declarations.read(folder, shelf)


def older(model: ManagedModel) -> ManagedModel:
    return model.model_copy(update={"quiet_seconds": 77})


def test_the_example_declarations_load_clean():
    declarations = Declarations.read(ROOT / "managed_models", None)
    declarations.check_members()
    assert declarations.models() == ["churn"]
    assert declarations.families() == ["shops"]
    assert declarations.resolve("shops--north").targets[0].name == "north"


def test_the_pattern_of_model_files_has_a_default(declarations):
    assert declarations.resolve("churn").model_pattern == "churn/*.ilearner"
    assert declarations.matching_model_file("churn/new.ilearner").ids == ("churn",)
    assert declarations.matching_model_file("churn/new.iLearner").ids == ()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("chrun", "did you mean 'churn'?"),
        ("shops", "is a family; name a member"),
        ("churn--north", "has no members"),
        ("shop--north", "did you mean 'shops'?"),
        ("zzz", "known: churn, shops"),
        ("", "known: churn, shops"),
        ("a\nb" * 500, "known: churn, shops"),
    ],
)
def test_an_unknown_model_is_told_with_what_there_is(declarations, model, words):
    with pytest.raises(UnknownModel) as error:
        declarations.resolve(model)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_a_run_goes_on_with_the_declaration_it_began_with(declarations):
    before = older(declarations.resolve("churn"))
    declarations.keep(before)
    assert declarations.at("churn", before.digest) == before
    assert declarations.at("churn", declarations.resolve("churn").digest).quiet_seconds == 0


def test_a_declaration_that_was_removed_is_still_there_for_its_runs(declarations):
    gone = declarations.resolve("churn").model_copy(update={"model": "gone"})
    declarations.keep(gone)
    assert declarations.at("gone", gone.digest) == gone


def test_a_declaration_is_stored_once(declarations, shelf):
    model = declarations.resolve("churn")
    declarations.keep(model)
    declarations.keep(model)
    assert shelf.puts == 1
    assert list(shelf.content) == [f"alm-definitions/churn/{model.digest}.json"]


def test_a_declaration_that_another_process_stored_is_no_problem(declarations, shelf):
    model = declarations.resolve("churn")
    shelf.content[f"alm-definitions/churn/{model.digest}.json"] = b"there"
    declarations.keep(model)
    assert shelf.content[f"alm-definitions/churn/{model.digest}.json"] == b"there"


def test_a_lost_declaration_is_told(declarations):
    with pytest.raises(Misconfigured, match="cancel the run and start it again"):
        declarations.at("churn", "0" * 24)


def test_a_stored_declaration_that_was_changed_is_refused(declarations, shelf):
    before = older(declarations.resolve("churn"))
    declarations.keep(before)
    path = f"alm-definitions/churn/{before.digest}.json"
    shelf.content[path] = shelf.content[path].replace(b"77", b"78")
    with pytest.raises(Misconfigured, match="was changed where it is stored"):
        declarations.at("churn", before.digest)


def test_without_storage_a_declaration_lasts_as_long_as_the_process(tmp_path):
    put(tmp_path / "m", "churn.yaml", CHURN)
    declarations = Declarations.read(tmp_path / "m", None)
    before = older(declarations.resolve("churn"))
    declarations.keep(before)
    assert declarations.at("churn", before.digest) == before
    with pytest.raises(Misconfigured, match="is not stored"):
        declarations.at("churn", "0" * 24)


def test_all_members_are_asked_whether_they_are_due(declarations):
    declarations.remember("shops--north")
    assert declarations.scheduled().ids == ("churn", "shops--north")


def test_declarations_that_are_surely_not_due_are_left_out(declarations):
    declarations.remember("shops--north")
    assert declarations.scheduled(SIX - MINUTE, SIX).ids == ("churn",)
    assert declarations.scheduled(SIX, SIX + MINUTE).ids == ()


def test_the_nearest_pattern_is_named_by_container(declarations):
    assert declarations.nearest("chrun/a.csv") == "churn/*.csv"
    assert declarations.nearest("chrun/a.csv", "trained-models") == "churn/*.ilearner"
    assert declarations.nearest("sale/x/a.csv", "datasets") == "sales/{shop}/*.csv"
    assert declarations.nearest("zz/1.parquet", "datasets") == ""
    assert declarations.some_patterns("datasets", 1) == ["churn/*.csv"]


def test_a_hostile_name_is_for_nobody(declarations):
    for name in ("churn/../a.csv", "churn/a\n.csv", "churn//a.csv", "churn\\a.csv", "c" * 2000):
        assert declarations.matching_dataset(name).ids == ()
        assert declarations.matching_model_file(name).ids == ()


def test_matches_behave_like_a_list(declarations):
    found = declarations.matching_dataset("churn/a.csv")
    assert len(found) == 1
    assert found[0].model == "churn"
    assert [model.model for model in found] == ["churn"]
    assert found[:1].ids == found.ids
    assert not declarations.matching_dataset("nothing")


def test_two_versions_never_have_one_name():
    at = datetime(2024, 5, 6, tzinfo=UTC)
    for naming in (Naming(), Naming(prefix="v1-", suffix="-v2"), Naming(prefix="1", suffix="1")):
        names = {file_name("churn", number, at, naming) for number in range(1, 300)}
        assert len(names) == 299
