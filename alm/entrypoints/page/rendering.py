"""Templates: found once, everything escaped, a missing name is a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from alm.entrypoints.api.calls import encoded
from alm.entrypoints.page import static, telling
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent / "templates"
SECTIONS = (
    ("/", "Overview"),
    ("/models", "Models"),
    ("/runs", "Runs"),
    ("/inbox", "Inbox"),
    ("/schedule", "Schedule"),
    ("/studio", "Studio"),
)
NOTICES = {
    "start": "The order is on its way. Its run appears when the mailbox of the model takes it up.",
    "verify": "The order is on its way: the targets will be read back and tested.",
    "rollback": "The order is on its way. Its run appears when the mailbox takes it up.",
    "approve": "The approval is on its way to the run.",
    "refuse": "The refusal is on its way to the run.",
    "cancel": "The cancellation is on its way; the run ends at its next step.",
    "redrive": "The item was sent again, and is out of the inbox.",
    "discard": "The item is out of the inbox.",
    "already": "Nothing was left to do: that has happened already.",
    "gone": "Nothing was left to do: the item is no longer in the inbox.",
}
"""What is said after an order; an address names only the word, so that it can say nothing else."""


def page(
    ask: Ask,
    template: str,
    title: str,
    view: Mapping[str, object],
    *,
    status: int = 200,
    every: int = 5,
) -> Answer:
    """Render a page for somebody who is signed in; only its middle where a fragment is wanted.

    every: seconds until it is fetched anew, longer where that takes more reads; 0: never.
    """
    text = (
        environment()
        .get_template(template)
        .render(
            ask=ask,
            title=title,
            now=ask.now,
            sections=SECTIONS,
            section=_section(ask.path),
            notice=NOTICES.get(ask.query.get("done", ""), ""),
            fragment=ask.fragment,
            every=every,
            **view,
        )
    )
    return Answer(status, text)


def bare(template: str, title: str, *, status: int = 200, **view: object) -> Answer:
    """Render a page for somebody who is not signed in."""
    return Answer(status, environment().get_template(template).render(title=title, **view))


@lru_cache(maxsize=1)
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {**telling.FILTERS, "segment": encoded}
    made.globals |= {"static": static.address, "live_script": static.has_htmx}
    return made


def _section(path: str) -> str:
    """Which entry of the navigation a page belongs to."""
    first = path.strip("/").partition("/")[0]
    return f"/{first}"
