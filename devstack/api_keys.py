"""One API key per role, made at the first start and kept in the data folder for its owner only."""

import hashlib
import json
import os
import secrets
from pathlib import Path

ROLES = ("reader", "operator", "approver")


def keep_api_keys(path: Path) -> dict[str, str]:
    """Return the keys by role; make them if there are none."""
    if path.exists():
        keys: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return keys
    keys = {role: secrets.token_urlsafe(24) for role in ROLES}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys, file)
    return keys


def hashes_of(keys: dict[str, str]) -> dict[str, str]:
    """Return what the app may know: the SHA-256 of each key, in hexadecimal."""
    return {role: hashlib.sha256(key.encode()).hexdigest() for role, key in keys.items()}
