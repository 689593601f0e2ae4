"""Deployments beside a target in memory. See `studio_ports.Deployer`.

Each deployment is a DoubleTarget, found by its name in `deployed`. As with the real ones, a name
that somebody else took (`strangers`) is left alone, and a deployment may be there without its model
when the attempt to make it broke off (`fail("patch", …)`).
"""

from __future__ import annotations

from alm.domain.deployments import name_fault
from alm.domain.errors import Misconfigured, NotFound
from alm.domain.managed_model import Target
from alm.ports import Clock, Grant
from tests.doubles.faulty import Faulty
from tests.doubles.studio import DoubleTarget


class DoubleDeployer(Faulty):
    """Deploys beside `template`, the double of the target's own service.

    settle_seconds: how long a deployment takes. hosting_fault: why plan, region and storage do not
    belong together, "" if they do.
    """

    def __init__(
        self, clock: Clock, target: Target, template: DoubleTarget, *, settle_seconds: float = 0
    ) -> None:
        super().__init__()
        self.clock = clock
        self.template = template
        self.settle_seconds = settle_seconds
        self.hosting_fault = ""
        self.strangers: set[str] = set()
        self.deployed: dict[str, DoubleTarget] = {}
        self._target = target
        self._own = _own_name(target)

    def exists(self, name: str) -> bool:
        return self._do("exists", lambda: self._present(name))

    def create(self, name: str, model: Grant) -> None:
        self._do("create", lambda: self._create(name, model))

    def target(self, name: str) -> DoubleTarget:
        self._check(name)
        if name in self.deployed:
            return self.deployed[name]
        return self._absent(name)

    def names(self) -> list[str]:
        return self._do("names", lambda: list(self.deployed))

    def delete(self, name: str) -> None:
        self._do("delete", lambda: self._delete(name))

    def _create(self, name: str, model: Grant) -> None:
        if not self._present(name):
            if self.hosting_fault:
                raise Misconfigured(self.hosting_fault)
            self.deployed[name] = self._made()
        self._do("patch", lambda: self.deployed[name].patch(model))

    def _made(self) -> DoubleTarget:
        """A deployment that still answers with the model of what it was made from."""
        template = self.template
        made = DoubleTarget(self.clock, template.location, scored_by=template.scored_by)
        made.settle_seconds = self.settle_seconds
        made.propagation_seconds = self.template.propagation_seconds
        made.reads_file = self._target.deploy == "new-service"
        made.watch = self.watch
        return made

    def _absent(self, name: str) -> DoubleTarget:
        absent = DoubleTarget(self.clock)
        for operation in ("read", "patch", "score"):
            absent.fail(operation, NotFound(f"there is no deployment {name}"), times=None)
        return absent

    def _delete(self, name: str) -> None:
        if self._present(name):
            del self.deployed[name]

    def _present(self, name: str) -> bool:
        self._check(name)
        if name in self.strangers:
            raise Misconfigured(f"{name} was not deployed beside {self._own}")
        return name in self.deployed

    def _check(self, name: str) -> None:
        if wrong := name_fault(self._target.deploy, name):
            raise Misconfigured(wrong)
        if name in (self._own, "default"):
            raise Misconfigured(f"{name} is what deployments stand beside")


def _own_name(target: Target) -> str:
    service = target.service
    text = service.endpoint if service.kind == "classic" else service.resource
    return text.rpartition("/")[2]
