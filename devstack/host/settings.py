"""App settings: what the environment or a `local.settings.json` names, resolved as the host does.

`%NAME%` inside a queue name, path, schedule or route stands for a setting. A connection is the name
of a setting that holds a connection string; identity connections (`NAME__blobServiceUri`, ...) are
refused, since nothing local could honour them.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from devstack.host.errors import ConfigError

_REFERENCE = re.compile(r"%([^%\s]+)%")


class Settings:
    """Names and values, with the two ways a binding refers to them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    def expand(self, text: str) -> str:
        """Replace each `%NAME%`. Raises ValueError that names the missing setting."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if not self.values.get(name):
                raise ValueError(f"setting {name!r} is not set but {text!r} needs it")
            return self.values[name]

        return _REFERENCE.sub(value, text)

    def connection(self, name: str) -> str:
        """Return the connection string that `name` stands for.

        Looked up as `NAME`, `AzureWebJobsNAME` and `ConnectionStrings__NAME`. Raises ValueError.
        """
        for candidate in (name, f"AzureWebJobs{name}", f"ConnectionStrings__{name}"):
            if self.values.get(candidate):
                return self.values[candidate]
        identity = sorted(key for key in self.values if key.startswith(f"{name}__"))
        if identity:
            raise ValueError(
                f"connection {name!r} is an identity connection ({', '.join(identity)}); "
                f"locally set {name} to a connection string"
            )
        raise ValueError(f"connection {name!r} is not set; set {name} to a connection string")


def read_settings(environment: Mapping[str, str], path: Path | None) -> Settings:
    """Return the environment, filled up from the `Values` of a local.settings.json.

    As with Core Tools, what the environment already holds wins over the file.
    """
    values = _values_of(path) if path is not None else {}
    return Settings({**values, **environment})


def _values_of(path: Path) -> dict[str, str]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError([f"settings file {path} does not exist"]) from error
    except ValueError as error:
        raise ConfigError([f"settings file {path} is not JSON: {error}"]) from error
    if not isinstance(document, dict) or not isinstance(document.get("Values"), dict):
        raise ConfigError([f'settings file {path} has no "Values" object'])
    if document.get("IsEncrypted"):
        raise ConfigError([f"settings file {path} is encrypted; decrypt it: func settings decrypt"])
    mistakes = [
        f"setting {name!r} in {path} is a {type(value).__name__}; write it as a string"
        for name, value in document["Values"].items()
        if not isinstance(value, str)
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return dict(document["Values"])
