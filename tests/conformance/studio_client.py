"""Would Microsoft's own Studio client work with local Studio? The unmodified azureml 0.2.7 says.

Local Studio is furnished here; the steps are taken by `studio_steps` in an environment that has the
client, with a pandas that its `to_dataframe` still works with (it fails on pandas 3).
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
from tests.devstack.studio.experiment_client import Lab, line, training_graph

# pandas 2.0 has wheels for these.
VERSIONS = ("3.11", "3.10", "3.9", "3.8")
PACKAGES = ["azureml==0.2.7", "pandas>=1.5,<2.1", "numpy<2"]
STEPS = Path(__file__).parent / "studio_steps.py"


def agrees() -> bool:
    """Take the steps and print how each went; whether all came to what they should."""
    python = next(pythons(*VERSIONS), None)
    if python is None:
        print(f"NOT RUN: conformance of local Studio (no Python of {', '.join(VERSIONS)})")
        return True
    try:
        inside = environment("conformance-azureml", python, PACKAGES)
    except subprocess.CalledProcessError as error:
        print(f"NOT RUN: conformance of local Studio (azureml was not installed: {error})")
        return True
    return agree("the Studio client azureml 0.2.7", _taken(inside))


def _taken(python: Path) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        options = StudioOptions(data=Path(folder), with_samples=True)
        with Studio(options) as studio, Client(studio.description()) as client:
            return taken([python, STEPS], _furnished(client))


def _furnished(client: Client) -> dict[str, Any]:
    """An experiment that ran; what the steps need to know."""
    lab = Lab(client)
    experiment_id = lab.create(training_graph(lab.dataset("line", line(2))), "Train a line")
    ended = lab.run(experiment_id)
    assert ended["Status"]["StatusCode"] == "Finished", ended["Status"]
    return {
        "url": client.base_url,
        "workspace": lab.workspace_id,
        "token": client.description["workspace_token"],
        "experiment": experiment_id,
        "node": "score-4",
        "port": "Scored dataset",
        "scored": lab.output(experiment_id, "score-4", "Scored dataset").text,
    }
