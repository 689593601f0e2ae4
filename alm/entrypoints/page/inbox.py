"""The inbox: what could not be handled, with its reason, its remedy and what came."""

from __future__ import annotations

from alm.entrypoints.api.asks import INBOX_MAX
from alm.entrypoints.page.answers import Answer
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.rendering import page

SHOWN = 50
PAYLOAD_CHARACTERS_MAX = 100_000


def show(ask: Ask) -> Answer:
    """What is in the inbox, newest first."""
    shown = ask.count("show", SHOWN, INBOX_MAX)
    items = ask.app.ports.records.inbox(shown + 1)
    more = str(min(shown * 2, INBOX_MAX)) if len(items) > shown else ""
    return page(ask, "inbox.html", "Inbox", {"items": items[:shown], "more": more}, every=15)


def show_item(ask: Ask) -> Answer:
    """One item, with what came."""
    item = ask.app.ports.records.inbox_item(ask.values["item"])
    payload = item.payload[:PAYLOAD_CHARACTERS_MAX]
    view = {"item": item, "payload": payload, "is_cut": len(payload) < len(item.payload)}
    return page(ask, "item.html", "Inbox item", view, every=0)
