"""Commands with records among their parameters: a record stands for the options its fields are.

Options that belong together are declared once, as a frozen dataclass, and handed over as one value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints

import typer

Handler = Callable[..., None]


def add(cli: typer.Typer, commands: Mapping[Handler, str]) -> None:
    """Add commands, each with its example, to a command line; `open_` is called `open`."""
    for handler, example in commands.items():
        name = handler.__name__.strip("_")
        cli.command(name, epilog=f"Example: alm {example}")(expanded(handler))


def expanded(handler: Handler) -> Handler:
    """A function that typer can read, which calls the handler with its records."""
    own = parameters(handler)

    def run(**given: Any) -> None:
        handler(**{one.name: argument(one, given) for one in own})

    parts = [part for one in own for part in expansion(one)]
    run.__doc__ = inspect.getdoc(handler)
    run.__name__ = handler.__name__
    run.__signature__ = inspect.Signature(parts)  # type: ignore[attr-defined]
    return run


def parameters(handler: Handler) -> list[inspect.Parameter]:
    """The parameters of a handler, their types looked up."""
    return list(inspect.signature(handler, eval_str=True).parameters.values())


def argument(parameter: inspect.Parameter, given: Mapping[str, Any]) -> Any:
    """What a handler gets for a parameter: a value, or a record made of several."""
    record = parameter.annotation
    if not is_dataclass(record):
        return given[parameter.name]
    assert isinstance(record, type)
    return record(**{field.name: given[field.name] for field in fields(record)})


def expansion(parameter: inspect.Parameter) -> Sequence[inspect.Parameter]:
    """A parameter as typer sees it: itself, or one for each field of its record."""
    record = parameter.annotation
    if not is_dataclass(record):
        return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    hints = get_type_hints(record, include_extras=True)
    return [keyword(one.name, hints[one.name], _default(one)) for one in fields(record)]


def keyword(name: str, hint: object, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=hint)


def _default(field: Field[Any]) -> object:
    return inspect.Parameter.empty if field.default is MISSING else field.default
