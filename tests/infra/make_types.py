"""Make types.json anew: what Resource Manager takes, from the models of Microsoft's Python SDKs.

    python -m pip install --no-deps --target SDKS/web azure-mgmt-web==10.0.0    and so on, see ROOTS
    python -m tests.infra.make_types SDKS

Each package goes into a folder of its own, `SDKS/web`. Sources are parsed, not imported. Only
objects that our Bicep writes are opened, so that the table stays readable; everything else is known
by name and kind. What no SDK of that version has is in types_by_hand.json, with its source.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.infra import bicep

HERE = Path(__file__).parent
ROOTS = {
    "Microsoft.Authorization/roleAssignments@2022-04-01": (
        "authorization==4.0.0", "v2022_04_01/models", "RoleAssignmentCreateParameters"),
    "Microsoft.Authorization/roleDefinitions@2022-04-01": (
        "authorization==4.0.0", "v2022_04_01/models", "RoleDefinition"),
    "Microsoft.EventGrid/systemTopics@2025-02-15": (
        "eventgrid==10.4.0", "models", "SystemTopic"),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15": (
        "eventgrid==10.4.0", "models", "EventSubscription"),
    "Microsoft.Insights/actionGroups@2023-01-01": (
        "monitor==7.0.0", "models", "ActionGroupResource"),
    "Microsoft.Insights/components@2020-02-02": (
        "applicationinsights==4.1.0", "v2020_02_02/models", "ApplicationInsightsComponent"),
    "Microsoft.Insights/scheduledQueryRules@2023-12-01": (
        "monitor==7.0.0", "models", "ScheduledQueryRuleResource"),
    "Microsoft.Insights/workbooks@2023-06-01": (
        "applicationinsights==4.1.0", "v2023_06_01/models", "Workbook"),
    "Microsoft.KeyVault/vaults@2025-05-01": (
        "keyvault==12.1.1", "models", "VaultCreateOrUpdateParameters"),
    "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30": (
        "msi==7.1.0", "v2024_11_30/models", "Identity"),
    "Microsoft.OperationalInsights/workspaces@2025-07-01": (
        "loganalytics==13.1.1", "models", "Workspace"),
    "Microsoft.Storage/storageAccounts@2025-06-01": (
        "storage==24.0.0", "models", "StorageAccountCreateParameters", "StorageAccount"),
    "Microsoft.Storage/storageAccounts/blobServices@2025-06-01": (
        "storage==24.0.0", "models", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01": (
        "storage==24.0.0", "models", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01": (
        "storage==24.0.0", "models", "ManagementPolicy"),
    "Microsoft.Web/serverfarms@2024-11-01": ("web==10.0.0", "models", "AppServicePlan"),
    "Microsoft.Web/sites@2024-11-01": ("web==10.0.0", "models", "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01": (
        "web==10.0.0", "models", "CsmPublishingCredentialsPoliciesEntity"),
    "Microsoft.Web/sites/config@2024-11-01#appsettings": (
        "web==10.0.0", "models", "StringDictionary"),
    "Microsoft.Web/sites/config@2024-11-01#authsettingsV2": (
        "web==10.0.0", "models", "SiteAuthSettingsV2"),
}  # fmt: skip
PLAIN = {"str": "string", "bool": "bool", "int": "int", "float": "int", "iso-8601": "string"}
PLAIN |= {"duration": "string", "datetime": "string", "timedelta": "string"}


class Models:
    """The models of one package, old style (`_attribute_map`) or new (`rest_field`)."""

    def __init__(self, folder: Path) -> None:
        trees = [ast.parse(path.read_text()) for path in sorted(folder.glob("_*.py"))]
        classes = (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
        self._classes = {node.name: node for node in classes}

    def values(self, name: str) -> list[str]:
        """The values of an enumeration, or nothing if it is none."""
        node = self._classes.get(name)
        if node is None or not any("Enum" in ast.unparse(base) for base in node.bases):
            return []
        assigned = (each.value for each in node.body if isinstance(each, ast.Assign))
        return [v.value for v in assigned if isinstance(v, ast.Constant)]

    def fields(self, name: str) -> dict[str, dict[str, Any]]:
        """What a model has: dotted names on the wire, their types, required, read-only."""
        node = self._classes.get(name)
        if node is None:
            return {}
        found: dict[str, dict[str, Any]] = {}
        for base in node.bases:
            found |= self.fields(ast.unparse(base).rpartition(".")[2])
        return found | _old_style(node) | _new_style(node)

    def subtypes(self, name: str) -> tuple[str, dict[str, str]]:
        """The discriminator of a model with subtypes, and their names by its value."""
        node = self._classes.get(name)
        table = {} if node is None else _assigned(node, "_subtype_map")
        if not table:
            return "", {}
        python_name, kinds = next(iter(table.items()))
        wire = _assigned(self._classes[name], "_attribute_map")[python_name]["key"]
        return wire, kinds


def _assigned(node: ast.ClassDef, name: str) -> dict[str, Any]:
    for each in node.body:
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name:
            table = ast.literal_eval(each.value)
            return table if isinstance(table, dict) else {}
    return {}


def _old_style(node: ast.ClassDef) -> dict[str, dict[str, Any]]:
    rules = _assigned(node, "_validation")
    told = re.findall(r":vartype (\w+): str or\s+~[\w.]+\.(\w+)", ast.get_docstring(node) or "")
    enumerations = dict(told)  # the map calls their values `str`
    return {
        entry["key"].replace("\\\\.", "\0"): {
            "type": enumerations.get(name, entry["type"])
            if entry["type"] == "str"
            else entry["type"],
            "required": rules.get(name, {}).get("required", False),
            "read_only": rules.get(name, {}).get("readonly", False),
        }
        for name, entry in _assigned(node, "_attribute_map").items()
    }


def _new_style(node: ast.ClassDef) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in node.body:
        if not isinstance(each, ast.AnnAssign) or not isinstance(each.value, ast.Call):
            continue
        if ast.unparse(each.value.func) != "rest_field":
            continue
        given = {word.arg: ast.literal_eval(word.value) for word in each.value.keywords
                 if word.arg in ("name", "visibility")}  # fmt: skip
        kind = ast.unparse(each.annotation)
        optional = kind.startswith("Optional[")
        read_only = given.get("visibility") == ["read"]
        found[given.get("name", ast.unparse(each.target))] = {
            "type": _sdk_type(
                kind.removeprefix("Optional[").removesuffix("]") if optional else kind
            ),
            "required": not optional and not read_only,
            "read_only": read_only,
        }
    return found


def _sdk_type(annotation: str) -> str:
    """An annotation in the words of the old style: `X`, `[X]`, `{X}`."""
    bare = re.sub(r"['\"]|_models\.|_enums\.", "", annotation)
    if match := re.fullmatch(r"(?:list|List)\[(.*)\]", bare):
        return f"[{_sdk_type(match[1])}]"
    if match := re.fullmatch(r"(?:dict|Dict)\[str, (.*)\]", bare):
        return "{" + _sdk_type(match[1]) + "}"
    if match := re.fullmatch(r"Union\[str, (\w+)\]", bare):
        return match[1]
    return bare.rpartition(".")[2]


def shape(models: Models, kind: str, written: list[Any]) -> dict[str, Any]:
    """A type as the table has it, opened as far as `written` (our values of it) needs."""
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if kind.startswith("["):
        inner = [item for value in written if isinstance(value, list) for item in value]
        return {"type": "array", "items": shape(models, kind[1:-1], inner)}
    if kind.startswith("{"):
        return {"type": "object", "any": True}
    if values := models.values(kind):
        return {"type": "string", "values": values}
    objects = [value for value in written if isinstance(value, dict)]
    if not objects:
        return {"type": "any"}
    return {"type": "object", "properties": _opened(models, kind, objects)}


def _opened(models: Models, kind: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    discriminator, kinds = models.subtypes(kind)
    if discriminator:
        written = {value.get(discriminator) for value in objects}
        fields = {}
        for each in sorted(kinds[name] for name in written if name in kinds):
            fields |= models.fields(each)
        return _nested(models, fields, objects) | {
            discriminator: {"type": "string", "values": sorted(kinds), "required": True}
        }
    return _nested(models, models.fields(kind), objects)


def _nested(
    models: Models, fields: dict[str, dict[str, Any]], objects: list[dict[str, Any]]
) -> dict[str, Any]:
    """Properties by name; `properties.x` of a flattened model goes into `properties`."""
    found: dict[str, Any] = {}
    inner: dict[str, dict[str, dict[str, Any]]] = {}
    for dotted, entry in sorted(fields.items()):
        first, _, rest = dotted.partition(".")
        if rest:
            inner.setdefault(first, {})[rest] = entry
            continue
        name = first.replace("\0", ".")
        found[name] = shape(models, entry["type"], [o[name] for o in objects if name in o])
        found[name] |= {key: True for key in ("required", "read_only") if entry[key]}
    for name, parts in inner.items():
        below = [o[name] for o in objects if isinstance(o.get(name), dict)]
        found[name] = {"type": "object", "properties": _nested(models, parts, below)}
    return found


def short_form(entries: dict[str, Any]) -> dict[str, Any]:
    """As in types.json: `name!` is required, `name~` only read, `string: a | b` one of these."""
    return {
        name + ("!" if entry.get("required") else "~" if entry.get("read_only") else ""): _kind(
            entry
        )
        for name, entry in sorted(entries.items())
    }


def _kind(entry: dict[str, Any]) -> Any:
    if "properties" in entry:
        return short_form(entry["properties"])
    if "values" in entry:
        return f"string: {' | '.join(entry['values'])}"
    if "properties" in entry.get("items", {}):
        return [short_form(entry["items"]["properties"])]
    return entry["type"]


def written_values(folder: Path) -> dict[str, list[Any]]:
    """What our Bicep writes, by type; `config` resources by their names too."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.rglob("*.bicep")):
        for resource in bicep.read(path).of("resource").values():
            value = bicep.plain(resource.body)
            if isinstance(value, dict):
                suffix = (
                    f"#{value.get('name')}"
                    if resource.type.startswith("Microsoft.Web/sites/config@")
                    else ""
                )
                found.setdefault(resource.type + suffix, []).append(value)
    return found


def main(sdks: Path) -> None:
    written = written_values(HERE.parents[1] / "infra")
    table = json.loads((HERE / "types_by_hand.json").read_text())
    for name, (package, folder, model, *read) in ROOTS.items():
        short = package.partition("==")[0]
        models = Models(sdks / short / "azure/mgmt" / short / folder)
        entry = shape(models, model, written.get(name, []))["properties"]
        for answered in read:  # what is only told, where creating has a model of its own
            told = shape(models, answered, [{"properties": {}}])["properties"]["properties"][
                "properties"
            ]
            for key, value in told.items():
                entry["properties"]["properties"].setdefault(key, value | {"read_only": True})
        for own in ("id", "type", "name", "systemData"):
            entry.pop(own, None)
        table[name] = {"source": f"azure-mgmt-{package}, {model}", "takes": short_form(entry)}
    text = json.dumps(dict(sorted(table.items())), indent=1)
    (HERE / "types.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
