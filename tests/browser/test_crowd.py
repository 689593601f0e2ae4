"""Ten thousand managed models: found, filtered and paged, all of it in the address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.crowd import COUNT, EVERY_FAILED, EVERY_HELD, EVERY_UNKNOWN, SHOPS, name

ROWS = "table.cards tbody tr"


def names(person):
    return person.page.locator("table.cards tbody th a").all_inner_texts()


def test_the_first_screen_counts_them_and_shows_few(people, crowd):
    person = people(crowd, "reader")
    person.open("/")

    expect(person.page.get_by_role("link", name=f"{COUNT:,} managed models")).to_be_visible()
    expect(person.page.get_by_role("row", name=re.compile(f"shops.*{SHOPS:,}"))).to_be_visible()
    held = COUNT // EVERY_HELD
    tile = person.page.locator(".tiles li", has_text="held")
    assert str(held) == tile.locator("strong").inner_text()
    assert person.page.locator("#live a").count() < 150


def test_who_looks_for_one_finds_it(people, crowd):
    person = people(crowd, "reader")
    person.open("/")

    person.page.get_by_label("Find a managed model").fill("S04711")
    person.page.keyboard.press("Enter")

    expect(person.page).to_have_url(f"{crowd.url}/models?q=S04711")
    assert ["shops--s04711"] == names(person)


def test_filters_stand_in_the_address_and_survive_a_reload(people, crowd):
    person = people(crowd, "reader")
    person.open("/models")

    person.page.get_by_role("combobox", name="State").select_option("held")
    person.page.get_by_role("combobox", name="Family").select_option("shops")
    person.press("Filter")
    expect(person.page).to_have_url(re.compile(r"state=held"))
    before = names(person)
    assert [name(number) for number in range(0, SHOPS, EVERY_HELD)] == before

    person.page.reload()

    assert before == names(person)
    expect(person.page.get_by_role("combobox", name="State")).to_have_value("held")
    expect(person.page.get_by_role("combobox", name="Family")).to_have_value("shops")
    person.follow("Clear")
    expect(person.page).to_have_url(f"{crowd.url}/models")


def test_what_wants_somebody_is_one_click_away(people, crowd):
    person = people(crowd, "reader")
    person.open("/")

    person.follow("All ")

    troubled = {
        name(number)
        for number in range(COUNT)
        if number % EVERY_FAILED == 1 or number % EVERY_UNKNOWN == 2 or number % EVERY_HELD == 0
    }
    expect(person.page.locator("main")).to_contain_text(f"of {len(troubled)} managed models")
    assert set(names(person)) <= troubled


def test_pages_follow_one_another_and_lead_back(people, crowd):
    person = people(crowd, "reader")
    person.open("/models?family=shops")
    first = names(person)

    person.follow("Next ›")
    expect(person.page).to_have_url(re.compile("after="))
    second = names(person)
    assert [name(number) for number in range(50)] == first
    assert [name(number) for number in range(50, 100)] == second
    person.page.reload()
    assert second == names(person)
    person.follow("‹ Previous")
    expect(person.page.locator(ROWS).first).to_contain_text(first[0])


@pytest.mark.parametrize("path", ["/", "/models", "/models?attention=yes"])
def test_a_page_stays_small(people, crowd, path):
    person = people(crowd, "reader")
    answer = person.open(path)
    assert len(answer.body()) < 60_000
