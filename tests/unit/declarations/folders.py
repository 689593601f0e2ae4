"""Folders of declarations for tests: a sound one, to be changed in one place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured

Change = Callable[[dict[str, Any]], object]
WORKSPACE = "https://management.azureml.net/workspaces/ws"


def classic(service: str, endpoint: str) -> dict[str, Any]:
    return {
        "kind": "classic",
        "endpoint": f"{WORKSPACE}/webservices/{service}/endpoints/{endpoint}",
    }


def arm(name: str) -> dict[str, Any]:
    return {
        "kind": "new",
        "resource": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning"
        f"/webServices/{name}",
    }


CHURN: dict[str, Any] = {
    "model": "churn",
    "dataset": "churn/*.csv",
    "training": {"service": classic("training", "retrain"), "outputs": {"evaluation": "output2"}},
    "gate": {
        "label": "left",
        "compare": "same-rows",
        "rows_blob": "rows/churn.csv",
        "staging": "stage",
        "metrics": [{"name": "auc", "min": 0.7, "max_regression": 0.01}],
    },
    "staging": {"name": "stage", "service": classic("scoring", "stage"), "trained_model": "m"},
    "targets": [
        {"name": "us", "service": classic("scoring", "live"), "trained_model": "m"},
        {"name": "eu", "service": arm("churn-eu"), "trained_model": "m", "wave": 2},
    ],
    "smoke_tests": [
        {"rows": [{"age": 1}], "expect": [{"column": "Scored Labels", "equals": "1"}]},
    ],
    "schedules": {"verify": "0 6 * * *"},
}

SHOPS: dict[str, Any] = {
    "family": "shops",
    "dataset": "sales/{shop}/*.csv",
    "training": {"service": classic("sales", "retrain"), "parameters": {"shop": "{shop}"}},
    "gate": {"task": "regression", "metrics": [{"name": "r2", "min": 0.5}]},
    "targets": [{"name": "{shop}", "service": classic("sales", "{shop}"), "trained_model": "m"}],
}


def changed(declaration: dict[str, Any], change: Change) -> dict[str, Any]:
    copied = copy.deepcopy(declaration)
    change(copied)
    return copied


def put(folder: Path, name: str, content: dict[str, Any] | str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    (folder / name).write_text(text, encoding="utf-8")


def mistakes(folder: Path) -> list[str]:
    """What is wrong with a folder, one mistake an item."""
    with pytest.raises(Misconfigured) as error:
        Declarations.read(folder, None)
    first, *told = str(error.value).splitlines()
    assert first.endswith("in the declarations:")
    return [line.strip() for line in told]
