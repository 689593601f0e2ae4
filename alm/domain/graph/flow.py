"""Where rows come from and go to in a graph: followed along its edges."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from alm.domain.experiment import Graph, InputPort, Node
from alm.domain.graph.finding import place, split_place
from alm.domain.graph.modules import carries_rows


class Flow:
    """The edges of a graph, to be followed from node to node. Edges to nowhere are passed over."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = {node.id: node for node in graph.nodes}
        self._before: dict[str, list[str]] = {}
        self._after: dict[str, list[str]] = {}
        for edge in graph.edges:
            source, target = split_place(edge.source)[0], split_place(edge.target)[0]
            if source in self.nodes and target in self.nodes:
                self._before.setdefault(edge.target, []).append(source)
                self._after.setdefault(edge.source, []).append(target)

    def is_fed(self, node: str, port: str) -> bool:
        """Whether an edge comes in by an input."""
        return place(node, port) in self._before

    def givers(self, node: str, port: str) -> tuple[Node, ...]:
        """The nodes whose output comes in by an input; one in a sound graph."""
        return tuple(self.nodes[id] for id in self._before.get(place(node, port), ()))

    def takers(self, node: str, port: str) -> tuple[Node, ...]:
        """The nodes that take what an output puts out, each once."""
        ids = dict.fromkeys(self._after.get(place(node, port), ()))
        return tuple(self.nodes[id] for id in ids)

    def after(self, starts: Iterable[Node]) -> tuple[Node, ...]:
        """Every node that something of these goes to, nearest first, without them."""
        due = deque(starts)
        seen = {node.id: node for node in due}
        first = len(seen)
        while due:
            node = due.popleft()
            for port in node.outputs:
                new = [n for n in self.takers(node.id, port.name) if n.id not in seen]
                seen.update({n.id: n for n in new})
                due.extend(new)
        return tuple(seen.values())[first:]

    def before(self, node: Node, ports: Iterable[InputPort]) -> tuple[tuple[Node, InputPort], ...]:
        """The inputs by which something comes in that ends in `ports`; these are first.

        What comes in by an input for models or learners carries no rows and is not followed.
        """
        found = [(node, port) for port in ports]
        seen = {node.id}
        for at in found:
            for earlier in self.givers(at[0].id, at[1].name):
                if earlier.id not in seen:
                    seen.add(earlier.id)
                    found += [(earlier, port) for port in earlier.inputs if carries_rows(port)]
        return tuple(found)
