"""`python -m tests.conformance`: run the probe under Python 3.13 with the official worker library.

The library needs Python 3.13, so it gets an environment of its own under `.local/conformance`; any
Python 3.13 found is used. Without one this says so in its last line and counts as not run.
`--update` writes the golden snapshot of the bindings anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".local" / "conformance"
GOLDEN = Path(__file__).parent / "bindings.json"
PACKAGES = ["azure-functions-runtime>=1.3,<2", "-r", str(ROOT / "requirements.txt")]


def pythons() -> Iterator[str]:
    """Every Python 3.13 of this machine, the plainest first; a shim that leads nowhere is none."""
    versions = Path.home() / ".pyenv" / "versions"
    named = [shutil.which("python3.13"), *sorted(map(str, versions.glob("3.13*/bin/python")))]
    for python in filter(None, named):
        asked = subprocess.run([python, "--version"], capture_output=True, text=True)
        if asked.stdout.startswith("Python 3.13."):
            yield python


def python_of_environment(python: str) -> Path:
    """The environment's Python, installed on first use and whenever the packages change."""
    ready = ENVIRONMENT / ".ready"
    pinned = " ".join(PACKAGES).encode() + (ROOT / "requirements.txt").read_bytes()
    wanted = hashlib.sha256(pinned).hexdigest()
    inside = ENVIRONMENT / "bin" / "python"
    if ready.exists() and ready.read_text() == wanted:
        return inside
    print("installing the official worker library for Python 3.13")
    subprocess.run([python, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
    pip = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PACKAGES], check=True)
    ready.write_text(wanted)
    return inside


def probe(python: Path) -> dict[str, object]:
    """Index and invoke the app in a process of its own (the library keeps globals)."""
    ran = subprocess.run(
        [str(python), "-m", "tests.conformance.probe"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if ran.returncode:
        raise SystemExit(f"the probe failed:\n{ran.stdout}\n{ran.stderr}")
    report: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return report


def check(report: dict[str, object], *, update: bool) -> list[str]:
    """Hold the report against the golden bindings and against what each call must come to."""
    bindings = json.dumps(report["bindings"], indent=2, sort_keys=True) + "\n"
    if update:
        GOLDEN.write_text(bindings)
    problems = []
    if not GOLDEN.exists() or GOLDEN.read_text() != bindings:
        problems.append("the bindings differ from tests/conformance/bindings.json (--update?)")
    calls = report["calls"]
    assert isinstance(calls, list)
    for call in calls:
        if call["expected"] != call["seen"]:
            problems.append(f"{call['name']}: expected {call['expected']}, saw {call['seen']}")
    invoked = {(call["function"], call["trouble"]) for call in calls}
    for name in json.loads(bindings):
        for trouble in (False, True):
            if (name, trouble) not in invoked:
                how = "with its services away" if trouble else "with success"
                problems.append(f"function {name} was never invoked {how}")
    return problems


def main() -> int:
    python = next(pythons(), None)
    if python is None:
        print("NOT RUN: conformance (no Python 3.13)")
        return 0
    report = probe(python_of_environment(python))
    problems = check(report, update="--update" in sys.argv)
    for problem in problems:
        print(f"conformance: {problem}")
    calls = report["calls"]
    assert isinstance(calls, list)
    if not problems:
        print(f"conformance: {len(calls)} calls through the official worker library agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
