"""What a web service says about itself in its `swagger.json`: inputs, outputs, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    name: str
    type: str


@dataclass(frozen=True)
class Port:
    """An input or output of a web service; a file (a trained model) has no columns."""

    name: str
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Api:
    """The calls a web service takes. `batch_outputs` includes files, which RRS cannot give.

    examples: per input the first row of the service's own example, as it is written there.
    """

    title: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    batch_outputs: tuple[Port, ...]
    parameters: Mapping[str, str | None]
    examples: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the outputs that are files: those that only a batch job can give."""
        tables = {port.name for port in self.outputs}
        return tuple(port.name for port in self.batch_outputs if port.name not in tables)

    def output(self, name: str) -> Port | None:
        return next((port for port in self.outputs if port.name == name), None)


def api_of(document: Mapping[str, object]) -> Api:
    """Read a swagger document; what it does not say is empty."""
    definitions = _mapping(document.get("definitions"))
    tables = {
        name: _port(name, definitions)
        for name in (
            *_ports(definitions, "ExecutionInputs"),
            *_ports(definitions, "ExecutionOutputs"),
        )
    }
    return Api(
        title=str(_mapping(document.get("info")).get("title") or ""),
        inputs=tuple(tables[name] for name in _ports(definitions, "ExecutionInputs")),
        outputs=tuple(tables[name] for name in _ports(definitions, "ExecutionOutputs")),
        batch_outputs=tuple(
            tables.get(name, Port(name)) for name in _ports(definitions, "BatchOutputs")
        ),
        parameters=_parameters(definitions),
        examples=_examples(definitions),
    )


def _ports(definitions: Mapping[str, object], name: str) -> tuple[str, ...]:
    return tuple(_mapping(_mapping(definitions.get(name)).get("properties")))


def _port(name: str, definitions: Mapping[str, object]) -> Port:
    columns = _mapping(_mapping(definitions.get(f"{name}Item")).get("properties"))
    return Port(
        name,
        tuple(
            Column(column, str(_mapping(kind).get("type") or "string"))
            for column, kind in columns.items()
        ),
    )


def _parameters(definitions: Mapping[str, object]) -> dict[str, str | None]:
    """Name and default of each global parameter; None where it must be given."""
    properties = _mapping(_mapping(definitions.get("GlobalParameters")).get("properties"))
    return {
        name: None if "default" not in _mapping(kind) else str(_mapping(kind)["default"])
        for name, kind in properties.items()
    }


def _examples(definitions: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    request = _mapping(definitions.get("ExecutionRequest"))
    inputs = _mapping(_mapping(request.get("example")).get("Inputs"))
    tables = {name: rows for name, rows in inputs.items() if isinstance(rows, list) and rows}
    return {name: _mapping(rows[0]) for name, rows in tables.items()}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
