"""What the command line needs to reach the local stack, as a file for the shell.

    . .local/up/client.env
    python -m alm models

It holds keys of this stack, so only its owner can read it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "client.env"
_ACCOUNT_KEY = re.compile(r"AccountKey=([^;]+)")


def client_settings(addresses: Mapping[str, Any]) -> dict[str, str]:
    """The environment of a command line that works at this stack, as an operator."""
    key = _ACCOUNT_KEY.search(addresses["storage_connection_string"])
    settings = {
        "ALM_LOCAL": "1",
        "ALM_STUDIO_URL": addresses["base_url"],
        "ALM_ARM_URL": addresses["base_url"],
        "ALM_STUDIO_WORKSPACE": addresses["workspace_id"],
        "ALM_STUDIO_WORKSPACE_TOKEN": addresses["workspace_token"],
        "ALM_STUDIO_ARM_TOKEN": addresses["arm_token"],
        "ALM_STORAGE": addresses["storage_connection_string"],
        "ALM_STUDIO_STORAGE_KEY": key[1] if key else "",
    }
    if "collector_url" in addresses:
        settings["DEVSTACK_COLLECTOR_URL"] = addresses["collector_url"]
    if "functions_url" in addresses:
        settings["ALM_API_URL"] = f"{addresses['functions_url']}/api"
        settings["ALM_API_KEY"] = addresses["api_keys"]["operator"]
    return settings


def write_client_settings(folder: Path, addresses: Mapping[str, Any]) -> Path:
    """Write the file anew; returns where it is."""
    path = folder / NAME
    lines = (f"export {k}={shlex.quote(v)}\n" for k, v in client_settings(addresses).items())
    path.unlink(missing_ok=True)
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.writelines(lines)
    return path
