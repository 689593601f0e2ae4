"""Custom modules: read from the XML in an uploaded Zip, so that they can be listed.

They are kept and shown, not run: no code of callers is run here. The XML is that of custom R
modules (`Module` with `Ports` and `Arguments`). A module of a name that is there becomes its next
version (inferred).
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pydantic import BaseModel, Field

from devstack.studio.context import Context
from devstack.studio.errors import StudioError, bad_argument, not_found
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import HEX_ID, new_id
from devstack.studio.web import Request, Response
from devstack.studio.workspace.asset_requests import NAME_CHARACTERS_MAX, text_of
from devstack.studio.workspace.background import Background
from devstack.studio.workspace.records import Activity, Upload
from devstack.studio.workspace.uploads import Uploads

XML_BYTES_MAX = 1024 * 1024
ENTRIES_MAX = 10_000


class BadModule(Exception):
    """A Zip that is no custom module; the message says what is wrong with it."""


class Interface(BaseModel):
    """Key: asset key. What the XML of a custom module says: ports and parameters, name and type."""

    name: str
    description: str = ""
    owner: str = ""
    language: str = ""
    inputs: list[tuple[str, str]] = Field(default_factory=list)
    outputs: list[tuple[str, str]] = Field(default_factory=list)
    parameters: list[tuple[str, str]] = Field(default_factory=list)


class CustomModules:
    """Serves `/workspaces/{ws}/modules/custom`."""

    def __init__(self, context: Context, uploads: Uploads, background: Background) -> None:
        self._context = context
        self._store = context.store
        self._uploads = uploads
        self._background = background

    def resume(self) -> None:
        """Go on with what an earlier Studio had begun."""
        for workspace in self._context.workspaces.list():
            for activity in self._store.list(Activity, workspace.id + "/"):
                if activity.state == "Pending":
                    self._background.submit(partial(self._make, workspace.id, activity))

    def begin(self, request: Request) -> Response:
        """Begin to make a module of an upload; answers the activity's id as a JSON string."""
        workspace_id = request.parts["ws"]
        upload = self._uploads.find(workspace_id, text_of(request.json_object(), "Id"))
        if upload.data_type != "Zip":
            message = f"A custom module is uploaded as Zip, this upload is {upload.data_type}."
            raise bad_argument("DataTypeNotSupported", message, "DataTypeId")
        activity = Activity(id=new_id(), upload=upload.id)
        self._store.put(f"{workspace_id}/{activity.id}", activity)
        if CHANGE_NOTHING not in request.effects:
            self._background.submit(partial(self._make, workspace_id, activity))
        return Response(200, activity.id)

    def status(self, request: Request) -> Response:
        """How the making of a module is doing: its state, and the id or what is wrong."""
        name = request.query.get("activityGroupId", "").strip('"')
        key, found = f"{request.parts['ws']}/{name}", None
        if HEX_ID.fullmatch(name):
            found = self._store.get(Activity, key)
        if found is None:
            message = f"There is no activity {name[:64]!r} in this workspace."
            raise not_found("ResourceNotFound", message)
        return Response(200, [found.state, found.result])

    def _make(self, workspace_id: str, activity: Activity) -> None:
        try:
            upload = self._uploads.find(workspace_id, activity.upload)
            activity.result, activity.state = self._made(upload), "Finished"
        except StudioError as error:
            activity.result, activity.state = error.message, "Failed"
        except BadModule as error:
            activity.result, activity.state = str(error), "Failed"
        if self._context.workspaces.get(workspace_id) is not None:
            self._store.put(f"{workspace_id}/{activity.id}", activity)

    def _made(self, upload: Upload) -> str:
        assets, workspace_id = self._context.assets, upload.workspace
        with self._uploads.whole(upload) as content:
            interface = read_interface(content)
            older = assets.named(workspace_id, "module", interface.name)
            asset = assets.add(
                workspace_id,
                "module",
                name=interface.name,
                data_type="Zip",
                content=content,
                family=older.family if older else None,
                description=interface.description,
                owner=interface.owner,
                upload_id=upload.id,
            )
            self._store.put(asset.key, interface)
            self._uploads.registered(upload, asset.id)
        return asset.id


def read_interface(path: Path) -> Interface:
    """What the first module definition at the top of a Zip says; raises BadModule."""
    try:
        with zipfile.ZipFile(path) as file:
            return _interface(_definition(file))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise BadModule(f"the file cannot be read as Zip: {error}") from error
    except ElementTree.ParseError as error:
        raise BadModule(f"the module definition is not XML: {error}") from error


def _definition(file: zipfile.ZipFile) -> bytes:
    entries = file.infolist()[:ENTRIES_MAX]
    names = [entry for entry in entries if entry.filename.lower().endswith(".xml")]
    if not names:
        raise BadModule("the Zip has no .xml file that defines the module")
    with file.open(names[0]) as stream:
        content = stream.read(XML_BYTES_MAX + 1)
    if len(content) > XML_BYTES_MAX:
        raise BadModule(f"{names[0].filename!r} has more than {XML_BYTES_MAX} bytes")
    return content


class _PlainTree(ElementTree.TreeBuilder):
    """Refuses document types, and with them entities that grow."""

    def doctype(self, name: str, pubid: str, system: str) -> None:
        raise BadModule("the module definition must have no document type")


def _interface(content: bytes) -> Interface:
    parser = ElementTree.XMLParser(target=_PlainTree())  # noqa: S314 - see _PlainTree
    parser.feed(content)
    root: Any = parser.close()
    name = root.get("name", "").strip()
    if root.tag != "Module" or not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise BadModule("the module definition must be an element Module with a name")
    language = root.find("Language")
    return Interface(
        name=name,
        description=(root.findtext("Description") or "").strip(),
        owner=(root.findtext("Owner") or "").strip(),
        language=language.get("name", "") if language is not None else "",
        inputs=_named(root, "Ports/Input"),
        outputs=_named(root, "Ports/Output"),
        parameters=_named(root, "Arguments/Arg"),
    )


def _named(root: Any, path: str) -> list[tuple[str, str]]:
    return [(found.get("name", ""), found.get("type", "")) for found in root.iterfind(path)]
