"""Forms that change something: asked again by name, given once, by who may."""

from __future__ import annotations

import pytest

from alm.domain.ledger import Intent, Ledger
from alm.domain.messages import Decision, TriggerMessage
from alm.domain.run import Served
from alm.entrypoints.page.orders import ORDERS
from tests.unit.entrypoints.app_world import DIGEST, AppWorld
from tests.unit.entrypoints.page.browser import Browser, Form
from tests.unit.entrypoints.test_api import furnished, item

ITEM = "alm-requests:1"
PLACES = {
    "models/{model}/start": ("/models/churn/start", "churn"),
    "models/{model}/verify": ("/models/churn/verify", "churn"),
    "models/{model}/rollback": ("/models/churn/rollback?version=v1", "churn back to v1"),
    "runs/{run}/approve": (f"/runs/churn.r7/approve?digest={DIGEST}", DIGEST),
    "runs/{run}/refuse": (f"/runs/churn.r7/refuse?digest={DIGEST}", DIGEST),
    "runs/{run}/cancel": ("/runs/churn.r7/cancel", "churn.r7"),
    "inbox/{item}/redrive": (f"/inbox/{ITEM}/redrive", ITEM),
    "inbox/{item}/discard": (f"/inbox/{ITEM}/discard", ITEM),
}


def form_at(browser: Browser, place: str) -> Form:
    asked = browser.get(place)
    assert asked.status == 200, asked.text
    return asked.form(place.partition("?")[0])


@pytest.mark.parametrize("path", ORDERS)
def test_an_order_is_asked_again_by_the_name_of_the_thing(world: AppWorld, path: str):
    place, named = PLACES[path]
    browser = Browser(furnished(world), ORDERS[path].role)
    asked = browser.get(place)
    assert named in asked.text
    assert world.sent() == []
    given = browser.send(form_at(browser, place))
    assert given.status == 303
    shown = browser.follow(given)
    assert 'role="status"' in shown.html


@pytest.mark.parametrize("path", ORDERS)
def test_an_order_needs_its_role(world: AppWorld, path: str):
    place, _ = PLACES[path]
    role = ORDERS[path].role
    other = Browser(furnished(world), "approver" if role == "operator" else "operator")
    assert other.get(place).status == 403
    form = form_at(Browser(world, role), place)
    own = other.get("/").form("/sign-out").fields["token"]
    refused = other.post(form.action, {**form.fields, "token": own})
    assert (refused.status, f"needs the role {role}" in refused.text) == (403, True)
    assert world.sent() == []
    assert ITEM in world.records.items


@pytest.mark.parametrize("path", ORDERS)
def test_an_order_without_the_forms_token_is_none(world: AppWorld, path: str):
    place, _ = PLACES[path]
    browser = Browser(furnished(world), ORDERS[path].role)
    form = form_at(browser, place)
    assert browser.send(form, token="x").status == 403
    assert browser.post(form.action, form.fields, {"sec-fetch-site": "cross-site"}).status == 403
    assert world.sent() == []
    assert ITEM in world.records.items


def test_a_start_names_the_file_that_it_takes(world: AppWorld):
    browser = Browser(world, "operator")
    assert "newest file in datasets/ that matches churn/" in browser.get("/models/churn/start").text
    broken = world.upload("datasets/churn/broken.csv")
    world.put_ledger(Ledger(model="churn", runs=1, last_result="failed", dataset=broken))
    assert "trained on datasets/churn/broken.csv" in browser.get("/models/churn/start").text


def test_the_file_of_a_discarded_note_stays(world: AppWorld):
    note = item("blob:x", source="container datasets", payload="datasets/stray.csv", queue="")
    world.records.put_inbox(note)
    text = Browser(world, "operator").get("/inbox/blob:x/discard").text
    assert "Only this note goes: the file datasets/stray.csv stays where it is." in text


def test_the_same_form_sent_twice_is_one_order(world: AppWorld):
    browser = Browser(world, "operator")
    form = form_at(browser, "/models/churn/start")
    assert [browser.send(form).status, browser.send(form).status] == [303, 303]
    assert len(world.sent()) == 1
    assert browser.send(form_at(browser, "/models/churn/start")).status == 303
    assert len(world.sent()) == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "<script>", "x" * 101])
def test_a_form_without_a_key_of_its_own_is_refused(world: AppWorld, key: str):
    browser = Browser(world, "operator")
    assert browser.send(form_at(browser, "/models/churn/start"), key=key).status == 400
    assert world.sent() == []


