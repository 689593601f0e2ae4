"""`python -m tests.browser.screenshots`: the pictures of docs/page.md, from runs of the demos.

Plays the stories of `make demo` and `make demo-experiment` on a stack of its own, then looks at
what came of them. Takes about two minutes. An argument names another folder than docs/images.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack.demo import experiment, models
from devstack.demo.models import Wishes
from devstack.demo.operator import Operator
from devstack.demo.story import SCENES, Story
from devstack.demo.studio import Studio
from devstack.htmx import install as install_htmx
from devstack.npm import find_node
from devstack.stack import Stack, StackOptions
from tests.browser.chromium import running
from tests.browser.person import PHONE, Person, Place

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
CAREFUL = Wishes(
    targets=("classic", "new"),
    staging=True,
    changes={
        "approval": {"required": True, "hold_hours": 48},
        "schedules": {"retrain": "30 2 * * 1", "verify": "0 6 * * *"},
    },
)
SWEPT_SECONDS = 75  # a sweep comes each minute


@dataclass(frozen=True)
class Shot:
    """One picture. height: of what is shown, in pixels."""

    name: str
    path: str
    height: int = 860
    role: str = "operator"
    look: Mapping[str, Any] = field(default_factory=dict)


def shots(workspace: str, studied: str) -> tuple[Shot, ...]:
    dark = {"color_scheme": "dark"}
    phone = {"viewport": PHONE, "device_scale_factor": 2}
    return (
        Shot("page-overview", "/", 960),
        Shot("page-overview-dark", "/", 960, look=dark),
        Shot("page-overview-phone", "/", look=phone),
        Shot("page-model", "/models/cancer", 1500),
        Shot("page-run-ok-dark", "/runs/cancer.r4", 1400, look=dark),
        Shot("page-run-rolled-back", "/runs/cancer.r3", 1400),
        Shot("page-run-held-phone", "/runs/careful.r1", role="approver", look={**dark, **phone}),
        Shot("page-inbox", "/inbox", 420),
        Shot("page-schedule", "/schedule", 560),
        Shot("page-studio", f"/studio/{workspace}/{studied}", 760),
    )


def main(folder: Path) -> None:
    install_htmx(find_node())
    with tempfile.TemporaryDirectory() as data:
        declared = Path(data) / "managed_models"
        environment = {"ALM_MANAGED_MODELS": str(declared), "ALM_REPLY_QUEUES": "alm-answers"}
        options = StackOptions(
            app=ROOT, data=Path(data), with_samples=True, host=False, environment=environment
        )
        with Stack(options) as stack:
            place, found = _played(stack, declared)
            _draw(place, found, folder)


def _played(stack: Stack, declared: Path) -> tuple[Place, tuple[Shot, ...]]:
    """Play the stories and wait for the sweep that tells of them."""
    studio, operator = Studio(stack.addresses), Operator(stack.addresses)
    named = models.prepare(studio, operator, declared)
    careful = models.small(studio, operator, "careful", CAREFUL)
    models.write(declared, careful.declaration)
    experiment.prepare(studio, declared)
    stack.start("host")
    Story(operator, studio, named, scenes=SCENES).tell()
    operator.upload("datasets", "careful/2026-week-48.csv", careful.training_rows.csv)
    operator.upload("datasets", "sails/north/day1.csv", careful.training_rows.csv)
    Story(operator, studio, {}, scenes=(experiment.first_dataset,)).tell()
    operator.until("a sweep", lambda: _is_swept(operator), SWEPT_SECONDS)
    studied = next(
        str(each["ExperimentId"])
        for each in studio.studio_api("experiments")
        if each["Description"] == f"{experiment.NAME} training"
    )
    workspace = str(studio.workspace_declared()["workspace"])
    keys = {str(role): str(key) for role, key in stack.addresses["api_keys"].items()}
    url = str(stack.addresses["functions_url"]).rstrip("/")
    operator.close()
    return Place(url, keys), shots(workspace, studied)


def _is_swept(operator: Operator) -> bool:
    """Whether the overview tells of the run that ended last."""
    if not operator.exists("alm-ledger", "_overview.json"):
        return False
    overview = json.loads(operator.download("alm-ledger", "_overview.json"))
    return "last_result" in overview["models"].get(experiment.NAME, {})


def _draw(place: Place, found: tuple[Shot, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with running() as browser:
        for shot in found:
            size = {"viewport": {"width": 1280, "height": shot.height}}
            person = Person(browser, place, **{**size, **shot.look})
            person.sign_in(shot.role)
            person.open(shot.path)
            path = folder / f"{shot.name}.png"
            person.page.screenshot(path=path)
            faults = person.leave()
            print(f"{path}: {path.stat().st_size // 1024} KB", *faults)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
