"""Modules: what each does to datasets, and what the catalogue says of them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from devstack.studio.graph import Edge, Graph, Node, run_graph
from devstack.studio.learning.failures import LearningFailure
from devstack.studio.learning.learners import Learner
from devstack.studio.learning.tables import Table, read_table, write_table
from devstack.studio.learning.training import TrainedModel, train
from devstack.studio.learning.transforms import Transform
from devstack.studio.modules import (
    GLOBAL_WORKSPACE,
    MODULES,
    Value,
    catalogue,
    module_named_by,
)
from tests.devstack.studio.tables_of_sklearn import run_module, table_for, table_of

PEOPLE = table_of(
    """name,age,height,city,member
    ann,31,1.65,Rome,true
    bob,,1.80,Oslo,false
    cat,54,,Rome,true
    dan,22,1.75,,true"""
)


def picker(*rules: dict[str, object], is_filter: bool = True) -> str:
    """A column picker's value as Studio writes it."""
    return quote(json.dumps({"isFilter": is_filter, "rules": list(rules)}), safe="")


def names(*columns: str, exclude: bool = False) -> dict[str, object]:
    return {"ruleType": "ColumnNames", "columns": list(columns), "exclude": exclude}


ALL = {"ruleType": "AllColumns", "exclude": False}


def output(
    name: str, inputs: dict[str, Value], port: str, parameters: dict[str, str] | None = None
) -> Table:
    """The dataset that a module puts out at a port."""
    value = run_module(name, inputs, parameters or {})[port]
    assert isinstance(value, Table)
    return value


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("city", ["city"]),
        (picker(names("city", "age")), ["age", "city"]),
        (picker(names("city", "age"), is_filter=False), ["city", "age"]),
        (picker(ALL), ["name", "age", "height", "city", "member"]),
        (picker(ALL, names("city", exclude=True)), ["name", "age", "height", "member"]),
        (picker(names("city", exclude=True)), ["name", "age", "height", "member"]),
        (
            picker({"ruleType": "ColumnIndexes", "columns": ["1", "3-4"]}),
            ["name", "height", "city"],
        ),
        (picker({"ruleType": "ColumnIndexes", "columns": ["1-2, 5"]}), ["name", "age", "member"]),
        (picker({"ruleType": "ColumnTypes", "columnTypes": ["Numeric"]}), ["age", "height"]),
        (picker({"ruleType": "ColumnTypes", "columnTypes": ["Integer"]}), ["age"]),
        (
            picker({"ruleType": "ColumnTypes", "columnTypes": ["String", "Boolean"]}),
            ["name", "city", "member"],
        ),
        (
            picker(ALL, {"ruleType": "ColumnTypes", "columnTypes": ["Double"], "exclude": True}),
            ["name", "age", "city", "member"],
        ),
    ],
)
def test_columns_are_selected_by_the_rules_of_the_picker(
    selection: str, expected: list[str]
) -> None:
    selected = output(
        "Select Columns in Dataset",
        {"Dataset": PEOPLE},
        "Results dataset",
        parameters={"Select Columns": selection},
    )

    assert expected == list(selected.columns)
    assert [PEOPLE.column(name) for name in expected] == [selected.column(n) for n in expected]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("", "selects no column"),
        (picker(names("shoe")), "column 'shoe' is not in the dataset"),
        (picker({"ruleType": "ColumnIndexes", "columns": ["4-9"]}), "columns 4-9 are not"),
        (picker({"ruleType": "ColumnIndexes", "columns": ["first"]}), "no column index"),
        (picker({"ruleType": "ColumnTypes", "columnTypes": ["Sound"]}), "of type 'Sound'"),
        (picker({"ruleType": "ColumnPhase"}), "a rule of type 'ColumnPhase'"),
        (picker({"ruleType": "ColumnNames"}), "cannot be read"),
        ("{", "cannot be read"),
        ('{"rules": 3}', "cannot be read"),
    ],
)
def test_a_selection_that_cannot_be_is_named(selection: str, message: str) -> None:
    with pytest.raises(LearningFailure, match=message):
        run_module("Select Columns in Dataset", {"Dataset": PEOPLE}, {"Select Columns": selection})


