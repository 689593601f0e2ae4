"""`python -m tests.conformance`: what the libraries of others say of us.

The app is indexed and invoked by the official worker library under Python 3.13; local Studio is
used through unmodified clients of PyPI and npm under the Pythons and the Node that they work with.
Each gets an environment of its own under `.local`; any Python of the right version that is found is
used. Without one this says so and counts as not run. `--update` writes the golden snapshot of the
bindings anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conformance import azml_client, node_clients, studio_client
from tests.conformance.environments import ROOT, environment, pythons

GOLDEN = Path(__file__).parent / "bindings.json"
PACKAGES = ["azure-functions-runtime>=1.3,<2", "-r", str(ROOT / "requirements.txt")]


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


def functions(*, update: bool) -> bool:
    """Hold the app against the worker library; whether they agree."""
    python = next(pythons("3.13"), None)
    if python is None:
        print("NOT RUN: conformance of the app (no Python 3.13)")
        return True
    report = probe(environment("conformance", python, PACKAGES))
    problems = check(report, update=update)
    for problem in problems:
        print(f"conformance: {problem}")
    calls = report["calls"]
    assert isinstance(calls, list)
    if not problems:
        print(f"conformance: {len(calls)} calls through the official worker library agree")
    return not problems


def main() -> int:
    agree = [functions(update="--update" in sys.argv)]
    agree += [part.agrees() for part in (studio_client, azml_client, node_clients)]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
