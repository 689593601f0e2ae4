"""Evidence: what a verdict rests on, shown and downloaded through the app.

A piece is named by its kind, never by a path: where it lies is what the run's record says, and only
the app's own containers are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alm.bootstrap import App
from alm.domain.errors import NotFound
from alm.domain.nearest import shown
from alm.domain.run import Evidence
from alm.entrypoints.page import documents
from alm.entrypoints.page.answers import Answer, download
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.documents import Document, text
from alm.entrypoints.standing import model_of

CONTAINERS = ("alm-jobs", "alm-versions", "gate-rows")
TITLES: Mapping[str, str] = {
    "verdict": "Verdict",
    "evaluation": "Evaluation of the training service",
    "scored": "Scored holdout",
    "rows": "Rows of the gate",
    "candidate_scores": "Answers of the candidate",
    "champion_scores": "Answers of the champion",
}
RULES = {
    "min": "at least {:g}",
    "max": "at most {:g}",
    "max_regression": "at most {:g} worse",
}


@dataclass(frozen=True)
class Piece:
    """A piece of evidence: its kind, what it is, and where it lies."""

    kind: str
    title: str
    path: str


@dataclass(frozen=True)
class Judged:
    """One metric of the gate as it was judged."""

    name: str
    rule: str
    candidate: object
    champion: object
    interval: str
    result: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """What the gate found."""

    result: str
    reasons: tuple[str, ...]
    metrics: tuple[Judged, ...]
    rows: str

    @property
    def is_compared(self) -> bool:
        """Whether the champion's numbers stand beside the candidate's."""
        return any(isinstance(metric.champion, int | float) for metric in self.metrics)

    @property
    def has_intervals(self) -> bool:
        return any(metric.interval for metric in self.metrics)


def pieces(found: Evidence) -> tuple[Piece, ...]:
    """The pieces that can be downloaded."""
    named = ((kind, title, getattr(found, kind)) for kind, title in TITLES.items())
    return tuple(Piece(*piece) for piece in named if is_ours(piece[2]))


def is_ours(path: str) -> bool:
    """Whether a path is in a container that evidence is read from."""
    container, separator, name = path.partition("/")
    return container in CONTAINERS and bool(separator and name)


def fetch(ask: Ask) -> Answer:
    """Download one piece of a run's evidence."""
    run, kind = ask.values["run"], ask.values["piece"]
    model_of(run)  # raises NotFound for what is no name of a run
    found = documents.state(ask.app.ports.records.run(run)).evidence
    piece = next((piece for piece in pieces(found) if piece.kind == kind), None)
    if piece is None:
        raise NotFound(f"run {run} has no evidence {shown(kind)}; its page lists what it has")
    content = ask.app.ports.blobs.get(piece.path)
    return download(f"{run}-{kind}.{_ending(piece.path)}", content)


def verdict(app: App, found: Evidence) -> Verdict | None:
    """The verdict of a run; None: none is kept, or it cannot be read."""
    document = documents.stored(app, found.verdict) if is_ours(found.verdict) else {}
    return drawn(document) if document else None


def drawn(document: Document) -> Verdict:
    """A verdict's document as a table."""
    candidate = documents.part(document, "candidate")
    return Verdict(
        text(document, "verdict"),
        tuple(documents.texts(document, "reasons")),
        tuple(_judged(item) for item in documents.parts(document, "metrics")),
        str(candidate.get("rows", "")),
    )


def _judged(item: Document) -> Judged:
    rule = [
        words.format(item[name])
        for name, words in RULES.items()
        if isinstance(item.get(name), int | float)
    ]
    low, high = item.get("low"), item.get("high")
    known = isinstance(low, int | float) and isinstance(high, int | float)
    return Judged(
        name=text(item, "name"),
        rule=", ".join(rule) or "–",
        candidate=item.get("candidate"),
        champion=item.get("champion"),
        interval=f"{low:+.4g} to {high:+.4g}" if known else "",
        result=text(item, "result"),
        why=text(item, "why"),
    )


def _ending(path: str) -> str:
    ending = path.rpartition(".")[2]
    return ending if ending.isalnum() and len(ending) <= 10 else "txt"
