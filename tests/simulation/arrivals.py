"""What comes into a simulated world from outside: triggers, orders, decisions, dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alm.domain.drafts import draft_from
from alm.domain.ledger import Ledger, Step
from alm.domain.managed_model import DEPLOYED
from alm.domain.messages import AnyMessage, Decision, Fail, TriggerMessage
from alm.domain.run import BlobRef, PipelineName, Reply, Source, Trigger
from alm.ports import Notice
from tests.simulation.bench import (
    SCORING,
    TRAINING,
    WORKSPACE,
    Bench,
    Run,
    StudioAsset,
    StudioState,
    WebService,
)
from tests.simulation.doubles import BASE, digest_of, moment
from tests.simulation.scenario import (
    MODEL,
    Arrival,
    At,
    Ended,
    Held,
    Scenario,
    run_name,
    target_names,
)
from tests.simulation.state import Endpoint, Mail, State
from tests.simulation.workspace import SimWorkspace

if TYPE_CHECKING:
    from tests.simulation.world import World

BY_HAND = b"good model v0 service"  # what the assets made by hand hold
DECIDE_SECONDS = 10.0  # how long a person thinks about a held run
STARTS: dict[str, tuple[PipelineName, Source]] = {
    "data": ("retrain", "dataset"),
    "file": ("publish", "model_file"),
    "serve": ("roll_back", "order"),
    "verify": ("verify", "schedule"),
}


def beginning(scenario: Scenario) -> State:
    """Every target serves what was deployed by hand, and nothing has happened."""
    state = State(ledger=Ledger(model=MODEL))
    for name in target_names(scenario):
        path = f"models/{name}.ilearner"
        state.blobs[path] = f"good model v0 {name}".encode()
        state.targets[name] = Endpoint(BASE + path, 0, ())
        state.books.rightful[name] = BASE + path
    if scenario.experiment:
        state.studio = made_by_hand(scenario)
        state.blobs.update({asset.content: BY_HAND for asset in state.studio.assets.values()})
        served = state.studio.services
        state.books.rightful[DEPLOYED] = digest_of(BY_HAND) if served else ""
    state.failures.update({f"{MODEL}.r{run}": times for run, times in scenario.failures.items()})
    _begin(state, scenario)
    return state


def made_by_hand(scenario: Scenario) -> StudioState:
    """What a data scientist left: two experiments with their assets; a service, if in place."""
    studio = StudioState()
    for number, kind in enumerate(("dataset", "trained_model"), 1):
        name = f"{WORKSPACE}.{number:032x}.v1-default-{number}"
        studio.assets[name] = StudioAsset(
            "dataset" if kind == "dataset" else "trained_model",
            f"{kind} by hand", f"{number:032x}", number, "by hand@0", f"studio/{name}", -60.0,
        )  # fmt: skip
    dataset, model = studio.assets
    studio.experiments[TRAINING] = Bench("draft", True, dataset)
    scoring = Bench("scoring", False, model)
    if scenario.in_place:
        run = f"{SCORING.replace('.f-id.', '.s-id.')}.1"
        studio.runs[run] = Run(SCORING, model, "", -30.0, False)
        scoring = scoring._replace(run=run, is_draft=False, service="s0")
        content = studio.assets[model].content
        studio.services["s0"] = WebService("scoring", "by hand [trained model]", content)
    studio.experiments[SCORING] = scoring
    return studio


def _begin(state: State, scenario: Scenario) -> None:
    """Put what arrives at a time into the mailbox."""
    for place, arrival in enumerate(scenario.arrivals):
        if isinstance(arrival.when, At):
            state.arrived.add(str(place))
            mail = _mail(state, scenario, place, arrival, arrival.when.seconds)
            if arrival.when.seconds > state.now:
                state.scheduled.append((arrival.when.seconds, mail))
            else:
                state.queue.append(mail)


def before(world: World, message: AnyMessage) -> bool:
    """Let arrive what was to arrive just before this message; True if anything did."""
    if not world.befores or not isinstance(message, Step):
        return False
    places = world.befores.get((message.run, message.stage), ())
    due = [place for place in places if str(place) not in world.state.arrived]
    mails = [mail for mail in (_arrive(world, place) for place in due) if mail]
    world.state.queue[:0] = mails
    return bool(due)


def ended(world: World) -> bool:
    """Let arrive what was to arrive after a run that has ended; True if anything did."""
    state = world.state
    for place, arrival in enumerate(world.scenario.arrivals):
        when = arrival.when
        if not isinstance(when, Ended) or str(place) in state.arrived:
            continue
        if run_name(when.run) in state.books.results:
            mail = _arrive(world, place)
            state.queue += [mail] if mail else []
            return True
    return False


def held(world: World, notice: Notice) -> None:
    """A person was told that a run is held, and decides after a while."""
    state, scenario = world.state, world.scenario
    for place, arrival in enumerate(scenario.arrivals):
        when = arrival.when
        if not isinstance(when, Held) or run_name(when.run) != notice.run:
            continue
        if str(place) not in state.arrived:
            state.arrived.add(str(place))
            due = state.now + when.seconds
            _later(state, due, _mail(state, scenario, place, arrival, due, notice.digest))
    name = f"decide {notice.run} {notice.digest}"
    if scenario.decide and name not in state.arrived:
        state.arrived.add(name)
        decision = Decision(
            kind=scenario.decide, model=MODEL, run=notice.run, digest=notice.digest, request=name
        )
        _later(state, state.now + DECIDE_SECONDS, _addressed(state, name, decision))


def cancel(world: World) -> None:
    """Somebody cancels the active run, just now."""
    active = world.state.ledger.active
    assert active is not None
    world.state.books.cancels.add(active.run)
    name = f"cancel {active.run} {world.state.place}"
    decision = Decision(kind="cancel", model=MODEL, run=active.run, request=name)
    world.state.queue.insert(0, _addressed(world.state, name, decision))


def dead_letter(world: World, mail: Mail, message: AnyMessage) -> None:
    """What the dead-letter function does: a dead step asks for the end of its run."""
    state = world.state
    if isinstance(message, TriggerMessage):
        state.books.dead.add(message.trigger.id)
    if not isinstance(message, Step) or not world.scenario.dead_letters:
        return
    fail = Fail(
        model=message.model,
        run=message.run,
        why=f"{message.stage} died {len(state.deliveries)} times",
        suffix=f"d{mail.place}",
        stage=message.stage,
        result=message.result,
        n=message.n,
        base=message.base,
    )
    name = f"f:{mail.id}:{mail.place}"
    state.queue.append(_addressed(state, name, fail))
    if world.pick("", "dead letter told twice"):
        state.queue.append(_addressed(state, name, fail))


def _arrive(world: World, place: int) -> Mail | None:
    """Take one arrival off the list: a message, or a change that nobody is told of."""
    state, scenario = world.state, world.scenario
    arrival = scenario.arrivals[place]
    state.arrived.add(str(place))
    match arrival.what:
        case "rot":
            made_by = f" of {run_name(int(arrival.about))} ".encode()
            state.rotten.update(content for content in state.blobs.values() if made_by in content)
            return None
        case "run":
            _run_by_hand(world, arrival.about)
            return None
        case "hand":
            path = "models/by-hand.ilearner"
            state.blobs[path] = b"good model by hand"
            world.services.targets[arrival.about].put(BASE + path)
            state.books.excuses.add("changed by hand")
            if arrival.about not in state.ledger.serves:  # nobody knows what it served before
                state.books.rightful[arrival.about] = BASE + path
            return None
        case _:
            return _mail(state, scenario, place, arrival, state.now)


def _run_by_hand(world: World, role: str) -> None:
    """Somebody else runs one of our copies, as it is; nobody can before it has its name."""
    here = SimWorkspace(world, world.scenario)
    name = f"{MODEL} {role}"
    for ours in here.experiments():
        if ours.name == name:
            here.run(ours.id, draft_from(ours))
            return


def _mail(
    state: State, scenario: Scenario, place: int, arrival: Arrival, due: float, digest: str = ""
) -> Mail:
    if arrival.what in STARTS:
        return _trigger_mail(state, scenario, arrival, arrival.about or str(place + 1), due)
    assert arrival.what in ("cancel", "approve", "refuse"), arrival.what
    if arrival.what == "cancel":
        state.books.cancels.add(run_name(arrival.run))
    decision = Decision(
        kind=arrival.what,
        model=MODEL,
        run=run_name(arrival.run),
        digest=f"sha256:{arrival.about}" if arrival.about else digest,
        request=f"request {place}",
        reply=Reply(queue="replies", request=f"request {place}"),
    )
    return _addressed(state, f"o:{MODEL}:{place}", decision)


def _trigger_mail(
    state: State, scenario: Scenario, arrival: Arrival, name: str, due: float
) -> Mail:
    pipeline, source = STARTS[arrival.what]
    if scenario.experiment and pipeline == "retrain":
        pipeline = "experiment"
    trigger = Trigger(
        id=f"t:{MODEL}:{name}",
        pipeline=pipeline,
        source=source,
        at=moment(due),
        version=arrival.about if arrival.what == "serve" else None,
        blob=_blob(state, scenario, arrival, name),
        reply=Reply(queue="replies", request=name),
    )
    state.books.accepted.add(trigger.id)
    return _addressed(state, trigger.id, TriggerMessage(model=MODEL, trigger=trigger))


def _blob(state: State, scenario: Scenario, arrival: Arrival, name: str) -> BlobRef | None:
    if arrival.what == "data":
        state.blobs[f"datasets/churn/{name}.csv"] = b"rows"
        return BlobRef(container="datasets", name=f"churn/{name}.csv", etag=name, size=1)
    if arrival.what == "file":
        blob = BlobRef(container="trained-models", name=f"churn/{name}.ilearner", etag=name, size=1)
        quality = "bad" if int(name) in scenario.bad else "good"
        state.blobs[blob.path] = f"{quality} model of file {name}".encode()
        return blob
    return None


def _addressed(state: State, name: str, message: AnyMessage) -> Mail:
    """A message on its way into the mailbox; the broker has not seen its id before."""
    state.place += 1
    mail = Mail(name, message.model_dump_json(by_alias=True).encode(), state.place)
    state.sent.append(mail)
    return mail


def _later(state: State, due: float, mail: Mail) -> None:
    state.scheduled.append((due, mail))
    state.scheduled.sort(key=lambda entry: (entry[0], entry[1].place))
