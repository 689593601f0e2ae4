"""Where a web service's rows enter a graph: the one port whose saved dataset they replace.

It is found from where the rows are needed, back along the edges. Where several datasets are joined
on the way, somebody must say which of them callers send.
Source: Studio's documentation on web-service inputs; that rows which enter at a port replace the
dataset at it, and at no other port, is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alm.domain.drafts import graph_of
from alm.domain.errors import Refused
from alm.domain.experiment import Experiment, InputPort, Node
from alm.domain.graph.finding import input_port, place, place_in
from alm.domain.graph.flow import Flow
from alm.domain.graph.modules import named
from alm.domain.graph.service_ports import block_of, with_service_input
from alm.domain.nearest import shown

Place = tuple[Node, InputPort]


@dataclass(frozen=True)
class Entry:
    """An experiment with its web-service input; name is "" where it needs none."""

    experiment: Experiment
    name: str
    notes: tuple[str, ...] = ()


def with_entry(experiment: Experiment, node: Node, ports: Iterable[InputPort], port: str) -> Entry:
    """Give an experiment the input by which rows come to `ports` of `node`.

    port: `node:port` where they shall enter, "" to find it. An input that is there already is used.
    Raises Refused if there are several possibilities, or if nothing from `port` gets there.
    """
    graph = graph_of(experiment)
    flow = Flow(graph)
    mains = list(ports)
    ways = flow.before(node, mains)
    if port:
        found = [_named(experiment, ways, port, node)]
    else:
        found = _entered(experiment, ways) or _open(flow, ways, mains)
    if len(found) > 1:
        raise Refused(
            f"rows for {named(node)} may enter at {len(found)} ports: {_listed(found)}; name one"
        )
    if not found:
        return Entry(experiment, "", _without(flow, node, ways))
    at, entry = found[0]
    changed = with_service_input(experiment, at.id, entry.name)
    here = place(at.id, entry.name)
    name = next(item.name for item in block_of(changed).inputs if item.port == here)
    return Entry(changed, name, _kept(experiment, found[0], name))


def _named(experiment: Experiment, ways: Iterable[Place], port: str, node: Node) -> Place:
    at, name = place_in(graph_of(experiment), port)
    entry = input_port(at, name)
    if (at, entry) not in ways:
        raise Refused(
            f"nothing that enters at {entry.name!r} of {named(at)} comes to {named(node)}; "
            f"name a port on the way: {_listed(ways)}"
        )
    return at, entry


def _entered(experiment: Experiment, ways: Iterable[Place]) -> list[Place]:
    """The ports on the way that have a web-service input already."""
    taken = {item.port for item in block_of(experiment).inputs}
    return [(node, port) for node, port in ways if place(node.id, port.name) in taken]


def _open(flow: Flow, ways: Iterable[Place], mains: Iterable[InputPort]) -> list[Place]:
    """The ports on the way that hold a dataset; the last ones also where they hold nothing."""
    last = {place(port.node, port.name) for port in mains}
    return [
        (node, port)
        for node, port in ways
        if not flow.is_fed(node.id, port.name)
        and (port.dataset or place(node.id, port.name) in last)
    ]


def _kept(experiment: Experiment, entry: Place, name: str) -> tuple[str, ...]:
    """What to know about the other ports that go on using the dataset."""
    at, port = entry
    return tuple(
        f"web-service input {name!r} replaces the dataset at {port.name!r} of {named(at)} only: "
        f"{other.name!r} of {named(node)} goes on using the saved one"
        for node in graph_of(experiment).nodes
        for other in node.inputs
        if port.dataset and other.dataset == port.dataset and (node.id, other) != (at.id, port)
    )


def _without(flow: Flow, node: Node, ways: Iterable[Place]) -> tuple[str, ...]:
    """Why there is no input: the modules that get the rows themselves."""
    givers = {giver.id: giver for at, port in ways for giver in flow.givers(at.id, port.name)}
    readers = [named(giver) for giver in givers.values() if not giver.inputs]
    sources = ", ".join(readers[:5]) or "nothing that can be replaced"
    return (
        f"no web-service input: the rows for {named(node)} come from {sources}; "
        "a web-service parameter can tell it what to read",
    )


def _listed(ways: Iterable[Place]) -> str:
    words = [
        f"{shown(port.name)} of {named(node)}" + (f" with {port.dataset}" if port.dataset else "")
        for node, port in ways
    ]
    more = f" and {len(words) - 8} more" if len(words) > 8 else ""
    return ", ".join(words[:8]) + more
