"""Settings: what the modules of a graph were set to, for the record of a version."""

from __future__ import annotations

from alm.domain.column_picker import described
from alm.domain.experiment import Graph
from alm.domain.graph.module_names import NAMES
from alm.domain.secret_free import is_secret_name
from alm.domain.secret_texts import without_secrets_in
from alm.domain.studio_ids import family_of

SETTINGS_MAX = 200  # of one version: a manifest is read whole in every list
VALUE_CHARACTERS_MAX = 200


def settings_of(graph: Graph) -> dict[str, str]:
    """Each parameter that has a value, by node and name, without secrets; the first ones of many.

    A node is told by its label, else by what it is.
    """
    found: dict[str, str] = {}
    for node in graph.nodes:
        name = node.label.strip() or NAMES.get(family_of(node.module), node.id)
        for parameter in node.parameters:
            if not parameter.value or is_secret_name(parameter.name):
                continue
            text = without_secrets_in(described(parameter.value))[:VALUE_CHARACTERS_MAX]
            found[f"{name}: {parameter.name}"] = text
    return dict(list(found.items())[:SETTINGS_MAX])