def test_orders_are_those_of_the_api_and_say_who_gave_them(world: AppWorld):
    browser = Browser(furnished(world), "operator")
    browser.send(form_at(browser, "/models/churn/rollback?version=v1"))
    (message,) = world.messages()
    assert isinstance(message, TriggerMessage)
    assert (message.trigger.version, message.trigger.by) == ("v1", "key:operator")


def test_what_is_approved_is_what_was_shown(world: AppWorld):
    browser = Browser(furnished(world), "approver")
    form = form_at(browser, f"/runs/churn.r7/approve?digest={DIGEST}")
    held = world.ledgers.get("churn")[0]
    assert held.active is not None and held.active.hold is not None
    other = held.active.hold.model_copy(update={"digest": "sha256:other"})
    world.put_ledger(held.with_active(hold=other))

    assert browser.get(f"/runs/churn.r7/approve?digest={DIGEST}").status == 409
    refused = browser.send(form)
    assert (refused.status, "not for sha256:c0ffee" in refused.text) == (409, True)
    assert world.sent() == []


def test_an_approval_given_twice_says_that_it_was_given(world: AppWorld):
    browser = Browser(furnished(world), "approver")
    form, other = (form_at(browser, f"/runs/churn.r7/approve?digest={DIGEST}") for _ in range(2))
    browser.send(form)
    (message,) = world.messages()
    assert isinstance(message, Decision)
    assert (message.kind, message.digest) == ("approve", DIGEST)
    world.active(approved=True)
    assert "that has happened already" in browser.follow(browser.send(other)).text
    assert "approval is on its way" in browser.follow(browser.send(form)).text


def test_a_held_run_says_why_nobody_may_decide_who_may_not(world: AppWorld):
    furnished(world)
    reader = Browser(world, "operator").get("/runs/churn.r7")
    assert (
        "To approve or refuse needs the role approver; you are operator and reader" in reader.text
    )
    assert not any("approve" in link for link in reader.links)
    approver = Browser(world, "approver").get("/runs/churn.r7")
    assert f"/runs/churn.r7/approve?digest={DIGEST.replace(':', '%3A')}" in approver.links
    assert "To cancel a run needs the role operator" in approver.text


def test_an_item_redriven_twice_is_sent_once(world: AppWorld):
    browser = Browser(furnished(world), "operator")
    form, other = (form_at(browser, f"/inbox/{ITEM}/redrive") for _ in range(2))
    browser.send(form)
    assert "was sent again" in browser.follow(browser.send(form)).text
    assert "no longer in the inbox" in browser.follow(browser.send(other)).text
    assert len(world.sent("alm-requests")) == 1


def test_an_item_of_no_queue_is_not_offered_to_be_sent_again(world: AppWorld):
    world.records.put_inbox(item("blob:x", queue=""))
    browser = Browser(world, "operator")
    assert not any("redrive" in link for link in browser.get("/inbox/blob:x").links)
    assert browser.get("/inbox/blob:x/redrive").status == 400


def test_a_cancellation_says_what_is_put_back(world: AppWorld):
    previous = Served(version="v1", digest="d", blob="b")
    world.active(intent=(Intent(target="us", previous=previous),))
    seen = Browser(world, "operator").get("/runs/churn.r7/cancel")
    assert "What it may have changed is put back: us." in seen.text


@pytest.mark.parametrize(
    ("place", "status", "words"),
    [
        ("/runs/churn.r7/cancel", 409, "not in flight any more"),
        (f"/runs/churn.r7/approve?digest={DIGEST}", 409, "not in flight any more"),
        ("/models/churn/rollback", 400, "no version is named"),
        ("/models/churn/rollback?version=v99", 404, "v99"),
        ("/models/dropped/start", 400, "is not trained here"),
        ("/models/nobody/start", 404, "nobody"),
        ("/inbox/none/discard", 404, "none"),
    ],
)
def test_what_cannot_be_ordered_is_told_before_it_is(world: AppWorld, place, status, words):
    world.ended()
    role = "approver" if "approve" in place else "operator"
    seen = Browser(world, role).get(place)
    assert (seen.status, words in seen.text) == (status, True)


def test_a_notice_is_one_of_ours(world: AppWorld):
    browser = Browser(world, "reader")
    assert "<b>" not in browser.get("/models?done=<b>all is lost</b>").html
    assert 'role="status"' not in browser.get("/models?done=anything").html
