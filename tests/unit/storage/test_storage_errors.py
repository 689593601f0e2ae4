"""What storage's errors mean where nobody was even asked."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError

from alm.adapters.storage_errors import told
from alm.domain.errors import Denied


def test_whoever_is_not_signed_in_learns_how_to() -> None:
    with pytest.raises(Denied, match="no credential gives a token"), told("look"):
        raise ClientAuthenticationError("no token")
