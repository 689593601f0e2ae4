"""Forms that change something: each is asked again on a page that names the thing, then ordered.

They are carried out as calls of the API. A form carries an idempotency key, so that sending it
twice is one order. `ORDERS` is the map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urlencode

from alm import telemetry
from alm.bootstrap import App
from alm.domain.errors import Conflict, NotFound, Refused
from alm.entrypoints.access import Role
from alm.entrypoints.api import responding
from alm.entrypoints.api.calls import Call, encoded
from alm.entrypoints.page import plans
from alm.entrypoints.page.answers import Answer, redirect
from alm.entrypoints.page.asking import Ask
from alm.entrypoints.page.plans import Plan
from alm.entrypoints.page.rendering import page


@dataclass(frozen=True)
class Form:
    """An order of the API, of the same path: who may give it, and what it will do.

    takes: its fields, kept in the address of its confirmation. gone: what is said where
    the thing is not there any more. once: an answer 200 says that it had been done already.
    """

    name: str
    role: Role
    plan: Callable[[Ask], Plan]
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
        try:
            with _span(ask):
                answer = responding.carry_out(*_as_call(ask), document, ask.caller, _key(ask))
        except NotFound:
            if not self.gone:
                raise
            return redirect(f"/inbox?{urlencode({'done': 'gone'})}")
        if answer.status >= 400:
            assert isinstance(answer.body, dict)
            raise Conflict(str(answer.body["detail"]))
        done = "already" if self.once and answer.status == 200 else self.name
        return redirect(f"{_back(ask)}?{urlencode({'done': done})}")


def _span(ask: Ask) -> AbstractContextManager[object]:
    """What is ordered on the page is recorded as what is ordered of the API is."""
    return telemetry.span(
        "api",
        parent="",
        attributes={"http.request.method": "POST"},
        model=ask.values.get("model", ""),
        run=ask.values.get("run", ""),
    )


def _as_call(ask: Ask) -> tuple[App, Call]:
    """The call of the API that this form stands for: it has the same path."""
    return ask.app, Call("POST", ask.path.strip("/"), {responding.KEY_HEADER: _key(ask)})


def _key(ask: Ask) -> str:
    """The form's idempotency key: sent again, it gets the answer of the first time."""
    key = ask.form.get("key", "")
    if not responding.KEY.fullmatch(key):
        raise Refused("the form has no key of its own; open the page again and send its form")
    return key


def _back(ask: Ask) -> str:
    """The page of the thing; of what leaves the inbox, the inbox."""
    if "model" in ask.values:
        return f"/models/{encoded(ask.values['model'])}"
    return f"/runs/{encoded(ask.values['run'])}" if "run" in ask.values else "/inbox"


ORDERS: Mapping[str, Form] = {
    "models/{model}/start": Form("start", "operator", plans.start),
    "models/{model}/verify": Form("verify", "operator", plans.verify),
    "models/{model}/rollback": Form("rollback", "operator", plans.roll_back, ("version",)),
    "runs/{run}/approve": Form("approve", "approver", plans.approve, ("digest",), once=True),
    "runs/{run}/refuse": Form("refuse", "approver", plans.refuse, ("digest",), once=True),
    "runs/{run}/cancel": Form("cancel", "operator", plans.cancel, once=True),
    "inbox/{item}/redrive": Form("redrive", "operator", plans.redrive, gone=True),
    "inbox/{item}/discard": Form("discard", "operator", plans.discard, gone=True),
}
