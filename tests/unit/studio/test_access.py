"""When URL and secret of a service are looked up, and when not again."""

from __future__ import annotations

from types import SimpleNamespace

from pydantic import SecretStr

from alm.adapters.identity import Identity
from alm.adapters.studio.access import Access, FoundAccess
from alm.adapters.studio.services import StudioServices
from alm.domain.managed_model import ClassicEndpoint, Target
from tests.unit.studio.scripted import HandClock, Scripted, error, http
from tests.unit.studio.test_classic import ENDPOINT, record


class CountingLookUp:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Access:
        self.count += 1
        return Access("https://studio.test", SecretStr(f"key-{self.count}"))


def test_many_that_were_refused_with_the_same_key_share_one_look_up() -> None:
    look_up = CountingLookUp()
    source = FoundAccess(look_up)
    refused = source.get()

    renewed = [source.renewed(refused, 401) for _ in range(5)]

    assert look_up.count == 2
    assert renewed == [Access("https://studio.test", SecretStr("key-2"))] * 5


def test_other_refusals_look_nothing_up() -> None:
    look_up = CountingLookUp()
    source = FoundAccess(look_up)

    assert [source.renewed(source.get(), status) for status in (400, 409, 500, 503)] == [None] * 4
    assert look_up.count == 1


def test_a_token_that_was_changed_in_the_vault_is_read_again_once() -> None:
    values = iter(["old-token-01", "new-token-02"])
    vault = SimpleNamespace(get_secret=lambda _name: SimpleNamespace(value=next(values)))
    identity = Identity({}, HandClock(), vault=lambda _name: vault)
    transport = Scripted(error(401, "Unauthorized"), (200, record()))
    endpoint = ClassicEndpoint(kind="classic", endpoint=ENDPOINT, token="keyvault:v/token")
    services = StudioServices(http(transport), identity, "https://arm.test")

    services.target(
        Target(name="eu", service=endpoint, trained_model="Churn [trained model]")
    ).read()

    sent = [request.headers["Authorization"] for request in transport.requests]
    assert sent == ["Bearer old-token-01", "Bearer new-token-02"]
