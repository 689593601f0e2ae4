"""Studio's workspace in a simulated world: experiments that run, assets, classic web services.

At the level of the ports `Workspace`, `ClassicServices` and `ScoringTarget`, as far as the ten
steps use them. What a training run puts out is told by its dataset and its own number:
two runs over the same rows are two models.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO

from alm.domain.errors import Conflict, Misconfigured, NotFound
from alm.domain.experiment import (
    Activity,
    Asset,
    AssetKind,
    Draft,
    Experiment,
    Graph,
    Promotion,
    Upload,
)
from alm.domain.web_services import ClassicWebService, Endpoint, Resource
from alm.ports import Grant, Reading, Row, Scores
from tests.simulation.bench import WORKSPACE, Bench, Deployment, Run, StudioAsset, StudioState
from tests.simulation.doubles import BASE, Holder, is_good
from tests.simulation.scenario import DEPLOYED_SECONDS, Scenario, run_name

SCHEMA_SECONDS = 0.2
DEPLOY_SECONDS = 0.4
RUN_SECONDS = 4.0  # per look that a scenario declares
MANAGEMENT = f"https://studio.example/workspaces/{WORKSPACE}/webservices"


def quality(scenario: Scenario, run: str) -> str:
    for kind in ("bad", "same"):
        if run in map(run_name, getattr(scenario, kind)):
            return kind
    return "good"


class SimWorkspace:
    def __init__(self, world: Holder, scenario: Scenario) -> None:
        self._world, self._scenario = world, scenario

    @property
    def _studio(self) -> StudioState:
        """The workspace as it is by now."""
        state = self._world.state
        state.studio.settle(state.now)
        return state.studio

    def assets(self, kind: AssetKind) -> list[Asset]:
        found: dict[str, Asset] = {}
        for asset_id, asset in self._studio.assets.items():
            if asset.kind == kind:
                found[asset.family] = self._shown_asset(asset_id, asset)
        return list(found.values())

    def upload(self, upload: Upload, content: BinaryIO, *, size: int | None = None) -> str:
        return self._register("dataset", upload, content.read())

    def promote(self, promotion: Promotion) -> str:
        with self.output(promotion.experiment, promotion.node, promotion.port) as content:
            return self._register("trained_model", promotion, content.read())

    def experiments(self) -> list[Experiment]:
        return [self.experiment(name) for name in self._studio.experiments]

    def experiment(self, experiment_id: str) -> Experiment:
        bench = self._found(experiment_id)
        run = self._studio.runs.get(bench.run)
        return shown(experiment_id, bench, run.previous if run else "", self._state(bench))

    def create(self, draft: Draft) -> str:
        name = f"{WORKSPACE}.f-id.{len(self._studio.experiments) + 1:032x}"
        trains = any(node.id == "train" for node in draft.graph.nodes)
        self._studio.experiments[name] = Bench(draft.name, trains, named_in(draft.graph))
        return name

    def save(self, experiment_id: str, draft: Draft) -> None:
        bench, asset = self._found(experiment_id), named_in(draft.graph)
        if asset not in self._studio.assets:
            raise Misconfigured(f"experiment {bench.name!r} names {asset!r}, which is not there")
        self._studio.experiments[experiment_id] = bench._replace(
            name=draft.name, asset=asset, is_draft=True
        )

    def run(self, experiment_id: str, draft: Draft) -> None:
        self.save(experiment_id, draft)
        studio, bench = self._studio, self._found(experiment_id)
        before = studio.runs.get(bench.run)
        began = max(self._world.state.now, before.ends if before else 0)
        snapshot = f"{experiment_id.replace('.f-id.', '.s-id.')}.{len(studio.runs) + 1}"
        ends = began + RUN_SECONDS * self._scenario.looks
        failed = bench.trains and self._fails(bench.asset)
        studio.runs[snapshot] = Run(experiment_id, bench.asset, bench.run, ends, failed)
        studio.experiments[experiment_id] = bench._replace(run=snapshot, is_draft=False)

    def output(self, experiment_id: str, node: str, port: str) -> BinaryIO:
        bench = self._found(experiment_id)
        if self._state(bench._replace(is_draft=False)) != "Finished":
            raise NotFound(f"output {port!r} of {bench.name!r} is not there, or not yet")
        owner = self._owner(bench.asset)
        if node == "evaluate":
            is_rejected = owner in map(run_name, self._scenario.rejected)
            return BytesIO(b"AUC\r\n0.5" if is_rejected else b"AUC\r\n0.9")
        number = bench.run.rpartition(".")[2]
        return BytesIO(f"{quality(self._scenario, owner)} model of {owner} {number}".encode())

    def deploy(self, experiment_id: str, *, update: bool, fault: str = "") -> Activity:
        """`fault`: the deployment is accepted and changes nothing, or why it fails later."""
        studio, bench = self._studio, self._found(experiment_id)
        if self._state(bench) != "Finished":
            raise Misconfigured(f"experiment {bench.name!r} is {self._state(bench)}: run it")
        old = studio.service_of(experiment_id)
        number = len(studio.deployments) + 1
        service = old if update and old else f"s{number}"
        location = studio.assets[studio.runs[bench.run].asset].content
        due = self._world.state.now + DEPLOY_SECONDS * self._scenario.looks
        made = Deployment(experiment_id, service, location, due, ignored=fault == "ignored")
        studio.deployments[f"a{number}"] = made._replace(failed=fault if fault == "failed" else "")
        return Activity(id=f"a{number}", done=False, service=service)

    def deploying(self, activity: str) -> Activity:
        found = self._studio.deployments[activity]
        ended = activity in self._studio.deployed
        failed = "the plan is used up" if ended and found.failed else ""
        return Activity(
            id=activity, done=ended and not failed, failed=failed, service=found.service
        )

    def _register(self, kind: AssetKind, given: Upload | Promotion, content: bytes) -> str:
        studio = self._studio
        taken = {asset.name: asset.family for asset in studio.assets.values() if asset.kind == kind}
        if taken.get(given.name, given.family) != given.family:
            raise Conflict(f"a {kind} named {given.name!r} is there already")
        number = len(studio.assets) + 1
        family = given.family or f"{number:032x}"
        name = f"{WORKSPACE}.{family}.v1-default-{number}"
        blob = f"studio/{name}"
        self._world.state.blobs[blob] = content
        created = self._world.state.now
        studio.assets[name] = StudioAsset(
            kind, given.name, family, number, given.description, blob, created
        )
        return name

    def _shown_asset(self, asset_id: str, asset: StudioAsset) -> Asset:
        is_read = self._world.state.now >= asset.created + SCHEMA_SECONDS
        return shown_asset(asset_id, asset, "Complete" if is_read else "Pending")

    def _found(self, experiment_id: str) -> Bench:
        """An experiment, or a snapshot of one."""
        if experiment_id in self._studio.runs:
            run = self._studio.runs[experiment_id]
            now = self._studio.experiments[run.experiment]
            return Bench(now.name, now.trains, run.asset, experiment_id, is_draft=False)
        try:
            return self._studio.experiments[experiment_id]
        except KeyError:
            raise NotFound(f"there is no experiment {experiment_id}") from None

    def _state(self, bench: Bench) -> str:
        if bench.is_draft:
            return "InDraft"
        run = self._studio.runs[bench.run]
        if self._world.state.now < run.ends:
            return "Running"
        return "Failed" if run.failed else "Finished"

    def _owner(self, dataset: str) -> str:
        """The run whose dataset it is, as the scenario counts them."""
        return run_name(int(self._studio.assets[dataset].description.rpartition("@")[2]))

    def _fails(self, dataset: str) -> bool:
        failures, owner = self._world.state.failures, self._owner(dataset)
        left = failures.get(owner, 0)
        if left:
            failures[owner] = left - 1
        return left > 0


class SimClassicServices:
    def __init__(self, world: Holder) -> None:
        self._world = world

    @property
    def _studio(self) -> StudioState:
        state = self._world.state
        state.studio.settle(state.now)
        return state.studio

    def services(self) -> list[ClassicWebService]:
        return [self.service(name) for name in self._studio.services]

    def service(self, service: str) -> ClassicWebService:
        if service not in self._studio.services:
            raise NotFound(f"there is no web service {service}")
        return ClassicWebService(id=service, name=self._studio.services[service].name)

    def endpoint(self, service: str, name: str) -> Endpoint:
        if service not in self._studio.services:
            raise NotFound(f"there is no web service {service}")
        found = self._studio.services[service]
        resource = Resource(name=found.resource, location=BASE + found.location)
        address = f"{MANAGEMENT}/{service}/endpoints/{name}"
        return Endpoint(name=name, service=service, address=address, resources=(resource,))

    def delete_service(self, service: str) -> None:
        self._studio.services.pop(service, None)


class SimDeployed:
    """The default endpoint of a service: it follows the service, and takes no model itself."""

    def __init__(self, world: Holder, service: str) -> None:
        self._world, self._service = world, service

    def read(self) -> Reading:
        state = self._world.state
        state.studio.settle(state.now)
        found = state.studio.services.get(self._service)
        if found is None:
            raise NotFound(f"there is no web service {self._service}")
        return Reading(BASE + found.location, str(found.changes))

    def patch(self, model: Grant) -> None:
        raise Misconfigured("the default endpoint follows its web service")

    def older(self) -> list[str]:
        """The models that may still answer beside the one that is there."""
        state = self._world.state
        found = state.studio.services.get(self._service)
        if found is None:
            return []
        recent = [old for at, old in found.history if at + DEPLOYED_SECONDS > state.now]
        return [old for old in dict.fromkeys(reversed(recent)) if old != found.location]

    def score(self, rows: Sequence[Row], *, input: str, output: str, location: str = "") -> Scores:
        state = self._world.state
        content = state.blobs[location or self.read().location.removeprefix(BASE)]
        verdict = "good" if is_good(content) and content not in state.rotten else "bad"
        unchanged = content.startswith(b"same") or b" v0 " in content
        answer = ("as before" if unchanged else content.decode(), verdict)
        return Scores(("Scored Labels", "Scored Quality"), tuple(answer for _ in rows))


def named_in(graph: Graph) -> str:
    """The dataset or trained model that a graph names."""
    ports = [port for node in graph.nodes for port in node.inputs]
    return next(port.dataset or port.trained_model for port in ports)


@lru_cache(maxsize=10_000)
def shown(experiment_id: str, bench: Bench, previous: str, state: str) -> Experiment:
    """An experiment as Studio's API writes it."""
    return Experiment.model_validate(
        {
            "ExperimentId": experiment_id,
            "Description": bench.name,
            "Category": "user",
            "RunId": bench.run,
            "ParentExperimentId": previous,
            "Status": {"StatusCode": state, "StatusDetail": "None"},
            "Graph": graph_of(bench),
            "WebService": {"WebServiceGroupId": bench.service or None},
            "NodeStatuses": [],
        }
    )


