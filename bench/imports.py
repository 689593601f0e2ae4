"""What importing `function_app` costs, in a fresh process each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import resource, time
began = time.perf_counter()
import function_app
seconds = time.perf_counter() - began
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(times: int = 3) -> tuple[float, float]:
    """Median seconds of the import, and median MB of memory at most in use by its end.

    One import more goes first: it writes the byte code and warms the disk's cache.
    """
    taken = [_once() for _ in range(times + 1)][1:]
    return median(seconds for seconds, _ in taken), median(megabytes for _, megabytes in taken)


def _once() -> tuple[float, float]:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds, megabytes = ran.stdout.split()
    return float(seconds), float(megabytes)