@pytest.mark.parametrize(
    ("mode", "columns", "expected"),
    [
        ("Custom substitution value", ("age", "height"), {"age": "0", "height": "0"}),
        ("Replace with mean", ("age", "height"), {"age": "36", "height": "1.7333333333333334"}),
        ("Replace with median", ("age", "height"), {"age": "31", "height": "1.75"}),
        ("Replace with mode", ("city",), {"city": "Rome"}),
    ],
)
def test_missing_cells_are_filled(
    mode: str, columns: tuple[str, ...], expected: dict[str, str]
) -> None:
    cleaned = output(
        "Clean Missing Data",
        {"Dataset": PEOPLE},
        "Cleaned dataset",
        parameters={"Columns to be cleaned": picker(names(*columns)), "Cleaning mode": mode},
    )

    for name, value in expected.items():
        assert [cell or value for cell in PEOPLE.column(name)] == cleaned.column(name)
    assert PEOPLE.columns == cleaned.columns


def test_rows_or_columns_with_missing_cells_are_removed() -> None:
    both = picker(names("age", "height"))

    rows = output(
        "Clean Missing Data",
        {"Dataset": PEOPLE},
        "Cleaned dataset",
        parameters={"Columns to be cleaned": both, "Cleaning mode": "Remove entire row"},
    )
    columns = output(
        "Clean Missing Data",
        {"Dataset": PEOPLE},
        "Cleaned dataset",
        parameters={"Columns to be cleaned": both, "Cleaning mode": "RemoveEntireColumn"},
    )

    assert ["ann", "dan"] == rows.column("name")
    assert ("name", "city", "member") == columns.columns


def test_only_columns_within_the_ratios_are_cleaned_and_indicators_say_where() -> None:
    holed = table_of("a,b\n1,\n,\n3,5")

    cleaned = output(
        "Clean Missing Data",
        {"Dataset": holed},
        "Cleaned dataset",
        parameters={
            "Columns to be cleaned": picker(ALL),
            "Maximum missing value ratio": "0.5",
            "Replacement value": "9",
            "Generate missing value indicator column": "True",
        },
    )

    assert ("a", "b", "a_IsMissing") == cleaned.columns
    assert [["1", None, "false"], ["9", None, "true"], ["3", "5", "false"]] == cleaned.rows


@pytest.mark.parametrize(("kept", "columns"), [("Propagate", ("a", "b")), ("Remove", ("a",))])
def test_a_column_without_any_value_is_passed_on_or_removed(
    kept: str, columns: tuple[str, ...]
) -> None:
    cleaned = output(
        "Clean Missing Data",
        {"Dataset": table_of("a,b\n1,\n,\n3,")},
        "Cleaned dataset",
        parameters={
            "Columns to be cleaned": picker(ALL),
            "Cleaning mode": "Replace with mean",
            "Cols with all missing values": kept,
        },
    )

    assert columns == cleaned.columns
    assert ["1", "2", "3"] == cleaned.column("a")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Cleaning mode": "Replace with mean"}, "column 'name' holds text"),
        ({"Replacement value": "none"}, "must be a number for column 'age'"),
        ({"Cleaning mode": "Replace using MICE"}, "not executable locally: cleaning mode"),
        ({"Cleaning mode": "Pray"}, "'Cleaning mode' must be one of"),
        ({"Minimum missing value ratio": "2"}, "must be at most 1, not 2.0"),
        ({"Columns to be cleaned": ""}, "selects no column"),
    ],
)
def test_a_cleaning_that_cannot_be_is_named(parameters: dict[str, str], message: str) -> None:
    given = {"Columns to be cleaned": picker(ALL), **parameters}

    with pytest.raises(LearningFailure, match=message):
        run_module("Clean Missing Data", {"Dataset": PEOPLE}, given)


