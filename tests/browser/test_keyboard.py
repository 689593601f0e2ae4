"""The page without a mouse: Tab reaches everything and shows where it is, Enter does it."""

from __future__ import annotations

from playwright.sync_api import expect

FOCUSED = """() => {
    const at = document.activeElement;
    const style = getComputedStyle(at), box = at.getBoundingClientRect();
    const name = at.getAttribute("aria-label") || at.innerText || at.labels?.[0]?.innerText;
    return {
        name: (name || "").trim(),
        tag: at.tagName,
        outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        seen: box.width > 1 && box.height > 1 && box.right > 0 && box.left < innerWidth,
    };
}"""
STOPS_MAX = 60


def stops(person, until):
    """Where Tab leads, from where the focus is, until a stop of that name."""
    found = []
    for _ in range(STOPS_MAX):
        person.page.keyboard.press("Tab")
        found.append(person.page.evaluate(FOCUSED))
        if found[-1]["name"] == until:
            return found
    raise AssertionError(f"no stop {until!r} among {[stop['name'] for stop in found]}")


def test_the_first_stop_skips_to_the_content(people, app):
    person = people(app, "operator")
    person.open("/models")

    (skip,) = stops(person, "Skip to the content")
    assert skip["seen"]
    person.page.keyboard.press("Enter")

    expect(person.page.locator("#main")).to_be_focused()
    assert "Name" in stops(person, "Filter")[0]["name"]


def test_every_stop_is_seen_and_in_the_order_of_reading(people, app):
    person = people(app, "operator")
    person.open("/models/idle")

    found = stops(person, "Verify…")

    assert [] == [stop for stop in found if not stop["seen"] or stop["outline"] < 2]
    names = [stop["name"] for stop in found]
    sections = ["ALM", "Overview", "Models", "Runs", "Inbox", "Schedule", "Studio"]
    assert ["Skip to the content", *sections] == names[:8]
    assert names.index("Studio") < names.index("Start a run…") < names.index("Verify…")


def test_an_order_is_given_with_the_keyboard_alone(people, app, world):
    person = people(app)
    person.open("/sign-in")
    person.page.keyboard.type(app.keys["operator"])
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("heading", name="Overview")).to_be_visible()

    person.page.keyboard.press("/")
    person.page.keyboard.type("keyed")
    person.page.keyboard.press("Enter")
    expect(person.page).to_have_url(f"{app.url}/models?q=keyed")
    stops(person, "keyed")
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("heading", level=1, name="keyed")).to_be_visible()
    stops(person, "Verify…")
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("heading", name="Verify keyed?")).to_be_visible()
    stops(person, "Verify it")
    person.page.keyboard.press("Enter")

    expect(person.page.get_by_role("status")).to_contain_text("on its way")
    assert "verify" == world.ended("keyed.r1")["pipeline"]


def test_who_is_signed_in_opens_and_signs_out_by_keyboard(people, app):
    person = people(app)
    person.sign_in("reader")
    person.page.locator("details.who summary").focus()
    person.page.keyboard.press("Enter")
    stops(person, "Sign out")
    person.expect(401)
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_label("API key")).to_be_focused()


def test_a_wide_table_is_scrolled_with_the_arrow_keys(people, app, world):
    world.ended("churn.r1")
    person = people(app, "operator", viewport={"width": 760, "height": 800})
    person.open("/models/churn")
    table = person.page.get_by_role("region", name="Table of versions")

    table.focus()
    person.page.keyboard.press("ArrowRight")

    person.page.wait_for_function("() => document.querySelector('.scroll').scrollLeft > 0")
