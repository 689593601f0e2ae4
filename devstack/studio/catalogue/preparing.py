"""Modules that prepare one dataset: select, clean, normalize, edit metadata, transform."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devstack.studio.catalogue.cleaning import CLEANING_MODES, ONLY_IN_STUDIO, clean
from devstack.studio.catalogue.columns import picked_columns
from devstack.studio.catalogue.metadata import CATEGORICAL_CHOICES, DATA_TYPES, FLAGS, edit_metadata
from devstack.studio.catalogue.module import (
    DATASET,
    TRANSFORM,
    Module,
    Parameter,
    Parameters,
    Values,
    value_at,
)
from devstack.studio.catalogue.normalizing import METHODS, normalize
from devstack.studio.learning.failures import BadParameter
from devstack.studio.learning.tables import Table
from devstack.studio.learning.transforms import Transform

MANIPULATION = "Data Transformation / Manipulation"
SCALING = "Data Transformation / Scale and Reduce"


def _select(parameters: Parameters, values: Values) -> Values:
    table = value_at(values, "Dataset", Table)
    picked = picked_columns(parameters.get("Select Columns", ""), table)
    if not picked:
        raise BadParameter("parameter 'Select Columns' selects no column")
    return {"Results dataset": table.project(picked)}


def _apply(parameters: Parameters, values: Values) -> Values:
    transform = value_at(values, "Transformation", Transform)
    return {"Transformed dataset": transform.apply(value_at(values, "Dataset", Table))}


def _learned(
    learn: Callable[[Parameters, Table], Transform], dataset_port: str, transform_port: str
) -> Callable[[Parameters, Values], Values]:
    """A module that learns a transformation from its dataset, and applies it there at once."""

    def run(parameters: Parameters, values: Values) -> Values:
        table = value_at(values, "Dataset", Table)
        transform = learn(parameters, table)
        return {dataset_port: transform.apply(table), transform_port: transform}

    return run


def _edit(parameters: Parameters, values: Values) -> Values:
    return {"Results dataset": edit_metadata(parameters, value_at(values, "Dataset", Table))}


PREPARING: Mapping[str, Module] = {
    "Select Columns in Dataset": Module(
        "1ec722fab6234e26a44ea50c6d726223",
        {"Dataset": DATASET},
        {"Results dataset": DATASET},
        _select,
        parameters=(Parameter("Select Columns", "ColumnPicker", optional=False),),
        category=MANIPULATION,
    ),
    "Clean Missing Data": Module(
        "d2c5ca2f732341a39b7eda917c99f0c4",
        {"Dataset": DATASET},
        {"Cleaned dataset": DATASET, "Cleaning transformation": TRANSFORM},
        _learned(clean, "Cleaned dataset", "Cleaning transformation"),
        parameters=(
            Parameter("Columns to be cleaned", "ColumnPicker", optional=False),
            Parameter("Minimum missing value ratio", "Double", "0", minimum=0, maximum=1),
            Parameter("Maximum missing value ratio", "Double", "1", minimum=0, maximum=1),
            Parameter(
                "Cleaning mode",
                "Mode",
                "Custom substitution value",
                (*CLEANING_MODES, *ONLY_IN_STUDIO),
            ),
            Parameter("Replacement value", "String", "0"),
            Parameter("Cols with all missing values", "Mode", "Remove", ("Propagate", "Remove")),
            Parameter("Generate missing value indicator column", "Boolean", "False"),
        ),
        category=MANIPULATION,
    ),
    "Normalize Data": Module(
        "986df33367484b85923d871df70d6aaf",
        {"Dataset": DATASET},
        {"Transformed dataset": DATASET, "Transformation function": TRANSFORM},
        _learned(normalize, "Transformed dataset", "Transformation function"),
        parameters=(
            Parameter("Transformation method", "Mode", "ZScore", METHODS),
            Parameter("Columns to transform", "ColumnPicker", optional=False),
            Parameter("Use 0 for constant columns when checked", "Boolean", "True"),
        ),
        category=SCALING,
    ),
    "Apply Transformation": Module(
        "805e592d0f1f48eb97c9688ed0c1dc70",
        {"Transformation": TRANSFORM, "Dataset": DATASET},
        {"Transformed dataset": DATASET},
        _apply,
        category="Machine Learning / Score",
    ),
    "Edit Metadata": Module(
        "370b6676c11c486fbf7335349f842a66",
        {"Dataset": DATASET},
        {"Results dataset": DATASET},
        _edit,
        parameters=(
            Parameter("Column", "ColumnPicker", optional=False),
            Parameter("Data Type", "Mode", "Unchanged", DATA_TYPES),
            Parameter("Categorical", "Mode", "Unchanged", CATEGORICAL_CHOICES),
            Parameter("Fields", "Mode", "Unchanged", FLAGS),
            Parameter("New Column Name", "String"),
        ),
        category=MANIPULATION,
    ),
}
