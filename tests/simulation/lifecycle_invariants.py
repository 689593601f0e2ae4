"""The invariants of the pipelines that run and deploy experiments.

L1  an experiment is not run twice where a look could have told: once more at most for everybody
    who may have gone on beside the chain (a zombie, a sweep, a repeated message)
L2  no second web service is deployed where one is there or on its way; the same excuse
L3  when all is quiet, the service serves what the ledger says and nothing is there where it says
    nothing; or the ledger says that it may not
L4  after a run that is not ok the service is what it was before, or is said to be unknown
L5  who may not change the experiment or the service any more does not: no live handler deploys
    for a run that has ended, without an intent on record, after its cancel was acknowledged (I6),
    or after its roll-back was recorded (I9)
L6  what goes into service passed its smoke test, and is there when the champion moves (I7)
L7  only what was judged becomes a trained model, and only that, or what was there, is deployed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alm.domain.errors import NotFound
from alm.domain.ledger import Active, Ledger, Step
from alm.domain.managed_model import DEPLOYED
from tests.simulation.bench import SCORING, StudioState
from tests.simulation.doubles import digest_of, is_good
from tests.simulation.processes import Operation, Process
from tests.simulation.rules import demand

if TYPE_CHECKING:
    from tests.simulation.world import World


def before(world: World, process: Process, operation: Operation) -> None:
    """Check one operation on the workspace before it is done."""
    studio = world.state.studio
    studio.settle(world.state.now)
    match operation.name:
        case "run":
            _on_run(world, process, *operation.arguments)
        case "save":
            _on_save(world, process, operation.arguments[0])
        case "promote":
            _on_promote(world, process, operation)
        case "deploy":
            _on_deploy(world, process, operation.arguments[0], operation.options["update"])


def on_end(world: World, ended: Active, new: Ledger) -> None:
    """Check a run's last write: what is there now, and what it says."""
    books, result = world.state.books, new.last_result
    if result == "ok":
        served = new.serves[DEPLOYED]
        content = world.state.blobs[served.blob]
        demand(is_good(content), f"L6 {content!r} is to serve, which fails its smoke test")
        books.rightful[DEPLOYED] = digest_of(content)
        _is_there(world, new, f"L6 {ended.run} ends ok")
    elif ended.intent:
        _is_there(world, new, f"L4 {ended.run} ends {result}")


def at_end(world: World) -> None:
    """Check the workspace when nothing more happens."""
    if DEPLOYED not in world.state.books.rightful:
        return
    world.state.studio.settle(float("inf"))
    ledger = world.state.ledger
    told = DEPLOYED in ledger.unknown
    right = world.state.books.rightful[DEPLOYED] == _content(world)
    demand(right or told or _nobody_calls(world), f"L3 {_seen(world)}, unknown: {ledger.unknown}")
    served, rightful = ledger.serves.get(DEPLOYED), world.state.books.rightful[DEPLOYED]
    healed = right and served is not None  # what has no address cannot be looked at
    demand(not (healed and told), "L3 the service is right, and said to be unknown for ever")
    agrees = served is None or served.digest == rightful  # None: it was never touched
    demand(agrees or told, f"L3 the ledger says {served}, it should be {rightful!r}")


def _is_there(world: World, new: Ledger, ending: str) -> None:
    right = _content(world) == world.state.books.rightful[DEPLOYED]
    told = DEPLOYED in new.unknown
    demand(right or told or bool(world.state.books.strays), f"{ending}, and {_seen(world)}")


def _nobody_calls(world: World) -> bool:
    """A zombie may leave a service that nobody was ever told of; the next run finds it."""
    return not world.state.books.rightful[DEPLOYED] and bool(world.state.books.strays)


def _content(world: World) -> str:
    """The digest of what the service of the predictive experiment serves; "" if it is not there."""
    studio = world.state.studio
    services = [studio.services[name] for name in _services(studio)]
    return digest_of(world.state.blobs[services[-1].location]) if services else ""


