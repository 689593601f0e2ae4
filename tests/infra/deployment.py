"""What our Bicep says, as values for tests: settings, role assignments, containers, queues."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tree_sitter import Node

from tests.infra import bicep
from tests.infra.bicep import Declared, File, chain, items, literal, plain, properties, text

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"


@cache
def file(name: str) -> File:
    return bicep.read(INFRA / name)


def var(name: str, module: str) -> Any:
    """A variable whose value is written down: lists and objects of literals."""
    return plain(file(module).of("var")[name].value)


def setting_nodes() -> dict[str, Node]:
    """The settings of the app, those that may be left out too, with their expressions."""
    declared = file("modules/app.bicep").of("var")
    return properties(declared["settings"].value) | properties(declared["chosen"].value)


def settings() -> dict[str, str | None]:
    """The settings by name; the value where it is a literal."""
    return {name: literal(node) for name, node in setting_nodes().items()}


def queues() -> dict[str, dict[str, Any]]:
    """The queues of the file that the local broker and the Bicep share."""
    namespace = json.loads((INFRA / "servicebus.json").read_text())["UserConfig"]["Namespaces"][0]
    return {queue["Name"]: queue["Properties"] for queue in namespace["Queues"]}


class Trigger(NamedTuple):
    """A function that a container or a queue starts: where, and by which connection."""

    function: str
    type: str
    place: str
    connection: str
    dead_letters: bool


def triggers() -> list[Trigger]:
    """The triggers of function_app.py that need a connection, read from its text."""
    module = ast.parse((ROOT / "function_app.py").read_text())
    constants: dict[str, Any] = {}
    for node in module.body:
        if isinstance(node, ast.Assign):
            constants |= _constants(node)
    functions = (node for node in module.body if isinstance(node, ast.FunctionDef))
    decorated = ((each.name, call) for each in functions for call in each.decorator_list)
    return [
        trigger
        for name, call in decorated
        if (trigger := _trigger(name, call, constants)) is not None
    ]


def _constants(node: ast.Assign) -> dict[str, Any]:
    target = node.targets[0]
    try:
        value = ast.literal_eval(node.value)
    except ValueError:
        return {}
    if isinstance(target, ast.Tuple):
        return dict(zip([ast.unparse(name) for name in target.elts], value, strict=True))
    return {ast.unparse(target): value}


def _trigger(name: str, call: ast.expr, constants: dict[str, Any]) -> Trigger | None:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    given = [_text(argument, constants) for argument in call.args]
    match call.func.attr:
        case "blob_trigger" as kind:
            return Trigger(name, kind, given[1].partition("/")[0], given[2], False)
        case "service_bus_queue_trigger" as kind:
            queue, _, dead = given[2].partition("/")
            return Trigger(name, kind, queue, given[1], bool(dead))
    return None


def _text(node: ast.expr, constants: dict[str, Any]) -> str:
    """A text that is written down, named, or two of these put together."""
    if isinstance(node, ast.BinOp):
        return _text(node.left, constants) + _text(node.right, constants)
    return str(constants[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node))


class Grant(NamedTuple):
    """Who (a parameter's name) has which role (a name of roles.bicep) on what."""

    who: str
    role: str
    on: str


def grants() -> set[Grant]:
    """The role assignments of roles.bicep, loops written out."""
    roles = file("modules/roles.bicep")
    found: set[Grant] = set()
    for resource in roles.of("resource").values():
        if "/roleAssignments@" in resource.type:
            found |= _grants_of(resource, roles)
    return found


def _grants_of(resource: Declared, roles: File) -> set[Grant]:
    body = properties(resource.body)
    given = properties(body["properties"])
    who, scope = text(given["principalId"]), chain(body["scope"])[0]
    named = _role_of(given["roleDefinitionId"])
    found: set[Grant] = set()
    for each in _iterated(resource.value, roles):
        role = each.removeprefix("role.") if named == "id" else named.removeprefix("role.")
        on = scope if each.startswith("role.") else _place(scope, each, roles)
        found.add(Grant(who, role, on))
    return found


def _role_of(node: Node) -> str:
    """`role.x` of `subscriptionResourceId(…, role.x)`, or the symbol of a custom role."""
    if node.type == "call_expression":
        arguments = node.child_by_field_name("arguments")
        return ".".join(chain(items(arguments)[-1])) if arguments is not None else ""
    return chain(node)[0]


def _iterated(value: Node | None, roles: File) -> list[str]:
    if value is None or value.type != "for_statement":
        return [""]
    over = next(n for n in items(value) if n.type == "array" or text(n) in roles.of("var"))
    if over.type == "array":
        return [".".join(chain(item)) for item in items(over)]
    return list_of(text(over))


def list_of(name: str) -> list[str]:
    """A list of names in roles.bicep, those made from servicebus.json too."""
    if name == "queueNames":
        return list(queues())
    return list(var(name, "modules/roles.bicep"))


def _place(scope: str, each: str, roles: File) -> str:
    """`data/datasets`, `bus/alm-steps`, `host`: the account's symbol, and what is inside."""
    body = properties(roles.of("resource")[scope].body)
    if "parent" not in body:
        return scope
    top = text(body["parent"])
    while "parent" in (above := properties(roles.of("resource")[top].body)):
        top = text(above["parent"])
    name = each or literal(body["name"]) or var(text(body["name"]), "modules/roles.bicep")
    return f"{top}/{name}"
