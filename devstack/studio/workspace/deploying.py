"""Deploying: an experiment whose last run finished becomes a classic web service.

The answer names an activity that is Pending until the service answers. With
`updateExistingWebService=true` the service keeps its id and keys, its default endpoint follows at
once, and the other endpoints stay as they are until they are refreshed. What is missing in an
experiment is refused at once; a deployment that fails later ends as Failed (inferred: Studio's own
word for it is not known).
"""

from __future__ import annotations

from typing import Any

from devstack.studio.classic import ClassicServices, Publication
from devstack.studio.classic_models import DEFAULT_ENDPOINT
from devstack.studio.context import Context
from devstack.studio.errors import StudioError, not_found
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import new_id
from devstack.studio.records import Endpoint, WebService
from devstack.studio.web import Request, Response
from devstack.studio.workspace.background import Background
from devstack.studio.workspace.experiment_records import Deploying, Experiment, Snapshot
from devstack.studio.workspace.history import History
from devstack.studio.workspace.wsd_export import WsdExport


class ClassicDeploying:
    """Serves `experiments/{exp}/webservice`; POST takes an experiment, GET an activity."""

    def __init__(
        self,
        context: Context,
        history: History,
        export: WsdExport,
        classic: ClassicServices,
        background: Background,
    ) -> None:
        self._context = context
        self._store = context.store
        self._history = history
        self._export = export
        self._classic = classic
        self._background = background

    def begin(self, request: Request) -> Response:
        """Begin to deploy an experiment; raises 400 when it cannot be deployed."""
        experiment = self._history.experiment(request.parts["ws"], request.parts["exp"])
        snapshot = self._export.finished(experiment.workspace, experiment.id)
        new_names = _is_true(request, "generateNewPortNames")
        properties = self._export.properties(snapshot, new_port_names=new_names)
        service = self._service(experiment, update=_is_true(request, "updateExistingWebService"))
        activity = Deploying(
            id=new_id(),
            workspace=experiment.workspace,
            experiment=experiment.id,
            snapshot=snapshot.id,
            service=service,
            endpoint=self._endpoint(service),
            new_port_names=new_names,
        )
        shown = _document(activity)
        if CHANGE_NOTHING in request.effects:
            activity.state = "Completed"
        self._store.put(activity.key, activity)
        if activity.state == "Pending":
            self._background.submit(lambda: self._deploy(activity, properties))
        return Response(200, shown)

    def status(self, request: Request) -> Response:
        """How a deployment is doing; the activity's id stands where the experiment's did."""
        name = request.parts["exp"]
        activity = self._store.get(Deploying, f"{request.parts['ws']}/{name}")
        if activity is None:
            raise not_found("ResourceNotFound", f"There is no deployment {name[:120]!r}.")
        return Response(200, _document(activity))

    def resume(self) -> None:
        """Carry out the deployments that an earlier Studio had begun."""
        for activity in self._store.list(Deploying):
            if activity.state == "Pending":
                self._resume(activity)

    def deleted(self, experiment: Experiment) -> None:
        """Delete the classic services of an experiment that is being deleted."""
        for service_id in experiment.web_services:
            service = self._store.get(WebService, service_id)
            if service is not None:
                self._classic.remove(service)
        for activity in self._store.list(Deploying, experiment.workspace + "/"):
            if activity.experiment == experiment.id:
                self._store.delete(Deploying, activity.key)

    def _resume(self, activity: Deploying) -> None:
        def work() -> None:
            try:
                snapshot = self._history.snapshot(activity.workspace, activity.snapshot)
                properties = self._export.properties(
                    snapshot, new_port_names=activity.new_port_names
                )
            except StudioError as error:
                self._fail(activity, error)
            else:
                self._deploy(activity, properties)

        self._background.submit(work)

    def _service(self, experiment: Experiment, *, update: bool) -> str:
        """The id of the service: the experiment's, when it is to be updated and still there."""
        service_id = str(experiment.content.web_service.get("WebServiceGroupId") or "")
        service = self._store.get(WebService, service_id)
        return service_id if update and service is not None else new_id()

    def _endpoint(self, service_id: str) -> str:
        endpoint = self._store.get(Endpoint, f"{service_id}/{DEFAULT_ENDPOINT}")
        return endpoint.deployment_id if endpoint is not None else new_id()

    def _deploy(self, activity: Deploying, properties: dict[str, Any]) -> None:
        try:
            snapshot = self._history.snapshot(activity.workspace, activity.snapshot)
            publication = Publication(
                name=snapshot.content.description,
                description=snapshot.content.summary,
                properties=properties,
                snapshot=snapshot.id,
                endpoint=activity.endpoint,
            )
            self._classic.publish(activity.workspace, activity.service, publication)
        except StudioError as error:
            self._fail(activity, error)
            return
        if self._background.is_stopping:
            return
        with self._store.transaction():
            self._complete(activity, snapshot)
        self._context.calls.note("deploy", activity.service)

    def _complete(self, activity: Deploying, snapshot: Snapshot) -> None:
        experiment = self._store.get(Experiment, f"{activity.workspace}/{activity.experiment}")
        if experiment is None:
            self._remove_orphan(activity)
            return
        experiment.content.web_service |= {
            "WebServiceGroupId": activity.service,
            "ModelPackageId": new_id(),
            "RunId": snapshot.id,
        }
        if activity.service not in experiment.web_services:
            experiment.web_services.append(activity.service)
        self._history.touch(experiment)
        activity.state = "Completed"
        self._store.put(activity.key, activity)

    def _remove_orphan(self, activity: Deploying) -> None:
        """The experiment was deleted while it was deployed: its service goes too."""
        service = self._store.get(WebService, activity.service)
        if service is not None:
            self._classic.remove(service)

    def _fail(self, activity: Deploying, error: StudioError) -> None:
        if self._background.is_stopping:
            return
        with self._store.transaction():
            if self._store.get(Deploying, activity.key) is not None:
                activity.state, activity.message = "Failed", error.message
                self._store.put(activity.key, activity)


def _document(activity: Deploying) -> dict[str, Any]:
    shown = {
        "ActivityId": activity.id,
        "WebServiceGroupId": activity.service,
        "EndpointId": activity.endpoint,
        "Status": activity.state,
    }
    return {**shown, "Message": activity.message} if activity.message is not None else shown


def _is_true(request: Request, name: str) -> bool:
    return request.query.get(name, "").lower() == "true"
