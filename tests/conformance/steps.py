"""Steps that a client took: what each expected and saw, printed where the two differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from subprocess import run
from typing import Any

SHOWN_CHARACTERS_MAX = 200
STEPS_SECONDS_MAX = 120


def taken(command: Sequence[str | Path], known: dict[str, Any], **options: Any) -> Any:
    """Run a program that takes steps; it reads what it needs to know and prints them as JSON."""
    ran = run(
        list(map(str, command)),
        input=json.dumps(known),
        capture_output=True,
        text=True,
        timeout=STEPS_SECONDS_MAX,
        **options,
    )
    if ran.returncode:
        raise SystemExit(f"the steps of {command[-1]} failed:\n{ran.stdout}\n{ran.stderr}")
    return json.loads(ran.stdout.splitlines()[-1])


def agree(client: str, steps: Sequence[dict[str, Any]]) -> bool:
    """Print how the steps of a client went; whether all came to what they should."""
    wrong = [step for step in steps if step["expected"] != step["seen"]]
    for step in wrong:
        place, expected, seen = difference(step["expected"], step["seen"])
        where = f"{step['name']}{f' at {place}' if place else ''}"
        print(f"conformance: {client}: {where}: expected {expected}, saw {seen}")
    if not wrong:
        print(f"conformance: {len(steps)} steps of {client} agree")
    return bool(steps) and not wrong


def difference(expected: Any, seen: Any, place: str = "") -> tuple[str, str, str]:
    """Where two values differ first, and what is there in each, shortened."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        for name in sorted(expected.keys() | seen.keys()):
            if expected.get(name) != seen.get(name):
                return difference(expected.get(name), seen.get(name), f"{place}.{name}")
    if isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        for at, (left, right) in enumerate(zip(expected, seen, strict=True)):
            if left != right:
                return difference(left, right, f"{place}[{at}]")
    return place, _shortened(expected), _shortened(seen)


def _shortened(value: Any) -> str:
    text = repr(value)
    if len(text) <= SHOWN_CHARACTERS_MAX:
        return text
    return f"{text[:SHOWN_CHARACTERS_MAX]}… ({len(text)} characters)"
