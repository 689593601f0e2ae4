"""What stands in more than one place stands there alike: queues, containers, host.json, Python."""

from __future__ import annotations

import json
import re
from typing import Any

from alm.adapters import blob
from alm.engine import limits
from tests.infra import deployment
from tests.infra.bicep import plain, properties, text
from tests.infra.deployment import ROOT

HOST = json.loads((ROOT / "host.json").read_text())
OF_EVENT_GRID = "event-dead-letters"
SECONDS = {"S": 1, "M": 60, "H": 3600, "D": 86400}


def seconds(span: str) -> int:
    """Of `PT1M`, `P14D` or `00:06:00`."""
    if span.startswith("P"):
        return sum(int(n) * SECONDS[unit] for n, unit in re.findall(r"(\d+)([SMHD])", span))
    hours, minutes, rest = (int(part) for part in span.split(":"))
    return hours * 3600 + minutes * 60 + rest


def body(module: str, resource: str) -> dict[str, Any]:
    document = plain(deployment.file(module).of("resource")[resource].body)
    assert isinstance(document, dict)
    return document


def test_queues_are_made_of_the_file_that_the_local_broker_reads():
    servicebus = deployment.file("modules/servicebus.bicep")
    loaded = text(servicebus.of("var")["queues"].value)
    assert loaded == "loadJsonContent('../servicebus.json').UserConfig.Namespaces[0].Queues"
    given = properties(properties(servicebus.of("resource")["queue"].body)["properties"])

    taken = {name: text(node) for name, node in given.items() if "each." in text(node)}

    for queue in deployment.queues().values():
        assert {f"each.Properties.{name}" for name in queue} == set(taken.values())
    assert all(value.lower().endswith(name.lower()) for name, value in taken.items())


def test_locks_are_renewed_longer_than_functions_live():
    renewal = seconds(HOST["extensions"]["serviceBus"]["maxAutoLockRenewalDuration"])
    assert seconds(HOST["functionTimeout"]) < renewal
    for name, queue in deployment.queues().items():
        assert seconds(queue["LockDuration"]) < renewal, name
        assert seconds(queue["LockDuration"]) <= 300, "the most that Service Bus allows"
        assert seconds(queue["DuplicateDetectionHistoryTimeWindow"]) > renewal, name


def test_dead_letters_of_each_queue_with_a_function_are_looked_at():
    started = {t.place for t in deployment.triggers() if t.connection == "ALM_SERVICEBUS"}
    looked_at = {t.place for t in deployment.triggers() if t.dead_letters}
    assert started == looked_at
    assert started == set(deployment.list_of("receivedQueues"))
    assert all(deployment.queues()[q]["DeadLetteringOnMessageExpiration"] for q in started)


def test_a_queue_is_tried_as_often_as_other_triggers():
    tries = HOST["extensions"]["queues"]["maxDequeueCount"]
    assert HOST["extensions"]["blobs"]["poisonBlobThreshold"] == tries
    assert {deployment.queues()[q]["MaxDeliveryCount"] for q in ("alm-steps", "alm-requests")} == {
        tries
    }


def test_the_bus_can_have_such_queues():
    bus = body("modules/servicebus.bicep", "bus")
    assert bus["sku"]["name"] in ("Standard", "Premium")  # sessions, duplicate detection
    assert bus["properties"]["disableLocalAuth"] is True


def test_containers_are_those_of_the_code():
    landing = deployment.var("landingZones", "modules/storage.bicep")
    own = deployment.var("ownContainers", "modules/storage.bicep")
    assert {*landing, *own} == {*blob.CONTAINERS, "gate-rows"}
    assert landing == deployment.var("readContainers", "modules/roles.bicep")
    assert own == deployment.var("writtenContainers", "modules/roles.bicep")


def test_each_landing_zone_of_a_trigger_has_its_event_subscription():
    subscribed = deployment.var("subscriptions", "events.bicep")
    triggers = [t for t in deployment.triggers() if t.type == "blob_trigger"]
    assert {(s["name"], s["function"]) for s in subscribed} == {
        (t.place, t.function) for t in triggers
    }


def test_files_that_are_half_there_start_nothing():
    document = body("events.bicep", "landed")["properties"]
    (only_finished,) = document["filter"]["advancedFilters"]
    assert document["filter"]["includedEventTypes"] == ["Microsoft.Storage.BlobCreated"]
    assert only_finished["key"] == "data.api"
    assert set(only_finished["values"]) == {"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"}


