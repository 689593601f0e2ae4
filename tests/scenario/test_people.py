"""What people decide: approve, refuse, roll back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests

from tests.scenario.world import ROOT, WORN, Scene, World, dataset, managed, stages

APPROVAL = {"approval": {"required": True}}


@pytest.mark.together
@managed("approved", changes=APPROVAL)
def test_an_approved_run_goes_on_with_what_was_approved(scene: Scene) -> None:
    found = scene.served("approved")
    run = scene.next_run("approved")

    scene.upload("approved")
    hold = scene.held(run)
    assert found == scene.served("approved")
    assert ["held"] == scene.world.notices.events("approved")
    scene.order(f"runs/{run}/approve", "approver", digest=hold["digest"])
    ended = scene.ended(run)

    assert "ok" == ended["result"]
    assert ended["state"]["digest"] == hold["digest"]
    assert "v1" == scene.ledger("approved")["champion"]
    told = {"began", "moved", "held", "decided", "version.promoted", "target.changed", "ended"}
    events = scene.world.events
    scene.until("every event is posted", lambda: told <= set(events.events("approved")))


@pytest.mark.together
@managed("refused", changes=APPROVAL)
def test_a_refused_run_ends_and_nothing_was_touched(scene: Scene) -> None:
    found, before = scene.served("refused"), scene.answers("refused")
    run = scene.next_run("refused")

    scene.upload("refused")
    hold = scene.held(run)
    with pytest.raises(RuntimeError, match="403"):
        scene.order(f"runs/{run}/refuse", "operator", digest=hold["digest"])
    scene.order(f"runs/{run}/refuse", "approver", digest=hold["digest"])
    ended = scene.ended(run)

    assert "refused" == ended["result"]
    assert "patch" not in stages(ended)
    assert (found, before) == (scene.served("refused"), scene.answers("refused"))


@pytest.mark.together
@managed("regretted", targets=("classic", "new"))
def test_an_operator_goes_back_and_forth_between_versions(scene: Scene) -> None:
    scene.retrained("regretted")
    first = scene.answers("regretted")
    scene.retrained("regretted", "day2.csv", dataset(WORN))
    second = scene.answers("regretted")

    back = scene.next_run("regretted")
    scene.order("models/regretted/rollback", version="previous")
    assert "ok" == scene.ended(back)["result"]
    assert all("/regretted-v1-" in place for place in scene.served("regretted"))
    assert first == scene.answers("regretted")

    forth = scene.next_run("regretted")
    alm(scene, "rollback", "regretted", "--to", "v2")
    assert "ok" == scene.ended(forth)["result"]
    assert all("/regretted-v2-" in place for place in scene.served("regretted"))
    assert second == scene.answers("regretted")
    assert "v2" == scene.ledger("regretted")["champion"]


def alm(scene: Scene, *words: str) -> str:
    """The command line, as an operator uses it."""
    addresses = scene.world.stack.addresses
    environment = {
        **os.environ,
        "ALM_API_URL": f"{addresses['functions_url'].rstrip('/')}/api",
        "ALM_API_KEY": str(addresses["api_keys"]["operator"]),
    }
    command = [sys.executable, "-m", "alm", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_over_http_keys_conditions_and_failures_are_as_documented(world: World) -> None:
    """The host, and what lies between, change neither ETags nor statuses nor problem documents."""

    addresses = world.operator.addresses
    api, key = f"{addresses['functions_url'].rstrip('/')}/api", addresses["api_keys"]["operator"]

    def call(method: str, path: str, **headers: str) -> requests.Response:
        given = {"x-alm-key": key, **headers}
        return requests.request(method, f"{api}/{path}", headers=given, timeout=30)

    first = call("GET", "pipelines")
    again = call("GET", "pipelines", **{"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")

    wrong = call("DELETE", "models")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET")
    assert wrong.headers["Content-Type"].startswith("application/problem+json")

    model = next(iter(world.models))
    orders = [call("POST", f"models/{model}/verify", **{"Idempotency-Key": "k1"}) for _ in "12"]
    assert orders[0].json() == orders[1].json()
    assert orders[1].headers["Idempotent-Replayed"] == "true"
    assert call("POST", f"models/{model}/start", **{"Idempotency-Key": "k1"}).status_code == 422
    assert call("POST", f"models/{model}/start", **{"If-Match": '"other"'}).status_code == 412
