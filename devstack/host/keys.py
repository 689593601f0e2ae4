"""The host's keys: made at the first start, kept in the data folder, readable by its owner only."""

import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.host.http_server import Request


@dataclass(frozen=True)
class Keys:
    """The master key opens everything; the function key all functions but those of level admin."""

    master: str
    function: str

    def admits(self, request: Request, level: str) -> bool:
        """Return whether a request may call what needs `level`."""
        if level == "anonymous":
            return True
        shown = request.headers.get("x-functions-key") or request.query.get("code", "")
        accepted = (self.master,) if level == "admin" else (self.master, self.function)
        return any(hmac.compare_digest(shown.encode(), key.encode()) for key in accepted)


def keep_keys(path: Path) -> Keys:
    """Return the keys in a file; make them if there is none."""
    if path.exists():
        return Keys(**json.loads(path.read_text(encoding="utf-8")))
    keys = Keys(master=secrets.token_urlsafe(32), function=secrets.token_urlsafe(32))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(keys), file)
    return keys
