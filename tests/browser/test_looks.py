"""Every page, light and dark, wide and on a phone: no violation that axe finds, nothing cut off."""

from __future__ import annotations

import pytest

from tests.browser import axe
from tests.browser.person import PHONE, WIDE
from tests.browser.places import addresses, settle

LOOKS = [(scheme, size) for scheme in ("light", "dark") for size in (WIDE, PHONE)]
WIDER = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll('body *')]
        .filter(each => each.getBoundingClientRect().right > wide + 1)
        .slice(0, 5).map(each => each.outerHTML.slice(0, 120));
}"""


@pytest.fixture(scope="module")
def found(chromium, app, world):
    """What is wrong, by address and look: each page is loaded once and looked at in every way."""
    from tests.browser.person import Person

    person = Person(chromium, app)
    person.sign_in("approver")
    wrong = {}
    for status in (404, 409):
        person.expect(status)
    for path in addresses(world):
        person.open(path)
        settle(person)
        for scheme, size in LOOKS:
            person.page.emulate_media(color_scheme=scheme)
            person.page.set_viewport_size(size)
            wrong[path, scheme, size["width"]] = look(person.page)
    assert [] == person.leave()
    return wrong


def look(page):
    wider = [f"wider than the screen: {each}" for each in page.evaluate(WIDER)]
    return [*axe.violations(page), *wider]


def test_nothing_is_wrong_with_any_page_in_any_look(found):
    assert {} == {place: wrong for place, wrong in found.items() if wrong}
    assert len(found) >= 20 * len(LOOKS)
