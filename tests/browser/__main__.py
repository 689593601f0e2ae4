"""`python -m tests.browser`: the page in a real Chromium. More arguments go to pytest.

Without Chromium, Node or playwright this says so and counts as not run.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.browser.chromium import Missing, axe_source, find_chromium


def main() -> int:
    try:
        find_chromium()
        axe_source()
        if importlib.util.find_spec("playwright") is None:
            raise Missing("no playwright; python -m pip install -r requirements-dev.txt")
    except Missing as missing:
        print(f"NOT RUN: browser ({missing})")
        return 0
    return pytest.main([str(Path(__file__).parent), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
