"""Would Microsoft's own Studio client work with local Studio? The unmodified azureml 0.2.7 says.

Local Studio is furnished here; the steps are taken by `studio_steps` in an environment that has the
client, with a pandas that its `to_dataframe` still works with (it fails on pandas 3).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from devstack.studio.studio import Studio, StudioOptions
from tests.conformance.environments import environment, pythons
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
    steps = _taken(inside)
    for step in steps:
        if step["expected"] != step["seen"]:
            print(f"conformance: {step['name']}: expected {step['expected']}, saw {step['seen']}")
    is_good = all(step["expected"] == step["seen"] for step in steps)
    if is_good:
        print(f"conformance: {len(steps)} steps of the Studio client azureml 0.2.7 agree")
    return is_good


def _taken(python: Path) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        options = StudioOptions(data=Path(folder), with_samples=True)
        with Studio(options) as studio, Client(studio.description()) as client:
            return _steps(python, _furnished(client))


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


def _steps(python: Path, known: dict[str, Any]) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [str(python), str(STEPS)],
        input=json.dumps(known),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if ran.returncode:
        raise SystemExit(f"the steps of the Studio client failed:\n{ran.stdout}\n{ran.stderr}")
    steps: list[dict[str, Any]] = json.loads(ran.stdout.splitlines()[-1])
    return steps
