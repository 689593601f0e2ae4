"""The command line over the real stack: a day of somebody who operates by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devstack.client_settings import client_settings
from tests.scenario.world import ROOT, Scene, managed

APPROVAL = {"approval": {"required": True}}
STRANGE = "nobody/wants ü%2F+&.csv"


class Terminal:
    """Somebody's terminal."""

    def __init__(self, scene: Scene, role: str = "operator", **more: str) -> None:
        addresses = scene.world.stack.addresses
        self.url = f"{addresses['functions_url'].rstrip('/')}/api"
        self._environment = {
            **os.environ,
            "ALM_API_URL": self.url,
            "ALM_API_KEY": str(addresses["api_keys"][role]),
            "COLUMNS": "200",
            **more,
        }

    def __call__(self, *words: str, code: int = 0) -> str:
        """What a command prints; it must end with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "alm", *words],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert code == done.returncode, f"{words}: {done.stdout} {done.stderr}"
        return done.stdout + ("" if code == 0 else done.stderr)

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.mark.together
@managed("operated", targets=("classic", "new"))
def test_a_model_is_operated_from_the_command_line(scene: Scene) -> None:
    alm = Terminal(scene)
    scene.upload("operated")
    first = scene.ended("operated.r1")
    assert "ok" == first["result"]
    answers = scene.answers("operated")

    (row,) = alm.json("start", "operated", "--wait")["runs"]
    assert ("operated.r2", "ok") == (row["run"], row["result"])
    assert "verified" in alm("verify", "operated", "--wait")
    assert ["yes", "yes"] == [
        "yes" if row["agrees"] else "NO" for row in alm.json("targets", "operated", "--read")
    ]

    assert "there are: " in alm("rollback", "operated", "--to", "v99", code=1)
    (row,) = alm.json("rollback", "operated", "--to", "v1", "--wait")["runs"]
    assert "ok" == row["result"]
    assert answers == scene.answers("operated")
    versions = {row["version"]: row["aliases"] for row in alm.json("versions", "operated")}
    assert ["champion"] == versions["v1"]
    assert "previous" in versions["v2"]
    assert "roll_back" in alm("run", row["run"])
    assert "it ended ok" in alm("cancel", row["run"], code=1)


@pytest.mark.together
@managed("weighed", changes=APPROVAL)
def test_a_held_run_is_looked_at_and_approved(scene: Scene) -> None:
    alm, approver = Terminal(scene), Terminal(scene, "approver")
    scene.upload("weighed")
    hold = scene.held("weighed.r1")

    assert "role approver" in alm("approve", "weighed.r1", code=1)
    shown = approver("approve", "weighed.r1")
    assert hold["digest"] in shown
    assert "approval is required" in shown
    assert "ok" == scene.ended("weighed.r1")["result"]
    assert "it was approved" in approver("approve", "weighed.r1", "--digest", hold["digest"])


@pytest.mark.together
def test_whatever_is_in_the_inbox_can_be_named(scene: Scene) -> None:
    alm = Terminal(scene)
    scene.operator.upload("datasets", STRANGE, b"a,b\n1,2\n")

    def kept() -> str:
        return next((row["id"] for row in alm.json("inbox") if STRANGE in row["id"]), "")

    name = scene.until("the blob in the inbox", kept)
    assert "nobody" in alm("inbox")
    assert "did not come from a queue" in alm("redrive", name, code=1)
    assert name == alm.json("discard", name)["discarded"]
    assert "" == kept()


@pytest.mark.together
@pytest.mark.parametrize("kind", ["classic", "new"])
def test_a_managed_model_is_written_from_services_that_exist(scene: Scene, kind: str) -> None:
    addresses = scene.world.stack.addresses
    alm = Terminal(
        scene,
        ALM_LOCAL="1",
        ALM_STUDIO_URL=str(addresses["base_url"]),
        ALM_STUDIO_WORKSPACE_TOKEN=str(addresses["workspace_token"]),
        ALM_STUDIO_ARM_TOKEN=str(addresses["arm_token"]),
    )
    folder = Path(str(addresses["data"])) / f"written-{kind}"
    for name in ("cancer", "diabetes"):
        words = ["--target", _named(scene, name, "scoring", kind)]
        words += ["--training", _named(scene, name, "training", kind), "--folder", str(folder)]
        alm("init", name, *words)

    assert ["cancer", "diabetes"] == alm.json("validate", str(folder))["models"]
    assert "task: two-class" in (folder / "cancer.yaml").read_text()
    assert "task: regression" in (folder / "diabetes.yaml").read_text()


@pytest.mark.together
def test_the_doctor_finds_the_stack_well(scene: Scene) -> None:
    world = scene.world
    more = {"ALM_MANAGED_MODELS": world.stack.options.environment["ALM_MANAGED_MODELS"]}
    alm = Terminal(scene, **client_settings(world.stack.addresses, more))
    alm("models")  # the app is built, and its containers made, when it is first called
    looked = (
        "settings,host,declarations,clock,containers,queues,services,api",
        "--model",
        "cancer",
    )

    found = json.loads(alm("--url", alm.url, "doctor", "--only", *looked, "--json"))

    wrong = [one for one in found["findings"] if one["state"] in ("failed", "warning")]
    assert [] == [one for one in wrong if one["check"] != "settings"]
    about = {one["about"] for one in found["findings"] if one["state"] == "ok"}
    assert {"alm-jobs", "grants", "alm-steps", "cancer: training", "host.json"} <= about


def _named(scene: Scene, name: str, role: str, kind: str) -> str:
    """A sample's service as an operator names it."""
    for sample in scene.world.stack.addresses["samples"]:
        fitting = (sample["name"], sample["role"], sample["kind"]) == (name, role, kind)
        if fitting and kind == "new":
            return str(sample["arm_resource_id"])
        if fitting:
            addresses = scene.world.stack.addresses
            workspace = f"{addresses['base_url']}/workspaces/{addresses['workspace_id']}"
            return (
                f"{workspace}/webservices/{sample['web_service_id']}/endpoints/{sample['endpoint']}"
            )
    raise AssertionError(f"no sample {name} {role} {kind}")
