"""Signing in and out, sessions, and forms of other sites."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from alm.entrypoints import access, page
from alm.entrypoints.api.calls import Call
from alm.entrypoints.page import routing
from alm.entrypoints.page.session import LIFE
from alm.settings import Settings
from tests.unit.entrypoints.app_world import KEYS, AppWorld, principal
from tests.unit.entrypoints.page.browser import SAME_SITE, Browser, Seen

PLACES = {
    "{model}": "churn",
    "{run}": "churn.r7",
    "{piece}": "verdict",
    "{item}": "x",
    "{workspace}": "a" * 32,
    "{experiment}": "x",
}
TRUSTED = {
    "ALM_PLATFORM_AUTH": True,
    "WEBSITE_AUTH_ENABLED": True,
    "ALM_ROLE_MEMBERS": {"operator": ["group-1"]},
}


def addresses() -> list[str]:
    found = []
    for route in routing.ROUTES:
        path = "/" + route.path
        for name, value in PLACES.items():
            path = path.replace(name, value)
        found.append(path)
    return found


@pytest.mark.parametrize("place", addresses())
def test_every_page_needs_a_role(world: AppWorld, place: str):
    for seen in (Browser(world).get(place), Browser(world).post(place, {"token": "x"})):
        assert seen.status == 401
        assert "API key" in seen.text
        assert "churn" not in seen.text.replace("/churn", "")


def test_a_key_begins_a_session_that_leads_on(world: AppWorld):
    browser = Browser(world)
    asked = browser.get("/models?q=churn")
    form = asked.form("/sign-in")
    assert form.fields["next"] == "/models?q=churn"

    seen = browser.send(form, key=KEYS["operator"])

    assert (seen.status, seen.answer.headers["Location"]) == (303, "/models?q=churn")
    assert "key:operator" in browser.follow(seen).text


def test_the_cookie_is_not_the_key_and_scripts_cannot_read_it(world: AppWorld):
    seen = Browser(world).sign_in(KEYS["operator"])
    cookie = seen.answer.headers["Set-Cookie"]
    assert KEYS["operator"] not in cookie
    assert access.hashed(KEYS["operator"]) not in cookie
    assert cookie.endswith("; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict")


def test_in_azure_the_cookie_travels_over_tls_only(tmp_path):
    world = AppWorld(tmp_path / "models")
    given = {
        "ALM_STORAGE__blobServiceUri": "https://s.blob.core.windows.net",
        "ALM_SERVICEBUS__fullyQualifiedNamespace": "ns.servicebus.windows.net",
        "ALM_API_KEYS": {role: access.hashed(key) for role, key in KEYS.items()},
    }
    world.settings = Settings.model_validate(given)
    world.restarted()
    cookie = Browser(world).sign_in(KEYS["reader"]).answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-alm-session=")
    assert cookie.endswith("; Secure")


def test_a_wrong_key_is_refused_with_what_to_do(world: AppWorld):
    browser = Browser(world)
    seen = browser.sign_in("guessed")
    assert seen.status == 401
    assert "none of the app's" in seen.text
    assert browser.cookies == {}


@pytest.mark.parametrize(
    "place", ["//evil.example/", "/\\evil.example", "https://evil.example", "", "/a\nb"]
)
def test_signing_in_leads_nowhere_else(world: AppWorld, place: str):
    seen = Browser(world).sign_in(KEYS["reader"], next=place)
    assert seen.answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("place", "there"),
    [
        ("/models/größe", "/models/gr%C3%B6%C3%9Fe"),
        ("/models?q=%C3%B6&a=b+c", "/models?q=%C3%B6&a=b+c"),
        ('/x\x7f"<', "/x%7F%22%3C"),
    ],
)
def test_where_signing_in_leads_fits_into_a_header(world: AppWorld, place: str, there: str):
    seen = Browser(world).sign_in(KEYS["reader"], next=place)
    assert seen.answer.headers["Location"] == there


def test_a_session_ends_after_twelve_hours(world: AppWorld):
    browser = Browser(world, "reader")
    world.clock.at += LIFE - timedelta(seconds=1)
    assert browser.get("/").status == 200
    world.clock.at += timedelta(seconds=1)
    assert browser.get("/").status == 401


def test_changing_a_key_ends_its_sessions_and_no_other(world: AppWorld):
    reader, operator = Browser(world, "reader"), Browser(world, "operator")
    keys = {**world.settings.api_keys, "reader": access.hashed("another")}
    world.settings = world.settings.model_copy(update={"api_keys": keys})
    world.restarted()
    assert (reader.get("/").status, operator.get("/").status) == (401, 200)


def test_a_session_that_was_tampered_with_is_none(world: AppWorld):
    browser = Browser(world, "reader")
    value = browser.cookies["alm-session"]
    for forged in (
        value.replace(".reader.", ".operator."),
        re.sub(r"\.\d+\.", ".99999999999.", value),
        value[:-1] + ("A" if value[-1] != "A" else "B"),
        value.rpartition(".")[0],
        value + ".x",
        "1.nobody.99999999999.abc." + "A" * 43,
    ):
        browser.cookies["alm-session"] = forged
        assert browser.get("/").status == 401, forged


def test_signing_out_takes_the_cookie_back(world: AppWorld):
    browser = Browser(world, "reader")
    seen = browser.send(browser.get("/").form("/sign-out"))
    assert seen.status == 303
    assert "Max-Age=0" in seen.answer.headers["Set-Cookie"]
    assert browser.get("/").status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(world: AppWorld, headers):
    browser = Browser(world, "reader")
    fields = browser.get("/").form("/sign-out").fields
    assert browser.post("/sign-out", fields, headers).status == 403
    assert Browser(world).post("/sign-in", {"key": KEYS["reader"]}, headers).status == 403
    assert browser.get("/").status == 200


@pytest.mark.parametrize("headers", [SAME_SITE, {}, {"origin": "https://alm.example"}])
def test_a_form_without_the_token_of_its_session_is_refused(world: AppWorld, headers):
    browser, other = Browser(world, "reader"), Browser(world, "reader")
    theirs = other.get("/").form("/sign-out").fields["token"]
    for fields in (
        {},
        {"token": ""},
        {"token": theirs},
        {"token": "ü\ud800".encode(errors="replace").decode()},
    ):
        seen = browser.post("/sign-out", fields, headers)
        assert (seen.status, "not of this session" in seen.text) == (403, True)
    own = browser.get("/").form("/sign-out").fields
    assert browser.post("/sign-out", own, headers).status == 303


def test_who_the_platform_knows_needs_no_key(tmp_path):
    world = AppWorld(tmp_path / "models", **TRUSTED)
    browser = Browser(world)
    header = {"x-ms-client-principal": principal(("groups", "group-1"), ("name", "Ann"))}
    seen = browser.get("/", header)
    assert (seen.status, "Ann" in seen.text, "operator" in seen.text) == (200, True, True)
    assert set(browser.cookies) == {"alm-form"}

    fields = browser.get("/", header).form("/sign-out").fields
    assert browser.post("/sign-out", fields, {**SAME_SITE, **header}).status == 303
    stranger = Browser(world)
    stranger.get("/", header)
    assert stranger.post("/sign-out", fields, {**SAME_SITE, **header}).status == 403


def test_who_the_platform_knows_can_sign_out_there_too(tmp_path):
    world = AppWorld(tmp_path / "models", **TRUSTED)
    assert "/.auth/logout?post_logout_redirect_uri=/sign-in" in Browser(world).get("/sign-in").links


def test_nobody_is_called_like_a_key(tmp_path):
    world = AppWorld(tmp_path / "models", **TRUSTED)
    header = {"x-ms-client-principal": principal(("groups", "group-1"), ("name", "key:approver"))}
    found = access.authorise(header, "reader", changes=False, settings=world.settings)
    assert isinstance(found, access.Caller)
    assert found.name == "user key:approver"


def test_who_the_platform_knows_without_a_role_is_told_what_to_do(tmp_path):
    world = AppWorld(tmp_path / "models", **TRUSTED)
    seen = Browser(world).get("/", {"x-ms-client-principal": principal(("name", "Bob"))})
    assert (seen.status, "ALM_ROLE_MEMBERS" in seen.text) == (401, True)


def test_the_platforms_header_alone_opens_nothing(world: AppWorld):
    header = {"x-ms-client-principal": principal(("groups", "group-1"))}
    assert Browser(world).get("/", header).status == 401


def test_an_app_without_any_way_in_says_so(tmp_path):
    world = AppWorld(tmp_path / "models", ALM_API_KEYS={})
    seen = Browser(world).get("/")
    assert (seen.status, "no way in" in seen.text) == (401, True)


def test_a_wrong_key_in_a_header_is_refused_in_a_session_too(world: AppWorld):
    browser = Browser(world, "reader")
    assert browser.get("/", {"x-alm-key": "guessed"}).status == 401


def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in(world: AppWorld):
    seen = Browser(world).get("/", {"hx-request": "true"})
    assert (seen.status, seen.answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_every_answer_says_what_a_browser_may_do_with_it(world: AppWorld):
    browser = Browser(world, "reader")
    for seen in (browser.get("/"), browser.get("/nowhere"), Browser(world).get("/")):
        headers = seen.answer.headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<style|<script(?![^>]* src=)| style=| on[a-z]+=", seen.html)


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon.svg"])
def test_the_stylesheet_is_there_without_a_role(world: AppWorld, name):
    seen = Browser(world).get(f"/static/{name}?v=1")
    assert seen.status == 200
    assert "immutable" in seen.answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["../__init__.py", "..%2f__init__.py", "layout.html", "x"])
def test_nothing_else_is(world: AppWorld, name):
    assert Browser(world).get(f"/static/{name}").status == 404


def test_if_the_app_fails_its_log_is_named_and_nothing_told():
    seen = Seen(page.failed(Call("GET", ""), RuntimeError("secret")))
    assert seen.status == 500
    assert re.search("log tells more under urn:uuid:[0-9a-f-]{36}", seen.text)
    assert "secret" not in seen.text


def test_a_method_or_a_place_that_means_nothing_is_told(world: AppWorld):
    browser = Browser(world, "reader")
    assert browser.get("/nowhere").status == 404
    assert browser.get("/runs/~***").status == 400
    assert browser.post("/models", {"token": "x"}).status == 405
