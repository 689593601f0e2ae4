"""Names and texts of strangers: shown as text, wherever they come from, and nothing of them runs.

`people` fails on dialogs, on exceptions, and on whatever the page's policy had to block.
"""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.crowd import PICTURE, SCRIPT
from tests.browser.world import HOSTILE_NAME, HOSTILE_TEXT

PLANTED = "() => document.querySelectorAll('main script, main img, main svg[onload]').length"


def test_what_came_with_a_blob_or_a_message_is_text(people, app, world):
    items = world.items(4)
    reasons = " ".join(item["reason"] for item in items)
    assert HOSTILE_NAME in reasons
    assert HOSTILE_TEXT in reasons
    person = people(app, "reader")

    person.open("/inbox")
    for text in (HOSTILE_NAME, HOSTILE_TEXT):
        expect(person.page.get_by_text(text).first).to_be_visible()
        assert 0 == person.page.evaluate(PLANTED)
    person.page.get_by_role("link", name=HOSTILE_TEXT).first.click()
    expect(person.page.locator("pre")).to_contain_text(HOSTILE_TEXT)
    assert 0 == person.page.evaluate(PLANTED)


def test_what_a_run_tells_is_text(people, crowd):
    person = people(crowd, "reader")

    person.open("/runs/churn.r7")

    expect(person.page.locator(".reason")).to_contain_text(SCRIPT)
    for text in (SCRIPT, PICTURE):
        assert text in person.main()
    assert 0 == person.page.evaluate(PLANTED)


def test_what_is_typed_into_a_filter_or_an_address_is_text(people, crowd):
    person = people(crowd, "reader")
    person.open("/models")

    person.page.get_by_label("Name", exact=True).fill(f'"><{SCRIPT}')
    person.press("Filter")
    expect(person.page.get_by_label("Name", exact=True)).to_have_value(f'"><{SCRIPT}')
    person.expect(404)
    person.open(f"/models/{SCRIPT}")
    assert 0 == person.page.evaluate(PLANTED)


def test_a_script_that_gets_into_the_page_is_blocked(people, crowd):
    person = people(crowd, "reader")
    person.open("/")

    person.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
        }"""
    )

    assert person.page.evaluate("() => window.ran === undefined")
    assert ["Content Security Policy" in fault for fault in person.faults] == [True]
    person.faults.clear()
