"""`python -m bench.operations`: what one budget run asks of storage and queue, counted exactly.

Prints one line of JSON. blob_operations: calls through Ledgers and Records. artifact_operations:
calls through Versions and Blobs that go to storage. sends: messages, the trigger and the reconcile
included. stages: of the pipeline's table that the run visited.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from bench.counted_run import count

KEYS = ("runs", "blob_operations", "artifact_operations", "sends", "stages")


def main() -> None:
    """Count one run whose job has ended when it is first asked for: it never waits."""
    counts = asdict(count())
    sys.stdout.write(json.dumps({name: counts[name] for name in KEYS}) + "\n")


if __name__ == "__main__":
    main()
