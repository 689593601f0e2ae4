"""Settings: what a version's record tells of the graph that made it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from alm.domain.experiment import Graph
from alm.domain.graph.settings import SETTINGS_MAX, settings_of

FAMILY = "5cc7053eaa30450d96c0dae4be720977"


def graph(*parameters: tuple[str, str], label: str = "") -> Graph:
    node: dict[str, Any] = {
        "Id": "n-1",
        "ModuleId": f"{'5' * 32}.{FAMILY}.v1-default-1",
        "Comment": label,
        "ModuleParameters": [{"Name": name, "Value": value} for name, value in parameters],
    }
    return Graph.model_validate({"ModuleNodes": [node], "EdgesInternal": []})


@pytest.mark.parametrize(
    ("parameters", "label", "told"),
    [
        ([("Seed", "7")], "train", {"train: Seed": "7"}),
        ([("Seed", "7")], "", {"Train Model: Seed": "7"}),
        ([("Seed", "")], "", {}),
        ([("Account key", "c2VjcmV0")], "", {}),
    ],
)
def test_each_value_is_told_by_node_and_name(parameters, label, told) -> None:
    assert told == settings_of(graph(*parameters, label=label))


def test_a_column_picker_is_told_in_words() -> None:
    rule = {"ruleType": "ColumnNames", "columns": ["income"], "exclude": False}
    picker = quote(json.dumps({"isFilter": True, "rules": [rule]}))

    (told,) = settings_of(graph(("Label column", picker))).values()

    assert "income" in told
    assert "%7B" not in told


def test_many_settings_are_cut_off() -> None:
    many = [(f"p{number}", "1") for number in range(SETTINGS_MAX + 50)]

    assert SETTINGS_MAX == len(settings_of(graph(*many)))
