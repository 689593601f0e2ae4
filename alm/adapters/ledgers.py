"""Ledgers as JSON blobs, written conditionally. See `ports.Ledgers`.

Status goes along as ASCII metadata, so that one listing tells of ten thousand ledgers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from alm.adapters.blob import AzureBlobs
from alm.domain.errors import Misconfigured, NotFound
from alm.domain.ledger import Ledger
from alm.domain.messages import describe

CONTAINER = "alm-ledger"
FIELDS = (
    *("state", "run", "pipeline", "began", "due", "waiting"),
    *("finished", "unknown", "unknown_targets", "last_run", "last_result", "champion"),
)
UNKNOWN_NAMED_MAX = 5  # metadata has 8 KB, and a managed model up to fifty targets


class BlobLedgers:
    """One blob `alm-ledger/{model}.json` per managed model."""

    def __init__(self, blobs: AzureBlobs) -> None:
        self._blobs = blobs

    def get(self, model: str) -> tuple[Ledger, str]:
        try:
            content, etag = self._blobs.get_with_etag(_path(model))
        except NotFound:
            return Ledger(model=model), ""
        try:
            return Ledger.model_validate_json(content), etag
        except ValidationError as error:
            raise Misconfigured(
                f"the ledger {_path(model)} cannot be read ({describe(error)}); restore an earlier "
                "version of that blob"
            ) from error

    def put(self, ledger: Ledger, etag: str) -> str:
        content = ledger.model_dump_json(by_alias=True).encode()
        return self._blobs.put_if(_path(ledger.model), content, etag, _told(status(ledger)))

    def list(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        nothing = dict.fromkeys(FIELDS, "")
        for blob in self._blobs.list(CONTAINER):
            name = blob.path.removeprefix(f"{CONTAINER}/")
            if not name.startswith("_") and name.endswith(".json"):
                yield name.removesuffix(".json"), {**nothing, **blob.metadata}


def status(ledger: Ledger) -> dict[str, str]:
    """What a listing tells of a ledger: state, run, when it is late, what waits, how it ended."""
    active = ledger.active
    state = "idle"
    if active:
        state = "held" if active.held else "running"
    return {
        "state": state,
        "run": active.run if active else ledger.last_run,
        "pipeline": active.pipeline if active else "",
        "began": active.began.isoformat() if active else "",
        "due": active.due.isoformat() if active else "",
        "waiting": str(len(ledger.waiting)),
        "finished": ledger.finished_at.isoformat() if ledger.finished_at else "",
        "unknown": str(len(ledger.unknown)),
        "unknown_targets": " ".join(ledger.unknown[:UNKNOWN_NAMED_MAX]),
        "last_run": ledger.last_run,
        "last_result": ledger.last_result,
        "champion": ledger.champion,
    }


def _told(fields: Mapping[str, str]) -> dict[str, str]:
    """Without what is empty: a header without a value is dropped here and there on the way."""
    return {name: value for name, value in fields.items() if value}


def _path(model: str) -> str:
    return f"{CONTAINER}/{model}.json"
