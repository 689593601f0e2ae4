"""Asset swaps: the same experiment with other assets.

Studio's page saves a locked snapshot as a new experiment that names the newest versions of its
assets. Here a new experiment counts as that when its ParentExperimentId is a snapshot (inferred:
how the page says so is not known; copies by the published clients send none and are left alone).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.studio.workspace.assets import Assets
from devstack.studio.workspace.experiment_graph import PORT_ASSETS, ExperimentGraph
from devstack.studio.workspace.experiment_records import Content


def with_newest_assets(content: Content, assets: Assets, workspace_id: str) -> Content:
    """The content with the newest version of each asset of the workspace's own."""
    found = {}
    for use in ExperimentGraph(content.graph, content.web_service).assets():
        asset = assets.get(workspace_id, use.asset)
        newest = assets.latest(workspace_id, asset.family) if asset is not None else None
        if newest is not None:
            found[use.asset] = newest.id
    return with_assets(content, found)


def with_assets(content: Content, new_ids: Mapping[str, str]) -> Content:
    """The content with other ids at its ports, and in the drawings, which name assets too."""
    graph = {
        **content.graph,
        "ModuleNodes": [
            {
                **node,
                "InputPortsInternal": [
                    {**port, **_other_ids(port, new_ids)}
                    for port in node.get("InputPortsInternal") or ()
                ],
            }
            for node in content.graph.get("ModuleNodes") or ()
        ],
    }
    return content.model_copy(
        update={
            "graph": _with_drawing(graph, new_ids),
            "web_service": _with_drawing(content.web_service, new_ids),
        }
    )


def _other_ids(port: Mapping[str, Any], new_ids: Mapping[str, str]) -> dict[str, str]:
    return {key: new_ids[port[key]] for key in PORT_ASSETS if port.get(key) in new_ids}


def _with_drawing(document: dict[str, Any], new_ids: Mapping[str, str]) -> dict[str, Any]:
    drawing = document.get("SerializedClientData")
    if not isinstance(drawing, str):
        return document
    for old, new in new_ids.items():
        drawing = drawing.replace(old, new)
    return {**document, "SerializedClientData": drawing}
