"""Of all tests: no test of ours asserts how long an example takes on a machine that is shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
