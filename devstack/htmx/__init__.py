"""htmx, which the page's live updates need: installed from a lock file, put beside the stylesheet.

It is not kept in the repository; deployment packs it with the app. Without it every page works, and
a reload shows what is new.
"""

import os
import shutil
from pathlib import Path

from devstack import npm
from devstack.npm import Node

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
INSTALLED = _ROOT / ".local" / "htmx"
PLACE = _ROOT / "alm" / "entrypoints" / "page" / "static" / "htmx.min.js"


def install(node: Node) -> None:
    """Put the pinned htmx into the page's static files, unless it is there. Raises NotInstallable.

    Several processes may ask at once: the file is complete or not there.
    """
    npm.install(node, "htmx", _HERE, INSTALLED)
    content = INSTALLED / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"
    if PLACE.exists() and PLACE.read_bytes() == content.read_bytes():
        return
    beside = PLACE.with_name(f".{PLACE.name}.{os.getpid()}")
    shutil.copyfile(content, beside)
    beside.replace(PLACE)
