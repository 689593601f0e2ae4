"""`python -m devstack missed --hours 24`: what is due in a day, without waiting for a day.

It is for the app as if its timer had last run so long ago: what was due since then starts now, once
each, as it does after an outage (the app looks back 24 hours at most).
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from devstack.kept_addresses import DATA, NoStack, kept_addresses

_LOOKED = ("alm-ledger", "_schedule.json")  # until when the app has started what was due
_SECONDS_MAX = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--hours", type=float, default=24, help="how long ago (default 24)")
    parser.add_argument("--data", type=Path, default=DATA, help="data folder of the stack")


def run(arguments: argparse.Namespace) -> int:
    """Set the time of the last look back, and fire the timer."""
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobServiceClient

    until = datetime.now(UTC) - timedelta(hours=arguments.hours)
    try:
        addresses = kept_addresses(arguments.data)
        storage = addresses["storage_connection_string"]
        with BlobServiceClient.from_connection_string(storage, retry_total=1) as service:
            document = json.dumps({"until": until.isoformat()})
            service.get_blob_client(*_LOOKED).upload_blob(document, overwrite=True)
        answer = requests.post(
            f"{addresses['functions_url']}/admin/functions/on_schedule?wait=true",
            json={"input": ""},
            headers={"x-functions-key": addresses["host_master_key"]},
            timeout=_SECONDS_MAX,
        )
    except (NoStack, AzureError, requests.RequestException) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    told = f"what was due since {until:%Y-%m-%d %H:%M} UTC is started"
    print(told if answer.ok else answer.text, file=sys.stdout if answer.ok else sys.stderr)
    return 0 if answer.ok else 1
