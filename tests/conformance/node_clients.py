"""Would Microsoft's Resource Manager clients for Node work with local Studio? Unmodified, they say.

One Studio is furnished here and every client takes its steps with it, in a process of its own.
What goes over the wire is held against the specification, both what a client sends and what Studio
answers.
"""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from typing import Any

from devstack.azurite import NotInstallable, find_node
from devstack.studio.studio import Studio, StudioOptions
from tests.conformance.environments import NotInstalled, node_packages
from tests.conformance.steps import agree, taken
from tests.devstack.studio.client import Client
from tests.devstack.studio.recording import Recording
from tests.devstack.studio.test_arm import definition, plan_id

FOLDER = Path(__file__).parent / "node"
CLIENTS = {
    "arm_webservices.js": "@azure/arm-webservices 1.1.0",
    "machinelearning_webservices.js": "azure-arm-machinelearning 1.1.0-preview (web services)",
    "arm_commitmentplans.js": "@azure/arm-commitmentplans 1.3.1",
    "machinelearning_plans.js": "azure-arm-machinelearning 1.1.0-preview (plans)",
    "arm_workspaces.js": "@azure/arm-workspaces 1.1.0",
}

# More than one page of a list.
CROWD = 51
CROWD_GROUP = "crowd"


def agrees() -> bool:
    """Take the steps of every client and print how each went; whether all is as it should be."""
    try:
        node = find_node()
        modules = node_packages("conformance-node", node.npm, FOLDER)
    except (NotInstallable, NotInstalled) as error:
        print(f"NOT RUN: conformance of local Studio with {', '.join(CLIENTS.values())}: {error}")
        return True
    environment = {**os.environ, "NODE_PATH": str(modules), "NODE_NO_WARNINGS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        options = StudioOptions(data=Path(folder), with_samples=True, propagation_seconds=0)
        with Studio(options) as studio, Client(studio.description()) as client:
            known = _furnished(studio, client)
            with Recording(studio) as recording:
                good = [
                    agree(name, taken([node.node, FOLDER / file], known, env=environment))
                    for file, name in CLIENTS.items()
                ]
            return all([*good, _is_as_specified(recording)])


def _is_as_specified(recording: Recording) -> bool:
    for mistake in recording.mistakes:
        print(f"conformance: on the wire: {mistake}")
    if not recording.mistakes:
        print(
            f"conformance: {len(recording.calls)} calls on the wire are as the specification says "
            f"({len(recording.seen)} documents, {len(set(recording.seen))} kinds)"
        )
    return not recording.mistakes


def _furnished(studio: Studio, client: Client) -> dict[str, Any]:
    """Services, plans and workspaces for more than a page; what the steps need to know."""
    first = definition(client, 1)
    subscription = client.description["subscription_id"]
    group = f"/subscriptions/{subscription}/resourceGroups/{CROWD_GROUP}"
    for number in range(CROWD):
        studio.new_services.publish(CROWD_GROUP, f"service-{number:02}", copy.deepcopy(first))
        studio.plans.create(CROWD_GROUP, f"plan-{number:02}", "Southeast Asia", {})
        studio.context.workspaces.create(
            CROWD_GROUP,
            f"workspace-{number:02}",
            owner_email="owner@example.com",
            region="West Europe",
            storage_account_id=f"{group}/providers/Microsoft.Storage/storageAccounts/crowd",
        )
    lost, unplanned = copy.deepcopy(first), copy.deepcopy(first)
    for asset in lost["properties"]["assets"].values():
        if asset["type"] == "Resource":
            asset["locationInfo"]["uri"] = asset["locationInfo"]["uri"].replace("arm1", "lost")
    unplanned["properties"]["commitmentPlan"] = {"id": plan_id(client, "nowhere")}
    definitions = {"first": first, "second": definition(client, 2), "third": definition(client, 3)}
    return {
        **{name: client.description[name] for name in _TOLD},
        "definitions": {**definitions, "lost": lost, "unplanned": unplanned},
        "crowd_group": CROWD_GROUP,
    }


_TOLD = ("base_url", "subscription_id", "resource_group", "arm_token", "workspace_id")
