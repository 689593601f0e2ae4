"""A test's view of the world: what a team does, sees, and waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

from devstack.demo import tables
from devstack.demo.models import Demonstrated
from devstack.demo.operator import Operator, TookTooLong
from devstack.demo.story import scored
from devstack.demo.studio import Scoring, Studio
from devstack.demo.tables import Dataset

if TYPE_CHECKING:
    from tests.scenario.world import World

LOOK_SECONDS = 0.1
WAIT_SECONDS = 75.0

USUAL, WORN = "usual", "worn"


def dataset(kind: str = USUAL, seed: int = 3) -> Dataset:
    """Rows to train on: the usual ones, or from a worn instrument (good enough for the gate,
    not for the clear-cut patient)."""
    rows, _ = tables.halves(tables.cancer())
    return tables.blurred(rows, seed=seed, share=0.35) if kind == WORN else rows


class Scene:
    """A test's view of the world: what a team does and sees. One thread uses it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = Operator(world.stack.addresses)
        self.studio = Studio(world.stack.addresses)
        self.used: dict[str, None] = {}

    def model(self, name: str) -> Demonstrated:
        self.used[name] = None
        return self.world.models[name]

    # -- what happens --------------------------------------------------------------------------

    def upload(self, model: str, name: str = "day1.csv", rows: Dataset | None = None) -> None:
        self.model(model)
        self.operator.upload("datasets", f"{model}/{name}", (rows or dataset()).csv)

    def retrained(self, model: str, name: str = "day1.csv", rows: Dataset | None = None) -> Any:
        """Upload a dataset and wait for the end of the run that it starts."""
        run = self.next_run(model)
        self.upload(model, name, rows)
        return self.ended(run)

    def order(self, path: str, role: str = "operator", **document: object) -> Any:
        return self.operator.order(path, role, **document)

    @contextmanager
    def fault(self, effect: str, method: str, path: str, **more: Any) -> Iterator[Fault]:
        """A fault in Studio while the block runs."""
        wanted = {"effect": effect, "match": {"method": method, "path": path}, **more}
        found = self.studio.admin("POST", "faults", wanted)
        fault = Fault(self.studio, str(found["id"]))
        try:
            yield fault
        finally:
            fault.remove()

    def propagation(self, target: Scoring, seconds: float) -> None:
        """How long Studio lets this target answer with the old model after a change."""
        self.studio.admin("POST", "propagation", {"seconds": seconds, "name": target.name})

    @contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        """Inside the block it is that much later for the broker; nothing else may be running.

        A clock goes only forward: at the end the broker is started again, which forgets the lead.
        """
        self.world.broker("POST", "clock/advance", {"seconds": seconds})
        try:
            yield
        finally:
            self.world.stack.kill("servicebus")
            self.world.stack.start("servicebus")

    # -- what is seen --------------------------------------------------------------------------

    def next_run(self, model: str) -> str:
        self.model(model)
        return self.operator.next_run(model)

    def ledger(self, model: str) -> dict[str, Any]:
        self.model(model)
        ledger: dict[str, Any] = self.operator.get(f"models/{model}")["ledger"]
        return ledger

    def served(self, model: str) -> list[str]:
        """Which file each target's definition names."""
        return [self.studio.location(target) for target in self.model(model).targets]

    def answers(self, model: str) -> list[list[str]]:
        """What each target's callers get for the known rows."""
        rows = self.model(model).known_rows
        return [scored(self.studio, target, rows) for target in self.model(model).targets]

    def started_jobs(self, model: str) -> list[str]:
        """The training jobs that were started for a model, by their state in Studio."""
        deployment = self.model(model).training_path.strip("/").rpartition("/")[2]
        return [
            str(job["state"])
            for job in self.studio.admin("GET", "jobs")
            if job["deployment_id"] == deployment and job["order"] is not None
        ]

    def quiet(self, model: str) -> bool:
        """Whether nothing waits in a model's mailbox but what is scheduled for later."""
        found = self.world.broker("GET", "queues/alm-steps/messages?count=1000")["messages"]
        return not [
            message
            for message in found
            if message["session_id"] == model and message["state"] != "scheduled"
        ]

    # -- waiting -------------------------------------------------------------------------------

    def until(self, what: str, look: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
        """Look until it gives something true. Raises TookTooLong telling what was seen last."""
        ends, last = time.monotonic() + seconds, None
        while time.monotonic() < ends and not self.world.closing:
            try:
                last = look()
            except (RuntimeError, KeyError, requests.RequestException) as error:
                last = error  # a part may just be away
            else:
                if last:
                    return last
            time.sleep(LOOK_SECONDS)
        raise TookTooLong(f"{what}: not within {seconds:g} s; last seen: {str(last)[:600]}")

    def ended(self, run: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """Wait until a run has ended; its record."""
        model, _, number = run.rpartition(".r")
        self.model(model)

        def look() -> dict[str, Any] | None:
            row = self.world.board.row(model)
            latest = int(str(row["run"] or ".r0").rpartition(".r")[2])
            if latest < int(number) or (latest == int(number) and row["state"] != "idle"):
                return None
            record = dict(self.operator.get(f"runs/{run}"))
            return record if record.get("result") else None

        return dict(self.until(f"the end of run {run}", look, seconds))

    def held(self, run: str) -> dict[str, Any]:
        """Wait until a run is held; what it is held for."""
        model = run.rpartition(".r")[0]
        self.model(model)
        self.until(
            f"run {run} held",
            lambda: (
                self.world.board.row(model)["state"] == "held"
                and self.world.board.row(model)["run"] == run
            ),
        )
        hold: dict[str, Any] = self.ledger(model)["active"]["hold"]
        return hold


class Fault:
    """A fault that was asked of Studio."""

    def __init__(self, studio: Studio, name: str) -> None:
        self._studio = studio
        self.name = name

    @property
    def seen(self) -> int:
        """How many calls it acted on."""
        found = self._studio.admin("GET", "faults")
        return next((int(fault["seen"]) for fault in found if fault["id"] == self.name), 0)

    def remove(self) -> None:
        """Calls that it slows down go on. Studio forgets its faults when it is started again."""
        try:
            self._studio.admin("DELETE", f"faults/{self.name}")
        except requests.HTTPError:
            return


def stages(record: Mapping[str, Any]) -> list[str]:
    return [str(entry["stage"]) for entry in record["history"]]
