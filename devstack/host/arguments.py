"""In the worker: what a function is called with, and what it answered.

Values come from the converters of `azure.functions` itself, fed with what the Azure host sends: the
functions see the same objects here and there. `meta` and `decode` are half public; this is the only
file that knows them.
"""

import json
import threading
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.functions import meta

from devstack.host.frames import Header
from devstack.host.indexing import IndexedFunction

_STATUS_NO_CONTENT = 204


class _TraceContext(func._abc.TraceContext):
    def __init__(self, parent: str) -> None:
        self._parent = parent

    @property
    def trace_state(self) -> str:
        return ""

    @property
    def trace_parent(self) -> str:
        return self._parent

    @property
    def attributes(self) -> dict[str, str]:
        return {}

    # the names the library used before
    Traceparent = trace_parent
    Tracestate = trace_state
    Attributes = attributes


class _RetryContext(func._abc.RetryContext):
    """Retry policies are refused, so there is never anything to tell."""

    retry_count = 0
    max_retry_count = 0
    exception: Any = None


class Context(func.Context):
    """What a parameter named `context` receives."""

    def __init__(self, function: IndexedFunction, invocation_id: str, trace_parent: str) -> None:
        self._function = function
        self._invocation_id = invocation_id
        self._trace = _TraceContext(trace_parent)
        self._local = threading.local()
        self._local.invocation_id = invocation_id

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return self._local

    @property
    def function_name(self) -> str:
        return self._function.name

    @property
    def function_directory(self) -> str:
        return self._function.directory

    @property
    def trace_context(self) -> func._abc.TraceContext:
        return self._trace

    @property
    def retry_context(self) -> func._abc.RetryContext:
        return _RetryContext()


def build(function: IndexedFunction, header: Header, body: bytes) -> dict[str, Any]:
    """Return the keyword arguments of one call."""
    metadata = {name: meta.Datum(value, kind) for name, (kind, value) in header["metadata"].items()}
    if function.deferred:
        value = _client(function, header["input"])
    else:
        converter = _converter(function.trigger_type)
        value = converter.decode(_datum(header["input"], body), trigger_metadata=metadata)
    arguments = {function.parameter: value}
    if function.wants_context:
        arguments["context"] = Context(function, header["id"], header.get("trace_parent", ""))
    return arguments


def _converter(binding_type: str) -> Any:
    registry: Any = func.get_binding_registry
    return registry().get(binding_type)


def _datum(source: dict[str, Any], body: bytes) -> meta.Datum:
    match source["type"]:
        case "bytes":
            return meta.Datum(body, "bytes")
        case "json":
            return meta.Datum(json.dumps(source["value"]), "json")
        case "http":
            return meta.Datum(_request(source, body), "http")
        case other:
            raise ValueError(f"the host sent input of type {other!r}")


def _request(source: dict[str, Any], body: bytes) -> dict[str, Any]:
    request: dict[str, Any] = {
        name: meta.Datum(source[name], "string") for name in ("method", "url")
    }
    for name in ("headers", "params", "query"):
        request[name] = {k: meta.Datum(v, "string") for k, v in source[name].items()}
    request["body"] = meta.Datum(body, "bytes")
    return request


def _client(function: IndexedFunction, source: dict[str, Any]) -> Any:
    """Build an SDK client with the converter of azurefunctions-extensions-bindings-blob."""
    from azurefunctions.extensions.base import Datum, get_binding_registry

    binding = SimpleNamespace(
        version="1.0",
        source="AzureStorageBlobs",
        content_type="application/json",
        content=json.dumps(source["value"]),
    )
    converter = get_binding_registry().get(function.trigger_type)
    return converter.decode(
        Datum(binding, "model_binding_data"), trigger_metadata=None, pytype=function.parameter_type
    )


def answer(function: IndexedFunction, result: Any) -> tuple[Header, bytes]:
    """Turn what the function returned into a response header and body.

    Raises RuntimeError if it returned a value that no binding takes, as the Azure worker does.
    """
    if not function.has_return:
        if result is not None:
            raise RuntimeError(
                f"function {function.name!r} without a $return binding returned a non-None value"
            )
        return {}, b""
    if result is None:
        return {"status": _STATUS_NO_CONTENT, "headers": []}, b""
    datum = _converter("http").encode(result, expected_type=None)
    if datum.type == "string":
        text_type = ("content-type", "text/plain; charset=utf-8")
        return {"status": 200, "headers": [text_type]}, datum.value.encode()
    headers = [(name, value.value) for name, value in datum.value["headers"].items()]
    for cookie in datum.value["cookies"] or ():
        headers += [("set-cookie", morsel.OutputString()) for morsel in cookie.values()]
    return {
        "status": int(datum.value["status_code"].value),
        "headers": headers,
    }, datum.value["body"].value
