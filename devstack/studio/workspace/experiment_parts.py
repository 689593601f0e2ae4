"""The experiments half of the workspace API: its parts put together, and its routes.

Routes are relative to `/api`; the check of the workspace's token is put around them by `api`.
"""

from __future__ import annotations

from pathlib import Path

from devstack.studio.context import Context
from devstack.studio.web import Route
from devstack.studio.workspace.experiment_documents import ExperimentDocuments
from devstack.studio.workspace.experiment_records import Experiment
from devstack.studio.workspace.experiments import Experiments
from devstack.studio.workspace.history import History
from devstack.studio.workspace.output_access import OutputAccess
from devstack.studio.workspace.outputs import Outputs
from devstack.studio.workspace.running import RunQueue


class ExperimentParts:
    """Everything about experiments; `start` and `stop` it once each.

    `folder` is where outputs are kept.
    """

    def __init__(self, context: Context, folder: Path) -> None:
        outputs = Outputs(context.store, folder)
        self.history = History(context.store, outputs, context.clock)
        self.access = OutputAccess(self.history, outputs, context.shared_access)
        self._runs = RunQueue(context, self.history, outputs)
        documents = ExperimentDocuments(self.history, self.access)
        self.experiments = Experiments(context, self.history, self._runs, documents, self._deleted)

    def start(self) -> None:
        """Begin to run, with what an earlier Studio left."""
        self._runs.start()

    def stop(self) -> None:
        """Stop between two nodes."""
        self._runs.stop()

    def open_output(self, workspace_id: str, experiment_id: str, node_id: str, port: str) -> Path:
        """The file that a port gave, for promotion; raises 404 that says what is not there."""
        return self.access.path(workspace_id, experiment_id, node_id, port)

    def delete_workspace(self, workspace_id: str) -> None:
        """Delete all experiments of a workspace with what hangs on them."""
        for experiment in self.history.experiments(workspace_id):
            self.experiments.remove(experiment)

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
            Route("GET", one + "/outputdata/{node}/{port:rest}", self.access.download),
        ]

    def _deleted(self, experiment: Experiment) -> None:
        """Nothing hangs on an experiment yet."""
