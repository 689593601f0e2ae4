"""Writes a section of a managed model's declaration; all else in the file stays, comments too.

Values are replaced where they stand, keys that are missing are added below their neighbours, keys
that mean nothing any more are taken out with their line. The file is checked afterwards, and left
as it was if it would not be accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from alm.domain.errors import Misconfigured, Refused
from alm.domain.nearest import suggestion

Edit = tuple[int, int, str]
"""From and to where the text is replaced, and by what."""


def bind(
    folder: Path, model: str, section: str, value: Mapping[str, Any], check: Callable[[], None]
) -> Path:
    """Write a section into the file that declares a model or family; returns the file.

    check: raises Misconfigured if the folder is not accepted as it is then.
    """
    path = file_of(folder, model)
    before = path.read_text(encoding="utf-8")
    after = with_section(before, model, section, value)
    path.write_text(after, encoding="utf-8")
    try:
        check()
    except Misconfigured as error:
        if f"{path.name}:" in str(error):
            path.write_text(before, encoding="utf-8")
            raise Misconfigured(
                f"{path} is left as it was; with this section\n{dumped({section: value})}"
                f"it would not be accepted: {error}\nCorrect that, then repeat the command"
            ) from error
    return path


def file_of(folder: Path, model: str) -> Path:
    """The file that declares a model or a family. Raises Refused if none does."""
    known: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        for document in _documents(path.read_text(encoding="utf-8"), path.name):
            name = _name(document)
            known.append(name)
            if name == model:
                return path
    raise Refused(
        f"no file of {folder} declares {model!r}: {suggestion(model, filter(None, known))}; "
        f"make one with `alm init {model}`, or create it"
    )


def with_section(text: str, model: str, section: str, value: Mapping[str, Any]) -> str:
    """The text of a file with a section of one of its documents set."""
    for document in _documents(text, model):
        if _name(document) == model:
            changed = text
            for start, end, new in sorted(_edits(text, document, {section: value}), reverse=True):
                changed = changed[:start] + new + changed[end:]
            return changed
    raise Refused(f"the file declares no {model!r}")


def dumped(value: Mapping[str, Any], indent: int = 0) -> str:
    """A section as YAML, for people."""
    text = yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=10_000)
    return "".join(" " * indent + line for line in text.splitlines(keepends=True))


def _documents(text: str, name: str) -> Iterator[yaml.MappingNode]:
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            if isinstance(node, yaml.MappingNode):
                yield node
    except yaml.YAMLError as error:
        raise Refused(f"{name} is not YAML; `alm validate` tells where") from error


def _name(document: yaml.MappingNode) -> str:
    for key in ("model", "family"):
        found = _child(document, key)
        if found is not None and isinstance(found[1], yaml.ScalarNode):
            return str(found[1].value)
    return ""


def _edits(text: str, node: yaml.MappingNode, value: Mapping[str, Any]) -> Iterator[Edit]:
    """What to replace so that these keys of a mapping have these values."""
    for key, wanted in value.items():
        found = _child(node, key)
        if found is None:
            yield _added(text, node, {key: wanted})
        elif isinstance(wanted, Mapping) and _is_block(found[1]):
            yield from _edits(text, found[1], wanted)
            yield from _removed(text, found[1], wanted)
        else:
            yield _replaced(found, _with_others(text, found[1], wanted))


def _with_others(text: str, node: yaml.Node, wanted: Any) -> Any:
    """A value with the other keys of a mapping that stands on one line, in braces."""
    if not isinstance(node, yaml.MappingNode) or not isinstance(wanted, Mapping):
        return wanted
    present = yaml.safe_load(text[node.start_mark.index : node.end_mark.index]) or {}
    return wanted if "kind" in wanted else {**present, **wanted}


def _replaced(found: tuple[yaml.Node, yaml.Node], wanted: Any) -> Edit:
    key, node = found
    start, end = node.start_mark.index, _end(node)
    if isinstance(wanted, Mapping):
        inner = key.start_mark.column + 2
        return key.end_mark.index, end, ":\n" + dumped(wanted, inner).rstrip("\n")
    gap = " " if start == key.end_mark.index + 1 else ""
    return start, max(start, end), gap + _scalar(wanted)


def _added(text: str, node: yaml.MappingNode, value: Mapping[str, Any]) -> Edit:
    """Below the last line of a mapping, as far to the right as its other keys."""
    column = node.value[0][0].start_mark.column if node.value else node.start_mark.column
    at = _line_end(text, _end(node))
    return at, at, "\n" + dumped(value, column).rstrip("\n")


def _removed(text: str, node: yaml.MappingNode, wanted: Mapping[str, Any]) -> Iterator[Edit]:
    """The keys of a service that another kind of service does not have."""
    if "kind" not in wanted:
        return
    for key, child in node.value:
        if key.value not in wanted:
            start = text.rfind("\n", 0, key.start_mark.index)
            yield start, _line_end(text, _end(child)), ""


def _child(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((name, child) for name, child in node.value if name.value == key), None)


def _is_block(node: yaml.Node) -> TypeGuard[yaml.MappingNode]:
    return isinstance(node, yaml.MappingNode) and not node.flow_style and bool(node.value)


def _end(node: yaml.Node) -> int:
    """Where what a node says ends: a block's own mark is behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _scalar(value: Any) -> str:
    return str(yaml.safe_dump(value, allow_unicode=True, width=10_000)).split("\n", 1)[0]
