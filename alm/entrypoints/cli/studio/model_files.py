"""Model files as people name them: the URL of a blob with its signature, or a version of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from alm.domain.errors import Refused
from alm.domain.exchange import Grant
from alm.entrypoints.cli.studio.desk import Desk

GRANT_DAYS = 6  # the longest leave that a user-delegation signature gives

Blob = Annotated[
    str,
    typer.Option("--blob", help="A model file's URL with its signature, or env:NAME holding it."),
]
Version = Annotated[
    str, typer.Option("--version", help="MODEL:vN, a version in the app's storage account.")
]
Resource = Annotated[
    str, typer.Option("--resource", help="Which trained model; may be left out for one.")
]


@dataclass(frozen=True)
class ModelFile:
    """A model file, and which trained model of a service it replaces."""

    blob: Blob = ""
    version: Version = ""
    resource: Resource = ""

    @property
    def is_named(self) -> bool:
        return bool(self.blob or self.version)


def grant(desk: Desk, file: ModelFile) -> Grant:
    """The model file that is meant. Raises Refused unless one way is named."""
    if bool(file.blob) == bool(file.version):
        raise Refused(
            "name one of --blob and --version: a web service reads its model from blob storage; "
            "upload a local .ilearner file there first (or into trained-models, and let the app "
            "judge it)"
        )
    return of_version(desk, file.version) if file.version else at_url(desk, file.blob)


def at_url(desk: Desk, blob: str) -> Grant:
    """A blob with its signature, from the command line or from a secret."""
    is_named = blob.startswith(("env:", "keyvault:"))
    url = desk.connection.secret(blob).get_secret_value() if is_named else blob
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.path.strip("/"):
        raise Refused("--blob is not the URL of a blob; write https://account…/container/name?sv=…")
    base = f"{parts.scheme}://{parts.netloc}/"
    return Grant(base, parts.path.lstrip("/"), f"?{parts.query}" if parts.query else "")


def of_version(desk: Desk, name: str) -> Grant:
    """The file of a version in the app's storage account, with leave to read it."""
    model, colon, version = name.rpartition(":")
    if not colon:
        raise Refused(f"{name!r} is no version; write MODEL:vN, such as churn:v3")
    storage = desk.connection.storage()
    manifest = storage.versions.manifest(model, version)
    until = desk.clock.now() + timedelta(days=GRANT_DAYS)
    return storage.blobs.grant(manifest.file, "read", until)
