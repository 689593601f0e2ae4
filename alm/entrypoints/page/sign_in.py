"""Signing in with an API key, and out again."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import parse_qsl

from alm.bootstrap import App
from alm.entrypoints.access import Forbidden
from alm.entrypoints.api.calls import Call
from alm.entrypoints.page import rendering, session
from alm.entrypoints.page.answers import Answer, redirect

FORM_BYTES_MAX = 64 << 10
PATH = "/sign-in"
_OURS = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f]{0,1000}")


def answer(app: App, call: Call, now: datetime) -> Answer:
    """The sign-in form, or a session for whoever sends a key that is one of the app's."""
    if call.method == "GET":
        return form(app, call.query.get("next", "/"))
    sent = read_form(call.body)
    why = session.distrust(call.headers)
    if why:
        return form(app, "/", why=f"{why}; type the key on this page", status=403)
    cookie = session.begin(sent.get("key", "").strip(), app.settings, now, app.ports.new_id())
    place = ours(sent.get("next", "/"))
    if cookie is None:
        refused = (
            "that key is none of the app's. Check that all of it was copied; the digests of the "
            "keys are in the setting ALM_API_KEYS"
        )
        return form(app, place, why=refused, status=401)
    return redirect(place).with_headers(Set_Cookie=cookie)


def wanted(app: App, call: Call, place: str, found: Forbidden) -> Answer:
    """Ask whoever was not recognised to sign in; a part of a page leads the whole page there."""
    why = "" if found.why.startswith("nobody") else found.why
    shown = form(app, place, why=why, status=found.status)
    return shown.with_headers(HX_Redirect=PATH) if "hx-request" in call.headers else shown


def form(app: App, place: str, *, why: str = "", status: int = 200) -> Answer:
    view = {
        "place": ours(place),
        "why": why,
        "takes_keys": bool(app.settings.api_keys),
        "platform": app.settings.trusts_platform,
    }
    return rendering.bare("sign_in.html", "Sign in", status=status, **view)


def ours(place: str) -> str:
    """A place on this site; the first screen where it is anything else."""
    return place if _OURS.fullmatch(place) else "/"


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form; of one that is there twice, the first. What is no text is lost."""
    if len(body) > FORM_BYTES_MAX:
        return {}
    found: dict[str, str] = {}
    for name, value in parse_qsl(body.decode(errors="replace"), keep_blank_values=True):
        found.setdefault(name, value)
    return found
