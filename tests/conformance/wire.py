"""What the Functions host and its Python worker exchange, as far as the worker reads it.

The worker library takes the message classes from its caller and only looks at attributes, so plain
objects do. Data is encoded as the host encodes it.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any


class Shape:
    """A message: whatever fields it is made with, None for the others."""

    def __init__(self, *args: Any, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class TypedData(Shape):
    """One value; `WhichOneof` names the kind that is set."""

    def __getattr__(self, name: str) -> Any:
        if name == "TypedData":  # the library asks whether it was given the module instead
            raise AttributeError(name)
        return super().__getattr__(name)

    def WhichOneof(self, _group: str) -> str | None:
        return next((name for name, value in self.__dict__.items() if value is not None), None)


class Mapping(dict[str, Any]):
    """A map field that is filled by key."""


class StatusResult(Shape):
    Success, Failure = 1, 0


class BindingInfo(Shape):
    # `in` is a word of the language, so the directions are set by name below
    pass


for _name, _number in (("in", 0), ("out", 1), ("inout", 2)):
    setattr(BindingInfo, _name, _number)
for _name, _number in (("undefined", 0), ("string", 1), ("binary", 2), ("stream", 3)):
    setattr(BindingInfo, _name, _number)


def protos() -> SimpleNamespace:
    names = (
        *("RpcFunctionMetadata", "RpcRetryOptions", "RpcException", "RpcHttp", "RpcHttpCookie"),
        *("WorkerInitResponse", "WorkerMetadata", "FunctionMetadataResponse", "InvocationResponse"),
        *("FunctionLoadResponse", "ParameterBinding", "RpcSharedMemory", "NullableString"),
        *("NullableDouble", "NullableBool", "NullableTimestamp"),
    )
    shapes = {name: type(name, (Shape,), {}) for name in names}
    same_site = {name: name for name in ("None", "Lax", "Strict", "ExplicitNone")}
    shapes["RpcHttpCookie"].SameSite = SimpleNamespace(**same_site)
    return SimpleNamespace(
        StatusResult=StatusResult, BindingInfo=BindingInfo, TypedData=TypedData, **shapes
    )


def text(value: str) -> TypedData:
    return TypedData(string=value)


def document(value: object) -> TypedData:
    return TypedData(json=json.dumps(value))


def octets(value: bytes) -> TypedData:
    return TypedData(bytes=value)


def blob_client(connection: str, container: str, name: str) -> TypedData:
    """What the host sends for a parameter that asked for a client instead of content."""
    content = {"Connection": connection, "ContainerName": container, "BlobName": name}
    return TypedData(
        model_binding_data=Shape(
            version="1.0",
            source="AzureStorageBlobs",
            content_type="application/json",
            content=json.dumps(content).encode(),
        )
    )


def http(
    method: str, url: str, headers: dict[str, str], parts: dict[str, str], body: bytes
) -> TypedData:
    """A request; `parts` are what the route's pattern names."""
    return TypedData(
        http=Shape(
            method=method,
            url=url,
            headers=headers,
            params=parts,
            query={},
            body=octets(body),
            rawBody=None,
            nullable_headers={},
            nullable_params={name: Shape(value=part) for name, part in parts.items()},
            nullable_query={},
        )
    )


def service_bus_metadata(message_id: str, session: str = "") -> dict[str, TypedData]:
    """The trigger metadata of one message, as the host's Service Bus extension sends it."""
    metadata = {
        "MessageId": text(message_id),
        "DeliveryCount": document(1),
        "SequenceNumber": document(7),
        "EnqueuedTimeUtc": document("2026-11-23T10:00:00"),
        "ExpiresAtUtc": document("2026-12-07T10:00:00"),
        "ContentType": text("application/json"),
        "LockToken": text("6d5f0c52-6b4b-4f42-8a7c-3f6a2d8f5a11"),
        "UserProperties": document({}),
        "ApplicationProperties": document({}),
    }
    return metadata | ({"SessionId": text(session)} if session else {})
