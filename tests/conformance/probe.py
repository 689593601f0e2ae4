"""Runs under Python 3.13 only: indexes the real function_app.py and invokes every function.

Bindings, decoding and encoding are Microsoft's; behind the entry points stand the doubles, so that
what is probed is the way in and out, and nothing else. Prints one line of JSON at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from tests.conformance import wire
from tests.conformance.wire import TypedData

ROOT = Path(__file__).resolve().parents[2]
CONNECTION = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=c2VjcmV0;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
)


def request(**fields: Any) -> SimpleNamespace:
    properties = {"protos": wire.protos(), "host": "127.0.0.1"}
    return SimpleNamespace(request=SimpleNamespace(**fields), properties=properties)


async def index() -> dict[str, Any]:
    """Let the library index the app. Returns its metadata by function name."""
    runtime.start_threadpool_executor()
    started = await runtime.worker_init_request(
        request(
            worker_init_request=SimpleNamespace(
                capabilities={}, function_app_directory=str(ROOT), host_version="4.1040"
            )
        )
    )
    if started.result.status != wire.StatusResult.Success:
        raise SystemExit(f"indexing failed: {started.result.exception.message}")
    answer = await runtime.functions_metadata_request(
        request(functions_metadata_request=SimpleNamespace(function_app_directory=str(ROOT)))
    )
    return {function.name: function for function in answer.function_metadata_results}


async def invoke(
    function: Any, inputs: dict[str, TypedData], metadata: dict[str, TypedData]
) -> Any:
    return await runtime.invocation_request(
        request(
            invocation_request=SimpleNamespace(
                invocation_id=uuid.uuid4().hex,
                function_id=function.function_id,
                input_data=[
                    SimpleNamespace(
                        name=name,
                        data=data,
                        WhichOneof=lambda _group: "data",
                        rpc_shared_memory=None,
                    )
                    for name, data in inputs.items()
                ],
                trigger_metadata=metadata,
                trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
                retry_context=SimpleNamespace(
                    retry_count=0, max_retry_count=0, exception=SimpleNamespace(message="")
                ),
            )
        )
    )


def seen(answer: Any) -> str:
    if answer.result.status != wire.StatusResult.Success:
        return "failure: " + answer.result.exception.message.split("\n")[0]
    if answer.return_value is not None and answer.return_value.http is not None:
        http = answer.return_value.http
        kind = {name.lower(): value for name, value in http.headers.items()}["content-type"]
        cookies = [f" cookie {each.name} {each.same_site}" for each in http.cookies or ()]
        return f"http {http.status_code} {kind.partition(';')[0]}" + "".join(cookies)
    return "success"


async def main() -> None:
    output = os.dup(1)
    os.dup2(2, 1)  # what user code prints must not mix with the report
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("ALM_STORAGE", CONNECTION)
    functions = await index()
    import function_app
    from tests.conformance.calls import CALLS, World

    report: list[dict[str, object]] = []
    for call in CALLS:
        world = World()
        function_app.the_app = partial(world.app, failing=call.failing)
        answer = await invoke(functions[call.function], call.inputs, call.metadata)
        effect = world.effect() if not call.failing else ""
        report.append(
            {
                "name": call.name,
                "function": call.function,
                "trouble": call.failing,
                "expected": call.expected,
                "seen": " ".join(part for part in (seen(answer), effect) if part),
            }
        )
    bindings = {
        name: [json.loads(item) for item in function.raw_bindings]
        for name, function in functions.items()
    }
    runtime.stop_threadpool_executor()
    os.write(output, (json.dumps({"bindings": bindings, "calls": report}) + "\n").encode())


if __name__ == "__main__":
    asyncio.run(main())
