"""The swagger document of an endpoint or a new web service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from devstack.studio.definitions import GlobalParameter, Package
from devstack.studio.modules import TRAINED_MODEL

_NO_DESCRIPTION = "No description provided for this web service."


def swagger_document(
    package: Package, api_location: str, *, name: str, description: str
) -> dict[str, Any]:
    """Describe the calls, inputs, outputs and parameters of a web service at an address."""
    url = urlsplit(api_location)
    return {
        "swagger": "2.0",
        "info": {
            "version": "2.0",
            "title": package.title,
            "description": package.description or _NO_DESCRIPTION,
            "x-endpoint-name": name,
            "x-endpoint-description": description,
        },
        "host": url.netloc,
        "basePath": url.path,
        "schemes": [url.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": _paths(),
        "definitions": _definitions(package),
        "securityDefinitions": {
            "api_key": {
                "type": "apiKey",
                "description": "For example: Bearer abc123",
                "name": "Authorization",
                "in": "header",
            }
        },
    }


def _paths() -> dict[str, Any]:
    swagger = _operation("Get swagger API document for the web service", "getSwaggerDocument", 200)
    swagger["parameters"] = [_version()]
    del swagger["security"]
    status = _operation(
        "Get the status for a give job", "getjobstatus", 200, "BatchExecutionStatus"
    )
    submit = _operation("Submit an asynchronous job to execute the web service", "submitjob", 200)
    submit["responses"]["200"]["schema"] = {"type": "string"}
    execute = _operation(
        "Execute the web service and get a response synchronously",
        "execute",
        200,
        "ExecutionResults",
    )
    execute["parameters"] = [_body("ExecutionRequest")]
    submit["parameters"] = [_body("BatchExecutionRequest")]
    return {
        "/swagger.json": {"get": swagger},
        "/execute?api-version=2.0&format=swagger": {"post": execute},
        "/jobs?api-version=2.0": {"post": submit},
        "/jobs/{jobId}?api-version=2.0": {
            "get": {**status, "parameters": [_job_id()]},
            "delete": {**_operation("Cancel a job", "canceljob", 204), "parameters": [_job_id()]},
        },
        "/jobs/{jobId}/start?api-version=2.0": {
            "post": {
                **_operation("Start running a job", "startjob", 204),
                "parameters": [_job_id()],
            }
        },
    }


def _version() -> dict[str, Any]:
    return {
        "name": "api-version",
        "in": "query",
        "description": "API version",
        "required": False,
        "type": "string",
        "default": "2.0",
        "enum": ["2.0"],
    }


def _operation(
    summary: str, operation_id: str, status: int, definition: str | None = None
) -> dict[str, Any]:
    response: dict[str, Any] = {"description": summary}
    if definition:
        response["schema"] = _reference(definition)
    return {
        "summary": summary,
        "operationId": operation_id,
        "responses": {str(status): response},
        "security": [{"api_key": []}],
    }


def _body(definition: str) -> dict[str, Any]:
    return {"name": "body", "in": "body", "schema": _reference(definition)}


def _job_id() -> dict[str, Any]:
    return {"name": "jobId", "in": "path", "required": True, "type": "string"}


def _reference(definition: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{definition}"}


def _definitions(package: Package) -> dict[str, Any]:
    tables = {
        name: package.outputs.get(name) or {}
        for name, kind in package.output_kinds.items()
        if kind != TRAINED_MODEL
    }
    return {
        **_request_definitions(package),
        **_common_definitions(),
        "GlobalParameters": {
            "title": "Global parameters definition",
            "type": "object",
            "properties": {
                name: _parameter(parameter) for name, parameter in package.parameters.items()
            },
        },
        "ExecutionInputs": _ports("Execution inputs defintion", package.inputs, _rows),
        "ExecutionOutputs": _ports("Execution outputs defintion", tables, _rows),
        "BatchInputs": _ports("Batch inputs defintion", package.inputs, _blob),
        "BatchOutputs": _ports("Batch outputs defintion", package.output_kinds, _blob),
        **{f"{name}Item": _item(table) for name, table in {**package.inputs, **tables}.items()},
    }


def _request_definitions(package: Package) -> dict[str, Any]:
    return {
        "ExecutionRequest": {
            "title": "Execution request",
            "properties": {
                "Inputs": _reference("ExecutionInputs"),
                "GlobalParameters": _reference("GlobalParameters"),
            },
            "example": _example(package),
        },
        "ExecutionResults": {
            "title": "Execution Results",
            "properties": {"Results": _reference("ExecutionOutputs")},
        },
        "BatchExecutionRequest": {
            "title": "Batch execution request",
            "properties": {
                "GlobalParameters": _reference("GlobalParameters"),
                "Inputs": _reference("BatchInputs"),
                "Outputs": _reference("BatchOutputs"),
            },
        },
    }


def _common_definitions() -> dict[str, Any]:
    """What is the same for every web service."""
    blob = {"type": "string"}
    states = ["NotStarted", "Running", "Failed", "Cancelled", "Finished"]
    return {
        "AzureBlobDataReference": {
            "title": "Azure blob data reference",
            "properties": {
                "BaseLocation": blob,
                "ConnectionString": blob,
                "RelativeLocation": blob,
                "SasBlobToken": blob,
            },
        },
        "BatchExecutionStatus": {
            "title": "Batch execution status",
            "properties": {
                "StatusCode": {"type": "string", "default": "NotStarted", "enum": states},
                "Results": {"type": "object"},
                "Details": {"type": "string"},
            },
        },
    }


def _ports(title: str, names: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    return {"title": title, "type": "object", "properties": {name: shape(name) for name in names}}


def _rows(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _reference(f"{name}Item")}


def _blob(name: str) -> dict[str, Any]:
    return _reference("AzureBlobDataReference")


def _item(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: _column(column) for name, column in (table.get("properties") or {}).items()
        },
    }


def _column(column: Mapping[str, Any]) -> dict[str, Any]:
    shape = {"type": str(column.get("type", "String")).lower()}
    if column.get("format"):
        shape["format"] = str(column["format"]).lower()
    if column.get("enum"):
        shape["enum"] = column["enum"]
    return {**shape, "x-nullable": True} if column.get("x-ms-isnullable") else shape


def _parameter(parameter: GlobalParameter) -> dict[str, Any]:
    shapes = {
        "Int": {"type": "integer", "format": "int32"},
        "Double": {"type": "number", "format": "double"},
        "Float": {"type": "number", "format": "double"},
        "Boolean": {"type": "boolean"},
    }
    shape: dict[str, Any] = dict(shapes.get(parameter.kind, {"type": "string"}))
    shape["description"] = parameter.description
    if parameter.default is not None:
        shape["default"] = _typed(shape["type"], parameter.default)
    return shape


def _typed(kind: str, text: str) -> Any:
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    return text.lower() == "true" if kind == "boolean" else text


def _example(package: Package) -> dict[str, Any]:
    rows = package.example.get("inputs") or {}
    inputs = {}
    for name, table in package.inputs.items():
        columns = list(table.get("properties") or {})
        values = rows.get(name) or [["1"] * len(columns)]
        inputs[name] = [dict(zip(columns, row, strict=False)) for row in values[:1]]
    parameters = {name: parameter.default or "" for name, parameter in package.parameters.items()}
    return {"Inputs": inputs, "GlobalParameters": parameters}
