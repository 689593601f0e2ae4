"""Chromium of the system, which the browser tests drive, and what they need beside it.

Nothing is downloaded but axe-core, from its lock file. Where something is missing, `Missing` says
what to install.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from devstack import npm

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).resolve().parent
INSTALLED = HERE.parents[1] / ".local" / "axe"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(Exception):
    """Something that browser tests need is not here; says what to install."""


def find_chromium() -> str:
    """The program: the one that `CHROMIUM` names, or one on PATH. Raises Missing."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        found = shutil.which(named)
        if found is None:
            raise Missing(f"CHROMIUM names {named}, and there is no such program; correct it")
        return found
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise Missing(
            f"no Chromium on PATH ({', '.join(NAMES)}); apt-get install chromium, or let CHROMIUM "
            "name the program"
        )
    return found


def axe_source() -> str:
    """The text of axe-core, installed once. Raises Missing."""
    try:
        npm.install(npm.find_node(), "axe-core", HERE, INSTALLED)
    except npm.NotInstallable as error:
        raise Missing(f"axe-core cannot be installed: {error}") from error
    return (INSTALLED / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@contextmanager
def running() -> Iterator[Browser]:
    """A Chromium without a window, until the `with` ends. Raises Missing."""
    program = find_chromium()
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses root with a sandbox
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
