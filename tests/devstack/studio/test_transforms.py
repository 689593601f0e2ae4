"""Transformations: their file, what is refused as one, and what applying them does."""

from __future__ import annotations

import json

import pytest

from devstack.studio.learning.assets import read_asset, write_asset
from devstack.studio.learning.failures import BadModel, BadTable
from devstack.studio.learning.ilearner import write_model
from devstack.studio.learning.learners import Learner
from devstack.studio.learning.training import train
from devstack.studio.learning.transforms import (
    FILE_BYTES_MAX,
    DropColumns,
    DropRows,
    Fill,
    Scale,
    Transform,
    read_transform,
    write_transform,
)
from tests.devstack.studio.tables_of_sklearn import run_module, table_for, table_of

STEPS = Transform(
    steps=[
        Fill(replacements={"a": "7", "b": "x"}, indicators=True),
        DropRows(columns=["c"]),
        DropColumns(columns=["c"]),
        Scale(method="MinMax", columns={"a": (1.0, 4.0)}),
    ]
)


def test_the_steps_are_applied_in_order() -> None:
    table = table_of("a,b,c\n1,,p\n,y,q\n3,z,")

    assert table_of(
        """b,a_IsMissing,b_IsMissing,a
        x,false,true,0.0
        y,true,false,1.5"""
    ) == STEPS.apply(table).project([1, 2, 3, 0])


def test_a_transformation_is_read_as_it_was_written() -> None:
    content = write_transform(STEPS)

    assert STEPS == read_transform(content)
    assert content == write_transform(read_transform(content))
    assert STEPS == read_asset(content)
    assert content == write_asset(STEPS)


def test_what_was_learned_on_some_rows_is_applied_to_others() -> None:
    table = table_for("regression")
    learned, new = table.take(range(300)), table.take(range(300, 442))
    parameters = {"Transformation method": "ZScore", "Columns to transform": "bmi"}

    transform = run_module("Normalize Data", {"Dataset": learned}, parameters)[
        "Transformation function"
    ]
    assert isinstance(transform, Transform)
    kept = read_transform(write_transform(transform))
    applied = run_module("Apply Transformation", {"Transformation": kept, "Dataset": new}, {})

    assert transform.apply(new) == applied["Transformed dataset"]
    assert transform.apply(new) != new


def test_a_dataset_without_the_columns_or_with_text_in_them_is_refused() -> None:
    scale = Transform(steps=[Scale(method="ZScore", columns={"a": (0.0, 1.0)})])

    with pytest.raises(BadTable, match="column 'a' is not in the dataset"):
        scale.apply(table_of("b\n1"))
    with pytest.raises(BadTable, match="column 'a' holds 'x', which is not a number"):
        scale.apply(table_of("a\nx"))


def changed(**members: object) -> bytes:
    return json.dumps({**json.loads(write_transform(STEPS)), **members}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
        changed(format="pickle"),
        changed(version=2),
        changed(more=1),
        changed(steps=[{"kind": "run", "code": "print()"}]),
        changed(steps=[{"kind": "scale", "method": "Exec", "columns": {}}]),
        changed(steps=[{"kind": "scale", "method": "ZScore", "columns": {"a": ["0", "1"]}}]),
        changed(steps=[{"kind": "drop-rows", "columns": [1]}]),
        changed(steps=[{"kind": "drop-rows", "columns": []}] * 1001),
        changed().replace(b"4.0", b"NaN"),
        b"{" + b" " * FILE_BYTES_MAX,
        b'{"steps":' + b"[" * 100_000,
    ],
    ids=range(15),
)
def test_what_is_no_transformation_is_refused(content: bytes) -> None:
    with pytest.raises(BadModel):
        read_transform(content)


def test_an_asset_is_told_apart_by_its_content() -> None:
    model = train(Learner("Linear Regression"), table_of("a,y\n1,2\n2,4\n3,6"), "y")

    read = read_asset(write_model(model))

    assert "regression" == read.task
    assert "transformation" == read_asset(write_asset(STEPS)).task
