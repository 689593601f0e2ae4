"""Packages: copy an experiment with its assets into another workspace, or from the Gallery.

Packing writes a file into the workspace's storage account; unpacking fetches one, from there or
from a host that is allowed. Both go on in the background and are asked about by the id of their
activity, which ends as Complete or as Failed (inferred: Studio's word for the latter is not known).
`region` is not needed: every workspace is reached the same way here.
"""

from __future__ import annotations

from typing import Any

from devstack.studio.accounts import check_host
from devstack.studio.context import Context
from devstack.studio.errors import StudioError, bad_argument, not_found
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import new_id
from devstack.studio.transfer import TransferFailure
from devstack.studio.web import Request, Response
from devstack.studio.workspace.background import Background
from devstack.studio.workspace.experiment_ids import SNAPSHOT_ID
from devstack.studio.workspace.experiment_records import Content, Packing
from devstack.studio.workspace.history import History
from devstack.studio.workspace.package_files import BadPackage
from devstack.studio.workspace.packing import Packer
from devstack.studio.workspace.unpacking import Unpacker

URI_CHARACTERS_MAX = 4096


class Packages:
    """Serves `/workspaces/{ws}/packages`."""

    def __init__(
        self,
        context: Context,
        history: History,
        packer: Packer,
        unpacker: Unpacker,
        background: Background,
    ) -> None:
        self._context = context
        self._store = context.store
        self._history = history
        self._packer = packer
        self._unpacker = unpacker
        self._background = background

    def pack(self, request: Request) -> Response:
        """Begin to pack an experiment; a slash after its id is tolerated, clients send one."""
        name = request.query.get("experimentid", "").rstrip("/")
        content = self._content(request.parts["ws"], name)
        activity = Packing(
            id=new_id(),
            kind="pack",
            workspace=request.parts["ws"],
            experiment=name,
            clear_credentials=request.query.get("clearCredentials", "").lower() != "false",
            pending=1 + len(self._packer.assets(request.parts["ws"], content)),
        )
        return self._begin(activity, request)

    def unpack(self, request: Request) -> Response:
        """Begin to unpack a package; raises 400 for an address on a host that is not allowed."""
        uri = request.query.get("packageUri", "")
        if not 0 < len(uri) <= URI_CHARACTERS_MAX:
            message = f"packageUri must be an address of at most {URI_CHARACTERS_MAX} characters."
            raise bad_argument("BadParameterValue", message, "packageUri")
        check_host(uri, self._context.allowed_hosts, "packageUri")
        community = request.query.get("communityUri", "")
        is_address = community.startswith(("https://", "http://"))
        activity = Packing(
            id=new_id(),
            kind="unpack",
            workspace=request.parts["ws"],
            location=uri,
            documentation=community[:URI_CHARACTERS_MAX] if is_address else None,
        )
        return self._begin(activity, request)

    def status(self, request: Request) -> Response:
        """How the packing or unpacking is doing that the query names."""
        name = request.query.get("packageActivityId") or request.query.get("unpackActivityId") or ""
        activity = self._store.get(Packing, f"{request.parts['ws']}/{name}")
        if activity is None:
            raise not_found("ResourceNotFound", f"There is no package activity {name[:64]!r}.")
        return Response(200, _document(activity))

    def resume(self) -> None:
        """Carry out what an earlier Studio had begun."""
        for activity in self._store.list(Packing):
            if activity.state == "Running":
                self._submit(activity)

    def delete_workspace(self, workspace_id: str) -> None:
        """Forget the activities of a workspace."""
        self._store.delete_all(Packing, workspace_id + "/")

    def _content(self, workspace_id: str, name: str) -> Content:
        if SNAPSHOT_ID.fullmatch(name):
            return self._history.snapshot(workspace_id, name).content
        return self._history.experiment(workspace_id, name).content

    def _begin(self, activity: Packing, request: Request) -> Response:
        shown = _document(activity)
        if CHANGE_NOTHING in request.effects:
            activity.state = "Complete"
        self._store.put(activity.key, activity)
        if activity.state == "Running":
            self._submit(activity)
        return Response(200, shown)

    def _submit(self, activity: Packing) -> None:
        self._background.submit(lambda: self._work(activity))

    def _work(self, activity: Packing) -> None:
        try:
            if activity.kind == "pack":
                content = self._content(activity.workspace, activity.experiment)
                self._packer.pack(activity, content, self._progress)
            else:
                self._unpacker.unpack(activity, self._progress)
            activity.state, activity.pending = "Complete", 0
        except StudioError as error:
            activity.state, activity.message = "Failed", error.message
        except (BadPackage, TransferFailure) as error:
            activity.state, activity.message = "Failed", str(error)
        self._progress(activity)

    def _progress(self, activity: Packing) -> None:
        """Write down how far an activity is, unless its workspace was deleted or Studio stops."""
        if self._background.is_stopping:
            return
        with self._store.transaction():
            if self._store.get(Packing, activity.key) is not None:
                self._store.put(activity.key, activity)


def _document(activity: Packing) -> dict[str, Any]:
    is_complete = activity.state == "Complete"
    shown: dict[str, Any] = {
        "Location": activity.location if activity.kind == "unpack" or is_complete else None,
        "ItemsComplete": activity.done,
        "ItemsPending": activity.pending,
        "Status": activity.state,
        "ActivityId": activity.id,
    }
    if activity.kind == "unpack":
        shown["ExperimentId"] = activity.experiment if is_complete else None
    return {**shown, "Message": activity.message} if activity.message is not None else shown
