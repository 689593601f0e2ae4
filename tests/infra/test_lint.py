"""Our Bicep has no mistakes that the linter knows, and the linter sees the ones planted here."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.infra import bicep, lint

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"


class Planted(NamedTuple):
    """A mistake: `right` in a file becomes `wrong`; the rule must say so."""

    file: str
    right: str
    wrong: str
    rule: str
    says: str


PLANTED = {
    "a brace is lost": Planted(
        "modules/keyvault.bicep", "    sku: {\n", "    sku: \n", "syntax", "cannot be parsed"
    ),
    "a property is misspelt": Planted(
        "modules/storage.bicep",
        "allowSharedKeyAccess: false\n    defaultToOAuth",
        "allowSharedKeysAccess: false\n    defaultToOAuth",
        "resources",
        "takes no 'allowSharedKeysAccess'",
    ),
    "a property is misspelt deep inside": Planted(
        "events.bicep", "maxDeliveryAttempts:", "maxDeliverAttempts:", "resources", "takes no"
    ),
    "a property of a list's item is misspelt": Planted(
        "modules/alerts.bicep", "threshold: 0", "treshold: 0", "resources", "takes no 'treshold'"
    ),
    "a property of one kind of filter only": Planted(
        "events.bicep", "values: [", "value: [", "resources", "takes no 'value'"
    ),
    "a value that is none": Planted(
        "modules/storage.bicep", "'TLS1_2'", "'1.2'", "resources", "is one of"
    ),
    "text where a number belongs": Planted(
        "modules/servicebus.bicep",
        "InMegabytes: 5120",
        "InMegabytes: '5120'",
        "resources",
        "is int",
    ),
    "a switch as text": Planted(
        "modules/servicebus.bicep", "Auth: true", "Auth: 'true'", "resources", "is bool"
    ),
    "a required property is missing": Planted(
        "modules/keyvault.bicep",
        "    tenantId: tenant().tenantId\n",
        "",
        "resources",
        "needs 'tenantId'",
    ),
    "what can only be read is set": Planted(
        "modules/app.bicep", "httpsOnly: true", "defaultHostName: 'x'", "resources", "only be read"
    ),
    "a type is misspelt": Planted(
        "modules/identity.bicep",
        "userAssignedIdentities@",
        "userAssignedIdentitys@",
        "resources",
        "not in types.json",
    ),
    "an API version that nobody looked up": Planted(
        "modules/identity.bicep", "2024-11-30", "2099-01-01", "resources", "not in types.json"
    ),
    "a parent of the wrong type": Planted(
        "modules/storage.bicep", "parent: blobs\n", "parent: data\n", "resources", "is no child of"
    ),
    "a child without a parent": Planted(
        "modules/roles.bicep",
        "existing = {\n  parent: bus\n",
        "existing = {\n",
        "resources",
        "needs `parent`",
    ),
    "an existing resource is changed": Planted(
        "modules/app.bicep",
        "existing = {\n  name: busName\n",
        "existing = {\n  name: busName\n  tags: tags\n",
        "resources",
        "cannot be set",
    ),
    "two resources of one name": Planted(
        "modules/storage.bicep",
        "  parent: host\n",
        "  parent: data\n",
        "resources",
        "the same resource",
    ),
    "something is read that is not there": Planted(
        "modules/identity.bicep",
        ".properties.clientId",
        ".properties.appId",
        "resources",
        "has no 'appId'",
    ),
    "a parameter of a module is missing": Planted(
        "main.bicep", "    email: alertEmail\n", "", "modules", "needs the parameter 'email'"
    ),
    "a parameter of a module is misspelt": Planted(
        "main.bicep",
        "    email: alertEmail\n",
        "    mail: alertEmail\n",
        "modules",
        "has no parameter",
    ),
    "a parameter of a module has the wrong type": Planted(
        "main.bicep", "keepJobsDays: keepJobsDays", "keepJobsDays: location", "modules", "is int"
    ),
    "an output of another module has the wrong type": Planted(
        "main.bicep",
        "alwaysReady: alwaysReady",
        "alwaysReady: bus.outputs.name",
        "modules",
        "is array, this is string",
    ),
    "an output that no module has": Planted(
        "main.bicep", "bus.outputs.hostName", "bus.outputs.host", "modules", "has no output 'host'"
    ),
    "a module without a file": Planted(
        "main.bicep", "modules/alerts.bicep", "modules/alarms.bicep", "modules", "there is no file"
    ),
    "a module without its scope": Planted(
        "main.bicep",
        "  name: 'keyvault'\n  scope: group\n",
        "  name: 'keyvault'\n",
        "modules",
        "scope",
    ),
    "a symbol that is not declared": Planted(
        "modules/alerts.bicep",
        "[insights.id]",
        "[insight.id]",
        "names",
        "'insight' is not declared",
    ),
    "a local outside its loop": Planted(
        "modules/roles.bicep",
        "for name in readContainers: {",
        "for each in readContainers: {",
        "names",
        "'name' is not declared",
    ),
    "a parameter that nothing uses": Planted(
        "modules/keyvault.bicep", "  tags: tags\n", "", "names", "param 'tags' is never used"
    ),
    "a variable that nothing uses": Planted(
        "events.bicep",
        "blobContainerName: deadLetterContainer",
        "blobContainerName: 'event-dead-letters'",
        "names",
        "var 'deadLetterContainer' is never used",
    ),
    "a name is declared twice": Planted(
        "modules/roles.bicep", "resource vault ", "resource bus ", "names", "more than once"
    ),
    "a property stands there twice": Planted(
        "modules/app.bicep",
        "  AZURE_CLIENT_ID: clientId\n",
        "  AZURE_CLIENT_ID: clientId\n  AZURE_CLIENT_ID: clientId\n",
        "names",
        "2 times",
    ),
    "a function that is none": Planted(
        "main.bicep", "toLower(", "lower(", "names", "no function 'lower'"
    ),
    "a secret as an output": Planted(
        "modules/monitoring.bicep",
        "output insightsName string = insights.name",
        "output insightsName string = insights.properties.ConnectionString",
        "outputs",
        "would be a secret",
    ),
    "a listed key as an output": Planted(
        "events.bicep",
        "resource landed",
        "output code string = listKeys(app.id, '2024-11-01').masterKey\n\nresource landed",
        "outputs",
        "would be a secret",
    ),
    "an output of the wrong type": Planted(
        "modules/keyvault.bicep", "output name string", "output name int", "outputs", "is int"
    ),
    "a default of the wrong type": Planted(
        "main.bicep", "keepJobsDays int = 30", "keepJobsDays int = '30'", "literals", "is int"
    ),
    "a key is written down": Planted(
        "modules/app.bicep",
        "'managedidentity'\n  ALM_STORAGE__clientId",
        "'AccountKey=abc'\n  ALM_STORAGE__clientId",
        "literals",
        "looks like a key",
    ),
    "a secret has a default": Planted(
        "main.bicep",
        "param gitToken string = ''",
        "@secure()\nparam gitToken string = 'abc'",
        "literals",
        "is secure",
    ),
    "a file to load is not there": Planted(
        "modules/alerts.bicep", "alert-died.kql", "alert-dead.kql", "literals", "there is no file"
    ),
}


def test_our_bicep_has_no_mistakes_that_the_linter_knows():
    assert [str(problem) for problem in lint.problems(INFRA)] == []


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_mistake_is_seen(planted: Planted, tmp_path: Path):
    folder = tmp_path / "infra"
    shutil.copytree(INFRA, folder)
    path = folder / planted.file
    before = path.read_text()
    assert planted.right in before, f"{planted.file} no longer has {planted.right!r}"

    path.write_text(before.replace(planted.right, planted.wrong, 1))

    told = [each for each in lint.problems(folder) if each.rule == planted.rule]
    assert any(each.path == planted.file and planted.says in each.says for each in told), told


def test_every_file_is_reached_from_one_that_is_deployed():
    files = {path.relative_to(INFRA).as_posix() for path in INFRA.rglob("*.bicep")}
    called = {module.type for module in bicep.read(INFRA / "main.bicep").of("module").values()}
    assert files == called | {"main.bicep", "events.bicep"}
