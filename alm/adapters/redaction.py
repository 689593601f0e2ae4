"""Takes secrets out of text that others wrote, before it reaches a log, an error or a document."""

from __future__ import annotations

import re

TEXT_MAX = 1500  # error texts travel in messages and ledgers, which must stay small

_SECRETS = re.compile(
    r"(?P<name>(?<!\w)(?:sig|signature|code|access_token|token)=|sig%3D|AccountKey="
    r"|SharedAccessKey=|Password=|Bearer\s+)[^&;\s\"'<>]+",
    re.IGNORECASE,
)


_KEYS = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==")
"""Keys of storage accounts and of web services: 64 bytes in base64."""


def redacted(text: str, *secrets: str) -> str:
    """Shorten `text` and blank signatures, keys, tokens, and each of `secrets` where it occurs.

    Half of a surrogate pair, which JSON may hold and no message can, becomes a question mark.
    """
    text = text.encode(errors="replace").decode()
    for secret in secrets:
        if len(secret) >= 6:  # shorter ones would blank half of the text
            text = text.replace(secret, "***")
    text = _KEYS.sub("***", _SECRETS.sub(r"\g<name>***", text))
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"


def without_query(url: str) -> str:
    """A URL as it may be shown: signatures are in the query."""
    return url.partition("?")[0].partition("#")[0]
