"""Environments of other Pythons and packages, under `.local`, made on first use."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".local"


def pythons(*versions: str) -> Iterator[str]:
    """Every Python of these versions on this machine, the plainest of the first version first.

    A shim that leads nowhere is none.
    """
    installed = Path.home() / ".pyenv" / "versions"
    for version in versions:
        found = sorted(map(str, installed.glob(f"{version}*/bin/python")))
        for python in filter(None, [shutil.which(f"python{version}"), *found]):
            asked = subprocess.run([python, "--version"], capture_output=True, text=True)
            if asked.stdout.startswith(f"Python {version}."):
                yield python


def environment(name: str, python: str, packages: list[str]) -> Path:
    """The Python of an environment that has these packages; made anew when they change."""
    folder = FOLDER / name
    ready, inside = folder / ".ready", folder / "bin" / "python"
    pinned = " ".join(packages).encode()
    for at, package in enumerate(packages):
        if package == "-r":
            pinned += Path(packages[at + 1]).read_bytes()
    wanted = hashlib.sha256(pinned).hexdigest()
    if ready.exists() and ready.read_text() == wanted:
        return inside
    print(f"conformance: installing {packages[0]} for {name}")
    subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True)
    ready.write_text(wanted)
    return inside
