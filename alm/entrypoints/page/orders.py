"""Forms that change something: each is asked again on a page that names the thing, then ordered.

They go through the same functions as the API's orders. A form carries an idempotency key, so that
sending it twice is one order. `ORDERS` is the map.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from alm.domain.errors import NotFound, Refused
from alm.entrypoints import orders as api_orders
from alm.entrypoints.access import Role
from alm.entrypoints.calls import Handler as ApiHandler
from alm.entrypoints.calls import Order, encoded
from alm.entrypoints.page import plans
from alm.entrypoints.page.answers import Answer, redirect
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.plans import Plan
from alm.entrypoints.page.rendering import page

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


@dataclass(frozen=True)
class Form:
    """An order: who may give it, what it will do, and how it is given.

    takes: fields of the order, kept in the address of its confirmation. gone: what is said where
    the thing is not there any more. once: an answer 200 says that it had been done already.
    """

    name: str
    role: Role
    plan: Callable[[Ask], Plan]
    order: ApiHandler
    takes: tuple[str, ...] = ()
    gone: bool = False
    once: bool = False

    def confirm(self, ask: Ask) -> Answer:
        """Say what will happen to what, and ask."""
        fields = {name: ask.query.get(name, "") for name in self.takes}
        plan = self.plan(ask)
        view = {"plan": plan, "fields": fields, "key": ask.app.ports.new_id()}
        return page(ask, "confirm.html", plan.title, view, every=0)

    def give(self, ask: Ask) -> Answer:
        """Give the order, then lead back to where its effect can be seen."""
        document = {name: ask.form[name] for name in self.takes if ask.form.get(name)}
        order_id = _order_id(ask, document)
        try:
            answer = self.order(ask.app, Order(ask.values, {}, document, ask.caller.name, order_id))
        except NotFound:
            if not self.gone:
                raise
            return redirect(f"/inbox?{urlencode({'done': 'gone'})}")
        done = "already" if self.once and answer.status == 200 else self.name
        return redirect(f"{_back(ask)}?{urlencode({'done': done})}")


def _order_id(ask: Ask, document: Mapping[str, str]) -> str:
    """Name an order: the same form sent again is the same one, with other fields another."""
    key = ask.form.get("key", "")
    if not KEY.fullmatch(key):
        raise Refused("the form has no key of its own; open the page again and send its form")
    facts = "\n".join((ask.caller.name, ask.path, json.dumps(document, sort_keys=True)))
    return f"{key}.{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def _back(ask: Ask) -> str:
    """The page of the thing; of what leaves the inbox, the inbox."""
    if "model" in ask.values:
        return f"/models/{encoded(ask.values['model'])}"
    return f"/runs/{encoded(ask.values['run'])}" if "run" in ask.values else "/inbox"


ORDERS: Mapping[str, Form] = {
    "models/{model}/start": Form("start", "operator", plans.start, api_orders.start_run),
    "models/{model}/verify": Form("verify", "operator", plans.verify, api_orders.verify),
    "models/{model}/rollback": Form(
        "rollback", "operator", plans.roll_back, api_orders.roll_back, ("version",)
    ),
    "runs/{run}/approve": Form(
        "approve", "approver", plans.approve, api_orders.approve, ("digest",), once=True
    ),
    "runs/{run}/refuse": Form(
        "refuse", "approver", plans.refuse, api_orders.refuse, ("digest",), once=True
    ),
    "runs/{run}/cancel": Form("cancel", "operator", plans.cancel, api_orders.cancel, once=True),
    "inbox/{item}/redrive": Form(
        "redrive", "operator", plans.redrive, api_orders.redrive, gone=True
    ),
    "inbox/{item}/discard": Form(
        "discard", "operator", plans.discard, api_orders.discard, gone=True
    ),
}
