"""The local stack with the real app, a few managed models, and runs of every kind on their way.

One stack serves all tests; each test that changes a managed model has one of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.demo import experiment, models, tables
from devstack.demo.models import Demonstrated, Wishes
from devstack.demo.operator import Operator
from devstack.demo.studio import Studio
from devstack.htmx import install as install_htmx
from devstack.npm import find_node
from devstack.stack import Stack, StackOptions

ROOT = Path(__file__).resolve().parents[2]
PROPAGATION_SECONDS = 0.3  # of local Studio
DECLARED_SECONDS = 0.6  # what the declarations say of it
APPROVAL: Mapping[str, Any] = {"approval": {"required": True, "hold_hours": 48}}
PATIENT: Mapping[str, Any] = {"smoke_tests": [models.clear_cut(row=49, most=0.02)]}
SCHEDULED: Mapping[str, Any] = {"schedules": {"retrain": "30 2 * * 1", "verify": "0 6 * * *"}}

MODELS: Mapping[str, Wishes] = {
    name: Wishes(**{"propagation_seconds": DECLARED_SECONDS, **wishes})
    for name, wishes in {
        "approved": {"changes": APPROVAL},
        "held": {"changes": APPROVAL},
        "refused": {"changes": APPROVAL},
        "broken": {},
        "churn": {"targets": ("classic", "new"), "changes": SCHEDULED},
        "idle": {"changes": SCHEDULED},
        "keyed": {},
        "scriptless": {},
        "twice": {},
        "watched": {"changes": APPROVAL},
        "worn": {"changes": PATIENT},
    }.items()
}
"""Each for one story: approved, failing, ok and rolled back, held for good, never run, ordered by
keyboard, refused, ordered without scripts, ordered twice, watched from its upload to its end, and
undone after a failing smoke test."""

HOSTILE_NAME = "<img src=x onerror=alert(1)>.csv"
HOSTILE_TEXT = "<script>alert('in a request')</script>"
NO_LABEL = b"a,b\n1,2\n3,4\n"


class World:
    """The stack, and a team that uses it."""

    def __init__(self, data: Path) -> None:
        install_htmx(find_node())
        self.declared = data / "managed_models"
        self.models: dict[str, Demonstrated] = {}
        self.stack = Stack(
            StackOptions(
                app=ROOT,
                data=data,
                with_samples=True,
                host=False,
                propagation_seconds=PROPAGATION_SECONDS,
                environment={
                    "ALM_MANAGED_MODELS": str(self.declared),
                    "ALM_REPLY_QUEUES": "alm-answers",
                },
            )
        )
        try:
            self._start()
        except BaseException:
            self.stack.down()
            raise

    def _start(self) -> None:
        self.stack.up()
        self.studio, self.operator = Studio(self.stack.addresses), Operator(self.stack.addresses)
        self.declared.mkdir(parents=True, exist_ok=True)
        for name, wishes in MODELS.items():
            self.models[name] = models.small(self.studio, self.operator, name, wishes)
            models.write(self.declared, self.models[name].declaration)
        experiment.prepare(self.studio, self.declared)
        self.stack.start("host")

    @property
    def url(self) -> str:
        return str(self.stack.addresses["functions_url"]).rstrip("/")

    def key(self, role: str) -> str:
        return str(self.stack.addresses["api_keys"][role])

    def close(self) -> None:
        self.operator.close()
        self.stack.down()

    # -- what happens --------------------------------------------------------------------------

    def upload(self, model: str, name: str = "day1.csv", content: bytes = b"") -> None:
        """Let a dataset land; the usual one unless another content is given."""
        rows, _ = tables.halves(tables.cancer())
        self.operator.upload("datasets", f"{model}/{name}", content or rows.csv)

    def set_going(self) -> None:
        """Let everything happen that the tests look at later."""
        for model in ("churn", "approved", "held", "refused"):
            self.upload(model)
        self.upload("broken", content=NO_LABEL)
        rows, _ = tables.halves(tables.cancer())
        self.upload("worn", content=tables.blurred(rows, seed=3, share=0.35).csv)
        self.operator.upload("datasets", HOSTILE_NAME, NO_LABEL)
        for number in range(3):
            self.request(f"typo-{number}", kind="retrian", model=HOSTILE_TEXT)

    def request(self, name: str, **fields: str) -> None:
        """Put a message of another system into its queue."""
        self.operator.request(json.dumps({**fields, "id": name}).encode(), name, reply_to="")

    # -- what is waited for --------------------------------------------------------------------

    def ended(self, run: str) -> dict[str, Any]:
        return self.operator.ended(run)

    def held(self, run: str) -> str:
        """Wait until a run is held; the digest that it is held for."""
        model = run.rpartition(".r")[0]

        def look() -> str:
            active = self.operator.get(f"models/{model}")["ledger"]["active"]
            return str(active["hold"]["digest"]) if active and active["hold"] else ""

        return str(self.operator.until(f"run {run} held", look))

    def items(self, count: int) -> list[dict[str, Any]]:
        """Wait until there are so many items in the inbox."""

        def look() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = self.operator.get("inbox")
            return found if len(found) >= count else []

        found: list[dict[str, Any]] = self.operator.until(f"{count} items in the inbox", look)
        return found