def test_events_are_called_into_the_blob_webhook_of_their_function():
    node = deployment.file("events.bicep").of("resource")["landed"].body
    assert node is not None
    address = text(node)
    assert "/runtime/webhooks/blobs?functionName=Host.Functions.${item.function}&code=" in address
    assert "'/blobServices/default/containers/${item.name}/blobs/'" in address


def test_events_that_nobody_takes_are_kept_where_the_topic_may_write():
    named = {
        module: deployment.var("deadLetterContainer", module)
        for module in ("events.bicep", "modules/storage.bicep", "modules/roles.bicep")
    }
    assert set(named.values()) == {OF_EVENT_GRID}
    document = body("events.bicep", "landed")["properties"]
    assert document["deadLetterWithResourceIdentity"]["identity"]["type"] == "SystemAssigned"
    assert body("modules/storage.bicep", "topic")["identity"]["type"] == "SystemAssigned"


def test_no_account_takes_shared_keys():
    for account in ("data", "host"):
        made = body("modules/storage.bicep", account)["properties"]
        assert made["allowSharedKeyAccess"] is False
        assert made["allowBlobPublicAccess"] is False
        assert made["minimumTlsVersion"] == "TLS1_2"
    assert body("modules/monitoring.bicep", "insights")["properties"]["DisableLocalAuth"] is True
    assert body("modules/keyvault.bicep", "vault")["properties"]["enableRbacAuthorization"] is True
    assert body("modules/app.bicep", "publishing")["properties"]["allow"] is False


def test_no_other_site_may_call_from_a_browser():
    for service in ("blobs", "hostBlobs"):
        made = body("modules/storage.bicep", service)["properties"]
        assert made["cors"]["corsRules"] == []
    assert "cors" not in text(deployment.file("modules/app.bicep").root)


def test_versions_are_kept_and_files_of_jobs_are_not():
    assert body("modules/storage.bicep", "blobs")["properties"]["isVersioningEnabled"] is True
    lifecycle = body("modules/storage.bicep", "lifecycle")
    rules = {
        rule["name"]: rule["definition"] for rule in lifecycle["properties"]["policy"]["rules"]
    }
    deleted = [path for rule in rules.values() for path in rule["filters"].get("prefixMatch", [])]
    assert "alm-jobs/" in deleted
    assert not any(path and path.startswith("alm-versions") for path in deleted)
    assert "baseBlob" not in rules["what-was-overwritten"]["actions"]
    default = deployment.file("main.bicep").of("param")["keepJobsDays"].value
    assert plain(default) == 30


def test_files_of_jobs_outlive_the_longest_leave_to_write_them():
    default = plain(deployment.file("main.bicep").of("param")["keepJobsDays"].value)
    assert isinstance(default, int)
    assert default > blob.GRANT_DAYS_MAX
    assert default * 86400 > limits.ZOMBIE_SECONDS_MAX


def test_python_is_one_that_the_project_supports_and_the_conformance_tests_run():
    main = (ROOT / "infra/main.bicep").read_text()
    allowed = re.search(
        r"@allowed\(\[([^\]]*3\.[^\]]*)\]\)\nparam pythonVersion string = '(.*)'", main
    )
    assert allowed is not None
    assert "3.11" in allowed[1]
    assert allowed[2] == "3.13"
    assert "python3.13" in (ROOT / ".ci/run").read_text(), "there the conformance tests must run"


def test_the_host_takes_bundles_and_connections_as_the_deployment_expects():
    assert HOST["extensionBundle"]["version"] == "[4.*, 5.0.0)"  # Flex Consumption wants 4
    plan = body("modules/app.bicep", "plan")
    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert all(t.connection in ("ALM_STORAGE", "ALM_SERVICEBUS") for t in deployment.triggers())


def test_the_package_is_fetched_with_the_identity():
    app = deployment.file("modules/app.bicep").of("resource")["app"]
    made = body("modules/app.bicep", "app")["properties"]["functionAppConfig"]["deployment"]
    assert made["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert "primaryEndpoints.blob}deployments'" in text(app.node)
    assert body("modules/storage.bicep", "packages")["name"] == "deployments"
