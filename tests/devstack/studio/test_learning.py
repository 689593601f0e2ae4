"""Learning: tables, training, evaluation, the model file. No server."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from devstack.studio.graph import Edge, Graph, Node, run_graph
from devstack.studio.learning.failures import BadModel, BadParameter, BadTable, LearningFailure
from devstack.studio.learning.ilearner import MAGIC, read_description, read_model, write_model
from devstack.studio.learning.learners import LEARNERS, REGRESSION, Learner
from devstack.studio.learning.tables import Table, column_type, read_table, write_table
from devstack.studio.learning.training import TrainedModel, train
from devstack.studio.modules import column_names, module_named_by

TABLES = {
    "two-class": load_breast_cancer,
    "multi-class": load_iris,
    "regression": load_diabetes,
}


def table_for(task: str) -> Table:
    return read_table(TABLES[task](as_frame=True).frame.to_csv(index=False).encode())


def training_graph(learner: str) -> Graph:
    nodes = [
        Node("input", source="rows"),
        Node("split", "Split Data", parameters={"Test fraction": "0.3", "Random seed": "1"}),
        Node("learner", learner),
        Node("train", "Train Model", parameters={"Label column": "target"}),
        Node("score", "Score Model"),
        Node("evaluate", "Evaluate Model"),
    ]
    edges = (
        Edge("input", "", "split", "Dataset"),
        Edge("learner", "Untrained model", "train", "Untrained model"),
        Edge("split", "Results dataset1", "train", "Dataset"),
        Edge("train", "Trained model", "score", "Trained model"),
        Edge("split", "Results dataset2", "score", "Dataset"),
        Edge("score", "Scored dataset", "evaluate", "Scored dataset"),
    )
    return Graph({node.id: node for node in nodes}, edges)


def trained(learner: str) -> tuple[TrainedModel, Table, dict[str, float]]:
    """A model, its scored holdout as written and read again, and its evaluation."""
    values = run_graph(training_graph(learner), {"rows": table_for(LEARNERS[learner].task)})
    model, scored = values[("train", "Trained model")], values[("score", "Scored dataset")]
    evaluation = values[("evaluate", "Evaluation results")]
    assert isinstance(model, TrainedModel)
    assert isinstance(scored, Table)
    assert isinstance(evaluation, Table)
    row = read_table(write_table(evaluation)).rows[0]
    numbers = {
        name: float(cell or "nan") for name, cell in zip(evaluation.columns, row, strict=True)
    }
    return model, read_table(write_table(scored)), numbers


def numbers_of(table: Table, column: str) -> np.ndarray:
    return np.array([float(cell or "nan") for cell in table.column(column)])


@pytest.mark.parametrize(
    "learner", ["Two-Class Logistic Regression", "Two-Class Boosted Decision Tree"]
)
def test_a_two_class_evaluation_can_be_computed_again_from_the_scored_holdout(learner: str) -> None:
    _, scored, evaluation = trained(learner)

    actual, predicted = numbers_of(scored, "target"), numbers_of(scored, "Scored Labels")
    chances = numbers_of(scored, "Scored Probabilities")

    assert evaluation["Accuracy"] == pytest.approx(metrics.accuracy_score(actual, predicted))
    assert evaluation["Precision"] == pytest.approx(metrics.precision_score(actual, predicted))
    assert evaluation["Recall"] == pytest.approx(metrics.recall_score(actual, predicted))
    assert evaluation["F-Score"] == pytest.approx(metrics.f1_score(actual, predicted))
    assert evaluation["AUC"] == pytest.approx(metrics.roc_auc_score(actual, chances), abs=1e-9)
    assert evaluation["Average Log Loss"] == pytest.approx(metrics.log_loss(actual, chances))
    assert evaluation["AUC"] > 0.9


def test_a_multi_class_evaluation_can_be_computed_again_from_the_scored_holdout() -> None:
    _, scored, evaluation = trained("Multiclass Logistic Regression")

    actual, predicted = numbers_of(scored, "target"), numbers_of(scored, "Scored Labels")

    macro = {"average": "macro", "zero_division": 0}
    assert evaluation["Overall accuracy"] == pytest.approx(
        metrics.accuracy_score(actual, predicted)
    )
    assert evaluation["Macro-averaged precision"] == pytest.approx(
        metrics.precision_score(actual, predicted, **macro)
    )
    assert evaluation["Macro-averaged recall"] == pytest.approx(
        metrics.recall_score(actual, predicted, **macro)
    )
    assert 'Scored Probabilities for Class "0"' in scored.columns


@pytest.mark.parametrize(
    ("learner", "answer"),
    [
        ("Linear Regression", "Scored Labels"),
        ("Boosted Decision Tree Regression", "Scored Labels"),
        ("Decision Forest Regression", "Scored Label Mean"),
    ],
)
def test_a_regression_evaluation_can_be_computed_again_from_the_scored_holdout(
    learner: str, answer: str
) -> None:
    _, scored, evaluation = trained(learner)

    actual, predicted = numbers_of(scored, "target"), numbers_of(scored, answer)

    squared = metrics.mean_squared_error(actual, predicted)
    assert evaluation["Mean Absolute Error"] == pytest.approx(
        metrics.mean_absolute_error(actual, predicted)
    )
    assert evaluation["Root Mean Squared Error"] == pytest.approx(squared**0.5)
    assert evaluation["Coefficient of Determination"] == pytest.approx(
        metrics.r2_score(actual, predicted)
    )


@pytest.mark.parametrize("learner", sorted(LEARNERS))
def test_the_same_rows_and_seed_give_the_same_file_and_reading_it_scores_the_same(
    learner: str,
) -> None:
    first, scored, _ = trained(learner)
    second, _, _ = trained(learner)

    content = write_model(first)

    assert content == write_model(second)
    rows = scored.take(range(4))
    assert read_model(content).score(rows).rows == first.score(rows).rows


def test_categories_and_missing_cells_are_taken() -> None:
    lines = ["colour,size,target"]
    lines += [f"{c},{s},{t}" for c, s, t in [("red", 1, "yes"), ("blue", "", "no")] * 20]

    model = train(
        Learner("Two-Class Logistic Regression"), read_table("\n".join(lines).encode()), "target"
    )
    scored = model.score(read_table(b"colour,size\nred,1\nblue,\ngreen,NA\n"))

    assert scored.column("Scored Labels")[:2] == ["yes", "no"]
    assert model.classes == ("no", "yes")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the first line must name the columns"),
        (b"a,a\n1,2\n", "column 'a' is there more than once"),
        (b"a,b\n1\n", "line 2 has 1 cells, the header has 2"),
        (b"a,\n1,2\n", "column 2 has no name"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_what_is_not_a_table_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(BadTable, match=message):
        read_table(content)


@pytest.mark.parametrize(
    ("rows", "label", "message"),
    [
        ("a,target\n1,0\n2,1\n", "price", "column 'price' is not in the dataset"),
        ("a,target\n1,1\n2,1\n", "target", "'target' has only one class"),
        ("a,target\n1,0\n2,1\n3,2\n", "target", "has 3 classes"),
        ("a,target\n1,\n2,\n", "target", "no row of the dataset has a value"),
        ("a,target\n,0\n,1\n", "target", "no column with values besides the label"),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused(rows: str, label: str, message: str) -> None:
    with pytest.raises(BadTable, match=message):
        train(Learner("Two-Class Logistic Regression"), read_table(rows.encode()), label)


def test_a_regression_refuses_a_label_that_is_not_a_number() -> None:
    with pytest.raises(BadTable, match="holds 'much', which is not a number"):
        train(Learner("Linear Regression"), read_table(b"a,target\n1,2\n2,much\n"), "target")


def test_a_parameter_that_is_no_number_is_refused() -> None:
    learner = Learner("Linear Regression", {"L2 regularization weight": "heavy"})

    with pytest.raises(BadParameter, match="'L2 regularization weight' must be a number"):
        train(learner, read_table(b"a,target\n1,2\n2,3\n"), "target")


def test_scoring_without_a_column_names_it() -> None:
    model = train(Learner("Linear Regression"), read_table(b"a,b,target\n1,2,3\n2,3,4\n"), "target")

    with pytest.raises(BadTable, match="does not have: 'b'"):
        model.score(read_table(b"a\n1\n"))


def test_text_in_a_numeric_column_is_named() -> None:
    model = train(Learner("Linear Regression"), read_table(b"a,target\n1,3\n2,4\n"), "target")

    with pytest.raises(BadTable, match="column 'a' holds 'x'"):
        model.score(read_table(b"a\nx\n"))


def test_an_empty_table_is_scored_to_an_empty_table() -> None:
    for learner in LEARNERS:
        model, scored, _ = trained(learner)

        empty = model.score(scored.take([]))

        assert empty.rows == []
        assert any(name.startswith("Scored") for name in empty.columns)


def test_types_are_the_narrowest() -> None:
    assert [
        column_type(cells)
        for cells in (["1", None], ["3000000000"], ["1.5", "2"], ["1", "x"], [None])
    ] == ["Int32", "Int64", "Double", "String", "String"]


def test_a_column_picker_is_read() -> None:
    encoded = (
        "%7B%22isFilter%22%3Atrue%2C%22rules%22%3A%5B%7B%22columns%22%3A%5B%22income%22%5D%7D%5D%7D"
    )

    assert column_names(encoded) == ["income"]
    assert column_names("income") == ["income"]
    with pytest.raises(BadParameter):
        column_names('{"rules": [{}]}')


def test_a_module_is_found_by_the_id_of_any_version() -> None:
    assert (
        module_named_by(
            "506153734175476c4f62416c57734963.401b4f92e7244d5abe81d5b0ff9bdb33.v1-default-1730"
        )
        == "Score Model"
    )
    assert module_named_by("nothing") is None


def model_bytes() -> bytes:
    return write_model(train(Learner("Linear Regression"), table_for(REGRESSION), "target"))


@pytest.mark.parametrize("cut", [0, 5, 12, 40, -1])
def test_a_truncated_model_file_is_refused(cut: int) -> None:
    with pytest.raises(BadModel):
        read_model(model_bytes()[:cut])


def test_a_pickle_is_refused() -> None:
    with pytest.raises(BadModel):
        read_model(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.")


def test_a_model_file_with_a_type_of_its_own_is_refused() -> None:
    content = model_bytes()
    description, estimator = read_description(content)
    with zipfile.ZipFile(io.BytesIO(estimator)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(entries["schema.json"])
    schema["__module__"], schema["__class__"] = "subprocess", "Popen"
    entries["schema.json"] = json.dumps(schema).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry)
    text = description.model_dump_json().encode()

    hostile = MAGIC + struct.pack(">II", 1, len(text)) + text + packed.getvalue()

    with pytest.raises(BadModel, match="not trusted"):
        read_model(hostile)


def test_an_estimator_that_does_not_fit_its_description_is_refused() -> None:
    description, estimator = read_description(model_bytes())
    changed = description.model_copy(update={"features": description.features[1:]})
    text = changed.model_dump_json().encode()

    with pytest.raises(BadModel, match="takes other columns"):
        read_model(MAGIC + struct.pack(">II", 1, len(text)) + text + estimator)


def test_a_graph_names_all_its_mistakes() -> None:
    graph = training_graph("Linear Regression")
    broken = Graph(
        {**graph.nodes, "odd": Node("odd", "Execute S Script")},
        (*graph.edges[1:], Edge("train", "Nothing", "ghost", "Dataset")),
    )

    assert broken.mistakes() == [
        "an edge names target 'ghost', which is no node",
        "node 'split' (Split Data): port 'Dataset' is open",
        "node 'odd' is of module 'Execute S Script', which is not known here",
    ]


def test_a_cycle_is_named() -> None:
    nodes = {name: Node(name, "Split Data") for name in ("one", "two")}
    ends = (("one", "two"), ("two", "one"))
    graph = Graph(nodes, tuple(Edge(a, "Results dataset1", b, "Dataset") for a, b in ends))

    assert [text.partition(":")[0] for text in graph.mistakes()] == ["the graph has a cycle"]


def test_a_failure_names_the_module() -> None:
    with pytest.raises(LearningFailure, match="module 'Split Data': the dataset has 1 rows"):
        run_graph(training_graph("Linear Regression"), {"rows": read_table(b"a,target\n1,2\n")})
