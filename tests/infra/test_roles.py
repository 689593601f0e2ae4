"""The app's identity may do what its clients do, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

from alm import bootstrap
from alm.adapters import blob
from alm.engine.announcing import EVENTS_QUEUE
from alm.engine.sending import STEPS_QUEUE
from tests.infra import deployment
from tests.infra.deployment import ROOT, Grant

APP, TOPIC, PEOPLE = "principalId", "topicPrincipalId", "operatorsGroupId"
LANDING_ZONES = ("datasets", "trained-models", "gate-rows")  # people write, the app reads
CLIENTS = {  # what alm imports of Azure: for each a reason to have a role, or none
    "azure.core": "no client",
    "azure.identity": "tokens; needs no role",
    "azure.keyvault": "secrets that declarations name",
    "azure.monitor": "publishes telemetry",
    "azure.servicebus": "the sender",
    "azure.storage": "blobs",
}


def needed_by_triggers() -> set[Grant]:
    """The host reads with the app's identity: what Event Grid announced, and our queues."""
    needs: set[Grant] = set()
    for trigger in deployment.triggers():
        match trigger.type:
            case "blob_trigger":
                needs.add(Grant(APP, "blobReader", f"data/{trigger.place}"))
                needs.add(Grant(APP, "queueContributor", "data"))  # keeps what it was told there
            case "service_bus_queue_trigger":
                needs.add(Grant(APP, "busReceiver", f"bus/{trigger.place}"))
                needs.add(Grant(APP, "countsMessages", "bus"))  # so that it scales in time
    return needs


def needed_by_clients() -> set[Grant]:
    """What `bootstrap.build` makes clients for."""
    own = [name for name in blob.CONTAINERS if name not in LANDING_ZONES]
    sent = {STEPS_QUEUE, bootstrap.REQUESTS_QUEUE, EVENTS_QUEUE, "alm-answers"}
    return {
        *(Grant(APP, "blobContributor", f"data/{name}") for name in own),
        *(Grant(APP, "blobReader", f"data/{name}") for name in LANDING_ZONES),
        Grant(APP, "blobDelegator", "data"),  # user-delegation SAS: Blobs.grant
        *(Grant(APP, "busSender", f"bus/{queue}") for queue in sent),
        Grant(APP, "secretsUser", "vault"),
    }


NEEDED_BY_PLATFORM = {
    Grant(APP, "blobOwner", "host"),  # AzureWebJobsStorage: locks, receipts, keys, the package
    Grant(APP, "queueContributor", "host"),  # AzureWebJobsStorage
    Grant(APP, "tableContributor", "host"),  # AzureWebJobsStorage: diagnostic events
    Grant(
        APP, "metricsPublisher", "insights"
    ),  # host and app: no instrumentation key alone is taken
    Grant(TOPIC, "blobContributor", "data/event-dead-letters"),
}
NEEDED_BY_PEOPLE = {
    *(Grant(PEOPLE, "blobContributor", f"data/{name}") for name in LANDING_ZONES),
    Grant(PEOPLE, "busSender", "bus/alm-requests"),
    Grant(PEOPLE, "secretsOfficer", "vault"),
}


def test_each_role_is_needed_and_each_need_has_its_role():
    needed = needed_by_triggers() | needed_by_clients() | NEEDED_BY_PLATFORM | NEEDED_BY_PEOPLE

    assert needed - deployment.grants() == set(), "needed, but not given"
    assert deployment.grants() - needed == set(), "given, but nobody needs it"


def test_the_app_may_not_write_where_people_land_files():
    writes = {g.on for g in deployment.grants() if g.who == APP and g.role != "blobReader"}
    assert writes.isdisjoint({f"data/{name}" for name in LANDING_ZONES})


def test_every_client_of_azure_in_the_app_is_known_here():
    found: set[str] = set()
    for path in Path(ROOT / "alm").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = [node.value] if node.value.startswith("azure.") else []
            found |= {".".join(n.split(".")[:2]) for n in names if n.startswith("azure.")}
    assert found == set(CLIENTS)


def test_roles_are_named_once_and_all_are_given():
    roles = deployment.var("role", "modules/roles.bicep")
    given = {grant.role for grant in deployment.grants()} - {"countsMessages"}
    assert given == set(roles)
    assert len(set(roles.values())) == len(roles)


def test_the_role_for_studio_has_the_calls_of_the_adapter_only():
    text = (ROOT / "infra/modules/studio.bicep").read_text()
    sources = "".join(p.read_text() for p in (ROOT / "alm/adapters/studio").glob("*.py"))
    assert '"PUT"' in sources and '"PATCH"' in sources and "webServices/write" in text
    assert '"DELETE"' in sources and "webServices/delete" in text
    assert "commitmentPlans" in sources and "commitmentPlans/read" in text
    assert "commitmentPlans/write" not in text and "/*'" not in text.replace("/*/read'", "")
