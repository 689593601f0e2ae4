"""Environments of other Pythons and packages, under `.local`, made on first use."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".local"
NODE_FILES = ("package.json", "package-lock.json")
INSTALL_SECONDS_MAX = 300


class NotInstalled(Exception):
    """Packages cannot be had here; says why."""


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


def node_packages(name: str, npm: Sequence[str], source: Path) -> Path:
    """The `node_modules` with what a lock file pins; made anew when it changes.

    Raises NotInstalled.
    """
    folder = FOLDER / name
    ready, modules = folder / ".ready", folder / "node_modules"
    pinned = b"".join((source / file).read_bytes() for file in NODE_FILES)
    wanted = hashlib.sha256(pinned).hexdigest()
    if ready.exists() and ready.read_text() == wanted:
        return modules
    print(f"conformance: installing the packages of {source.relative_to(ROOT)} with npm")
    folder.mkdir(parents=True, exist_ok=True)
    for file in NODE_FILES:
        shutil.copyfile(source / file, folder / file)
    words = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    words += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        subprocess.run(
            words,
            cwd=folder,
            check=True,
            timeout=INSTALL_SECONDS_MAX,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise NotInstalled(f"npm ci failed: {'; '.join(error.stderr.splitlines()[:3])}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"npm ci did not end: {error}") from error
    ready.write_text(wanted)
    return modules
