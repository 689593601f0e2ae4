"""Documents as they are kept under version control: the same content is always the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def canonical_json(document: Mapping[str, Any]) -> bytes:
    """Write a document: keys sorted, two spaces, UTF-8 unescaped, a newline at the end.

    Raises ValueError for what JSON has no word for: NaN, infinities, half of a surrogate pair.
    """
    text = json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()
