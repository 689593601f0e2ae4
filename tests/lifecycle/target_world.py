"""Target-style managed models with the real adapters: model files land, targets get them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from alm.domain.managed_model import ManagedModel, Target
from alm.domain.messages import Reconcile
from alm.domain.run import BlobRef, PipelineName
from alm.engine import handle
from alm.ports import Outgoing
from alm.stages.context import service_of
from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.worlds import labels
from tests.lifecycle.world import SLEEP_SECONDS, World

Labels = tuple[str | None, ...]


class TargetWorld(World):
    """A managed model with one target in local Studio. Model 1 answers the opposite of model 0."""

    def __init__(
        self,
        local: LocalStudio,
        storage: str,
        target: Target,
        **declared: Any,
    ) -> None:
        self.local = local
        self.target = target.model_copy(update={"propagation_seconds": 0.5})
        self.dies = False
        key = str(local.blobs().credential.account_key)
        super().__init__(local.studio, storage, environment={"STORAGE_KEY": key}, **declared)

    @property
    def deployer(self) -> Any:
        return self.ports.studio.deployer(self.target)

    def publish(self, number: int) -> str:
        """A model file lands; returns how its run ended."""
        path = f"trained-models/{self.name}/{len(self.taken)}.ilearner"
        relative = self.local.models[number].relative
        etag = self.blobs.put(path, self.local.download(relative))
        container, name = path.split("/", 1)
        return self.order("publish", blob=BlobRef(container=container, name=name, etag=etag))

    def order(self, pipeline: PipelineName, **more: Any) -> str:
        self.trigger(pipeline, **more)
        self.settle()
        return self.ended

    @property
    def ended(self) -> str:
        """How the last run ended."""
        return str(self.run(self.ledger.runs)["result"])

    @property
    def why(self) -> str:
        return str(self.run(self.ledger.runs)["why"])

    def reconcile(self) -> None:
        handle(self.ports, Reconcile(model=self.name, run=self.ledger.last_run))

    def flush(self) -> list[str]:
        """Commit what waits; returns the commits of our runs, newest first.

        Others share the storage account, and so the outbox.
        """
        control = self.ports.version_control
        assert control is not None
        control.outbox.flush(control.source, self.clock.now().replace(year=2099))
        ours = f"{self.name}."
        return [commit.id for commit in control.source.log() if commit.change.startswith(ours)]

    def settle(self, deliver: Callable[[Outgoing], None] | None = None) -> None:
        """As in `World`; where it dies, it does once after the effect of each message."""
        super().settle(deliver or (self.dying() if self.dies else None))

    def answered(self) -> Labels:
        """What the version in service answers."""
        served = self.ledger.serves[self.target.name]
        return labels(service_of(self.ports, self.target, served), self.local.rows)

    def answers_soon(self, number: int) -> bool:
        """Whether the version in service answers as a model does, once it has propagated."""
        wanted = self.local.expected[self.local.models[number].location]
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.answered() == wanted:
                return True
            time.sleep(SLEEP_SECONDS)
        return False

    def expecting(self, *wanted: str) -> None:
        """The smoke test wants one of these labels."""
        test = self.model.smoke_tests[0]
        expectation = test.expect[0].model_copy(update={"one_of": wanted})
        self.redeclare(smoke_tests=(test.model_copy(update={"expect": (expectation,)}),))

    def _declared(self, declared: dict[str, Any]) -> ManagedModel:
        labels_known = {"column": "Scored Labels", "one_of": ["0", "1"]}
        document = {
            "model": self.name,
            "gate": {"kind": "smoke-only"},
            "targets": [self.target.model_dump()],
            "smoke_tests": [{"rows": list(self.local.rows), "expect": [labels_known]}],
            "accept_identical": True,
            **declared,
        }
        return ManagedModel.model_validate(document)
