"""Who may in, and what each role is offered."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import expect

CROSS_SITE = {"sec-fetch-site": "cross-site"}
SAME_SITE = {"sec-fetch-site": "same-origin"}


def test_a_key_opens_the_page_that_was_asked_for(people, app):
    person = people(app)
    person.expect(401)
    person.open("/models?q=churn")
    expect(person.page.get_by_role("heading", name="ALM")).to_be_visible()

    person.page.get_by_label("API key").fill(app.keys["reader"])
    person.page.keyboard.press("Enter")

    expect(person.page).to_have_url(f"{app.url}/models?q=churn")
    expect(person.page.get_by_role("heading", name="Models")).to_be_visible()


def test_who_signs_out_is_out_in_every_tab(people, app):
    person = people(app)
    person.sign_in("operator")
    person.expect(401)
    person.page.locator("details.who summary").click()
    person.press("Sign out")
    expect(person.page.get_by_label("API key")).to_be_visible()
    person.open("/models")
    expect(person.page.get_by_label("API key")).to_be_visible()


def test_a_wrong_key_is_refused_with_what_to_do(people, app):
    person = people(app)
    person.open("/sign-in")
    person.page.get_by_label("API key").fill("not-a-key")
    person.expect(401)
    person.press("Sign in")

    alert = person.page.get_by_role("alert")
    expect(alert).to_contain_text("that key is none of the app's")
    described = person.page.get_by_label("API key").get_attribute("aria-describedby")
    assert alert.get_attribute("id") == described
    expect(person.page.get_by_label("API key")).to_be_focused()


@pytest.mark.parametrize("role", ["reader", "operator", "approver"])
def test_each_role_is_offered_what_it_may_do(people, app, world, role):
    world.held("held.r1")
    person = people(app, role)

    person.open("/runs/held.r1")
    decides = person.page.get_by_role("link", name="Approve…")
    assert decides.count() == (1 if role == "approver" else 0)
    cancels = person.page.get_by_role("link", name="Cancel this run…")
    assert cancels.count() == (1 if role == "operator" else 0)
    person.open("/models/idle")
    starts = person.page.get_by_role("link", name="Start a run…")
    assert starts.count() == (1 if role == "operator" else 0)
    told = person.page.get_by_text("needs the role operator")
    assert told.count() == (0 if role == "operator" else 1)


def test_a_reader_who_knows_the_address_is_told_what_is_missing(people, app):
    person = people(app, "reader")
    person.expect(403)
    answer = person.open("/models/idle/start")

    assert 403 == answer.status
    expect(person.page.locator("main")).to_contain_text("operator")


@pytest.mark.parametrize("token", [None, "someone-elses", "of the other session"])
def test_a_form_without_the_token_of_its_session_is_refused(people, app, world, token):
    person, other = people(app, "operator"), people(app)
    other.sign_in("operator")
    other.open("/models/idle/start")
    if token == "of the other session":
        token = other.page.locator("form.actions input[name=token]").get_attribute("value")
    cookies = {each["name"]: each["value"] for each in person.context.cookies()}
    form = {"key": "a-form", **({"token": token} if token else {})}

    answer = requests.post(f"{app.url}/models/idle/start", data=form, cookies=cookies,
                           headers=SAME_SITE, timeout=10)  # fmt: skip

    assert 403 == answer.status_code
    assert "not of this session" in answer.text
    assert 0 == world.operator.get("models/idle")["ledger"]["runs"]


def test_a_form_from_another_site_is_refused_whatever_it_carries(people, app, world):
    person = people(app, "operator")
    person.open("/models/idle/start")
    fields = {
        each.get_attribute("name"): each.get_attribute("value")
        for each in person.page.locator("form.actions input").all()
    }
    cookies = {each["name"]: each["value"] for each in person.context.cookies()}

    answer = requests.post(f"{app.url}/models/idle/start", data=fields, cookies=cookies,
                           headers=CROSS_SITE, timeout=10)  # fmt: skip

    assert 403 == answer.status_code
    assert 0 == world.operator.get("models/idle")["ledger"]["runs"]
