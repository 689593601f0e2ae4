"""In the worker: import `function_app` and describe its functions, as the Azure worker would.

The checks and their outcomes are those of the official worker: one app, every parameter bound,
every binding a parameter, the context parameter named exactly `context`.
"""

import importlib
import inspect
import os
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from devstack.host.errors import IndexingError

try:
    from azurefunctions.extensions.base import SdkType
except ImportError:  # the app binds no clients
    SdkType = None


@dataclass(frozen=True)
class IndexedFunction:
    """One function, ready to be called."""

    name: str
    call: Callable[..., Any]
    directory: str
    parameter: str
    trigger_type: str
    parameter_type: Any
    deferred: bool
    is_async: bool
    has_return: bool
    wants_context: bool
    description: dict[str, Any]


def load(directory: Path) -> dict[str, IndexedFunction]:
    """Import and index the app in `directory`.

    Raises IndexingError, or whatever the import raises.
    """
    file_name = os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not (directory / file_name).is_file():
        raise IndexingError(f"{directory / file_name} does not exist; point --app at its folder")
    sys.path.insert(0, str(directory))
    module = importlib.import_module(Path(file_name).stem)
    app = _only_app(module, file_name)
    app.functions_bindings = None  # names accumulate there: a second call would see duplicates
    return {f.name: f for f in map(_index, app.get_functions())}


def _only_app(module: Any, file_name: str) -> Any:
    apps = {id(value): value for value in vars(module).values() if _is_app(value)}
    if len(apps) != 1:
        raise IndexingError(
            f"{file_name} holds {len(apps)} FunctionApp objects; it must hold exactly one"
        )
    return next(iter(apps.values()))


def _is_app(value: object) -> bool:
    return isinstance(value, func.FunctionRegister)


def _index(function: Any) -> IndexedFunction:
    name = function.get_function_name()
    call = function.get_user_function()
    trigger = function.get_trigger()
    parameters = dict(inspect.signature(call).parameters)
    hints = typing.get_type_hints(call)
    bound = {b.name for b in function.get_bindings() if b.name != "$return"}
    wants_context = "context" in parameters and "context" not in bound
    _check_parameters(name, set(parameters) - {"context"} | (bound & {"context"}), bound)
    deferred = [p for p in bound if _is_sdk_type(hints.get(p))]
    return IndexedFunction(
        name=name,
        call=call,
        directory=str(Path(inspect.getfile(call)).parent),
        parameter=trigger.name,
        trigger_type=trigger.type,
        parameter_type=hints.get(trigger.name),
        deferred=trigger.name in deferred,
        is_async=inspect.iscoroutinefunction(call),
        has_return=any(b.name == "$return" for b in function.get_bindings()),
        wants_context=wants_context,
        description={
            "name": name,
            "raw_bindings": function.get_raw_bindings(),
            "deferred": deferred,
            "bare": [p for p in bound if hints.get(p) in (str, bytes)],
            "retry": function.get_settings_dict("retry_policy") is not None,
        },
    )


def _check_parameters(name: str, parameters: set[str], bound: set[str]) -> None:
    if unbound := sorted(parameters - bound):
        raise IndexingError(
            f"function {name!r}: parameters {unbound} are declared in Python but not in a "
            "decorator (the context parameter must be named exactly 'context')"
        )
    if missing := sorted(bound - parameters):
        raise IndexingError(
            f"function {name!r}: {missing} are declared in a decorator but not in Python"
        )


def _is_sdk_type(annotation: object) -> bool:
    return SdkType is not None and isinstance(annotation, type) and issubclass(annotation, SdkType)
