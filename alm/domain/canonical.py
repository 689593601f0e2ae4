"""Canonical JSON: one text per document, so that equal documents are equal files."""

from __future__ import annotations

import json

from alm.domain.errors import Refused


def canonical_json(document: object) -> bytes:
    """Write a document with sorted keys, two spaces of indentation, UTF-8, one newline at its end.

    Raises Refused for what JSON cannot hold: NaN and infinities, half a surrogate pair, sets,
    dates, keys that cannot be sorted.
    """
    try:
        text = json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(
            f"a document cannot be written as JSON ({error}); give text, numbers that are finite, "
            "lists and objects only"
        ) from error
