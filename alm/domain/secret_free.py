"""Experiments and web service definitions without the secrets in them.

Withheld are: signatures in addresses, access credentials, keys, tokens, connection strings, and
the values of parameters whose type or name says that they are credentials. A mark stays where one
was (`secret_texts.WITHHELD`), so that `withheld` can say what must be supplied again.

Source: experiment and definition documents; parameter types of Studio. Which names of parameters
mean a credential is inferred: graphs of experiments do not tell the types of module parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alm.domain.errors import Refused
from alm.domain.experiment import Graph
from alm.domain.secret_texts import WITHHELD, without_secrets_in

DEPTH_MAX = 100  # documents of Studio are 12 deep; beyond it, a document is meant to hurt

_SECRET_KEYS = re.compile(
    r"(?:accesscredentials?|credentials?|sasblobtoken|.*password|.*secret|.*signature|.*certificate"
    r"|.*connectionstring|.*(?:account|storage|access|api|primary|secondary)key|.*token"
    r"|sharedaccessuri)"
)
_SECRET_WORDS = re.compile(
    r"\b(?:password|passwd|passphrase|pwd|secret|token|credentials?|sas|connection string)\b"
    r"|\b(?:account|access|storage|api|shared|primary|secondary|private|subscription) ?keys?\b"
    r"|^key$|connectionstring|password|accesstoken"
)
_ABOUT_SECRETS = re.compile(
    # names that speak of secrets but hold none
    r"\bcolumns?\b|\b(?:container|type|mode|kind|name|descriptor|count|expiry|length|separator)$"
)
_NO_SECRET = frozenset({"", "true", "false"})


def without_secrets(document: Any) -> Any:
    """Copy a document with a mark in place of each secret.

    Raises Refused if it is nested deeper than any document of Studio's.
    """
    return _clean(document, _credentials(document), 0)


def withheld(document: Any) -> list[str]:
    """The places that hold a mark instead of a secret: `Graph.ModuleNodes[2].Value`."""
    return list(dict.fromkeys(_marked(document, "")))


def secret_values(graph: Graph) -> tuple[str, ...]:
    """The credentials that a graph holds: what Studio says about it may repeat them."""
    parameters = (item for node in graph.nodes for item in node.parameters)
    return tuple(item.value for item in parameters if item.value and is_secret_name(item.name))


def is_secret_name(name: str) -> bool:
    """Whether a parameter of this name holds a credential: `Account Key`, not `Key column`."""
    words = re.sub(r"[^a-z0-9]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()).strip()
    return bool(_SECRET_WORDS.search(words)) and not _ABOUT_SECRETS.search(words)


def _clean(value: Any, secret: frozenset[str], depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise Refused(f"the document is nested more than {DEPTH_MAX} levels deep; send a real one")
    if isinstance(value, str):
        return without_secrets_in(value)
    if isinstance(value, list | tuple):
        return [_clean(item, secret, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return _clean_object(value, secret, depth)
    return value


def _clean_object(value: Mapping[str, Any], secret: frozenset[str], depth: int) -> dict[str, Any]:
    named = _lowered(value)
    values = ("value", "defaultvalue") if _is_credential(named, secret) else ()
    return {
        key: _blank(item, depth)
        if key.lower() in values or _hides(key, item, secret, pair="value" in named)
        else _clean(item, secret, depth + 1)
        for key, item in value.items()
    }


def _is_credential(named: Mapping[str, Any], secret: frozenset[str]) -> bool:
    """Whether an object is a parameter with a credential for a value."""
    name = named.get("name", named.get("scriptname"))
    kind = named.get("parametertype", named.get("type"))
    definition = named.get("parameterdefinition")
    if isinstance(definition, Mapping):
        kind = _lowered(definition).get("parametertype", kind)
    return (
        str(kind).lower() == "credential"
        or bool(named.get("certificatethumbprint"))
        or (isinstance(name, str) and (name in secret or is_secret_name(name)))
    ) and str(named.get("valuetype", "")).lower() != "graphparametername"


def _hides(key: str, item: Any, secret: frozenset[str], *, pair: bool) -> bool:
    """Whether a key of an object says that what it holds is a secret.

    pair: the object is a pair of key and value, so that its key is a name. An object under such a
    key is a secret if it has a value; a column of that name has not.
    """
    plain = re.sub(r"[^a-z]", "", key.lower())
    if isinstance(item, Mapping) and "value" not in _lowered(item):
        return plain == "keys" and set(_lowered(item)) <= {"primary", "secondary"}
    if plain == "key":
        return not pair
    return key in secret or bool(_SECRET_KEYS.fullmatch(plain)) or is_secret_name(key)


def _blank(value: Any, depth: int) -> Any:
    """A mark for every text in a value; what the value looks like stays."""
    if depth > DEPTH_MAX:
        raise Refused(f"the document is nested more than {DEPTH_MAX} levels deep; send a real one")
    if isinstance(value, Mapping):
        return {
            key: item if key.lower() == "certificatethumbprint" else _blank(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_blank(item, depth + 1) for item in value]
    if isinstance(value, bool) or value is None or str(value).lower() in _NO_SECRET:
        return value
    return WITHHELD


def _credentials(document: Any) -> frozenset[str]:
    """Parameters that a definition declares to be credentials: their names, and those linked."""
    found: set[str] = set()
    due = [(document, 0)]
    while due:
        value, depth = due.pop()
        if depth > DEPTH_MAX:
            continue  # refused when it is copied
        if isinstance(value, Mapping):
            declared = _inner(value, "graphparameters")
            found |= _declared(declared) if isinstance(declared, Mapping) else set()
            due += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list | tuple):
            due += [(item, depth + 1) for item in value]
    return frozenset(found)


def _declared(parameters: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for name, parameter in parameters.items():
        if str(_inner(parameter, "type", "")).lower() == "credential":
            links = _inner(parameter, "links")
            linked = links if isinstance(links, list | tuple) else ()
            found |= {str(name), *(str(_inner(link, "parameterkey", name)) for link in linked)}
    return found


def _inner(value: Any, key: str, default: Any = None) -> Any:
    return _lowered(value).get(key, default) if isinstance(value, Mapping) else default


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).lower(): item for key, item in value.items()}


def _marked(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if WITHHELD in value:
            yield place
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _marked(item, f"{place}.{key}".removeprefix("."))
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from _marked(item, f"{place}[{at}]")
