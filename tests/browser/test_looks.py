"""Every page, light and dark, wide and on a phone: no violation that axe finds, nothing cut off."""

from __future__ import annotations

import re

import pytest

from tests.browser import axe
from tests.browser.person import PHONE, WIDE, Person
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
    people = {role: Person(chromium, app) for role in ("operator", "approver")}
    wrong = {}
    for role, person in people.items():
        person.sign_in(role)
        person.expect(404)
    for role, path in addresses(world):
        people[role].open(path)
        settle(people[role])
        for scheme, size in LOOKS:
            people[role].page.emulate_media(color_scheme=scheme)
            people[role].page.set_viewport_size(size)
            wrong[path, scheme, size["width"]] = look(people[role].page, scheme)
    assert [] == [fault for person in people.values() for fault in person.leave()]
    return wrong


def look(page, scheme):
    """What is wrong now. Only what has to do with colours is looked at again in the dark."""
    colours = [] if scheme == "light" else axe.COLOURS
    wider = [f"wider than the screen: {each}" for each in page.evaluate(WIDER)]
    return [*axe.violations(page, colours), *wider]


def test_nothing_is_wrong_with_any_page_in_any_look(found):
    assert {} == {place: wrong for place, wrong in found.items() if wrong}
    assert len(found) >= 20 * len(LOOKS)


def test_axe_sees_what_is_wrong(people, crowd):
    person = people(crowd, "reader")
    person.open("/models")
    person.page.evaluate(
        """() => {
            const text = document.createElement("p");
            text.textContent = "hardly to be read";
            text.style.color = "#bbb";
            const picture = document.createElement("img");
            document.querySelector("main").append(text, picture);
        }"""
    )

    rules = {each.partition(" ")[0] for each in axe.violations(person.page)}

    assert {"color-contrast", "image-alt"} <= rules


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_bright_as_the_system_wants_it(people, crowd, scheme):
    person = people(crowd, color_scheme=scheme)
    person.open("/sign-in")

    ground = person.page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    brightness = sum(int(part) for part in re.findall(r"\d+", ground)[:3]) / 3
    assert brightness > 200 if scheme == "light" else brightness < 60


def test_nothing_moves_for_who_wants_no_motion(people, crowd):
    person = people(crowd, "reader", reduced_motion="reduce")
    person.open("/")

    moving = person.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(each => {
            const style = getComputedStyle(each);
            return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0
                || style.scrollBehavior === "smooth";
        }).length"""
    )

    assert 0 == moving


def test_a_state_is_told_by_words_and_a_symbol_beside_its_colour(people, app, world):
    world.ended("worn.r1")
    person = people(app, "reader")
    for path in ("/", "/models", "/runs", "/runs/worn.r1"):
        person.open(path)
        badges = person.page.locator(".badge")
        assert badges.count()
        for text in badges.all_inner_texts():
            symbol, _, words = text.strip().partition(" ")
            assert not symbol.isalnum(), text
            assert words.strip(), text
