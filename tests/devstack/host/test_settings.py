"""App settings and connections."""

import json

import pytest

from devstack.host.errors import ConfigError
from devstack.host.settings import Settings, read_settings


def test_references_are_replaced():
    settings = Settings({"QUEUE": "alm-steps", "N": "7"})
    assert settings.expand("%QUEUE%/$DeadLetterQueue-%N%") == "alm-steps/$DeadLetterQueue-7"
    assert settings.expand("100% sure, no reference") == "100% sure, no reference"


def test_a_missing_setting_is_named():
    with pytest.raises(ValueError, match="setting 'QUEUE'"):
        Settings({}).expand("%QUEUE%")


@pytest.mark.parametrize("name", ["BUS", "AzureWebJobsBUS", "ConnectionStrings__BUS"])
def test_a_connection_is_found_under_each_of_its_names(name):
    assert Settings({name: "Endpoint=x"}).connection("BUS") == "Endpoint=x"


def test_the_exact_name_wins():
    settings = Settings({"AzureWebJobsBUS": "prefixed", "BUS": "exact"})
    assert settings.connection("BUS") == "exact"


def test_an_identity_connection_is_refused():
    with pytest.raises(ValueError, match="identity connection"):
        Settings({"BUS__fullyQualifiedNamespace": "x"}).connection("BUS")


def test_a_missing_connection_says_what_to_set():
    with pytest.raises(ValueError, match="set BUS to a connection string"):
        Settings({}).connection("BUS")


def test_the_environment_wins_over_the_file(tmp_path):
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps({"Values": {"A": "file", "B": "file"}}))
    values = read_settings({"A": "environment"}, path).values
    assert values == {"A": "environment", "B": "file"}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "does not exist"),
        ("{", "not JSON"),
        ("{}", "Values"),
        ('{"IsEncrypted": true, "Values": {}}', "encrypted"),
        ('{"Values": {"A": 1}}', "'A'.*string"),
    ],
)
def test_a_settings_file_that_cannot_be_used_is_refused(tmp_path, content, named):
    path = tmp_path / "local.settings.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=named):
        read_settings({}, path)
