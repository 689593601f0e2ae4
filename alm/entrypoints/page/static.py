"""Files that are the same for everybody: the stylesheet, two scripts, an icon. Public, cached.

htmx is put beside them at set-up (`devstack/htmx`) and packed at deployment; where it is missing,
pages are complete and a reload shows what is new.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from alm.entrypoints.page.answers import Answer

FOLDER = Path(__file__).resolve().parent / "static"
HTMX = "htmx.min.js"
TYPES = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    HTMX: "text/javascript",
    "icon.svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"  # an address names the content it is for


def answer(name: str) -> Answer | None:
    """The file of that name; None: there is none. The name is one of ours, never a path."""
    content = _content(name) if name in TYPES else None
    if content is None:
        return None
    return Answer(200, content, TYPES[name], {"Cache-Control": _FOR_EVER})


def address(name: str) -> str:
    """The address of a file, another one for other content."""
    return f"/static/{name}?v={hashlib.sha256(_content(name) or b'').hexdigest()[:12]}"


def has_htmx() -> bool:
    return _content(HTMX) is not None


@lru_cache(maxsize=8)
def _content(name: str) -> bytes | None:
    path = FOLDER / name
    return path.read_bytes() if path.is_file() else None
