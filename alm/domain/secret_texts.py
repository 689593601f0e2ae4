"""Takes secrets out of free text: addresses, connection strings, scripts, parameter values.

What is found is replaced by a mark, and the text around it stays; doing it twice changes nothing.
A secret is known by its form, or by the name before it; one that has neither is not found. Code
must survive: `password = read()` names no secret, `password = "x"` does.
"""

from __future__ import annotations

import re

WITHHELD = "<withheld>"
LITERAL_MIN = 4  # shorter texts in scripts are separators, not secrets

_SIGNED = r"(?:sig|signature|code|token|access_token|sharedaccessuri|sharedaccesssignature)"
_TELLING = (
    # names that are given to secrets
    r"(?:(?:account|access|storage|api|shared|primary|secondary|subscription)[_ -]?key"
    r"|password|passwd|passphrase|pwd|secret|token|connection[_ ]?string|credentials?)"
)

_QUERY = re.compile(r"\?[^\s\"'<>]+")
_CARRIES = re.compile(r"(?:^|[?&]|%26|%3F)" + _SIGNED + r"(?:=|%3D)", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"(?P<name>(?:(?:^|[?&;]|%26|%3F)" + _SIGNED + r"|\bsig|\bsharedaccesssignature)(?:=|%3D))"
    r"[^\s\"'<>&]{8,}",
    re.IGNORECASE,
)
_USER = re.compile(r"(?P<name>\b[a-z][a-z0-9+.-]{0,20}://)[^\s/\"'<>@]+@", re.IGNORECASE)
_CONNECTION = re.compile(
    # a part of a connection string: up to its semicolon, quoted or not; spaces belong to it;
    # a line that begins with it and calls something is code
    r"(?P<name>(?:\b(?:AccountKey|SharedAccessKey)"
    r"|(?:^(?![^\r\n]*\()|[;\"'])\s{0,9}(?:Password|Pwd|User ?Key))"
    r"\s{0,9}=\s{0,9})(?:\"[^\"\r\n]*\"|'[^'\r\n]*'|[^;\"'\r\n]+)",
    re.IGNORECASE,
)
_LITERAL = re.compile(
    # a text under a telling name, in a script or in JSON: password <- "x", "api_key": "x"
    r"(?P<name>" + _TELLING + r"\\?[\"']?\]?\s{0,9}(?:<-|:|=)\s{0,9})"
    r"(?P<quote>\\?[\"'])(?P<inside>.*?)(?P=quote)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<name>\bBearer\s{1,9})[^\s\"'<>,;)]{8,}", re.IGNORECASE)
_FORMS = re.compile(
    # keys of storage accounts and of endpoints (64 bytes), JSON web tokens: these begin a word of
    # their characters, or a long text of many beginnings would take for ever
    r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==|(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]+"
)


def without_secrets_in(text: str) -> str:
    """Replace the secrets in a text by a mark."""
    text = _QUERY.sub(_query, text)
    text = _USER.sub(rf"\g<name>{WITHHELD}@", text)
    text = _LITERAL.sub(_literal, text)
    for pattern in (_CONNECTION, _SIGNATURE, _BEARER):
        text = pattern.sub(_after_name, text)
    return _FORMS.sub(WITHHELD, text)


def _query(match: re.Match[str]) -> str:
    """The query of an address goes whole if it carries a signature or a token."""
    return "?" + WITHHELD if _CARRIES.search(match[0]) else match[0]


def _literal(match: re.Match[str]) -> str:
    if len(match["inside"]) < LITERAL_MIN:
        return match[0]
    return f"{match['name']}{match['quote']}{WITHHELD}{match['quote']}"


def _after_name(match: re.Match[str]) -> str:
    return match["name"] + WITHHELD
