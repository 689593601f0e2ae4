"""Modules as graphs name them: what they are called, and which of their ports matter to us.

A module is recognised by its family, or by its ports where the family is not known to us: Studio
has many modules that train or score, all with the same ports.
Source: graphs as captured, Studio's documentation of its modules. That these ports make a trainer
or a scorer, whatever its family, is inferred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from alm.domain.experiment import InputPort, Node
from alm.domain.graph.module_names import NAMES
from alm.domain.nearest import printable
from alm.domain.studio_ids import family_of

TRAIN_MODEL = "5cc7053eaa30450d96c0dae4be720977"
SCORE_MODEL = "401b4f92e7244d5abe81d5b0ff9bdb33"
CREATE_R_MODEL = "314e34a8b24c4870afe62649b6fc7476"

LABEL_MAX = 80  # of a label in a message
TRAINED = "TrainedModel"  # the type of an output that is a trained model
SCORED_DATASET = "Scored dataset"
EVALUATION = "Evaluation results"
UNTRAINED = "Untrained model"
TRAINED_MODEL_OUTPUTS = ("Trained best model", "Trained model")
TRAINED_MODEL_INPUTS = ("Trained model", "Model")
DATA_INPUTS = ("Training dataset", "Dataset")  # others beside them take rows to validate with


def kind(node: Node) -> str:
    """What a node is, in words: `Train Model`; the family where it is not known to us."""
    family = family_of(node.module)
    if family in NAMES:
        return NAMES[family]
    if "Trained best model" in ports(node.outputs):
        return "Tune Model Hyperparameters"
    return f"module {printable(family[:LABEL_MAX])}"


def named(node: Node) -> str:
    """A node as people find it: its label, what it is unless the label says so, and its id."""
    return _with_id(_label(node), kind(node), node)


def title(node: Node) -> str:
    """A node's label, and what it is unless the label says so; without its id."""
    label, what = _label(node), kind(node)
    return f"{label} ({what})" if label and label != repr(what) else label or what


def titles(nodes: Iterable[Node]) -> dict[str, str]:
    """The title of each node by its id; with the id where several have one title."""
    listed = list(nodes)
    times = Counter(title(node) for node in listed)
    return {node.id: title(node) if times[title(node)] == 1 else named(node) for node in listed}


def _label(node: Node) -> str:
    return repr(node.label.strip()[:LABEL_MAX]) if node.label.strip() else ""


def _with_id(label: str, what: str, node: Node) -> str:
    more = [] if label == repr(what) else [what]
    return f"{label} ({', '.join([*more, printable(node.id[:LABEL_MAX])])})".lstrip()


def model_output(node: Node) -> str:
    """The output that puts out a trained model; "" where a node does not train."""
    family = family_of(node.module)
    outputs = ports(node.outputs)
    if family == CREATE_R_MODEL:
        typed = [port.name for port in node.outputs if port.output_type == TRAINED]
        return next(iter([*typed, *outputs]), "")
    for name in TRAINED_MODEL_OUTPUTS:
        if name in outputs and (family == TRAIN_MODEL or UNTRAINED in ports(node.inputs)):
            return name
    typed = [port.name for port in node.outputs if port.output_type == TRAINED]
    return typed[0] if typed else ""


def scores(node: Node) -> bool:
    """Whether a node scores rows with a trained model."""
    if family_of(node.module) == SCORE_MODEL:
        return True
    return SCORED_DATASET in ports(node.outputs) and model_input(node) is not None


def model_input(node: Node) -> InputPort | None:
    """The input that takes a trained model."""
    return next((port for port in node.inputs if port.name in TRAINED_MODEL_INPUTS), None)


def scored_output(node: Node) -> str:
    """The output with the scored rows; "" where there is none."""
    outputs = ports(node.outputs)
    return SCORED_DATASET if SCORED_DATASET in outputs else next(iter(outputs), "")


def evaluates(node: Node) -> bool:
    """Whether a node measures scored rows."""
    return kind(node) == "Evaluate Model" or EVALUATION in ports(node.outputs)


def evaluation_output(node: Node) -> str:
    outputs = ports(node.outputs)
    return EVALUATION if EVALUATION in outputs else next(iter(outputs), "")


def data_inputs(node: Node) -> list[InputPort]:
    """The inputs that rows to train on or to score come in by."""
    main = [port for port in node.inputs if port.name in DATA_INPUTS]
    return main[:1] or [port for port in node.inputs if carries_rows(port)]


def carries_rows(port: InputPort) -> bool:
    """Whether rows come in by an input, not a learner, a model or a transform."""
    return port.name not in (*TRAINED_MODEL_INPUTS, UNTRAINED, "Transformation", "Script Bundle")


def ports(all_ports: Iterable[object]) -> list[str]:
    """The names of some ports."""
    return [str(getattr(port, "name", "")) for port in all_ports]
