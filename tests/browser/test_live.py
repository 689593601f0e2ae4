"""Pages that change by themselves: what is new arrives without a reload, and disturbs nobody."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

EVERY = (
    "() => parseInt(document.querySelector('#live').dataset.hxTrigger.match(/every (\\d+)s/)[1])"
)
REMAINS = "() => window.mark === 'the same document'"


@pytest.fixture
def watching(people, app):
    """Somebody at a page, with a hand on its clock."""

    def at(path: str, role: str = "operator"):
        person = people(app, role)
        person.page.clock.install()
        person.open(path)
        person.page.evaluate("() => { window.mark = 'the same document' }")
        return person

    return at


def looks_again(person):
    """Let the time pass until the page asks anew; wait for the answer."""
    with person.page.expect_response(lambda answer: "hx-request" in answer.request.headers) as got:
        person.page.clock.fast_forward(person.page.evaluate(EVERY) * 1000)
    assert 200 == got.value.status


def watches_until(person, world, words):
    """Look again and again until the headline says so."""

    def look():
        looks_again(person)
        return words in person.page.locator("#standing").inner_text()

    world.operator.until(f"{words!r} on {person.page.url}", look, seconds=40)


def test_a_run_is_watched_from_its_upload_to_its_end_without_a_reload(watching, world):
    person = watching("/models/watched", "approver")
    expect(person.page.locator("#standing")).to_contain_text("new")

    world.upload("watched")

    watches_until(person, world, "held")
    assert person.page.evaluate(REMAINS)
    person.follow("watched.r1", exact=True)
    person.follow("Approve…")
    person.press("Approve")
    person.page.evaluate("() => { window.mark = 'the same document' }")
    watches_until(person, world, "ok")
    expect(person.page.locator(".timeline")).to_contain_text("smoke")
    assert person.page.evaluate(REMAINS)


def test_what_arrives_leaves_focus_and_open_details_alone(watching, world):
    world.ended("churn.r1")
    person = watching("/models/churn")
    details = person.page.locator("#live details").first
    details.locator("summary").click()
    link = person.page.locator("#live").get_by_role("link", name="churn.r1").first
    link.focus()

    looks_again(person)

    expect(person.page.locator(".asof")).to_contain_text("As of")
    expect(link).to_be_focused()
    expect(details).to_have_attribute("open", "")
    assert person.page.evaluate(REMAINS)


def test_typing_is_not_disturbed(watching):
    person = watching("/models")
    person.page.get_by_label("Name", exact=True).type("chu")

    looks_again(person)

    expect(person.page.get_by_label("Name", exact=True)).to_be_focused()
    expect(person.page.get_by_label("Name", exact=True)).to_have_value("chu")


def test_a_page_that_is_paused_asks_no_more_until_it_may(watching):
    person = watching("/")
    asked = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.press("Pause")

    person.page.clock.fast_forward(60_000)
    person.page.evaluate("() => fetch('/static/page.css')")
    assert [] == [url for url in asked if "/static/" not in url]

    person.press("Paused: go on")
    looks_again(person)


def test_an_ended_run_is_not_asked_for_again(watching, world):
    world.ended("broken.r1")
    person = watching("/runs/broken.r1")
    asked = []
    person.page.on("request", lambda request: asked.append(request.url))

    person.page.clock.fast_forward(60_000)
    person.page.evaluate("() => fetch('/static/page.css')")

    assert [] == [url for url in asked if "/static/" not in url]


def test_a_session_that_ended_leads_to_the_sign_in_form(watching):
    person = watching("/")
    person.context.clear_cookies()
    person.expect(401)
    person.page.clock.fast_forward(60_000)
    expect(person.page.get_by_label("API key")).to_be_visible()


AWAY = {
    "an error": lambda route: route.fulfill(status=503, body="away"),
    "no connection": lambda route: route.abort("connectionrefused"),
}


@pytest.mark.parametrize("trouble", AWAY)
def test_the_page_stays_and_says_so_when_the_app_is_away(watching, trouble):
    person = watching("/")
    person.expect(503)
    told = person.page.get_by_text("The app does not answer")
    expect(told).to_be_hidden()
    person.page.route("**/", AWAY[trouble])

    person.page.clock.fast_forward(60_000)

    expect(told).to_be_visible()
    expect(person.page.get_by_role("heading", name="Overview")).to_be_visible()
    person.page.unroute("**/")
    looks_again(person)
    expect(told).to_be_hidden()
    assert person.page.evaluate(REMAINS)
    noise = ("ERR_CONNECTION_REFUSED", "Failed to fetch")  # Chromium's and htmx's own words for it
    person.faults[:] = [
        fault for fault in person.faults if not any(words in fault for words in noise)
    ]
