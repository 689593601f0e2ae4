"""The management client of classic services: what is sent, and what answers mean."""

from __future__ import annotations

from typing import Any

import pytest

from alm.adapters.studio.classic_services import StudioClassicServices
from alm.domain.errors import (
    AlmError,
    Conflict,
    Denied,
    Misconfigured,
    NotFound,
    Unavailable,
    Unknown,
)
from alm.domain.web_services import EndpointSettings, Resource
from tests.unit.studio.scripted import HOST, Scripted, caller, error

BASE = "/workspaces/" + "a" * 32
SERVICE = "b" * 32
ENDPOINT = f"{BASE}/webservices/{SERVICE}/endpoints/ep1"
RECORD: dict[str, Any] = {
    "Name": "ep1",
    "Description": "for the tills",
    "CreationTime": "2016-05-25T20:22:48.96Z",
    "WorkspaceId": "a" * 32,
    "WebServiceId": SERVICE,
    "HelpLocation": "https://studio.test/apihelp/x",
    "PrimaryKey": "key-of-ep1",
    "SecondaryKey": "other-key-of-ep1",
    "ApiLocation": "https://studio.test/workspaces/a/services/e/",
    "Version": "2016-06-01T00:00:00Z",
    "PreventUpdate": True,
    "SampleDataEnabled": True,
    "ExperimentLocation": "https://studio.test/Home/ViewWorkspace/a",
    "MaxConcurrentCalls": 50,
    "DiagnosticsTraceLevel": "Error",
    "ThrottleLevel": "High",
    "Resources": [
        {
            "Name": "Census [trained model]",
            "Kind": "TrainedModel",
            "Location": {
                "BaseLocation": "https://a.blob.core.windows.net/",
                "RelativeLocation": "c/m.ilearner",
                "SasBlobToken": "?sig=secret",
            },
        },
        {"Name": "Lost [trained model]", "Kind": "TrainedModel", "Location": None},
    ],
}


def services(*answers: object) -> tuple[StudioClassicServices, Scripted]:
    transport = Scripted(*answers)
    return StudioClassicServices(caller(transport, BASE), HOST + BASE), transport


def test_an_endpoint_is_read_completely() -> None:
    client, transport = services((200, RECORD))

    endpoint = client.endpoint(SERVICE, "ep1")

    assert transport.seen == [f"GET {ENDPOINT}"]
    assert (endpoint.name, endpoint.service) == ("ep1", SERVICE)
    assert (endpoint.description, endpoint.help) == (
        "for the tills",
        "https://studio.test/apihelp/x",
    )
    assert endpoint.address == HOST + ENDPOINT
    assert endpoint.api_location == "https://studio.test/workspaces/a/services/e"
    assert endpoint.key.get_secret_value() == "key-of-ep1"
    assert endpoint.secondary_key.get_secret_value() == "other-key-of-ep1"
    assert (endpoint.created, endpoint.version) == (
        "2016-05-25T20:22:48.96Z",
        "2016-06-01T00:00:00Z",
    )
    assert (endpoint.throttle, endpoint.concurrent_calls) == ("High", 50)
    assert (endpoint.prevent_update, endpoint.sample_data) == (True, True)
    assert (endpoint.diagnostics, endpoint.experiment) == ("Error", RECORD["ExperimentLocation"])
    assert endpoint.resources == (
        Resource(
            name="Census [trained model]",
            location="https://a.blob.core.windows.net/c/m.ilearner",
        ),
        Resource(name="Lost [trained model]", location=""),
    )


def test_nothing_secret_shows_in_an_endpoint() -> None:
    client, _ = services((200, RECORD))

    shown = repr(client.endpoint(SERVICE, "ep1"))

    assert all(secret not in shown for secret in ("key-of-ep1", "sig=secret"))


def test_a_record_that_lacks_all_it_may_lack_is_read() -> None:
    bare = {"Name": "ep1", "MaxConcurrentCalls": None, "Resources": None, "Description": None}
    client, _ = services((200, bare))

    endpoint = client.endpoint(SERVICE, "ep1")

    assert (endpoint.throttle, endpoint.concurrent_calls, endpoint.resources) == ("Low", 4, ())
    assert (endpoint.service, endpoint.description) == (SERVICE, "")


def test_a_service_is_read() -> None:
    record = {
        "Id": SERVICE,
        "Name": "Census",
        "Description": None,
        "CreationTime": "2016-05-25T20:22:48.96Z",
        "DefaultEndpointName": "default",
        "EndpointCount": 3,
    }
    client, transport = services((200, record), (200, [record]))

    service = client.service(SERVICE)

    assert client.services() == [service]
    assert (service.name, service.default_endpoint, service.endpoints) == ("Census", "default", 3)
    assert transport.seen[1] == f"GET {BASE}/webservices"


def test_none_is_answered_with_204() -> None:
    client, _ = services((204, None), (204, None), (204, None), (204, None))

    assert client.services() == []
    assert client.endpoints(SERVICE) == []
    with pytest.raises(NotFound, match="there is none"):
        client.service(SERVICE)
    with pytest.raises(NotFound, match="check the service's id and the endpoint's name"):
        client.endpoint(SERVICE, "ep1")


@pytest.mark.parametrize("document", [{"value": []}, "x", [1]])
def test_what_is_no_list_of_objects_is_another_service(document: object) -> None:
    client, _ = services((200, document))

    with pytest.raises(Misconfigured, match="no list of objects"):
        client.services()


