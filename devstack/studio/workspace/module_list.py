"""The list of modules: Studio's own from the catalogue, and the workspace's custom ones.

ReleaseState `Custom` marks the latter. Only Id, Name, FamilyId, Category and ReleaseState are known
from clients; ports and parameters are inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.studio.context import Context
from devstack.studio.modules import catalogue
from devstack.studio.web import Request, Response, Route
from devstack.studio.workspace.asset_documents import asset_document, date
from devstack.studio.workspace.custom_modules import CustomModules, Interface
from devstack.studio.workspace.records import Asset


class ModuleList:
    """Serves `/workspaces/{ws}/modules`."""

    def __init__(self, context: Context, custom: CustomModules) -> None:
        self._context = context
        self._custom = custom

    def routes(self) -> list[Route]:
        """The routes, without prefix and token check."""
        base = "/workspaces/{ws}/modules"
        return [
            Route("GET", base, self.list_modules),
            Route("POST", base + "/custom", self._custom.begin),
            Route("GET", base + "/custom", self._custom.status),
        ]

    def list_modules(self, request: Request) -> Response:
        """The latest version of every module."""
        own = self._context.assets.latest_of_all(request.parts["ws"], "module")
        shown = [_built_in(module) for module in catalogue()]
        return Response(200, shown + [self._custom_document(asset) for asset in own])

    def _custom_document(self, asset: Asset) -> dict[str, Any]:
        interface = self._context.store.get(Interface, asset.key)
        assert interface is not None, f"custom module {asset.id} has an interface"
        return {
            **asset_document(asset),
            "Category": "Custom",
            "ReleaseState": "Custom",
            "Language": interface.language,
            "InputPorts": _ports(interface.inputs),
            "OutputPorts": _ports(interface.outputs),
            "Parameters": [
                {"Name": name, "ParameterType": kind} for name, kind in interface.parameters
            ],
        }


def _ports(named: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"Name": name, "Type": kind, "IsOptional": False} for name, kind in named]


def _built_in(module: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Id": module["id"],
        "Name": module["name"],
        "Description": "",
        "FamilyId": module["family"],
        "Category": module["category"],
        "ReleaseState": "Release",
        "Language": "DotNet",
        "ServiceVersion": int(module["id"].rsplit("-", 1)[-1]),
        "IsLatest": True,
        "IsDeprecated": False,
        "CreatedDate": date(0),
        "InputPorts": [
            {"Name": port["name"], "Type": port["type"], "IsOptional": port["optional"]}
            for port in module["inputs"]
        ],
        "OutputPorts": [
            {"Name": port["name"], "Type": port["type"], "IsOptional": False}
            for port in module["outputs"]
        ],
        "Parameters": [_parameter(parameter) for parameter in module["parameters"]],
    }


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": parameter["name"],
        "ParameterType": parameter["type"],
        "HasDefaultValue": parameter["default"] is not None,
        "DefaultValue": parameter["default"],
        "IsOptional": parameter["optional"],
        "Values": parameter["choices"],
        "Minimum": parameter["minimum"],
        "Maximum": parameter["maximum"],
    }
