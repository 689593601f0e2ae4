"""What a module is: ports with types, parameters with types and defaults, and a function.

A module takes its parameters (text, as Studio keeps them) and the values at its input ports, and
gives the values of its output ports. The family ids are those of Studio's global workspace, except
where a table of modules says that one is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from devstack.studio.learning.failures import BadParameter
from devstack.studio.learning.learners import Learner
from devstack.studio.learning.tables import Table
from devstack.studio.learning.training import TrainedModel
from devstack.studio.learning.transforms import Transform

Value = Table | Learner | TrainedModel | Transform
Kind = TypeVar("Kind", Table, Learner, TrainedModel, Transform)
Parameters = Mapping[str, str]
Values = Mapping[str, Value]

DATASET, LEARNER, TRAINED_MODEL, TRANSFORM = "Dataset", "ILearner", "TrainedModel", "ITransform"

# The workspace that Studio's own modules live in.
GLOBAL_WORKSPACE = "506153734175476c4f62416c57734963"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a module as Studio declares it; `type` is one of Studio's ParameterType.

    Int, Double, String, Boolean, Mode, Script, ColumnPicker or ParameterRange.
    """

    name: str
    type: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = True


@dataclass(frozen=True)
class Module:
    """A kind of module: its family id, its ports with their types, and what it does.

    An input port that is `optional` may be left open; `run` then finds no value for it. A module
    that is not `executable` here is kept in graphs, and its `run` raises NotExecutable.
    """

    family: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    run: Callable[[Parameters, Values], Values]
    optional: frozenset[str] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    category: str = ""
    executable: bool = True

    @property
    def id(self) -> str:
        """The id of its version in the global workspace."""
        return f"{GLOBAL_WORKSPACE}.{self.family}.v1-default-1"


def describe(name: str, module: Module) -> dict[str, Any]:
    """A module in plain values, for those who list or draw modules."""
    return {
        "id": module.id,
        "name": name,
        "family": module.family,
        "category": module.category,
        "executable": module.executable,
        "inputs": [
            {"name": port, "type": kind, "optional": port in module.optional}
            for port, kind in module.inputs.items()
        ],
        "outputs": [{"name": port, "type": kind} for port, kind in module.outputs.items()],
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type,
                "default": parameter.default,
                "choices": list(parameter.choices),
                "minimum": parameter.minimum,
                "maximum": parameter.maximum,
                "optional": parameter.optional,
            }
            for parameter in module.parameters
        ],
    }


def value_at(values: Values, port: str, kind: type[Kind]) -> Kind:
    """The value at a port; raises BadParameter when it is open or holds something else."""
    value = values.get(port)
    if not isinstance(value, kind):
        raise BadParameter(f"port {port!r} needs {_NEEDS[kind]}")
    return value


_NEEDS: Mapping[type, str] = {
    Table: "a dataset",
    Learner: "a learner",
    TrainedModel: "a trained model",
    Transform: "a transformation",
}