@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        (EndpointSettings(description="d"), None),
        (EndpointSettings(description="d", throttle="Low", concurrent_calls=50), None),
        (EndpointSettings(description="d", throttle="High"), None),
        (EndpointSettings(description="d", throttle="High", concurrent_calls=50), 50),
    ],
)
def test_calls_are_sent_only_where_they_count(
    settings: EndpointSettings, calls: int | None
) -> None:
    client, transport = services((201, RECORD))

    client.put_endpoint(SERVICE, "ep1", settings)

    assert transport.seen == [f"PUT {ENDPOINT}"]
    assert transport.sent() == {
        "WebServiceId": SERVICE,
        "EndpointName": "ep1",
        "Description": "d",
        "ThrottleLevel": settings.throttle,
        "MaxConcurrentCalls": calls,
        "PreventUpdate": False,
    }


def test_an_answer_without_a_body_is_read_back() -> None:
    client, transport = services((204, None), (200, RECORD))

    assert client.put_endpoint(SERVICE, "ep1", EndpointSettings()).name == "ep1"
    assert transport.seen == [f"PUT {ENDPOINT}", f"GET {ENDPOINT}"]


def test_what_was_accepted_and_is_not_there_is_unknown() -> None:
    client, _ = services((200, None), error(404, "NotFound", "WebServiceNotFound"))

    with pytest.raises(Unknown, match="it was accepted, and is not there"):
        client.put_endpoint(SERVICE, "ep1", EndpointSettings())


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            error(400, "InvalidOperation", message="Only 3 endpoints are allowed."),
            Misconfigured,
            r"Only 3 endpoints are allowed.*free workspace has at most 3 endpoints",
        ),
        (
            error(400, "BadArgument", "WebServiceTooManyConcurrentRequestRequirement"),
            Misconfigured,
            "throttled Low",
        ),
        (error(403, "Forbidden"), Denied, "renew or correct the key.*or: .*at most 3 endpoints"),
        (error(401, "Unauthorized"), Denied, "renew or correct the key"),
        (error(404, "NotFound", "WebServiceNotFound"), NotFound, "answered 404"),
        (error(409, "Conflict"), Conflict, "read it again"),
        (error(503, "ServiceUnavailable"), Unavailable, "tried again later"),
        (error(500, "InternalError"), Unknown, "look before repeating it"),
    ],
)
def test_a_refused_endpoint_says_what_to_do(
    answer: object, kind: type[AlmError], words: str
) -> None:
    client, transport = services(answer, answer)

    with pytest.raises(kind, match=words) as raised:
        client.put_endpoint(SERVICE, "ep1", EndpointSettings())

    assert str(raised.value).startswith("put endpoint 'ep1': ")
    assert "PUT" in transport.seen[0]
    assert "GET" not in " ".join(transport.seen)


@pytest.mark.parametrize("name", ["default/../x", "", "-a", "A", "a" * 25])
def test_a_bad_name_is_told_without_a_call(name: str) -> None:
    client, transport = services()

    with pytest.raises(Misconfigured, match="1 to 24 small letters, digits and"):
        client.put_endpoint(SERVICE, name, EndpointSettings())

    assert transport.seen == []


@pytest.mark.parametrize("service", ["", "..", "a/b", "a?b", "é", "a" * 65, "a\n"])
def test_a_bad_service_id_is_told_without_a_call(service: str) -> None:
    client, transport = services()

    for ask in (
        lambda: client.service(service),
        lambda: client.endpoints(service),
        lambda: client.delete_service(service),
        lambda: client.put_endpoint(service, "ep1", EndpointSettings()),
        lambda: client.refresh_endpoint(service, "ep1", overwrite=True),
    ):
        with pytest.raises(Misconfigured, match="is not the id of a web service"):
            ask()

    assert transport.seen == []


@pytest.mark.parametrize(("overwrite", "sent"), [(True, "True"), (False, "False")])
def test_refresh_sends_a_word(overwrite: bool, sent: str) -> None:
    client, transport = services((200, RECORD), (304, None))

    done = [client.refresh_endpoint(SERVICE, "ep1", overwrite=overwrite) for _ in range(2)]

    assert done == [True, False]
    assert transport.seen == [f"POST {ENDPOINT}/refresh"] * 2
    assert transport.sent() == {"OverwriteResources": sent}


def test_what_is_not_there_is_deleted_already() -> None:
    gone = error(404, "NotFound", "WebServiceIdNotFoundInWorkspace")
    client, transport = services(gone, gone, (204, None))

    client.delete_service(SERVICE)
    client.delete_endpoint(SERVICE, "ep1")
    client.delete_endpoint(SERVICE, "ep1")

    assert [seen.split()[0] for seen in transport.seen] == ["DELETE"] * 3


def test_a_workspace_that_is_not_there_is_no_deletion() -> None:
    client, _ = services(error(404, "NotFound", "WorkspaceNotFound"))

    with pytest.raises(NotFound):
        client.delete_service(SERVICE)


@pytest.mark.parametrize("answer", [error(400, "InvalidOperation"), error(409, "Conflict")])
def test_the_default_among_others_is_a_mistake(answer: object) -> None:
    client, _ = services(answer)

    with pytest.raises(Misconfigured, match="only be deleted when it is the last"):
        client.delete_endpoint(SERVICE, "default")


def test_a_key_that_an_answer_repeats_is_not_shown() -> None:
    token = "key-0123456789"
    client, _ = services(error(400, "BadArgument", message=f"{token} may not, {'k' * 86}== either"))

    with pytest.raises(Misconfigured) as raised:
        client.put_endpoint(SERVICE, "ep1", EndpointSettings())

    assert token not in str(raised.value)
    assert "k" * 20 not in str(raised.value)
