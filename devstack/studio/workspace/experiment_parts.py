"""The experiments half of the workspace API: its parts put together, and its routes.

Routes are relative to `/api`; the check of the workspace's token is put around them by `api`.
"""

from __future__ import annotations

from pathlib import Path

from devstack.studio.classic import ClassicServices
from devstack.studio.context import Context
from devstack.studio.web import Route
from devstack.studio.workspace.background import Background
from devstack.studio.workspace.deploying import ClassicDeploying
from devstack.studio.workspace.experiment_documents import ExperimentDocuments
from devstack.studio.workspace.experiments import Experiments
from devstack.studio.workspace.history import History
from devstack.studio.workspace.output_access import OutputAccess
from devstack.studio.workspace.outputs import Outputs
from devstack.studio.workspace.packages import Packages
from devstack.studio.workspace.packing import Packer
from devstack.studio.workspace.running import RunQueue
from devstack.studio.workspace.unpacking import Inspect, Unpacker
from devstack.studio.workspace.wsd_export import WsdExport


class ExperimentParts:
    """Everything about experiments; `start` and `stop` it once each.

    `folder` is where outputs are kept; new datasets are given to `inspect`.
    """

    def __init__(
        self,
        context: Context,
        folder: Path,
        classic: ClassicServices,
        background: Background,
        inspect: Inspect,
    ) -> None:
        outputs = Outputs(context.store, folder)
        self.history = History(context.store, outputs, context.clock)
        self.access = OutputAccess(self.history, outputs, context.shared_access)
        self._runs = RunQueue(context, self.history, outputs)
        documents = ExperimentDocuments(self.history, self.access)
        self._export = WsdExport(context, self.history, outputs)
        self._deploying = ClassicDeploying(context, self.history, self._export, classic, background)
        self.experiments = Experiments(
            context, self.history, self._runs, documents, self._deploying.deleted
        )
        unpacker = Unpacker(context, self.history, self.experiments.check_assets, inspect)
        self._packages = Packages(context, self.history, Packer(context), unpacker, background)

    def start(self) -> None:
        """Begin to run and, where an earlier Studio had begun, to deploy, pack and unpack."""
        self._runs.start()
        self._deploying.resume()
        self._packages.resume()

    def stop(self) -> None:
        """Stop between two nodes."""
        self._runs.stop()

    def open_output(self, workspace_id: str, experiment_id: str, node_id: str, port: str) -> Path:
        """The file that a port gave, for promotion; raises 404 that says what is not there."""
        return self.access.path(workspace_id, experiment_id, node_id, port)

    def delete_workspace(self, workspace_id: str) -> None:
        """Delete all experiments of a workspace with what hangs on them."""
        with self.history.store.transaction():
            for experiment in self.history.experiments(workspace_id):
                self.experiments.remove(experiment)
        self._packages.delete_workspace(workspace_id)

    def routes(self) -> list[Route]:
        """What is answered below `/api`."""
        experiments = "/workspaces/{ws}/experiments"
        one = experiments + "/{exp}"
        return [
            Route("GET", experiments, self.experiments.list),
            Route("POST", experiments, self.experiments.create),
            Route("GET", one, self.experiments.get),
            Route("POST", one, self.experiments.submit),
            Route("DELETE", one, self.experiments.delete),
            Route("GET", one + "/annotations", self.experiments.annotations),
            Route("GET", one + "/webservicedefinition", self._export.get),
            Route("POST", one + "/webservice", self._deploying.begin),
            Route("GET", one + "/webservice", self._deploying.status),
            Route("POST", "/workspaces/{ws}/packages", self._packages.pack),
            Route("PUT", "/workspaces/{ws}/packages", self._packages.unpack),
            Route("GET", "/workspaces/{ws}/packages", self._packages.status),
            Route("GET", one + "/outputdata/{node}/{port:rest}", self.access.download),
        ]
