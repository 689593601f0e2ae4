"""Serving: which model answers now, and running a web service with it.

A changed model answers after the propagation delay; until then the one before answers. The models
of new web services are fetched again from their location when Studio has been restarted, so that a
grant that has expired shows: calls are then refused until the service is deployed again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit

from devstack.studio.accounts import BlobReference
from devstack.studio.definitions import Package, package_of, source_of_asset, source_of_input
from devstack.studio.errors import internal_error
from devstack.studio.graph import Observer, run_graph
from devstack.studio.learning.failures import BadModel, BadTable
from devstack.studio.learning.tables import Table
from devstack.studio.model_library import ModelLibrary
from devstack.studio.modules import DATASET, Value
from devstack.studio.names import digest_of_document
from devstack.studio.records import AssetSource, Definition, Deployment, Serving
from devstack.studio.store import Store
from devstack.studio.transfer import BlobTransfer, TransferFailure

# Earlier models kept in the history of an asset; only the last before the newest can still answer.
HISTORY_MAX = 20


def changed(history: list[Serving], digest: str, now: float, delay: float) -> list[Serving]:
    """The history of an asset after it was given a model: that one answers after the delay.

    Giving it the model that it has already changes nothing. The first model answers at once.
    """
    if history and history[-1].digest == digest:
        return history
    since = now + delay if history else now
    return [*history, Serving(digest=digest, since=since)][-HISTORY_MAX:]


def answering(history: list[Serving], now: float) -> str:
    """The digest of the model that answers at a time."""
    due = [serving.digest for serving in history if serving.since <= now]
    return due[-1] if due else history[0].digest


class Definitions:
    """Keeps definitions by digest, and the packages read from them in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._packages: dict[str, Package] = {}

    def add(self, properties: dict[str, object]) -> str:
        """Keep the parts of a definition that make it run; returns their digest."""
        kept = {name: properties[name] for name in _RUNNING_PARTS if name in properties}
        digest = digest_of_document(kept)
        self._store.put(digest, Definition(digest=digest, properties=kept))
        return digest

    def package(self, digest: str) -> Package:
        """The definition with this digest, ready to run."""
        package = self._packages.get(digest)
        if package is None:
            definition = self._store.get(Definition, digest)
            assert definition is not None, f"definition {digest} is not in the store"
            package = self._packages[digest] = package_of(definition.properties)
        return package


_RUNNING_PARTS = (
    "title", "description", "input", "output", "exampleRequest", "assets", "parameters", "package",
)  # fmt: skip


class Execution:
    """Runs the web services that are deployed."""

    def __init__(
        self,
        store: Store,
        library: ModelLibrary,
        transfer: BlobTransfer,
        clock: Callable[[], float],
    ) -> None:
        self.definitions = Definitions(store)
        self._store = store
        self._library = library
        self._transfer = transfer
        self._clock = clock
        self._fetched: set[str] = set()
        self._fetching = threading.Lock()

    def package(self, deployment: Deployment) -> Package:
        """The package of a deployment."""
        return self.definitions.package(deployment.definition)

    def run(
        self,
        deployment: Deployment,
        inputs: Mapping[str, Table],
        parameters: Mapping[str, object],
        observer: Observer | None = None,
    ) -> dict[str, Value]:
        """What each output of the web service gives for these inputs.

        Raises StudioError when parameters do not fit or a model cannot be loaded, LearningFailure
        when a module cannot do its work.
        """
        package = self.package(deployment)
        graph = package.with_parameters(parameters)
        sources: dict[str, Value] = {source_of_input(name): table for name, table in inputs.items()}
        for asset_id, history in self._models(deployment).items():
            digest = answering(history, self._clock())
            sources[source_of_asset(asset_id)] = self._library.get(digest)
        values = run_graph(graph, sources, observer)
        return {
            node.output: values[(node.id, "")]
            for node in graph.nodes.values()
            if node.output is not None and (node.id, "") in values
        }

    def fetch(self, source: AssetSource) -> str:
        """Fetch a resource from where a definition says, keep it, return its digest.

        Raises StudioError (500 InternalError, ResourceDownload or ResourceLoadFailed).
        """
        try:
            content = self._transfer.fetch(reference_of(source))
            is_table = source.kind == DATASET
            return self._library.add_table(content) if is_table else self._library.add(content)
        except TransferFailure as error:
            raise internal_error(
                "ResourceDownload", f"The model was not fetched: {error}"
            ) from error
        except (BadModel, BadTable) as error:
            raise internal_error(
                "ResourceLoadFailed", f"The model is not usable: {error}"
            ) from error

    def is_fetched(self, deployment_id: str) -> None:
        """Remember that the models of a deployment were fetched since this Studio started."""
        self._fetched.add(deployment_id)

    def fetch_again(self, deployment: Deployment) -> None:
        """After a restart, fetch the models of a new web service once more; raises StudioError."""
        with self._fetching:
            if deployment.id in self._fetched:
                return
            digests = {name: self.fetch(source) for name, source in deployment.sources.items()}
            with self._store.transaction():
                current = self._store.get(Deployment, deployment.id)
                if current is not None and current.sources == deployment.sources:
                    self._serve(current, digests)
            self._fetched.add(deployment.id)

    def _serve(self, deployment: Deployment, digests: Mapping[str, str]) -> None:
        now = self._clock()
        for asset_id, digest in digests.items():
            history = deployment.models.get(asset_id, [])
            deployment.models[asset_id] = changed(history, digest, now, 0)
        self._store.put(deployment.id, deployment)

    def _models(self, deployment: Deployment) -> Mapping[str, list[Serving]]:
        if deployment.kind == "classic" or deployment.id in self._fetched:
            return deployment.models
        self.fetch_again(deployment)
        current = self._store.get(Deployment, deployment.id)
        return current.models if current is not None else {}


def reference_of(source: AssetSource) -> BlobReference:
    """The blob that an asset's location names: an address with its grant apart or in its query."""
    address, _, query = source.uri.partition("?")
    grant = source.credentials.strip().lstrip("?") or query
    parts = urlsplit(address)
    base, relative = f"{parts.scheme}://{parts.netloc}/", unquote(parts.path.lstrip("/"))
    return BlobReference(base, relative, "?" + grant if grant else "")
