"""The shipped app with a stopwatch: the host loads this file instead of `function_app.py`.

Each message of a mailbox leaves one line of JSON in the file that ALM_BENCH_TIMES names: its stage
(or kind), how long after the broker took it its handler began, and the CPU of the thread that
handled it; the thread that sends has its own. The broker tells times in whole milliseconds, rounded
down.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC

import azure.functions as func

import function_app
from alm.bootstrap import App
from alm.entrypoints import intake
from alm.entrypoints.intake import Received
from function_app import app as app  # what the host indexes

TIMES = os.open(os.environ["ALM_BENCH_TIMES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_receive, _handle = function_app.received, intake.on_step


def received(message: func.ServiceBusMessage, queue: str) -> Received:
    """The first thing a handler does: see how late it is."""
    enqueued = message.enqueued_time_utc
    assert enqueued is not None
    late = time.time() - enqueued.replace(tzinfo=UTC).timestamp()
    note = {"id": message.message_id, "late_ms": late * 1000}
    os.write(TIMES, json.dumps(note).encode() + b"\n")
    return _receive(message, queue)


def on_step(app: App, received: Received) -> None:
    began = time.thread_time()
    _handle(app, received)
    used = time.thread_time() - began
    document = json.loads(received.body)
    stage = document.get("stage", document["kind"])
    note = {"stage": stage, "cpu_ms": used * 1000, "bytes": len(received.body)}
    os.write(TIMES, json.dumps(note).encode() + b"\n")


function_app.received = received
intake.on_step = on_step
