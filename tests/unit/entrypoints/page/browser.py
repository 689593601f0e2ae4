"""A browser without a screen: it keeps cookies, follows forms and reads what a page shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

from alm.entrypoints import page
from alm.entrypoints.api.calls import Call
from alm.entrypoints.page.answers import Answer
from tests.unit.entrypoints.app_world import KEYS, AppWorld

SAME_SITE = {"sec-fetch-site": "same-origin", "origin": "https://alm.example"}


@dataclass
class Form:
    """A form of a page: where it is sent, how, and with which fields."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    """An answer as a browser has it."""

    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def html(self) -> str:
        text = self.answer.text
        return text if isinstance(text, str) else text.decode()

    @property
    def text(self) -> str:
        """What there is to read, without marks and repeated spaces."""
        bare = re.sub(r"<(script|style)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())

    @property
    def links(self) -> list[str]:
        return [unescape(found) for found in re.findall(r'<a [^>]*href="([^"]*)"', self.html)]

    @property
    def forms(self) -> list[Form]:
        reader = _Forms()
        reader.feed(self.html)
        return reader.forms

    def form(self, action: str) -> Form:
        return next(form for form in self.forms if form.action == action)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")


class Browser:
    """Somebody at the page of a world; signed in with the key of a role, if one is named."""

    def __init__(self, world: AppWorld, role: str = "") -> None:
        self.world = world
        self.cookies: dict[str, str] = {}
        if role:
            self.sign_in(KEYS[role])

    def sign_in(self, key: str, **more: str) -> Seen:
        return self.post("/sign-in", {"key": key, **more})

    def get(self, place: str, headers: Mapping[str, str] | None = None) -> Seen:
        return self._call("GET", place, b"", headers or {})

    def post(
        self, place: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Seen:
        body = urlencode(fields).encode()
        return self._call("POST", place, body, SAME_SITE if headers is None else headers)

    def send(self, form: Form, **changes: str) -> Seen:
        return self.post(form.action, {**form.fields, **changes})

    def follow(self, seen: Seen) -> Seen:
        return self.get(seen.answer.headers["Location"])

    def _call(self, method: str, place: str, body: bytes, headers: Mapping[str, str]) -> Seen:
        url = urlsplit(place)
        given = {"host": "alm.example", **headers}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        query = dict(parse_qsl(url.query))
        answer = page.respond(self.world.app, Call(method, url.path.strip("/"), given, query, body))
        set_cookie = answer.headers.get("Set-Cookie", "")
        if set_cookie:
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Seen(answer)
