"""What the command line needs to reach the local stack, as a file for the shell.

    . .local/up/client.env
    alm models

`python` is then the one that the stack runs with. The file holds keys of this stack, so only its
owner can read it.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.plans import app_settings

NAME = "client.env"
ROOT = Path(__file__).resolve().parents[1]
_OF_THE_APP = (
    *("ALM_SERVICEBUS", "ALM_API_KEYS", "ALM_REPLY_QUEUES"),
    "PYTHON_THREADPOOL_THREAD_COUNT",
)
_ACCOUNT_KEY = re.compile(r"AccountKey=([^;]+)")


def client_settings(
    addresses: Mapping[str, Any], more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a command line that works at this stack, as an operator.

    more: settings of the app besides the usual ones, which `alm doctor` looks at.
    """
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
        settings["ALM_APPROVER_KEY"] = addresses["api_keys"]["approver"]
    if "connection_string" in addresses:
        settings |= {name: app_settings(dict(addresses))[name] for name in _OF_THE_APP}
    return settings | dict(more or {})


def write_client_settings(
    folder: Path, addresses: Mapping[str, Any], more: Mapping[str, str] | None = None
) -> Path:
    """Write the file anew; returns where it is."""
    path = folder / NAME
    settings = client_settings(addresses, more)
    lines = [f"export {k}={shlex.quote(v)}\n" for k, v in settings.items()]
    python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
    lines.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"\n')
    lines.append(f'alm() {{ PYTHONPATH={root} {python} -m alm "$@"; }}\n')
    path.unlink(missing_ok=True)
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.writelines(lines)
    return path