@lru_cache(maxsize=10_000)
def shown_asset(asset_id: str, asset: StudioAsset, schema: str) -> Asset:
    return Asset(
        kind=asset.kind,
        id=asset_id,
        family=asset.family,
        number=asset.number,
        name=asset.name,
        description=asset.description,
        schema_state=schema,
    )


def graph_of(bench: Bench) -> dict[str, Any]:
    """Train and evaluate, or score: as much of a graph as the stages look at."""
    if bench.trains:
        nodes = [
            _node("train", "Dataset", "DataSourceId", bench.asset, "Trained model"),
            _node("evaluate", "Scored dataset", "", "", "Evaluation results"),
        ]
    else:
        nodes = [_node("score", "Trained model", "TrainedModelId", bench.asset, "Scored dataset")]
    return {"ModuleNodes": nodes, "EdgesInternal": [], "SerializedClientData": ""}


MODULES = {
    "train": "5cc7053eaa30450d96c0dae4be720977",
    "evaluate": "927d65ac3b504694990320f6c1672089",
    "score": "401b4f92e7244d5abe81d5b0ff9bdb33",
}


def _node(name: str, port: str, kind: str, asset: str, output: str) -> dict[str, Any]:
    entered = {"Name": port, "NodeId": name, **({kind: asset} if kind else {})}
    return {
        "Id": name,
        "ModuleId": f"{WORKSPACE}.{MODULES[name]}.v1-default-1",
        "Comment": name,
        "ModuleParameters": [],
        "InputPortsInternal": [entered],
        "OutputPortsInternal": [{"Name": output, "NodeId": name}],
    }