def _services(studio: StudioState) -> list[str]:
    """The services there are, the one that the experiment names last."""
    named = {studio.service_of(name) for name in studio.experiments} - {""}
    return sorted(studio.services, key=lambda name: name in named)


def _seen(world: World) -> str:
    studio, blobs = world.state.studio, world.state.blobs
    there = [f"{name}: {blobs[it.location].decode()}" for name, it in studio.services.items()]
    rightful = world.state.books.rightful[DEPLOYED]
    right = [c.decode() for c in blobs.values() if digest_of(c) == rightful]
    return f"the service holds {there or 'nothing'}, and should {right[:1] or 'nothing'}"


def _run_of(process: Process) -> str:
    return process.title.partition(":")[0]


def _excused(world: World) -> int:
    return sum(world.state.books.strays.values())


def _on_run(world: World, process: Process, experiment: str, draft: object) -> None:
    """Count a run; the same experiment over the same asset is needed once."""
    state, books = world.state, world.state.books
    asset = state.studio.experiments[experiment].asset
    _still_allowed(world, process, f"runs {state.studio.experiments[experiment].name!r}")
    key = (_run_of(process), experiment, asset)
    books.runs[key] = books.runs.get(key, 0) + 1
    needed = 2 if asset == _previous(world) == _wanted(world) else 1
    extra = books.runs[key] - needed
    name = state.studio.experiments[experiment].name
    demand(extra <= _excused(world), f"L1 {key[0]} runs {name!r} {books.runs[key]} times")


def _on_save(world: World, process: Process, experiment: str) -> None:
    bench = world.state.studio.experiments[experiment]
    _still_allowed(world, process, f"saves {bench.name!r}")
    if bench.trains or process.zombie:
        return
    active = world.state.ledger.active
    known = active is not None and any(intent.target == DEPLOYED for intent in active.intent)
    demand(known, f"L5 {bench.name!r} is changed without an intent on record")


def _on_promote(world: World, process: Process, operation: Operation) -> None:
    if world.state.books.strays:
        return  # one may run it between our look and this; the deployment is proved by its content
    assert isinstance(world.message, Step)
    promotion = operation.arguments[0]
    workspace = operation.call.__self__  # type: ignore[attr-defined]
    try:
        content = workspace.output(promotion.experiment, promotion.node, promotion.port).read()
    except NotFound:
        return  # and so will the promotion be refused
    judged = digest_of(content) == world.message.state.digest
    demand(judged, f"L7 {content!r} is promoted, which was not judged")


def _on_deploy(world: World, process: Process, experiment: str, update: bool) -> None:
    studio, books = world.state.studio, world.state.books
    bench = studio.experiments[experiment]
    there, coming = studio.service_of(experiment), studio.on_its_way(experiment)
    if not there or not update:
        others = [*([there] if there else []), *coming]
        if others:
            books.doubled.add(f"a{len(studio.deployments) + 1}")
        many = len(books.doubled)
        demand(many <= _excused(world), f"L2 another service is deployed beside {others}")
    if process.zombie or bench.is_draft:
        return
    _still_allowed(world, process, "deploys")
    asset = studio.runs[bench.run].asset
    if asset == _previous(world):
        return
    run, active = _run_of(process), world.state.ledger.active
    assert active is not None
    demand(asset == _wanted(world), f"L7 {run} deploys {asset}, which it does not want")
    demand(run not in books.undone, f"L5 (I9) {run} deploys {asset} again after its roll-back")
    demand(not active.cancel, f"L5 (I6) {run} deploys {asset}, but it was {active.cancel}")


def _still_allowed(world: World, process: Process, what: str) -> None:
    active, run = world.state.ledger.active, _run_of(process)
    if not process.zombie:
        mine = active is not None and active.run == run
        demand(mine, f"L5 {run} {what} while {active and active.run} is active")


def _wanted(world: World) -> str:
    return world.message.state.studio.asset if isinstance(world.message, Step) else ""


def _previous(world: World) -> str:
    """The trained model that was in use before the active run."""
    active = world.state.ledger.active
    intents = active.intent if active else ()
    return next((i.previous.asset for i in intents if i.target == DEPLOYED), SCORING)
