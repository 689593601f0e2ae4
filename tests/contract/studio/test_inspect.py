"""What is told about the services of local Studio."""

from __future__ import annotations

from alm.adapters.studio.inspect import declared, describe, list_new_services
from tests.contract.studio.local_studio import LocalStudio


def test_a_scoring_endpoint_is_described(studio: LocalStudio) -> None:
    sample = studio.sample("scoring", "classic", endpoint="ep2")
    endpoint = studio.classic(sample["web_service_id"], "ep2").endpoint

    told = describe(studio.services(), declared(endpoint))
    studio.close_clients()

    assert (told.name, told.patchable, told.trains) == ("ep2", True, False)
    assert told.api_location == sample["api_location"]
    assert [resource.name for resource in told.resources] == [sample["resource_name"]]
    assert [port.name for port in told.api.inputs] == ["input1"]
    assert len(told.api.inputs[0].columns) == 30


def test_the_default_endpoint_is_described_as_taking_no_model(studio: LocalStudio) -> None:
    sample = studio.sample("scoring", "classic", endpoint="default")
    endpoint = studio.classic(sample["web_service_id"], "default").endpoint

    told = describe(studio.services(), declared(endpoint))
    studio.close_clients()

    assert (told.patchable, told.why_not[:20]) == (False, "the default endpoint")


def test_a_training_service_is_described(studio: LocalStudio) -> None:
    sample = studio.sample("training", "new")

    told = describe(studio.services(), declared(sample["arm_resource_id"]))
    studio.close_clients()

    assert (told.trains, told.patchable) == (True, False)
    assert {port.name for port in told.api.batch_outputs} == set(sample["outputs"])


def test_the_new_services_of_a_resource_group_are_listed(studio: LocalStudio) -> None:
    resource = str(studio.sample("scoring", "new")["arm_resource_id"])

    found = list(list_new_services(studio.services(), resource.partition("/providers/")[0]))
    studio.close_clients()

    assert resource in [service.resource for service in found]
