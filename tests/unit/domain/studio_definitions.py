"""Web service definitions to test with, in the shape that Resource Manager answers."""

from __future__ import annotations

from typing import Any

PLAN = (
    "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.MachineLearning/commitmentPlans/plan"
)
SCORE_URI = (
    "aml://module/506153734175476c4f62416c57734963.401b4f92e7244d5abe81d5b0ff9bdb33.v1-default-1730"
)
MODEL_URI = "https://acct.blob.core.windows.net/models/m.ilearner"
WORKSPACE = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.MachineLearning/workspaces/w"


def definition(*, year: int = 2017, **properties: Any) -> dict[str, Any]:
    """A service that scores with one model, as it is read back: with what the service writes."""
    fraction: Any = "True" if year == 2016 else {"value": "True", "certificateThumbprint": ""}
    return {
        "id": "/subscriptions/s-1/resourceGroups/rg/providers/x/webServices/census",
        "name": "census",
        "type": "Microsoft.MachineLearning/webServices",
        "location": "South Central US",
        "tags": {},
        "properties": {
            "packageType": "Graph",
            "title": "Census",
            "description": "",
            "createdOn": "2017-01-01T01:01:01Z",
            "modifiedOn": "2017-01-01T02:02:02Z",
            "provisioningState": "Succeeded",
            "swaggerLocation": "https://x/swagger.json",
            "readOnly": False,
            "exposeSampleData": True,
            "realtimeConfiguration": {"maxConcurrentCalls": 4},
            "diagnostics": {"level": "None"},
            "storageAccount": {"name": "acct"},
            "machineLearningWorkspace": {"id": WORKSPACE},
            "commitmentPlan": {"id": PLAN},
            "input": table("input1", {"age": {"type": "Integer", "format": "Int32"}}),
            "output": table("output1", {"Scored Labels": {"type": "String"}}),
            "assets": {
                "asset1": {
                    "name": "Score Model",
                    "type": "Module",
                    "locationInfo": {"uri": SCORE_URI, "credentials": ""},
                },
                "asset2": {
                    "name": "Census Model [trained model]",
                    "type": "Resource",
                    "locationInfo": {"uri": MODEL_URI, "credentials": "?sv=2015&sig=abcdefgh1234"},
                    "outputPorts": {"Results dataset": {"type": "Dataset"}},
                },
            },
            "parameters": {},
            "package": {
                "nodes": {
                    "n1": {"inputId": "input1"},
                    "n2": {"assetId": "asset1", "parameters": {"Append score columns": fraction}},
                    "n3": {"assetId": "asset2"},
                    "n4": {"outputId": "output1"},
                },
                "edges": [
                    edge("n1", None, "n2", "Dataset"),
                    edge("n3", "Results dataset", "n2", "Trained model"),
                    edge("n2", "Scored dataset", "n4", None),
                ],
                "graphParameters": {},
            },
            **properties,
        },
    }


def table(name: str, columns: dict[str, Any]) -> dict[str, Any]:
    inner = {"title": "", "description": "", "type": "object", "properties": columns}
    return {"title": "", "description": "", "type": "object", "properties": {name: inner}}


def edge(source: str, out: str | None, target: str, entry: str | None) -> dict[str, str]:
    ends = {"sourceNodeId": source, "sourcePortId": out, "targetNodeId": target}
    return {key: end for key, end in {**ends, "targetPortId": entry}.items() if end is not None}