@pytest.mark.parametrize(
    ("method", "scaler"), [("ZScore", StandardScaler()), ("MinMax", MinMaxScaler())]
)
def test_numbers_are_normalized_as_scikit_learn_does(method: str, scaler: object) -> None:
    table = table_for("regression")
    numeric = {"ruleType": "ColumnTypes", "columnTypes": ["Numeric"]}

    normalized = output(
        "Normalize Data",
        {"Dataset": table},
        "Transformed dataset",
        parameters={"Transformation method": method, "Columns to transform": picker(numeric)},
    )

    rows = [[float(cell or "nan") for cell in row] for row in table.rows]
    expected = scaler.fit_transform(rows)
    found = [float(cell or "nan") for row in normalized.rows for cell in row]
    assert expected.ravel().tolist() == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("Logistic", ["0.7310585786300049", None, "0.9525741268224334"]),
        ("Tanh", ["0.7615941559557649", None, "0.9950547536867305"]),
        ("LogNormal", ["0.15865525393145707", None, "0.8413447460685429"]),
    ],
)
def test_the_other_methods_of_normalizing_follow_their_formulas(
    method: str, expected: list[str | None]
) -> None:
    normalized = output(
        "Normalize Data",
        {"Dataset": table_of("a,b\n1,x\n,y\n3,z")},
        "Transformed dataset",
        parameters={"Transformation method": method, "Columns to transform": "a"},
    )

    assert [value and pytest.approx(float(value)) for value in expected] == [
        cell and float(cell) for cell in normalized.column("a")
    ]


@pytest.mark.parametrize(("zero", "expected"), [("True", "0.0"), ("False", None)])
def test_a_constant_column_becomes_zero_or_nothing(zero: str, expected: str | None) -> None:
    normalized = output(
        "Normalize Data",
        {"Dataset": table_of("a\n4\n4")},
        "Transformed dataset",
        parameters={
            "Columns to transform": "a",
            "Use 0 for constant columns when checked": zero,
        },
    )

    assert [expected, expected] == normalized.column("a")


def test_text_is_not_normalized() -> None:
    with pytest.raises(LearningFailure, match="column 'city' holds text"):
        run_module("Normalize Data", {"Dataset": PEOPLE}, {"Columns to transform": "city"})


def test_columns_are_renamed_with_what_is_known_of_them() -> None:
    scored = train(Learner("Linear Regression"), table_of("a,y\n1,2\n2,4\n3,6"), "y").score(
        table_of("a,y\n4,8")
    )

    renamed = output(
        "Edit Metadata",
        {"Dataset": scored},
        "Results dataset",
        parameters={"Column": picker(names("a", "y")), "New Column Name": "size, price"},
    )

    assert ("size", "price", "Scored Labels") == renamed.columns
    assert renamed.scored_by is not None
    assert "price" == renamed.scored_by.label


def test_a_number_marked_as_categorical_is_learned_as_a_category() -> None:
    table = table_of("shop,y\n1,10\n2,90\n3,10\n1,10\n2,90\n3,10")
    parameters = {"Column": "shop", "Categorical": "Categorical"}

    marked = output("Edit Metadata", {"Dataset": table}, "Results dataset", parameters=parameters)
    model = train(Learner("Linear Regression"), marked, "y")

    assert [("1", "2", "3")] == [feature.categories for feature in model.features]
    answers = model.score(table_of("shop\n1\n2\n3")).column("Scored Labels")
    assert [10, 90, 10] == pytest.approx([float(cell or "nan") for cell in answers], abs=0.1)


def test_a_column_that_is_no_feature_is_not_learned_from() -> None:
    parameters = {"Column": "mean radius", "Fields": "ClearFeatures"}
    table = table_for("two-class")

    cleared = output("Edit Metadata", {"Dataset": table}, "Results dataset", parameters=parameters)
    model = train(Learner("Two-Class Logistic Regression"), cleared, "target")

    assert "mean radius" not in {feature.name for feature in model.features}
    assert len(table.columns) - 2 == len(model.features)


