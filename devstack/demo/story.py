"""The story that `make demo` tells: five scenes, each with claims that are checked from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devstack.demo import tables
from devstack.demo.models import Demonstrated
from devstack.demo.operator import Operator
from devstack.demo.studio import Scoring, Studio


@dataclass(frozen=True)
class Claim:
    """Something the demo says, and whether looking at the targets bears it out."""

    scene: str
    text: str
    holds: bool
    seen: str


@dataclass
class Story:
    """The demo's people, and what was claimed so far."""

    operator: Operator
    studio: Studio
    models: Mapping[str, Demonstrated]
    claims: list[Claim] = field(default_factory=list)
    on_scene: Callable[[str], None] = lambda _title: None
    on_claim: Callable[[Claim], None] = lambda _claim: None
    opening: str = ""
    scenes: tuple[Callable[[Story], None], ...] = ()

    def claim(self, scene: str, text: str, holds: bool, seen: object = "") -> None:
        told = ", ".join(map(str, seen)) if isinstance(seen, list | tuple) else str(seen)
        self.claims.append(Claim(scene, text, bool(holds), told))
        self.on_claim(self.claims[-1])

    @property
    def all_hold(self) -> bool:
        return bool(self.claims) and all(claim.holds for claim in self.claims)

    def tell(self) -> None:
        """Play every scene, in order."""
        if self.opening:
            self.on_scene(self.opening)
        for scene in self.scenes or SCENES:
            self.on_scene((scene.__doc__ or "").split("\n")[0])
            scene(self)

    def served(self, model: str) -> list[str]:
        """Which file each target of a model says it serves."""
        return [self.studio.location(target) for target in self.models[model].targets]

    def answers(self, model: str) -> list[list[str]]:
        """What each target answers to the known rows, as callers see it."""
        demonstrated = self.models[model]
        return [scored(self.studio, t, demonstrated.known_rows) for t in demonstrated.targets]


