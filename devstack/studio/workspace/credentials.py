"""Credentials in module parameters: which they are, and an experiment without them.

A graph does not say which parameters are credentials. Those of modules of the catalogue are known
by their type, those of other modules by their names (inferred: Studio's own rule is not known).
"""

from __future__ import annotations

import re
from typing import Any

from devstack.studio.modules import MODULES, module_named_by
from devstack.studio.workspace.experiment_graph import GRAPH_PARAMETER, linked_name

CREDENTIAL = "Credential"
_NAME = re.compile(
    r"password|passphrase|credential|secret|token|connection ?string|\bsas\b"
    r"|(?:account|access|api|storage|shared)[ _-]?key",
    re.IGNORECASE,
)


def without_credentials(experiment: dict[str, Any]) -> dict[str, Any]:
    """The request of an experiment with empty credentials; the one given is not changed."""
    graph, block = experiment["ExperimentGraph"], experiment["WebService"]
    secret = {
        str(item["Name"])
        for item in block.get("Parameters") or ()
        if (item.get("ParameterDefinition") or {}).get("ParameterType") == CREDENTIAL
    }
    nodes = [_cleared_node(node, secret) for node in graph.get("ModuleNodes") or ()]
    parameters = [
        _cleared_parameter(item) if item["Name"] in secret else item
        for item in block.get("Parameters") or ()
    ]
    return {
        **experiment,
        "ExperimentGraph": {**graph, "ModuleNodes": nodes},
        "WebService": {**block, "Parameters": parameters},
    }


def _cleared_node(node: dict[str, Any], secret: set[str]) -> dict[str, Any]:
    """A node with empty credentials; the web-service parameters they are linked to are noted."""
    parameters = []
    for parameter in node.get("ModuleParameters") or ():
        cleared = parameter
        if _is_credential(node["ModuleId"], parameter["Name"]):
            if parameter.get("ValueType") == GRAPH_PARAMETER:
                secret.add(linked_name(parameter))
            else:
                cleared = {**parameter, "Value": ""}
        parameters.append(cleared)
    return {**node, "ModuleParameters": parameters}


def _is_credential(module_id: str, name: str) -> bool:
    module = MODULES.get(module_named_by(module_id) or "")
    types = {parameter.name: parameter.type for parameter in module.parameters} if module else {}
    return types[name] == CREDENTIAL if name in types else bool(_NAME.search(name))


def _cleared_parameter(item: dict[str, Any]) -> dict[str, Any]:
    definition = item.get("ParameterDefinition")
    cleared = {**item, "Value": ""}
    if definition:
        cleared["ParameterDefinition"] = {**definition, "DefaultValue": ""}
    return cleared
