"""Modules that make datasets, or take several: enter, convert, split, add rows, join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from devstack.studio.catalogue.joining import JOINS, join
from devstack.studio.catalogue.module import (
    DATASET,
    Module,
    Parameter,
    Parameters,
    Values,
    value_at,
)
from devstack.studio.catalogue.splitting import FRACTION, SPLIT_PARAMETERS, split
from devstack.studio.learning.failures import BadTable, NotExecutable
from devstack.studio.learning.options import boolean_parameter, choice_parameter
from devstack.studio.learning.tables import Table, read_table

__all__ = ["DATASETS", "FRACTION"]

INPUT_OUTPUT = "Data Input and Output"
CONVERSIONS = "Data Format Conversions"
MANIPULATION = "Data Transformation / Manipulation"

_ENTERED = {"CSV": ".csv", "TSV": ".tsv"}
_ONLY_IN_STUDIO = ("ARFF", "SvmLight")


def _enter(parameters: Parameters, values: Values) -> Values:
    """A dataset from text; columns without a header are called Col1, Col2, and so on."""
    formats = (*_ENTERED, *_ONLY_IN_STUDIO)
    chosen = choice_parameter(parameters, "DataFormat", formats, default="CSV")
    if chosen in _ONLY_IN_STUDIO:
        raise NotExecutable(f"data in the format {chosen}; choose one of {', '.join(_ENTERED)}")
    text = parameters.get("Data", "")
    if not boolean_parameter(parameters, "HasHeader", default=True):
        delimiter = "," if chosen == "CSV" else "\t"
        first = text.lstrip("\r\n").splitlines()[:1] or [""]
        names = [f"Col{at}" for at in range(1, first[0].count(delimiter) + 2)]
        text = delimiter.join(names) + "\n" + text
    return {"dataset": read_table(text.encode(), extension=_ENTERED[chosen])}


def _pass_on(parameters: Parameters, values: Values) -> Values:
    return {"Results dataset": value_at(values, "Dataset", Table)}


def _split(parameters: Parameters, values: Values) -> Values:
    first, second = split(parameters, value_at(values, "Dataset", Table))
    return {"Results dataset1": first, "Results dataset2": second}


def _add_rows(parameters: Parameters, values: Values) -> Values:
    """The rows of the second dataset after those of the first, by the names of the columns."""
    first, second = (value_at(values, port, Table) for port in ("Dataset1", "Dataset2"))
    if set(first.columns) != set(second.columns):
        odd = sorted(set(first.columns) ^ set(second.columns))
        raise BadTable(f"the datasets have different columns, one of them has no {odd[0]!r}")
    aligned = second.project([second.position(name) for name in first.columns])
    return {"Results dataset": replace(first, rows=first.rows + aligned.rows)}


def _join(parameters: Parameters, values: Values) -> Values:
    left, right = (value_at(values, port, Table) for port in ("Dataset1", "Dataset2"))
    return {"Results dataset": join(parameters, left, right)}


_TWO = {"Dataset1": DATASET, "Dataset2": DATASET}


def _converter(family: str) -> Module:
    return Module(
        family, {"Dataset": DATASET}, {"Results dataset": DATASET}, _pass_on, category=CONVERSIONS
    )


DATASETS: Mapping[str, Module] = {
    "Enter Data Manually": Module(
        "4fbef0ab2c8e4a25b5c47be76eac33d6",
        {},
        {"dataset": DATASET},
        _enter,
        parameters=(
            Parameter("DataFormat", "Mode", "CSV", (*_ENTERED, *_ONLY_IN_STUDIO)),
            Parameter("Data", "Script", optional=False),
            Parameter("HasHeader", "Boolean", "True"),
        ),
        category=INPUT_OUTPUT,
    ),
    "Convert to CSV": _converter("faa6ba63383c4086ba587abf26b85814"),
    "Convert to TSV": _converter("1cdbcda42ece49088b87e6b636258d3d"),
    "Convert to Dataset": _converter("72bf58e0fc874bb19704f1805003b975"),
    "Split Data": Module(
        "70530644c97a4ab685f788bf30a8be5f",
        {"Dataset": DATASET},
        {"Results dataset1": DATASET, "Results dataset2": DATASET},
        _split,
        parameters=SPLIT_PARAMETERS,
        category="Data Transformation / Sample and Split",
    ),
    "Add Rows": Module(
        "b2ebdabd217d491586cc5b05972f7270",
        _TWO,
        {"Results dataset": DATASET},
        _add_rows,
        category=MANIPULATION,
    ),
    "Join Data": Module(
        "124865f7e9014656adacf4cb08248099",
        _TWO,
        {"Results dataset": DATASET},
        _join,
        parameters=(
            Parameter("Join key columns for L", "ColumnPicker", optional=False),
            Parameter("Join key columns for R", "ColumnPicker", optional=False),
            Parameter("Match case", "Boolean", "True"),
            Parameter("Join type", "Mode", "Inner Join", JOINS),
            Parameter("Keep right key columns in joined table", "Boolean", "True"),
        ),
        category=MANIPULATION,
    ),
}
