"""A trace as a tree of spans, for people."""

from collections.abc import Iterable

from rich.markup import escape
from rich.tree import Tree

from devstack.collector.decoding import Value

SHOWN = ("alm.model", "alm.outcome", "alm.result", "alm.repeated", "http.response.status_code")
WHY_CHARACTERS_MAX = 100


def tree(spans: Iterable[Value]) -> Tree:
    """The spans of one trace; one whose parent is not here stands at the top, and says so."""
    found = sorted(spans, key=lambda span: span["began"])
    known = {span["span"] for span in found}
    began = found[0]["began"] if found else 0.0
    top = Tree(f"trace {found[0]['trace']}" if found else "no spans")
    children: dict[str, list[Value]] = {}
    for span in found:
        children.setdefault(span["parent"] if span["parent"] in known else "", []).append(span)
    waiting = [(top, span) for span in reversed(children.get("", []))]
    while waiting:
        above, span = waiting.pop()
        below = above.add(_line(span, began, known))
        waiting += [(below, child) for child in reversed(children.get(span["span"], []))]
    return top


def _line(span: Value, began: float, known: set[str]) -> str:
    colour = "red" if span["status"] == "error" else "green"
    attributes = span["attributes"]
    told = [f"{name.split('.')[-1]}={attributes[name]}" for name in SHOWN if name in attributes]
    if span["parent"] and span["parent"] not in known:
        told.append("parent elsewhere")
    if span["links"]:
        told.append(f"{len(span['links'])} linked")
    if span["why"]:
        told.append(span["why"][:WHY_CHARACTERS_MAX])
    when = f"+{span['began'] - began:.3f} s, {span['seconds'] * 1000:.1f} ms"
    return f"[{colour}]{escape(span['name'])}[/]  [dim]{when}[/]  {escape('  '.join(told))}"
