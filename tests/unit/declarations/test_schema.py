"""The published schema of declarations agrees with the loader, as far as a schema can say it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import BaseModel

from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured
from alm.domain.managed_model import ManagedModel
from alm.entrypoints.api.json_schemas import any_case
from alm.entrypoints.published.declaration_schema import declaration_schema
from alm.entrypoints.published.declaration_words import EXAMPLES, WORDS
from tests.unit.declarations.folders import CHURN, SHOPS, arm, changed, classic, put
from tests.unit.declarations.test_documented import blocks
from tests.unit.declarations.test_mistakes import CASES
from tests.unit.entrypoints import app_world

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = declaration_schema()
VALIDATOR = Draft7Validator(SCHEMA)
SHAPE = re.compile(
    r"has not the right|no known field|out of range|wrong kind|did you mean '(queue|accuracy)'"
    r"|has the kind|add `kind`|rows: is empty|write text, a number"
)
"""What the loader says of forms and fields. All else that it says compares fields."""


def refusals(value: object) -> list[str]:
    return [
        f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors(value)
    ]


def accepted(folder: Path, value: dict[str, Any]) -> bool:
    put(folder, "one.yaml", value)
    try:
        Declarations.read(folder, None)
    except Misconfigured:
        return False
    return True


def test_the_schema_is_one():
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted((ROOT / "managed_models").glob("*.yaml")), ids=str)
def test_every_declaration_of_the_project_fits_and_tells_editors_where_the_schema_is(path):
    text = path.read_text(encoding="utf-8")
    assert refusals(yaml.safe_load(text)) == []
    first = text.partition("\n")[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named is not None
    assert json.loads((path.parent / named[1]).read_text(encoding="utf-8")) == SCHEMA


def test_the_editors_settings_name_the_schema():
    settings = json.loads((ROOT / ".vscode/settings.json").read_text(encoding="utf-8"))
    ((schema, pattern),) = settings["yaml.schemas"].items()
    assert (ROOT / schema).is_file()
    assert list(ROOT.glob(pattern))


@pytest.mark.parametrize(
    "value",
    [
        *(CHURN, SHOPS, app_world.CHURN, app_world.DROPPED, app_world.SHOPS),
        *map(yaml.safe_load, blocks("yaml")),
    ],
    ids=lambda value: value.get("model") or value["family"],
)
def test_declarations_of_tests_and_documents_fit(value):
    assert refusals(value) == []


@pytest.mark.parametrize(("change", "words"), CASES, ids=[words for _, words in CASES])
def test_a_mistake_of_form_is_refused_by_both_and_a_broken_rule_by_the_loader(change, words):
    assert bool(refusals(changed(CHURN, change))) == bool(SHAPE.search(words))


LISTED = {"list": [{"shop": "north", "wave": "1"}, {"shop": "south", "wave": "2"}]}
FAMILIES = [
    ({}, True),
    ({"members": "captures"}, True),
    ({"members": {"list": ["north", 7]}}, True),
    ({"members": LISTED, "quiet_seconds": "{wave}"}, True),
    ({"members": {**LISTED, "key": ["shop"]}, "concurrency": "queue"}, True),
    ({"model_pattern": "{shop}/*.ilearner"}, True),
    ({"members": "all"}, False),
    ({"members": {"list": []}}, False),
    ({"members": {"list": ["a"], "file": "b.csv"}}, False),
    ({"members": {"file": "../b.csv"}}, False),
    ({"members": {}}, False),
    ({"model": "x"}, False),
    ({"family": "a--b"}, False),
    ({"family": "a-"}, False),
    ({"quiet_seconds": "soon"}, False),
    ({"concurrency": "que"}, False),
    ({"gate": {"task": "{"}}, False),
    ({"notify": {"webhook": "https://secret"}}, False),
]


@pytest.mark.parametrize(("changes", "fits"), FAMILIES, ids=[str(each) for each, _ in FAMILIES])
def test_families_are_judged_alike(tmp_path, changes, fits):
    value = {**SHOPS, **changes}
    assert (not refusals(value), accepted(tmp_path / "m", value)) == (fits, fits)


SINGLES = [
    ({"model": 7}, True),
    ({"keep_versions": 20, "quiet_seconds": 0.5}, True),
    ({"training": {**CHURN["training"], "parameters": {"trees": 100, "fast": True}}}, True),
    ({"staging": None, "gate": {"metrics": [{"name": "auc", "min": 0.5}]}}, True),
    ({"targets": [{"name": "us", "service": arm("x").copy(), "trained_model": 5}]}, True),
    ({"family": ""}, False),
    ({"model": ""}, False),
    ({"keep_versions": 0}, False),
    ({"targets": [{"name": "us", "service": classic("a", "b")}]}, False),
    ({"targets": [{"name": "{x}", "service": arm("x"), "trained_model": "m"}]}, False),
    (
        {"targets": [{"name": "u", "service": {**arm("x"), "url": "u"}, "trained_model": "m"}]},
        False,
    ),
    ({"notify": {"webhook": None}}, True),
    ({"gate": None}, False),
]


@pytest.mark.parametrize(("changes", "fits"), SINGLES, ids=[str(each) for each, _ in SINGLES])
def test_single_models_are_judged_alike(tmp_path, changes, fits):
    value = {**CHURN, **changes}
    assert (not refusals(value), accepted(tmp_path / "m", value)) == (fits, fits)


def test_a_file_of_members_beside_its_declaration_is_no_mistake():
    assert refusals(["north", {"shop": "south", "wave": 2}]) == []
    assert refusals([["north"]]) != []


def classes(kind: type[BaseModel]) -> dict[str, type[BaseModel]]:
    found = {kind.__name__: kind}
    for info in kind.model_fields.values():
        for each in parts(info.annotation):
            found |= classes(each)
    return found


def parts(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [each for inside in getattr(annotation, "__args__", ()) for each in parts(inside)]


def test_every_field_is_explained_and_no_other():
    fields = {name: set(kind.model_fields) for name, kind in classes(ManagedModel).items()}
    fields["ManagedModel"].remove("family")
    assert {name: set(words) for name, words in WORDS.items()} == fields
    assert all(set(shown) <= fields[name] for name, shown in EXAMPLES.items())


def test_every_example_is_one():
    for name, fields in EXAMPLES.items():
        for field, examples in fields.items():
            schema = SCHEMA["$defs"][name]["properties"][field]
            for example in examples:
                Draft7Validator({**schema, "$defs": SCHEMA["$defs"]}).validate(example)


def test_patterns_are_without_flags():
    assert "(?" not in re.sub(r"\(\?=", "", json.dumps(SCHEMA))
    pattern = any_case(r"^/Sub[a-z-]+/\w$")
    assert pattern == r"^/[sS][uU][bB][a-zA-Z-]+/\w$"
