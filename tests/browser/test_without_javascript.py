"""The page in a browser that runs no script: everything can be seen and ordered."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.places import addresses


def test_every_page_is_complete(people, app, world):
    person = people(app, java_script_enabled=False)
    person.sign_in("operator")
    other = people(app, java_script_enabled=False)
    other.sign_in("approver")
    person.expect(404)

    for role, path in addresses(world):
        at = other if role == "approver" else person
        at.open(path)
        expect(at.page.locator("h1")).to_be_visible()
        assert "looks again" not in at.main()
        assert not at.page.get_by_role("button", name="Pause").is_visible()


def test_a_model_is_found_started_and_seen_to_end(people, app, world):
    person = people(app, java_script_enabled=False)
    person.sign_in("operator")

    person.page.get_by_label("Find a managed model").fill("scriptless")
    person.page.keyboard.press("Enter")
    person.follow("scriptless", exact=True)
    person.follow("Verify…")
    person.press("Verify it")

    expect(person.page.get_by_role("status")).to_contain_text("on its way")
    world.ended("scriptless.r1")
    person.page.reload()
    person.follow("scriptless.r1", exact=True)
    expect(person.page.locator("#standing")).to_contain_text("verify")


def test_who_is_done_signs_out(people, app):
    person = people(app, java_script_enabled=False)
    person.sign_in("reader")
    person.page.locator("details.who summary").click()
    person.expect(401)
    person.press("Sign out")
    expect(person.page.get_by_label("API key")).to_be_visible()
