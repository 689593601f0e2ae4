"""Would azmlclient 2.6.0, a client of scoring and batch execution, work with local Studio?

Local Studio is furnished here; the steps are taken by `azml_steps` in an environment that has the
client, unmodified, with a pandas and a setuptools that it still works with.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from devstack.studio.studio import Studio, StudioOptions
from tests.conformance.environments import environment, pythons
from tests.conformance.steps import agree, taken
from tests.devstack.studio.client import Client

VERSIONS = ("3.11", "3.10")
PACKAGES = [
    "azmlclient==2.6.0",
    "azure-storage==0.33.0",
    "pandas>=1.5,<2",
    "numpy<2",
    "setuptools<66",
]
STEPS = Path(__file__).parent / "azml_steps.py"
CONTAINER = "azml"
ROWS = 5


def agrees() -> bool:
    """Take the steps and print how each went; whether all came to what they should."""
    python = next(pythons(*VERSIONS), None)
    if python is None:
        print(f"NOT RUN: conformance with azmlclient (no Python of {', '.join(VERSIONS)})")
        return True
    try:
        inside = environment("conformance-azmlclient", python, PACKAGES)
    except subprocess.CalledProcessError as error:
        print(f"NOT RUN: conformance with azmlclient (it was not installed: {error})")
        return True
    with tempfile.TemporaryDirectory() as folder:
        options = StudioOptions(data=Path(folder), with_samples=True)
        with Studio(options) as studio, Client(studio.description()) as client:
            return agree(
                "azmlclient 2.6.0", taken([inside, "-W", "ignore", STEPS], _furnished(client))
            )


def _furnished(client: Client) -> dict[str, Any]:
    """A container for its blobs; services, a table to score, and Studio's own answers."""
    client.blobs.create_container(CONTAINER)
    account = client.blobs.credential
    services = {kind: client.sample("diabetes", "scoring", kind) for kind in ("classic", "new")}
    training = client.sample("diabetes", "training", "classic")
    table = client.rows("diabetes", ROWS)
    services["training"] = training
    answer = client.score(services["classic"], table)
    return {
        "url": client.base_url,
        "account": account.account_name,
        "account_key": account.account_key,
        "container": CONTAINER,
        "services": services,
        "table": table,
        "whole_table": client.rows("diabetes", 1000),
        "scored": answer.json()["Results"]["output1"]["value"],
    }
