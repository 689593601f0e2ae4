"""Orders given in the browser: each is asked again, named, given once, and seen to happen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from alm.entrypoints.api.calls import encoded

SEND_TWICE = """() => {
    const form = document.querySelector("main form");
    const body = new URLSearchParams(new FormData(form));
    const sent = [1, 2].map(() => fetch(form.action, {method: "POST", body}));
    return Promise.all(sent).then(answers => answers.map(answer => answer.status));
}"""


def test_a_held_run_is_approved_and_goes_on_to_its_end(people, app, world):
    digest = world.held("approved.r1")
    person = people(app, "approver")
    person.open("/")
    person.follow("approved.r1", exact=True)
    expect(person.page.get_by_role("heading", name="Waits for a decision")).to_be_visible()

    person.follow("Approve…")
    expect(person.page.get_by_role("heading", name="Approve run approved.r1?")).to_be_visible()
    assert digest in person.main()
    person.press("Approve")

    expect(person.page.get_by_role("status")).to_contain_text("approval is on its way")
    assert "ok" == world.ended("approved.r1")["result"]
    person.page.reload()
    expect(person.page.locator("#standing")).to_contain_text("ok")


def test_a_held_run_is_refused_and_ends(people, app, world):
    world.held("refused.r1")
    person = people(app, "approver")
    person.open("/runs/refused.r1")

    person.follow("Refuse…")
    expect(person.page.get_by_role("heading", name="Refuse run refused.r1?")).to_be_visible()
    person.press("Refuse")

    expect(person.page.get_by_role("status")).to_contain_text("refusal is on its way")
    assert "refused" == world.ended("refused.r1")["result"]


def test_who_thinks_better_of_it_goes_back_and_nothing_happens(people, app, world):
    person = people(app, "operator")
    person.open("/models/idle")
    person.follow("Start a run…")
    expect(person.page.get_by_role("heading", name="Start a run of idle?")).to_be_visible()

    person.follow("No, go back")

    expect(person.page).to_have_url(f"{app.url}/models/idle")
    assert 0 == world.operator.get("models/idle")["ledger"]["runs"]


def test_a_form_that_is_sent_twice_is_one_order(people, app, world):
    world.upload("twice")
    world.ended("twice.r1")
    person = people(app, "operator")
    person.open("/models/twice/verify")
    expect(person.page.get_by_role("heading", name="Verify twice?")).to_be_visible()

    assert [200, 200] == person.page.evaluate(SEND_TWICE)
    person.press("Verify it")

    expect(person.page.get_by_role("status")).to_contain_text("on its way")
    assert "verified" == world.ended("twice.r2")["result"]
    ledger = world.operator.get("models/twice")["ledger"]
    assert (2, None, []) == (ledger["runs"], ledger["active"], ledger["waiting"])


def test_a_model_is_rolled_back_to_what_was_there(people, app, world):
    world.ended("churn.r1")
    person = people(app, "operator")
    person.open("/models/churn")

    person.page.locator('a[href$="rollback?version=v0"]').first.click()
    expect(person.page.get_by_role("heading", name="Roll churn back to v0?")).to_be_visible()
    assert "In service now: v1" in person.main()
    person.press("Roll back")

    expect(person.page.get_by_role("status")).to_contain_text("on its way")
    record = world.ended("churn.r2")
    assert ("ok", "roll_back") == (record["result"], record["pipeline"])


@pytest.mark.parametrize("does", ["redrive", "discard"])
def test_an_item_leaves_the_inbox(people, app, world, does):
    item = next(each for each in world.items(3) if each["queue"] == "alm-requests")
    person = people(app, "operator")
    person.open("/inbox")
    person.page.locator(f'a[href="/inbox/{encoded(item["id"])}"]').click()
    expect(person.page.get_by_role("heading", name="Why it is here")).to_be_visible()

    person.follow("Send again…" if does == "redrive" else "Discard…")
    assert item["id"] in person.page.get_by_role("heading", level=1).inner_text()
    person.press("Send it again" if does == "redrive" else "Discard it")

    expect(person.page.get_by_role("status")).to_contain_text("out of the inbox")
    if does == "discard":
        assert item["id"] not in {each["id"] for each in world.operator.get("inbox")}


def test_evidence_is_downloaded_as_a_file(people, app, world):
    world.ended("churn.r1")
    person = people(app, "reader")
    person.open("/runs/churn.r1")

    with person.page.expect_download() as waiting:
        person.follow("Verdict")

    assert "churn.r1-verdict.json" == waiting.value.suggested_filename
    assert '"verdict"' in waiting.value.path().read_text()


@pytest.mark.parametrize(
    ("run", "why"),
    [("broken.r1", "column 'target' is not in the dataset"), ("worn.r1", "clear-cut-patient")],
)
@pytest.mark.parametrize("height", [800, 740])
def test_why_a_run_failed_stands_on_the_first_screen(people, app, world, run, why, height):
    world.ended(run)
    person = people(app, "reader", viewport={"width": 1280 if height == 800 else 375,
                                             "height": height})  # fmt: skip
    person.open(f"/runs/{run}")

    for told in (person.page.locator(".reason"), person.page.get_by_text("What to do:")):
        expect(told).to_be_visible()
        box = told.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
    assert why in person.page.locator(".reason").inner_text()
