"""A small linter for our Bicep, in place of the compiler, which cannot be had everywhere.

    python -m tests.infra.lint [FOLDER]

It knows what Resource Manager takes (types.json, made by `make_types`) and judges the subset of
Bicep that `bicep` reads. Rules, each a function that tells mistakes:

syntax      the grammar parses the file, without guesses
names       every symbol is declared once and used; what is used is declared; functions are known
modules     the file exists; its parameters are given, with values of their kinds; outputs exist
resources   see `resources`: types, properties, values, parents
outputs     no secret is an output
literals    no key is written down, `@secure` has no default, files that are loaded exist

What it cannot see: conditions of the service itself (quotas, names taken, what a region offers),
values made at deployment, and everything that only a deployment shows.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tree_sitter import Node

from tests.infra import resources, symbols
from tests.infra.bicep import (
    Declared,
    File,
    chain,
    items,
    literal,
    properties,
    read,
    text,
    walk,
)

LOADERS = ("loadTextContent", "loadJsonContent")
SECRET = re.compile(r"connectionstring|instrumentationkey|password|secretvalue|sharedkey", re.I)
KEY = re.compile(
    r"AccountKey=|SharedAccessKey=|[?&]sig=|[?&]code=[\w-]{20}|-----BEGIN|[A-Za-z0-9+/]{43}="
)


class Problem(NamedTuple):
    path: str
    line: int
    rule: str
    says: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.says}"


Told = Iterator[tuple[int, str]]


def problems(folder: Path) -> list[Problem]:
    """Everything that is wrong in the Bicep files below a folder, file by file."""
    files = {path: read(path) for path in sorted(folder.rglob("*.bicep"))}
    found: list[Problem] = []
    for path, file in files.items():
        modules = _modules(file, files)
        rules = {
            "syntax": syntax(file),
            "names": names(file),
            "modules": module_calls(file, modules),
            "resources": resources.mistakes(file, modules),
            "outputs": outputs(file),
            "literals": literals(file),
        }
        where = path.relative_to(folder).as_posix()
        found += [
            Problem(where, line, rule, says) for rule, told in rules.items() for line, says in told
        ]
    return found


def _modules(file: File, files: dict[Path, File]) -> dict[str, File]:
    """The files that a file's modules name, by the path as it is written."""
    paths = {
        each.type: (file.path.parent / each.type).resolve() for each in file.of("module").values()
    }
    known = {path.resolve(): each for path, each in files.items()}
    return {written: known[path] for written, path in paths.items() if path in known}


def syntax(file: File) -> Told:
    for node in walk(file.root):
        if node.type == "ERROR" or node.is_missing:
            yield node.start_point.row + 1, f"cannot be parsed: {text(node)[:60]!r}"


def names(file: File) -> Told:
    yield from _declared_twice(file)
    used: set[str] = set()
    known = {each.name for each in file.declared if each.kind != "output"}
    for node in (each.value for each in file.declared if each.value is not None):
        for reference in symbols.references(node):
            used.add(text(reference))
            if text(reference) not in known:
                yield reference.start_point.row + 1, f"{text(reference)!r} is not declared"
        for call in symbols.calls(node):
            if text(call) not in symbols.KINDS_OF_FUNCTIONS:
                yield call.start_point.row + 1, f"no function {text(call)!r} is known"
    for each in file.declared:
        needs_use = each.kind in ("param", "var") or each.existing
        if needs_use and each.name not in used:
            yield each.line, f"{each.kind} {each.name!r} is never used"
    yield from _doubled_properties(file)


def _declared_twice(file: File) -> Told:
    """Outputs have names of their own; everything else shares one space."""
    counts = Counter((each.kind == "output", each.name) for each in file.declared)
    for each in file.declared:
        if counts[each.kind == "output", each.name] > 1:
            yield each.line, f"{each.name!r} is declared more than once"


def _doubled_properties(file: File) -> Told:
    for node in walk(file.root):
        if node.type != "object":
            continue
        keys = [text(items(child)[0]).strip("'") for child in node.named_children
                if child.type == "object_property"]  # fmt: skip
        for key, count in Counter(keys).items():
            if count > 1:
                yield node.start_point.row + 1, f"property {key!r} stands there {count} times"


