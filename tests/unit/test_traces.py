"""One trace from an event to the end of its run, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from alm import telemetry
from alm.domain.errors import Unavailable
from alm.domain.messages import TriggerMessage
from alm.domain.run import Trigger
from alm.engine import upkeep
from alm.entrypoints import tracing
from tests.recorded import Recorded, Seen, recording
from tests.unit.engine_world import MODEL, EngineWorld, fails_first

STAGES = ["start", "await", "harvest", "evaluate", "promote", "patch", "smoke", "finish"]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with recording() as found:
        yield found


def arrive(world: EngineWorld, name: str) -> str:
    """A dataset arrives, as the function of the upload tells it; its context."""
    with telemetry.span("on_dataset", parent=""):
        context = telemetry.current()
        world.trigger("retrain", name, trace=context)
    return context


def of_run(recorded: Recorded, number: int = 1) -> list[Seen]:
    return [s for s in recorded.spans() if s.fields.get("alm.run") == f"{MODEL}.r{number}"]


def begun(recorded: Recorded, number: int = 1) -> Seen:
    """The span in which a run began; before it others may have waited."""
    (found,) = [s for s in of_run(recorded, number) if s.fields.get("alm.outcome") == "begun"]
    return found


def steps(spans: list[Seen]) -> list[str]:
    return [span.name for span in spans if "/" in span.name]


def test_all_that_a_run_does_is_one_trace_under_its_begin(recorded):
    world = EngineWorld()

    context = arrive(world, "day1")
    world.settle()

    event, begin = recorded.span("on_dataset"), begun(recorded)
    assert {span.trace for span in recorded.spans()} == {event.trace} == {context[3:35]}
    assert begin.parent == event.span
    run = [span for span in recorded.spans() if "/" in span.name]
    assert {span.parent for span in run} == {begin.span}
    assert list(dict.fromkeys(steps(run))) == [f"retrain/{stage}" for stage in STAGES]
    assert recorded.span("reconcile").parent == recorded.span("retrain/finish").span
    assert recorded.span("retrain/finish").fields["alm.result"] == "ok"
    assert begin.fields["alm.trigger"] == f"t:{MODEL}:day1"


def test_every_message_brings_the_context_of_its_run_and_answers_that_of_their_span(recorded):
    world = EngineWorld()

    context = arrive(world, "day1")
    world.settle()

    begin = begun(recorded)
    sent = world.bus.accepted("alm-steps")
    assert {m.traceparent for m in sent if "/" in m.subject} == {begin.context}
    (answer,) = world.bus.accepted("answers")
    assert answer.traceparent == recorded.span("retrain/finish").context
    assert context[3:35] == begin.trace


def test_a_trigger_that_waited_keeps_its_own_trace(recorded):
    world = EngineWorld()

    first = arrive(world, "day1")
    second = arrive(world, "day2")
    world.settle()

    assert {span.trace for span in of_run(recorded, 1) if "/" in span.name} == {first[3:35]}
    assert {span.trace for span in of_run(recorded, 2) if "/" in span.name} == {second[3:35]}
    waited = [s for s in recorded.spans("begin") if s.fields.get("alm.outcome") == "waits"]
    assert [span.trace for span in waited] == [second[3:35]]
    assert begun(recorded, 2).parent == second[36:52]
    assert begun(recorded, 2).links == (first[3:35],)  # the kick, sent by the run before


def test_a_run_over_several_triggers_continues_the_first_and_links_the_others(recorded):
    world = EngineWorld()

    arrive(world, "day1")
    contexts = [arrive(world, f"day{number}") for number in (2, 3, 4)]
    world.settle()

    traces = [context[3:35] for context in contexts]
    assert begun(recorded, 2).trace == traces[0]
    assert set(begun(recorded, 2).links) >= set(traces[1:])


def test_datasets_that_came_in_a_burst_are_linked_to_the_run(recorded):
    world = EngineWorld(quiet_seconds=60)

    contexts = [arrive(world, f"day{number}") for number in (1, 2)]
    world.settle()

    traces = [context[3:35] for context in contexts]
    assert begun(recorded).trace == traces[0]
    assert traces[1] in begun(recorded).links
    assert {s.trace for s in of_run(recorded) if "/" in s.name} == {traces[0]}


def test_an_approval_is_of_its_sender_and_the_run_goes_on_in_its_own_trace(recorded):
    world = EngineWorld(approval=True)

    context = arrive(world, "day1")
    world.settle(seconds=3600)
    with telemetry.span("api", parent=""):
        world.decide("approve")
    world.settle(seconds=3600)

    assert world.result() == "ok"
    run = [span for span in of_run(recorded) if "/" in span.name]
    assert {span.trace for span in run} == {context[3:35]}
    assert {"retrain/hold", "retrain/patch", "retrain/smoke"} <= set(steps(run))
    decision = recorded.span("decision")
    assert decision.trace == recorded.span("api").trace != context[3:35]
    assert decision.links == (context[3:35],)


def test_what_a_sweep_sends_again_goes_on_in_the_trace_of_its_run(recorded):
    world = EngineWorld()

    context = arrive(world, "day1")
    world.settle(until="patch")
    lost = world.pending()
    world._taken |= {message.id for message in lost}
    world.clock.at += timedelta(days=1)
    with telemetry.span("on_sweep", parent=""):
        upkeep.sweep(world.ports, MODEL, "tick")
    assert [m.traceparent[3:35] for m in world.pending()] == [context[3:35]]
    world.settle()

    assert world.result() == "ok"
    assert {span.trace for span in of_run(recorded) if "/" in span.name} == {context[3:35]}


def test_a_repeated_delivery_is_a_span_more_and_says_so(recorded):
    world = EngineWorld()

    arrive(world, "day1")
    world.crash_after = 1
    world.settle()

    assert world.result() == "ok"
    repeated = [s for s in recorded.spans() if s.fields.get("alm.repeated")]
    assert [s.name for s in repeated] == [repeated[0].name]
    first, again = recorded.spans(repeated[0].name)[:2]
    assert (first.status, again.status, first.trace) == ("error", "unset", again.trace)


def test_retries_and_what_fails_are_told(recorded):
    world = EngineWorld()
    world.targets["t1"].fail("patch", Unavailable("away"), times=2)
    world.training.fault_of = fails_first(2)

    arrive(world, "day1")
    world.settle()
    arrive(world, "day2")
    world.settle()

    assert (world.result(1), world.result(2)) == ("failed", "ok")
    wrong = [(s.name, s.fields["alm.outcome"]) for s in recorded.spans() if s.status == "error"]
    assert wrong == [("retrain/await", "failed")]
    patched = [s.fields["alm.outcome"] for s in recorded.spans("retrain/patch")]
    assert patched == ["retry", "retry", "done"]


def test_a_run_that_begins_with_nobodys_context_is_a_trace_of_its_own(recorded):
    world = EngineWorld()

    world.trigger("retrain", "day1", trace="00-junk")
    world.settle()

    assert [span.name for span in recorded.spans() if not span.parent] == ["begin"]
    assert len({span.trace for span in recorded.spans()}) == 1


def test_a_run_that_began_while_telemetry_was_off_ends_all_the_same():
    world = EngineWorld()
    world.trigger("retrain", "day1")
    world.settle(until="start")
    assert [message.traceparent for message in world.pending()] == [""]

    with recording() as recorded:
        world.settle()

    assert world.result() == "ok"
    assert [span.name for span in recorded.spans() if not span.parent] == ["retrain/start"]


@pytest.mark.parametrize(("count", "traces"), [(50, 1), (51, 52)])
def test_an_event_that_starts_very_many_runs_gives_each_a_trace_of_its_own(recorded, count, traces):
    at = datetime(2026, 1, 5, tzinfo=UTC)
    trigger = Trigger(id="t:m:1", pipeline="retrain", source="dataset", at=at)
    messages = [TriggerMessage(model=f"m{n}", trigger=trigger) for n in range(count)]

    with telemetry.span("on_dataset", parent=""):
        event = telemetry.current()
        handed = tracing.handed_on("on_dataset", messages)

    found = {message.trigger.trace[3:35] for message in handed}
    assert len(found | {event[3:35]}) == traces
    apart = [s for s in recorded.spans("on_dataset") if s.fields.get("alm.model")]
    assert all(span.links == (event[3:35],) for span in apart)
    assert len(apart) == (0 if traces == 1 else count)
