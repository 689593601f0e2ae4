"""One run of one snapshot: node after node, each from the cache or by its module.

A node that fails ends the run; those after it are never started. Modules that do not run here (R,
custom modules, those not in the catalogue) fail when they are reached.

The cache is asked whatever a node's UsePreviousResults says: a captured experiment shows nodes with
the flag off that were taken from it (inferred: the flag is for modules that read what changes
outside, and none of those runs here).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devstack.studio.context import Context
from devstack.studio.graph import ONLY_PORT, Edge, Graph, Node, run_graph
from devstack.studio.learning.failures import LearningFailure
from devstack.studio.learning.tables import Table
from devstack.studio.modules import Value
from devstack.studio.workspace.asset_values import AssetValues
from devstack.studio.workspace.experiment_graph import ExperimentGraph
from devstack.studio.workspace.experiment_records import (
    NodeRun,
    OutputFile,
    Run,
    RunState,
    Snapshot,
)
from devstack.studio.workspace.outputs import Outputs, cache_key, written, written_text

CACHED = "Task output was present in output cache"
NONE = "None"


class Stopped(Exception):
    """Studio is stopping, or the experiment was deleted."""


class SnapshotRun:
    """Runs a snapshot once."""

    def __init__(
        self, context: Context, outputs: Outputs, snapshot: Snapshot, stopping: Callable[[], bool]
    ) -> None:
        self._context = context
        self._store = context.store
        self._outputs = outputs
        self._snapshot = snapshot
        self._stopping = stopping
        self._assets = AssetValues(context.assets, snapshot.workspace)
        content = snapshot.content
        experiment_graph = ExperimentGraph(content.graph, content.web_service)
        self._graph = experiment_graph.engine_graph(frozenset(self._run().nodes))
        self._modules = {name: node["ModuleId"] for name, node in experiment_graph.nodes.items()}
        self._values: dict[tuple[str, str], Value] = {}

    def execute(self) -> None:
        """Run everything; the outcome is in the store. Raises Stopped."""
        run = self._change(lambda run: _begin(run, self._context.clock()))
        if run.fail_with is not None:
            self.end("Failed", run.fail_with)
            return
        for name in self._graph.order():
            node = self._graph.nodes[name]
            if node.module is None:
                continue
            try:
                self._run_node(node)
            except LearningFailure as error:
                self._fail(node, str(error))
                return
        self.end("Finished", NONE)

    def end(self, state: RunState, detail: str) -> None:
        """Write down how the run ended."""
        now = self._context.clock()

        def ended(run: Run) -> None:
            run.state, run.detail, run.ended = state, detail, now

        self._change(ended)

    def _run_node(self, node: Node) -> None:
        if self._run().nodes[node.id].state == "Finished":
            return
        inputs = {edge.target_port: self._file(edge) for edge in self._graph.into(node.id)}
        key = cache_key(self._snapshot.workspace, self._modules[node.id], node.parameters, inputs)
        if self._take_from_cache(node, key):
            return
        self._change_node(node, lambda found: _start(found, self._context.clock()))
        taken = {edge.target_port: self._value(edge) for edge in self._graph.into(node.id)}
        given = _run_alone(node, taken)
        self._finish(node, key, given, _log_text(node, taken, given))

    def _take_from_cache(self, node: Node, key: str) -> bool:
        now = self._context.clock()
        with self._store.transaction():
            files = self._outputs.remembered(key)
            if files is not None:
                done = NodeRun(
                    state="Finished",
                    detail=CACHED,
                    created=self._run().nodes[node.id].created,
                    started=now,
                    ended=now,
                    outputs=dict(files),
                )
                self._end_node(node, done, f"{node.module}\n{CACHED}\n", "")
        return files is not None

    def _finish(self, node: Node, key: str, given: Mapping[str, Value], text: str) -> None:
        for port, value in given.items():
            self._values[(node.id, port)] = value
        ready = {port: written(value) for port, value in given.items()}
        with self._store.transaction():
            files = {port: self._outputs.keep(file) for port, file in ready.items()}
            self._outputs.remember(key, files)
            done = self._run().nodes[node.id]
            done.state, done.ended, done.outputs = "Finished", self._context.clock(), files
            self._end_node(node, done, text, "")

    def _fail(self, node: Node, text: str) -> None:
        with self._store.transaction():
            done, now = self._run().nodes[node.id], self._context.clock()
            done.state, done.detail, done.ended = "Failed", text, now
            done.started = done.started or now
            self._end_node(node, done, f"{node.module}\n", text + "\n")
            self.end("Failed", text)

    def _end_node(self, node: Node, done: NodeRun, log: str, errors: str) -> None:
        done.log = self._outputs.keep(written_text(log))
        done.errors = self._outputs.keep(written_text(errors))

        def replaced(run: Run) -> None:
            run.nodes[node.id] = done

        self._change(replaced)

    def _file(self, edge: Edge) -> OutputFile:
        """What identifies the value that an edge brings."""
        source = self._graph.nodes[edge.source]
        if source.module is None:
            return self._assets.file(source.source or "", source.kind or "")
        return self._run().nodes[edge.source].outputs[edge.source_port]

    def _value(self, edge: Edge) -> Value:
        place = (edge.source, edge.source_port)
        if place not in self._values:
            source = self._graph.nodes[edge.source]
            if source.module is None:
                self._values[place] = self._assets.value(source.source or "")
            else:
                self._values[place] = self._outputs.load(self._file(edge))
        return self._values[place]

    def _run(self) -> Run:
        run = self._store.get(Run, self._snapshot.id)
        if run is None:
            raise Stopped
        return run

    def _change(self, change: Callable[[Run], None]) -> Run:
        if self._stopping():
            raise Stopped
        with self._store.transaction():
            run = self._run()
            change(run)
            self._store.put(run.id, run)
        return run

    def _change_node(self, node: Node, change: Callable[[NodeRun], None]) -> None:
        self._change(lambda run: change(run.nodes[node.id]))


def _begin(run: Run, now: float) -> None:
    run.state, run.started = "Running", run.started or now


def _start(node: NodeRun, now: float) -> None:
    node.state, node.started = "Running", now


def _run_alone(node: Node, taken: Mapping[str, Value]) -> dict[str, Value]:
    """What a module gives for these inputs; raises LearningFailure that names it."""
    ports = {f"port:{port}": port for port in taken}
    nodes = {name: Node(name, source=port) for name, port in ports.items()}
    edges = tuple(Edge(name, ONLY_PORT, node.id, port) for name, port in ports.items())
    values = run_graph(Graph({**nodes, node.id: node}, edges), taken)
    return {port: value for (name, port), value in values.items() if name == node.id}


def _log_text(node: Node, taken: Mapping[str, Value], given: Mapping[str, Value]) -> str:
    lines = [str(node.module)]
    lines += [f"input {port}: {_described(value)}" for port, value in taken.items()]
    lines += [f"output {port}: {_described(value)}" for port, value in given.items()]
    return "\n".join(lines) + "\n"


def _described(value: Value) -> str:
    if isinstance(value, Table):
        return f"{len(value.rows)} rows, {len(value.columns)} columns"
    return type(value).__name__