def scored(studio: Studio, target: Scoring, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The scored columns of the answers, in one line per row."""
    answers = studio.score(target, rows)
    return [
        ", ".join(f"{name}={row[name]}" for name in sorted(row) if name.startswith("Scored"))
        for row in answers
    ]


def first_models(story: Story) -> None:
    """(a) Two datasets land; both models are trained, judged and put into service as v1."""
    before = {name: (story.served(name), story.answers(name)) for name in story.models}
    for name, model in story.models.items():
        story.operator.upload("datasets", f"{name}/day1.csv", model.training_rows.csv)
    for name in story.models:
        run = story.operator.ended(f"{name}.r1", 90)
        story.claim("a", f"{name}: the run ends ok", run["result"] == "ok", run["why"])
        champion = story.operator.get(f"models/{name}")["ledger"]["champion"]
        story.claim("a", f"{name}: v1 is the champion", champion == "v1", champion)
        served = story.served(name)
        holds = all(f"/alm-versions/{name}/{name}-v1-" in place for place in served)
        story.claim("a", f"{name}: both targets hold v1", holds, served)
        changed = all(
            new != old for new, old in zip(story.answers(name), before[name][1], strict=True)
        )
        story.claim("a", f"{name}: both targets answer with it", changed, story.answers(name))


def shuffled_labels(story: Story) -> None:
    """(b) A dataset with shuffled labels lands; the gate rejects the model, nothing is touched."""
    before = story.served("cancer"), story.answers("cancer")
    broken = tables.shuffled_labels(story.models["cancer"].training_rows, seed=5)
    run = story.operator.next_run("cancer")
    story.operator.upload("datasets", "cancer/day2-shuffled.csv", broken.csv)
    ended = story.operator.ended(run, 90)
    story.claim("b", "the gate rejects it", ended["result"] == "rejected", ended["why"])
    after = story.served("cancer"), story.answers("cancer")
    story.claim("b", "targets hold and answer as before", after == before, after[0])


def failing_smoke_test(story: Story) -> None:
    """(c) A worn instrument: good enough for the gate, not for the second target's smoke test."""
    before = story.served("cancer"), story.answers("cancer")
    worn = tables.blurred(story.models["cancer"].training_rows, seed=3, share=0.35)
    run = story.operator.next_run("cancer")
    story.operator.upload("datasets", "cancer/day3-worn.csv", worn.csv)
    ended = story.operator.ended(run, 90)
    stages = [entry["stage"] for entry in ended["history"]]
    story.claim("c", "the gate accepts it", "promote" in stages, stages)
    story.claim("c", "the first target was patched and passed", "patch" in stages, stages)
    rolled_back = ended["result"] == "rolled_back"
    story.claim("c", "the second target's smoke test rolls the run back", rolled_back, ended["why"])
    story.claim("c", "both targets hold v1 again", story.served("cancer") == before[0], before[0])
    settled = story.operator.until(
        "both targets answering with v1 again",
        lambda: story.answers("cancer") == before[1],
        seconds=20,
    )
    story.claim("c", "both targets answer as before", settled, before[1])


def dropped_model(story: Story) -> None:
    """(d) Somebody else's .iLearner is dropped into the landing zone: judged, then published."""
    sample = story.studio.sample("cancer", "training", "new")
    rows = story.models["cancer"].training_rows
    story.operator.upload("samples", "by-hand.csv", rows.csv)
    place = {"ConnectionString": story.operator.connection_string()}
    story.studio.train(
        sample,
        {
            "Inputs": {"input1": {**place, "RelativeLocation": "samples/by-hand.csv"}},
            "Outputs": {"output1": {**place, "RelativeLocation": "samples/by-hand.ilearner"}},
            "GlobalParameters": {"Random seed": "99", "Test fraction": "0.2"},
        },
    )
    before = story.answers("cancer")
    run = story.operator.next_run("cancer")
    model = story.operator.download("samples", "by-hand.ilearner")
    story.operator.upload("trained-models", "cancer/by-hand.ilearner", model)
    ended = story.operator.ended(run, 90)
    stages = [entry["stage"] for entry in ended["history"]]
    story.claim("d", "it is judged on the staging target", "score" in stages, stages)
    story.claim("d", "the run ends ok", ended["result"] == "ok", ended["why"])
    number = ended["state"]["version"]
    served = story.served("cancer")
    holds = all(f"/cancer-v{number}-" in place for place in served)
    story.claim("d", f"both targets hold v{number}", holds, served)
    story.claim("d", "both targets answer with it", story.answers("cancer") != before, "")


def requests(story: Story) -> None:
    """(e) Two queue messages: one with a typo is kept with its reason, the other is answered."""
    story.operator.request(
        json.dumps({"kind": "retrian", "model": "diabetes", "id": "demo-typo"}).encode(),
        "demo-typo",
        reply_to="",
    )
    story.operator.request(
        json.dumps({"kind": "verify", "model": "diabetes", "id": "demo-verify"}).encode(),
        "demo-verify",
    )
    item = story.operator.until("the typo in the inbox", lambda: _inbox(story, "demo-typo"))
    told = "did you mean 'retrain'" in item["reason"]
    story.claim("e", "the typo is in the inbox, with its reason", told, item["reason"])
    answers = story.operator.answers(2, seconds=40)
    events = sorted(answer["event"] for answer in answers)
    story.claim("e", "the other is accepted and ended", events == ["accepted", "ended"], answers)
    results = [answer.get("result") for answer in answers if answer["event"] == "ended"]
    story.claim("e", "both targets are verified", results == ["verified"], answers)


SCENES = (first_models, shuffled_labels, failing_smoke_test, dropped_model, requests)


def _inbox(story: Story, name: str) -> dict[str, Any] | None:
    items = story.operator.get("inbox")
    return next((item for item in items if name in item["id"]), None)
