"""What expressions of a Bicep file refer to, and of which kind their values are."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from tests.infra.bicep import Declared, File, chain, items, literal, text

KINDS_OF_FUNCTIONS = {
    "concat": "array",
    "empty": "bool",
    "environment": "any",
    "filter": "array",
    "guid": "string",
    "items": "array",
    "listKeys": "any",
    "loadJsonContent": "any",
    "loadTextContent": "string",
    "map": "array",
    "replace": "string",
    "resourceGroup": "any",
    "split": "array",
    "string": "string",
    "subscription": "any",
    "subscriptionResourceId": "string",
    "tenant": "any",
    "toLower": "string",
    "toObject": "object",
    "union": "object",
    "uniqueString": "string",
}  # those that our files call; each one new is added here with what it answers
KINDS_OF_NODES = {
    "string": "string",
    "number": "int",
    "boolean": "bool",
    "array": "array",
    "object": "object",
    "for_statement": "array",
    "unary_expression": "bool",
}


def references(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[Node]:
    """Identifiers of an expression that stand for something declared, not for its own locals."""
    match node.type:
        case "identifier":
            yield from () if text(node) in bound else (node,)
        case "comment" | "property_identifier" | "type":
            return
        case "lambda_expression":
            given = node.named_children[0]
            names = [given] if given.type == "identifier" else given.named_children
            yield from references(node.named_children[-1], bound | {text(n) for n in names})
        case "for_statement":
            yield from _of_loop(node, bound)
        case _:
            for child in _parts(node):
                yield from references(child, bound)


def _parts(node: Node) -> list[Node]:
    """What may refer to something: not the name of a property, nor of a function."""
    if node.type == "object_property":
        key, *rest = items(node)
        return rest if key.type == "identifier" or literal(key) is not None else [key, *rest]
    if node.type == "call_expression":
        function = node.child_by_field_name("function")
        if function is not None and function.type == "identifier":
            return [child for child in node.named_children if child.id != function.id]
    return node.named_children


def _of_loop(node: Node, bound: frozenset[str]) -> Iterator[Node]:
    body = node.child_by_field_name("body")
    for child in items(node):
        if _gives_names(child, node):
            continue
        is_body = body is not None and child.id == body.id
        yield from references(child, bound | loop_names(node) if is_body else bound)


def loop_names(node: Node) -> frozenset[str]:
    """The names that a `for` gives to its body: `each`, or `(each, index)`."""
    given = (child for child in node.named_children if _gives_names(child, node))
    names = (each for child in given for each in (child.named_children or [child]))
    return frozenset(text(name) for name in names)


def _gives_names(child: Node, loop: Node) -> bool:
    simple = loop.child_by_field_name("initializer")
    return child.type == "for_loop_parameters" or (simple is not None and child.id == simple.id)


def calls(node: Node) -> Iterator[Node]:
    """The functions that an expression calls by their names."""
    if node.type == "call_expression":
        function = node.child_by_field_name("function")
        if function is not None and function.type == "identifier":
            yield function
    for child in node.named_children:
        yield from calls(child)


def kind_of(node: Node, file: File, modules: dict[str, File]) -> str:
    """`string`, `int`, `bool`, `array`, `object`, or `any` for what only Resource Manager knows."""
    if node.type in KINDS_OF_NODES:
        return KINDS_OF_NODES[node.type]
    if node.type == "call_expression":
        return KINDS_OF_FUNCTIONS.get(text(node.child_by_field_name("function")), "any")
    if node.type == "parenthesized_expression":
        return kind_of(node.named_children[0], file, modules)
    if node.type == "ternary_expression":
        ways = [node.child_by_field_name(name) for name in ("consequence", "alternative")]
        kinds = {kind_of(way, file, modules) for way in ways if way is not None}
        return kinds.pop() if len(kinds) == 1 else "any"
    names = chain(node)
    declared = file.named(names[0]) if names else None
    return "any" if declared is None else _kind_behind(declared, names[1:], file, modules)


def _kind_behind(
    declared: Declared, names: tuple[str, ...], file: File, modules: dict[str, File]
) -> str:
    if not names:
        if declared.kind == "param":
            return declared.type.rstrip("?")
        value = declared.value
        return kind_of(value, file, modules) if declared.kind == "var" and value else "any"
    if declared.kind == "resource" and names in (("id",), ("name",), ("location",)):
        return "string"
    if declared.kind == "module" and names[0] == "outputs" and declared.type in modules:
        output = modules[declared.type].of("output").get(names[-1])
        return output.type if output else "any"
    return "any"
