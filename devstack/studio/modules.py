"""Modules: the building blocks of graphs, in one table by their names.

Each group of modules is a table of the catalogue with one function per module. Ids are those of
Studio's global workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.studio.catalogue.columns import column_names
from devstack.studio.catalogue.datasets import DATASETS
from devstack.studio.catalogue.foreign import FOREIGN
from devstack.studio.catalogue.modelling import MODELLING
from devstack.studio.catalogue.module import (
    DATASET,
    GLOBAL_WORKSPACE,
    LEARNER,
    TRAINED_MODEL,
    TRANSFORM,
    Module,
    Parameter,
    Value,
    describe,
)
from devstack.studio.catalogue.preparing import PREPARING

__all__ = [
    "DATASET", "LEARNER", "TRAINED_MODEL", "TRANSFORM", "GLOBAL_WORKSPACE",
    "MODULES", "Module", "Parameter", "Value", "catalogue", "column_names", "module_named_by",
]  # fmt: skip

MODULES: Mapping[str, Module] = {**DATASETS, **PREPARING, **MODELLING, **FOREIGN}

_BY_FAMILY: Mapping[str, str] = {module.family: name for name, module in MODULES.items()}
assert len(_BY_FAMILY) == len(MODULES), "two modules have the same family"


def catalogue() -> list[dict[str, Any]]:
    """Every module by name: id, name, family, category, executable, inputs, outputs, parameters."""
    return [describe(name, module) for name, module in sorted(MODULES.items())]


def module_named_by(module_id: str) -> str | None:
    """The name of the module with this id, of any version; None when there is none."""
    parts = module_id.split(".")
    family = parts[1] if len(parts) > 1 else module_id
    return _BY_FAMILY.get(family)
