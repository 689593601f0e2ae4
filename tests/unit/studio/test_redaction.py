"""Keys are taken out of what others wrote, wherever they stand."""

from __future__ import annotations

import pytest

from alm.adapters.redaction import redacted

KEY = "ab+/" * 21 + "cd=="


@pytest.mark.parametrize(
    "text", [f"key {KEY}.", f'"{KEY}"', f"<{KEY}>", f"storageAccount.key={KEY}", KEY]
)
def test_a_key_of_64_bytes_is_blanked_wherever_it_stands(text: str) -> None:
    assert len(KEY) == 88
    assert KEY[:20] not in redacted(text)


@pytest.mark.parametrize("text", ["a" * 86, "a" * 87 + "==", "no key at all =="])
def test_other_text_stays(text: str) -> None:
    assert text == redacted(text)


def test_half_of_a_surrogate_pair_can_be_sent_on():
    assert redacted("bad \ud800 half") == "bad ? half"
    assert redacted("whole \U0001f600") == "whole \U0001f600"
