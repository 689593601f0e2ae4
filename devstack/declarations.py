"""Declarations of managed models on the local stack: filled in and checked.

`${name}` in a declaration stands for something of this stack, so that the same file is good for
every laptop. `addresses_by_name` lists the names.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "managed_models"
_REPORT = "declared.json"
_PLACEHOLDER = re.compile(r"\$\{([a-z][a-z-]*)\}")
_SECONDS_MAX = 60


class NotDeclared(Exception):
    """Declarations cannot be taken; says which and why."""


def addresses_by_name(addresses: Mapping[str, Any]) -> dict[str, str]:
    """What declarations can name of this stack.

    studio, workspace: its address, its id. {sample}-{training|scoring}: the classic web service;
    the same with `-new`: the resource id of the new one; with `-experiment`: the experiment's id.
    """
    studio, workspace = str(addresses["base_url"]), str(addresses["workspace_id"])
    found = {"studio": studio, "workspace": workspace}
    for sample in addresses.get("samples") or ():
        name = f"{sample['name']}-{sample['role']}"
        if sample["kind"] == "new":
            found[f"{name}-new"] = str(sample["arm_resource_id"])
        else:
            service = sample["web_service_id"]
            found[name] = f"{studio}/workspaces/{workspace}/webservices/{service}"
    for one in addresses.get("experiments") or ():
        found[f"{one['name']}-{one['role']}-experiment"] = str(one["experiment_id"])
    return found


def take(folder: Path, into: Path, addresses: Mapping[str, Any], *, keep: bool) -> list[Path]:
    """Copy the declarations of a folder, filled in; returns what was written.

    keep: files that are there stay as they are. Raises NotDeclared if there is nothing to take.
    """
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise NotDeclared(f"{folder} has no declaration (*.yaml)")
    names = addresses_by_name(addresses)
    texts = {
        path.name: filled(path.read_text(encoding="utf-8"), names, str(path)) for path in found
    }
    into.mkdir(parents=True, exist_ok=True)
    written = [into / name for name in texts if not (keep and (into / name).exists())]
    for path in written:
        if not path.exists() or path.read_text(encoding="utf-8") != texts[path.name]:
            path.write_text(texts[path.name], encoding="utf-8")
    return written


def filled(text: str, names: Mapping[str, str], source: str) -> str:
    """A declaration with its placeholders filled in. Raises NotDeclared naming those there are."""
    unknown = sorted(set(_PLACEHOLDER.findall(text)) - set(names))
    if unknown:
        there = ", ".join(sorted(names))
        raise NotDeclared(
            f"{source}: the stack has nothing called {unknown[0]!r}; there are {there}"
        )
    return _PLACEHOLDER.sub(lambda found: names[found[1]], text)


def mistakes(folder: Path, app: Path) -> str:
    """What the app would not accept of a folder, in its own words; "" if it would accept all."""
    command = [sys.executable, "-m", "alm", "validate", str(folder.resolve())]
    done = subprocess.run(
        command, cwd=app, capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
    )
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()


def state(folder: Path) -> dict[str, list[int]]:
    """What tells one content of a folder from another: each file with its time and size."""
    found = {path.name: path.stat() for path in sorted(folder.glob("*.*"))}
    return {name: [facts.st_mtime_ns, facts.st_size] for name, facts in found.items()}


def report(data: Path, seen: Mapping[str, list[int]], wrong: str) -> None:
    """Leave word of which content the app has read, or what is wrong with it."""
    partial = data / f"{_REPORT}.new"
    partial.write_text(json.dumps({"seen": seen, "wrong": wrong}), encoding="utf-8")
    partial.replace(data / _REPORT)


def reported(data: Path) -> tuple[dict[str, list[int]], str]:
    """What was reported last. Raises NotDeclared if nothing was."""
    try:
        document = json.loads((data / _REPORT).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotDeclared(f"no stack is running on {data}; start one: make dev") from error
    return document["seen"], document["wrong"]
