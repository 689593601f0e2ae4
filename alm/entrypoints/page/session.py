"""Sessions without a store: a signed cookie says which key was shown, and until when it counts.

The signature is keyed by that key's configured digest, so removing or changing a key ends its
sessions. Forms carry a token that only who holds the visitor's cookie can have been given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from alm.entrypoints import access
from alm.entrypoints.access import Caller, Forbidden
from alm.settings import Settings

LIFE = timedelta(hours=12)
_SESSION = re.compile(r"(?P<facts>1\.(?P<role>[a-z]+)\.(?P<until>\d{1,12})\.[A-Za-z0-9_-]{3,64})"
                      r"\.(?P<mac>[A-Za-z0-9_-]{43})")  # fmt: skip
_NONCE = re.compile(r"[A-Za-z0-9_-]{3,64}")


@dataclass(frozen=True)
class Visitor:
    """Somebody who was recognised. secret: binds forms to their browser; cookie: to be set."""

    caller: Caller
    secret: str
    cookie: str = ""


def visitor(
    headers: Mapping[str, str], settings: Settings, now: datetime, nonce: str
) -> Visitor | Forbidden:
    """Recognise who asks: by the platform's sign-in or an API key, else by a session's cookie."""
    found = access.authorise(headers, "reader", changes=False, settings=settings)
    sent = cookies(headers)
    if isinstance(found, Caller):
        secret = sent.get(_name("form", settings), "")
        if _NONCE.fullmatch(secret):
            return Visitor(found, secret)
        return Visitor(found, nonce, _cookie("form", nonce, LIFE, settings))
    if headers.get(access.KEY_HEADER):
        return found  # a wrong key is refused, whoever else is known
    value = sent.get(_name("session", settings), "")
    holder = _holder(value, settings, now)
    return Visitor(holder, value) if holder else found


def begin(key: str, settings: Settings, now: datetime, nonce: str) -> str | None:
    """The cookie of a session for whoever shows this key; None: the key is none of the app's."""
    caller = access.by_key(key, settings)
    if caller is None:
        return None
    role = caller.name.removeprefix(access.KEYS_NAME)
    facts = f"1.{role}.{int((now + LIFE).timestamp())}.{nonce}"
    mac = _mac(settings.api_keys[role], "session", facts)
    return _cookie("session", f"{facts}.{mac}", LIFE, settings)


def ended(settings: Settings) -> str:
    """The cookie that takes a session back."""
    return _cookie("session", "", timedelta(0), settings)


def token(visitor: Visitor) -> str:
    """What forms carry, to be compared when they come back."""
    return _mac(visitor.secret, "form", visitor.caller.name)


def distrust(headers: Mapping[str, str]) -> str:
    """Why a form does not come from our own page, as far as the browser says; "" if it may."""
    site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
    if site:
        return "" if site == "same-origin" else f"the form was sent from elsewhere ({site[:20]})"
    if origin and urlsplit(origin).netloc != headers.get("host", ""):
        return "the form was sent from another site"
    return ""


def cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """The cookies of a request; of one that is there twice, the first."""
    found: dict[str, str] = {}
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        found.setdefault(name, value)
    return found


def _holder(value: str, settings: Settings, now: datetime) -> Caller | None:
    session = _SESSION.fullmatch(value)
    if session is None:
        return None
    digest = settings.api_keys.get(session["role"], "")
    expected = _mac(digest, "session", session["facts"])
    genuine = hmac.compare_digest(expected, session["mac"])
    if not (digest and genuine) or int(session["until"]) <= now.timestamp():
        return None
    return access.by_role(session["role"], settings)


def _mac(key: str, purpose: str, facts: str) -> str:
    made = hmac.new(key.encode(), f"alm page {purpose}|{facts}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()).decode().rstrip("=")


def _name(what: str, settings: Settings) -> str:
    """`__Host-`: no other site of the domain can set it, and it travels over TLS only."""
    return f"alm-{what}" if settings.local else f"__Host-alm-{what}"


def _cookie(what: str, value: str, life: timedelta, settings: Settings) -> str:
    secure = "" if settings.local else "; Secure"
    seconds = int(life.total_seconds())
    name = _name(what, settings)
    return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}"
