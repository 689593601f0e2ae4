"""Who may do what: one pure function over the facts of a request.

reader: look. operator: also start, publish, roll back, verify, cancel, re-send and discard.
approver: look, approve and refuse. An operator does not approve their own run by being one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from alm.settings import ROLES, Settings

Role = Literal["reader", "operator", "approver"]
KEY_HEADER = "x-alm-key"
PRINCIPAL_HEADER = "x-ms-client-principal"
MEMBER_CLAIMS = (
    *("roles", "groups", "oid"),
    "http://schemas.microsoft.com/identity/claims/objectidentifier",
)  # names and mail addresses can be changed by their owners: they only say who it was
PERSON_CLAIMS = MEMBER_CLAIMS[2:]
NAME_CLAIMS = ("preferred_username", "name")
NAME_LENGTH_MAX = 128
KEYS_NAME = "key:"  # before the role of whoever shows a key
CSRF_HEADER = "x-alm-request"  # a form on another site cannot set a header of its own


@dataclass(frozen=True)
class Caller:
    """Somebody who was recognised, and what they may do.

    name: for people to read. id: tells people of one name apart.
    """

    name: str
    roles: frozenset[str]
    id: str = ""

    @property
    def distinct(self) -> str:
        return self.id or self.name


@dataclass(frozen=True)
class Forbidden:
    """Why a request is not let through: 401 nobody was recognised, 403 they may not."""

    status: Literal[401, 403]
    why: str


def authorise(
    headers: Mapping[str, str], needed: Role, *, changes: bool, settings: Settings
) -> Caller | Forbidden:
    """Decide on one request. `headers` in lower case; `changes`: it changes something."""
    key = headers.get(KEY_HEADER, "")
    if key:
        caller = by_key(key, settings)
    elif settings.trusts_platform:
        caller = _by_platform(headers.get(PRINCIPAL_HEADER, ""), settings)
    else:
        caller = None
    if caller is None:
        return _unrecognised(key, settings)
    allowed = permitted(caller, needed)
    if isinstance(allowed, Forbidden):
        return allowed
    if not key and changes and not headers.get(CSRF_HEADER):
        return Forbidden(403, f"send the header {CSRF_HEADER}: 1 with a request that changes")
    return caller


def permitted(caller: Caller, needed: Role) -> Caller | Forbidden:
    """Decide whether somebody who was recognised may do what needs a role."""
    if needed in caller.roles:
        return caller
    has = ", ".join(sorted(caller.roles))
    return Forbidden(403, f"{caller.name} is {has}; this needs the role {needed}")


def by_role(role: str, settings: Settings) -> Caller | None:
    """Whoever has the key of a role, with all roles that the same key has; None: there is none."""
    digest = settings.api_keys.get(role, "")
    fitting = [name for name, other in settings.api_keys.items() if digest and other == digest]
    return Caller(f"{KEYS_NAME}{fitting[0]}", _with_reader(fitting)) if fitting else None


def _unrecognised(key: str, settings: Settings) -> Forbidden:
    if key:
        return Forbidden(401, f"the key in {KEY_HEADER} is none of the app's; check ALM_API_KEYS")
    sign_in = ", or sign in with a role (ALM_ROLE_MEMBERS)" if settings.trusts_platform else ""
    return Forbidden(401, f"nobody was recognised; send an API key in {KEY_HEADER}{sign_in}")


def same(given: str, expected: str) -> bool:
    """Compare secrets, in the same time whether they are the same or not."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())


def hashed(key: str) -> str:
    """How keys are configured: their SHA-256 in hex. Keys are random, so no salt is needed."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def by_key(key: str, settings: Settings) -> Caller | None:
    """Who shows this key: compared with every configured one, always in the same time."""
    given = hashed(key)
    fitting = [
        role for role, digest in settings.api_keys.items() if hmac.compare_digest(given, digest)
    ]
    return Caller(f"{KEYS_NAME}{fitting[0]}", _with_reader(fitting)) if fitting else None


def _by_platform(principal: str, settings: Settings) -> Caller | None:
    """Read what the platform's authentication found out; it strips this header from outside."""
    try:
        document = json.loads(base64.b64decode(principal, validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in document["claims"]]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None
    named = {value for kind, value in claims if kind in MEMBER_CLAIMS}
    roles = [role for role in ROLES if named & set(settings.role_members.get(role, ()))]
    called = next((value for kind, value in claims if kind in NAME_CLAIMS), "somebody")
    name = "".join(filter(str.isprintable, called))[:NAME_LENGTH_MAX] or "somebody"
    if name.startswith(KEYS_NAME):  # people choose their names: one must not pass for a key
        name = f"user {name}"
    person = next((value for kind, value in claims if kind in PERSON_CLAIMS), "")
    return Caller(name, _with_reader(roles), person) if roles else None


def _with_reader(roles: list[str]) -> frozenset[str]:
    return frozenset((*roles, "reader"))