def module_calls(file: File, modules: dict[str, File]) -> Told:
    scope = _target_scope(file)
    for call in file.of("module").values():
        target = modules.get(call.type)
        if target is None:
            yield call.line, f"there is no file {call.type!r}"
            continue
        body = properties(call.body)
        if scope != _target_scope(target) and "scope" not in body:
            yield call.line, f"{call.type} is for a {_target_scope(target)}: give it a scope"
        unknown = set(body) - {"name", "scope", "params", "dependsOn"}
        if unknown:
            yield call.line, f"a module takes no {sorted(unknown)}"
        yield from _parameters(call, target, file, modules)
    for node in walk(file.root):
        yield from _module_output(node, file, modules)


def _target_scope(file: File) -> str:
    found = re.search(r"^targetScope = '(\w+)'", text(file.root), re.MULTILINE)
    return found[1] if found else "resourceGroup"


def _parameters(call: Declared, target: File, file: File, modules: dict[str, File]) -> Told:
    given, wanted = properties(properties(call.body).get("params")), target.of("param")
    for name in sorted(set(given) - set(wanted)):
        yield given[name].start_point.row + 1, f"{call.type} has no parameter {name!r}"
    for name, param in wanted.items():
        if name not in given:
            if param.value is None and not param.type.endswith("?"):
                yield call.line, f"{call.type} needs the parameter {name!r}"
            continue
        kind, type_ = symbols.kind_of(given[name], file, modules), param.type.rstrip("?")
        if "any" not in (kind, type_) and kind != type_:
            line = given[name].start_point.row + 1
            yield line, f"parameter {name!r} of {call.type} is {type_}, this is {kind}"


def _module_output(node: Node, file: File, modules: dict[str, File]) -> Told:
    whole = chain(node) if node.type == "member_expression" else ()
    if len(whole) < 3 or whole[1] != "outputs":
        return
    called = file.of("module").get(whole[0])
    target = modules.get(called.type) if called else None
    if target is not None and whole[2] not in target.of("output"):
        yield node.start_point.row + 1, f"{called.type} has no output {whole[2]!r}"


def outputs(file: File) -> Told:
    secure = {name for name, each in file.of("param").items() if "secure" in each.decorators}
    for output in file.of("output").values():
        node = output.value
        used = {text(each) for each in symbols.references(node)}
        listed = [text(each) for each in symbols.calls(node) if text(each).startswith("list")]
        if used & secure or listed or SECRET.search(text(node)) or SECRET.search(output.name):
            yield output.line, f"output {output.name!r} would be a secret that deployments keep"
        yield from _output_kind(output, file)


def _output_kind(output: Declared, file: File) -> Told:
    kind = symbols.kind_of(output.value, file, {})
    if "any" not in (kind, output.type) and kind != output.type:
        yield output.line, f"output {output.name!r} is {output.type}, its value is {kind}"


def literals(file: File) -> Told:
    for node in walk(file.root):
        if node.type == "string" and KEY.search(text(node)):
            yield node.start_point.row + 1, "this looks like a key; nothing here may hold one"
        if node.type == "call_expression":
            function = text(node.child_by_field_name("function"))
            arguments = node.child_by_field_name("arguments")
            if function in LOADERS and arguments is not None:
                name = literal(items(arguments)[0]) or ""
                if not (file.path.parent / name).is_file():
                    yield node.start_point.row + 1, f"there is no file {name!r} to load"
    for name, param in file.of("param").items():
        kind = symbols.kind_of(param.value, file, {}) if param.value is not None else "any"
        if kind not in ("any", param.type.rstrip("?")):
            yield param.line, f"parameter {name!r} is {param.type}, its default is {kind}"
        if "secure" in param.decorators and param.value is not None and literal(param.value):
            yield param.line, f"parameter {name!r} is secure: a default would be written down"


if __name__ == "__main__":
    told = problems(Path(sys.argv[1] if len(sys.argv) > 1 else "infra"))
    print("\n".join(map(str, told)) or "no mistakes found")
    sys.exit(1 if told else 0)