def test_a_label_is_found_by_its_kind() -> None:
    parameters = {"Column": "age", "Fields": "Labels"}
    table = output("Edit Metadata", {"Dataset": PEOPLE}, "Results dataset", parameters=parameters)
    rule = {"ruleType": "ColumnTypes", "columnKinds": ["Label"]}

    selected = output(
        "Select Columns in Dataset",
        {"Dataset": table},
        "Results dataset",
        parameters={"Select Columns": picker(rule)},
    )

    assert ("age",) == selected.columns


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"New Column Name": "a,b"}, "has 2 names for 1 columns"),
        ({"New Column Name": "age"}, "two columns the name 'age'"),
        ({"Data Type": "Double"}, "not all its cells are numbers"),
        ({"Fields": "Weights"}, "not executable locally: weights"),
        ({"Column": picker(ALL), "Fields": "Labels"}, "makes one column the label, not 5"),
    ],
)
def test_metadata_that_cannot_be_is_named(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(LearningFailure, match=message):
        run_module("Edit Metadata", {"Dataset": PEOPLE}, {"Column": "city", **parameters})


def test_what_is_known_of_a_table_survives_being_written_with_its_metadata() -> None:
    table = train(Learner("Linear Regression"), table_of("a,y\n1,2\n2,4\n3,6"), "y").score(
        table_of("a,y\n4,8")
    )
    parameters = {"Column": "a", "Categorical": "Make categorical"}
    marked = output("Edit Metadata", {"Dataset": table}, "Results dataset", parameters=parameters)

    kept = json.loads(json.dumps(marked.metadata()))
    again = read_table(write_table(marked)).with_metadata(kept)

    assert marked == again
    assert {} == PEOPLE.metadata()


@pytest.mark.parametrize(
    ("parameters", "first"),
    [
        ({"Fraction of rows in the first output dataset": "0.75", "Randomized split": "False"}, 75),
        ({"Fraction of rows in the first output dataset": "0.25"}, 25),
        ({"Splitting mode": "Split Rows"}, 50),
        ({"Test fraction": "0.2"}, 80),
        ({}, 70),
    ],
)
def test_rows_are_split_by_studios_parameters_or_by_a_test_fraction(
    parameters: dict[str, str], first: int
) -> None:
    table = Table(("n",), [[str(at)] for at in range(100)])

    outputs = run_module("Split Data", {"Dataset": table}, {**parameters, "Random seed": "5"})
    again = run_module("Split Data", {"Dataset": table}, {**parameters, "Random seed": "5"})
    parts = [outputs[port] for port in ("Results dataset1", "Results dataset2")]

    assert outputs == again
    assert all(isinstance(part, Table) for part in parts)
    assert [first, 100 - first] == [len(part.rows) for part in parts]
    rows = [row for part in parts for row in part.rows]
    assert table.rows == sorted(rows, key=lambda row: int(row[0] or 0))
    if parameters.get("Randomized split") == "False":
        assert parts[0] == table.take(range(75))


def test_a_stratified_split_keeps_the_shares_of_the_key() -> None:
    table = table_for("multi-class")
    parameters = {
        "Fraction of rows in the first output dataset": "0.6",
        "Stratified split": "True",
        "Stratification key column": picker(names("target")),
    }

    first = output("Split Data", {"Dataset": table}, "Results dataset1", parameters=parameters)

    labels = first.column("target")
    assert [30, 30, 30] == [labels.count(label) for label in ("0", "1", "2")]


def test_rows_are_split_by_a_comparison() -> None:
    parameters = {"Splitting mode": "Relative Expression", "Relational expression": '\\"age" > 30'}

    outputs = run_module("Split Data", {"Dataset": PEOPLE}, parameters)

    first, second = outputs["Results dataset1"], outputs["Results dataset2"]
    assert isinstance(first, Table)
    assert isinstance(second, Table)
    assert ["ann", "cat"] == first.column("name")
    assert ["bob", "dan"] == second.column("name")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Fraction of rows in the first output dataset": "1.5"}, "must be at most 1, not 1.5"),
        ({"Stratified split": "True"}, "needs a column in 'Stratification key column'"),
        ({"Splitting mode": "Regular Expression"}, "not executable locally: splitting mode"),
        ({"Splitting mode": "RelativeExpression"}, "must compare a column with a number"),
        ({"Test fraction": "1"}, "must be between 0 and 1"),
        ({"Random seed": "-1"}, "must be 0 or more"),
    ],
)
def test_a_split_that_cannot_be_is_named(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(LearningFailure, match=message):
        run_module("Split Data", {"Dataset": PEOPLE}, parameters)


def test_rows_are_added_by_the_names_of_their_columns() -> None:
    first, second = table_of("a,b\n1,2"), table_of("b,a\n3,4")

    added = output("Add Rows", {"Dataset1": first, "Dataset2": second}, "Results dataset")

    assert [["1", "2"], ["4", "3"]] == added.rows
    with pytest.raises(LearningFailure, match="one of them has no 'c'"):
        run_module("Add Rows", {"Dataset1": first, "Dataset2": table_of("a,b,c\n1,2,3")}, {})


@pytest.mark.parametrize(
    ("how", "rows"),
    [
        ("Inner Join", [["1", "x", "1", "p"], ["1", "x", "1", "q"]]),
        ("Left Outer Join", [["1", "x", "1", "p"], ["1", "x", "1", "q"], ["2", "y", None, None]]),
        (
            "Full Outer Join",
            [
                ["1", "x", "1", "p"],
                ["1", "x", "1", "q"],
                ["2", "y", None, None],
                [None, None, "3", "r"],
            ],
        ),
        ("Left Semi-Join", [["1", "x"]]),
    ],
)
def test_datasets_are_joined_on_their_keys(how: str, rows: list[list[str | None]]) -> None:
    left, right = table_of("id,a\n1,x\n2,y"), table_of("id,a\n1,p\n1,q\n3,r")
    keys = {"Join key columns for L": "id", "Join key columns for R": picker(names("id"))}

    joined = output(
        "Join Data",
        {"Dataset1": left, "Dataset2": right},
        "Results dataset",
        parameters={**keys, "Join type": how},
    )

    assert rows == joined.rows
    assert ("id", "a", "id (2)", "a (2)")[: len(rows[0])] == joined.columns


def test_entered_data_becomes_a_dataset() -> None:
    with_header = output(
        "Enter Data Manually", {}, "dataset", parameters={"Data": "a,b\n1,2\n", "DataFormat": "CSV"}
    )
    without = output(
        "Enter Data Manually",
        {},
        "dataset",
        parameters={"Data": "1\t2\n", "DataFormat": "TSV", "HasHeader": "False"},
    )

    assert table_of("a,b\n1,2") == with_header
    assert table_of("Col1,Col2\n1,2") == without
    with pytest.raises(LearningFailure, match="not executable locally: data in the format ARFF"):
        run_module("Enter Data Manually", {}, {"DataFormat": "ARFF"})


@pytest.mark.parametrize("name", ["Convert to CSV", "Convert to TSV", "Convert to Dataset"])
def test_a_converted_dataset_is_the_dataset(name: str) -> None:
    assert PEOPLE == output(name, {"Dataset": PEOPLE}, "Results dataset")


def test_scores_come_alone_when_they_are_not_to_be_appended() -> None:
    table = table_for("two-class")
    model = train(Learner("Two-Class Logistic Regression"), table, "target")
    inputs = {"Trained model": model, "Dataset": table}

    alone = output(
        "Score Model",
        inputs,
        "Scored dataset",
        parameters={"Append score columns to output": "False"},
    )

    assert ("Scored Labels", "Scored Probabilities") == alone.columns
    assert model.score(table).column("Scored Labels") == alone.column("Scored Labels")


def test_two_scored_datasets_are_compared_row_by_row() -> None:
    table = table_for("two-class")
    learners = ("Two-Class Logistic Regression", "Two-Class Decision Forest")
    scored = [train(Learner(name), table, "target").score(table) for name in learners]
    inputs = {"Scored dataset": scored[0], "Scored dataset to compare": scored[1]}

    compared = output("Evaluate Model", inputs, "Evaluation results")
    alone = [
        output("Evaluate Model", {"Scored dataset": of}, "Evaluation results") for of in scored
    ]

    assert [evaluation.rows[0] for evaluation in alone] == compared.rows
    assert compared.rows[0] != compared.rows[1]
    other = train(Learner("Linear Regression"), table, "target").score(table)
    with pytest.raises(LearningFailure, match="of different tasks"):
        run_module("Evaluate Model", {**inputs, "Scored dataset to compare": other}, {})


@pytest.mark.parametrize(
    "name",
    ["Execute R Script", "Create R Model", "Execute Python Script", "Import Data", "Export Data"],
)
def test_what_does_not_run_here_says_so_and_is_kept(name: str) -> None:
    nodes = {"rows": Node("rows", source="rows"), "odd": Node("odd", name)}
    edges = tuple(
        Edge("rows", "", "odd", port)
        for port in MODULES[name].inputs
        if port not in MODULES[name].optional
    )
    graph = Graph(nodes, edges)

    assert [] == graph.mistakes(unknown_modules=True)
    assert [f"node 'odd' is of module {name!r}, which is not executable locally"] == (
        graph.mistakes()
    )
    with pytest.raises(LearningFailure, match=f"module '{name}': not executable locally"):
        run_graph(graph, {"rows": PEOPLE})


def test_a_module_that_nobody_knows_fails_when_it_runs() -> None:
    graph = Graph({"own": Node("own", "ws.0123.v1-default-7")}, ())

    assert [] == graph.mistakes(unknown_modules=True)
    assert ["node 'own' is of module 'ws.0123.v1-default-7', which is not known here"] == (
        graph.mistakes()
    )
    with pytest.raises(LearningFailure, match=r"'ws\.0123\.v1-default-7': not executable locally"):
        run_graph(graph, {})


def graph_of(source: Node, source_port: str, target: Node, target_port: str) -> Graph:
    edge = Edge(source.id, source_port, target.id, target_port)
    return Graph({source.id: source, target.id: target}, (edge,))


@pytest.mark.parametrize(
    ("graph", "mistake"),
    [
        (
            graph_of(
                Node("split", "Split Data"), "Results dataset1", Node("score", "Score Model"),
                "Trained model",
            ),
            "port 'Trained model' takes TrainedModel, node 'split' gives Dataset",
        ),
        (
            graph_of(
                Node("tune", "Tune Model Hyperparameters"), "Trained best model",
                Node("train", "Train Model"), "Untrained model",
            ),
            "port 'Untrained model' takes ILearner, node 'tune' gives TrainedModel",
        ),
        (
            graph_of(
                Node("clean", "Clean Missing Data"), "Cleaning transformation",
                Node("rows", "Add Rows"), "Dataset1",
            ),
            "port 'Dataset1' takes Dataset, node 'clean' gives ITransform",
        ),
        (
            graph_of(
                Node("in", source="input1", kind="Dataset"), "", Node("score", "Score Model"),
                "Trained model",
            ),
            "port 'Trained model' takes TrainedModel, node 'in' gives Dataset",
        ),
        (
            graph_of(Node("r", "Create R Model"), "Model", Node("score", "Score Model"), "Model"),
            "has no input 'Model'",
        ),
        (
            graph_of(
                Node("split", "Split Data"), "Results dataset3", Node("score", "Score Model"),
                "Dataset",
            ),
            "has no output 'Results dataset3'",
        ),
    ],
)  # fmt: skip
def test_an_edge_that_does_not_fit_is_a_mistake(graph: Graph, mistake: str) -> None:
    assert any(mistake in text for text in graph.mistakes(unknown_modules=True))


def test_a_source_of_another_type_fails_at_its_module() -> None:
    graph = graph_of(Node("asset", source="asset"), "", Node("own", "Convert to CSV"), "Dataset")

    assert [] == graph.mistakes()
    with pytest.raises(LearningFailure, match="'Convert to CSV': port 'Dataset' needs a dataset"):
        run_graph(graph, {"asset": Transform(steps=[])})


def test_the_second_dataset_of_an_evaluation_may_be_left_open() -> None:
    graph = graph_of(
        Node("in", source="in"), "", Node("evaluate", "Evaluate Model"), "Scored dataset"
    )

    assert [] == graph.mistakes()
    assert ["node 'evaluate' (Evaluate Model): port 'Scored dataset' is open"] == Graph(
        {"evaluate": graph.nodes["evaluate"]}, ()
    ).mistakes()


def test_a_port_with_two_connections_is_a_mistake() -> None:
    graph = graph_of(Node("in", source="in"), "", Node("csv", "Convert to CSV"), "Dataset")

    assert ["node 'csv' (Convert to CSV): port 'Dataset' has 2 connections, it takes one"] == (
        Graph(graph.nodes, graph.edges * 2).mistakes()
    )


def test_every_module_is_found_by_its_family_in_any_version() -> None:
    for name, module in MODULES.items():
        assert name == module_named_by(module.id)
        assert name == module_named_by(f"{GLOBAL_WORKSPACE}.{module.family}.v1-default-1777")
        assert 32 == len(module.family)


def test_the_catalogue_describes_every_module_in_plain_values() -> None:
    described = {entry["name"]: entry for entry in json.loads(json.dumps(catalogue()))}

    assert set(MODULES) == set(described)
    tune = described["Tune Model Hyperparameters"]
    assert {"name": "Validation dataset", "type": "Dataset", "optional": True} in tune["inputs"]
    assert {"name": "Trained best model", "type": "TrainedModel"} in tune["outputs"]
    boosted = {p["name"]: p for p in described["Two-Class Boosted Decision Tree"]["parameters"]}
    assert ("Int", "100", 1) == tuple(
        boosted["Total number of trees constructed"][key] for key in ("type", "default", "minimum")
    )
    assert ("ParameterRange", "20; 100; 500") == tuple(
        boosted["Range for total number of trees constructed"][key] for key in ("type", "default")
    )


def test_an_experiment_prepares_trains_and_compares() -> None:
    """Select, clean, normalize, split; two learners; scores compared; the transform applied."""
    steps: list[tuple[str, str, dict[str, str]]] = [
        ("select", "Select Columns in Dataset", {"Select Columns": picker(ALL)}),
        ("clean", "Clean Missing Data", {"Columns to be cleaned": picker(ALL)}),
        (
            "scale",
            "Normalize Data",
            {"Columns to transform": picker(ALL, names("target", exclude=True))},
        ),
        ("split", "Split Data", {"Fraction of rows in the first output dataset": "0.7"}),
        ("line", "Two-Class Logistic Regression", {}),
        ("forest", "Two-Class Decision Forest", {}),
        ("train1", "Train Model", {"Label column": picker(names("target"))}),
        ("train2", "Train Model", {"Label column": picker(names("target"))}),
        ("score1", "Score Model", {}),
        ("score2", "Score Model", {}),
        ("compare", "Evaluate Model", {}),
        ("again", "Apply Transformation", {}),
    ]
    edges = [
        ("rows", "", "select", "Dataset"),
        ("select", "Results dataset", "clean", "Dataset"),
        ("clean", "Cleaned dataset", "scale", "Dataset"),
        ("scale", "Transformed dataset", "split", "Dataset"),
        ("line", "Untrained model", "train1", "Untrained model"),
        ("forest", "Untrained model", "train2", "Untrained model"),
        ("scale", "Transformation function", "again", "Transformation"),
        ("clean", "Cleaned dataset", "again", "Dataset"),
        ("score1", "Scored dataset", "compare", "Scored dataset"),
        ("score2", "Scored dataset", "compare", "Scored dataset to compare"),
    ]
    for number in "12":
        edges += [
            ("split", "Results dataset1", f"train{number}", "Dataset"),
            ("split", "Results dataset2", f"score{number}", "Dataset"),
            (f"train{number}", "Trained model", f"score{number}", "Trained model"),
        ]
    nodes = {key: Node(key, module, parameters=given) for key, module, given in steps}
    graph = Graph(
        {"rows": Node("rows", source="rows"), **nodes}, tuple(Edge(*ends) for ends in edges)
    )

    assert [] == graph.mistakes()
    values = run_graph(graph, {"rows": table_for("two-class")})

    compared = values[("compare", "Evaluation results")]
    assert isinstance(compared, Table)
    assert 2 == len(compared.rows)
    assert min(float(cell or "nan") for cell in compared.column("AUC")) > 0.95
    assert values[("scale", "Transformed dataset")] == values[("again", "Transformed dataset")]
    assert isinstance(values[("train2", "Trained model")], TrainedModel)
