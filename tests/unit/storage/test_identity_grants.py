"""Storage reached with an identity: grants are signed with its key, which is kept and renewed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import pytest
from azure.core.credentials import AccessToken

from alm.adapters.blob import AzureBlobs
from alm.adapters.connections import Answer, Request, Transport
from alm.adapters.storage_transport import CarefulRetry, StorageTransport, client_options
from alm.domain.errors import Denied, Misconfigured, Unavailable
from tests.doubles.storage import FixedClock

URI = "https://account.blob.core.windows.net"
FOREIGN = "other.blob.core.windows.net"


class Identity:
    def get_token(self, *_scopes: str, **_: object) -> AccessToken:
        return AccessToken("token", 4_000_000_000)


class Service(Transport):
    """Answers requests for keys, and remembers what was asked."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.requests: list[Request] = []
        self.status = 200

    def exchange(self, request: Request, seconds: float) -> Answer:
        self.requests.append(request)
        headers = {"x-ms-request-id": "1", "content-type": "application/xml"}
        return Answer(self.status, headers, self._key() if self.status == 200 else b"", request)

    def _key(self) -> bytes:
        begin, end = self.clock.now(), self.clock.now() + timedelta(days=7)
        number = f"{len(self.requests):02d}"
        fields = {
            "SignedOid": f"oid-{number}",
            "SignedTid": "tid",
            "SignedStart": _stamp(begin),
            "SignedExpiry": _stamp(end),
            "SignedService": "b",
            "SignedVersion": "2021-08-06",
            "Value": "a2V5",
        }
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        return f"<UserDelegationKey>{inner}</UserDelegationKey>".encode()


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def service(clock: FixedClock) -> Service:
    return Service(clock)


@pytest.fixture
def blobs(clock: FixedClock, service: Service) -> AzureBlobs:
    options = client_options(StorageTransport(service), retry=CarefulRetry(pause_seconds=0))
    return AzureBlobs.from_identity(
        URI, Identity(), clock, storage_hosts=[FOREIGN], options=options
    )


@pytest.fixture
def signer(blobs: AzureBlobs, clock: FixedClock) -> Callable[[], str]:
    def sign() -> str:
        grant = blobs.grant("datasets/a.csv", "read", clock.now() + timedelta(days=6))
        return parse_qs(grant.sas.lstrip("?"))["skoid"][0]

    return sign


def test_one_key_signs_the_grants_of_a_day(
    signer: Callable[[], str], clock: FixedClock, service: Service
):
    first = [signer() for _ in range(3)]
    clock.advance(24 * 3600 - 1)

    assert {*first, signer()} == {"oid-01"}
    assert len(service.requests) == 1
    assert service.requests[0].headers["Authorization"] == "Bearer token"


def test_the_key_is_renewed_before_a_grant_could_outlive_it(
    signer: Callable[[], str], clock: FixedClock
):
    assert signer() == "oid-01"

    clock.advance(24 * 3600 + 1)

    assert signer() == "oid-02"


def test_a_renewal_that_fails_is_tried_again(
    signer: Callable[[], str], clock: FixedClock, service: Service
):
    signer()
    clock.advance(25 * 3600)
    service.status = 503
    for _ in range(2):
        with pytest.raises(Unavailable):
            signer()

    service.status = 200

    assert signer() == f"oid-{len(service.requests):02d}"


def test_an_identity_without_a_role_is_told_which_it_needs(
    signer: Callable[[], str], service: Service
):
    service.status = 403

    with pytest.raises(Denied, match="Storage Blob Data Contributor"):
        signer()


def test_our_token_never_goes_to_another_account(blobs: AzureBlobs, service: Service):
    service.status = 404

    with pytest.raises(Exception, match="does not exist"):
        blobs.fetch(f"https://{FOREIGN}/models/m.ilearner", "?sig=theirs")

    [request] = service.requests
    assert request.site.host == FOREIGN
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    "url",
    [
        f"http://{FOREIGN}/models/m.ilearner",
        f"https://{FOREIGN}:8443/models/m.ilearner",
        f"https://user@{FOREIGN}/models/m.ilearner",
        f"https://{FOREIGN}.evil.example/models/m.ilearner",
    ],
)
def test_what_only_looks_like_an_allowed_host_is_not_called(
    blobs: AzureBlobs, service: Service, url: str
):
    with pytest.raises(Misconfigured):
        blobs.fetch(url, "?sig=theirs")

    assert service.requests == []


def test_a_url_of_our_account_is_ours_however_it_is_written(blobs: AzureBlobs, service: Service):
    service.status = 404

    for url in (
        f"{URI}/models/m.ilearner",
        "HTTPS://ACCOUNT.blob.core.windows.net:443/own/m.ilearner",
    ):
        with pytest.raises(Exception, match="does not exist"):
            blobs.fetch(url, "?sig=theirs")

    assert all(request.headers["Authorization"] == "Bearer token" for request in service.requests)
    assert all("sig=" not in request.target for request in service.requests)
