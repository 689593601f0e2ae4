"""The API: who may call what, what is answered, what is sent."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from alm.domain.errors import Denied, Unavailable, Unknown
from alm.domain.ledger import Ledger
from alm.domain.messages import Decision, TriggerMessage, trigger_id
from alm.domain.run import Served
from alm.entrypoints import access
from alm.entrypoints.api import responding
from alm.entrypoints.api.calls import ALWAYS, Call, encoded
from alm.entrypoints.api.routes import ROUTES
from alm.ports import InboxItem
from tests.doubles.storage import EPOCH
from tests.unit.entrypoints.app_world import DIGEST, KEYS, AppWorld, covered, principal, trigger

EXAMPLES = {
    "{model}": "churn",
    "{run}": "churn.r7",
    "{item}": "alm-requests:1",
    "{order}": "o1",
}
BODIES: dict[str, Any] = {
    "models/{model}/publish": {"blob": "churn/new.ilearner"},
    "models/{model}/rollback": {"version": "v1"},
    "models/{model}/harvest": {"experiment": f"{'a' * 32}.f-id.{'b' * 32}", "node": "Train"},
    "score/{model}": {"rows": [{"age": 39}]},
    "runs/{run}/approve": {"digest": DIGEST},
    "runs/{run}/refuse": {"digest": DIGEST},
}


def address(route: responding.Route) -> str:
    path = route.path
    for name, value in EXAMPLES.items():
        path = path.replace(name, value)
    return path


def item(item_id: str = "alm-requests:1", **fields: Any) -> InboxItem:
    given = {"source": "queue", "reason": "wrong", "remedy": "correct it", "payload": "{}"}
    return InboxItem(id=item_id, at=EPOCH, **{**given, "queue": "alm-requests", **fields})


def furnished(world: AppWorld) -> AppWorld:
    """A world in which every route has something to work on."""
    world.active(held=True)
    ledger, etag = world.ledgers.get("churn")
    served = {"us": world.version("v1")}
    world.ledgers.put(ledger.model_copy(update={"serves": served}), etag)
    world.upload("trained-models/churn/new.ilearner")
    world.records.put_active("churn", "churn.r7", {"run": "churn.r7", "model": "churn"})
    world.records.put_inbox(item())
    return world


# -- who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*KEYS, "wrong", "none"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_is_open_to_its_role_and_to_no_other(world, route, role):
    furnished(world)
    key = {**KEYS, "wrong": "guess", "none": ""}[role]
    body = json.dumps(BODIES.get(route.path, {})).encode()
    headers = {access.KEY_HEADER: key} if key else {}
    answer = responding.respond(world.app, Call(route.method, address(route), headers, {}, body))
    may = role == route.role or (route.role == "reader" and role in KEYS)
    expected = (200, 202) if may else ((403,) if role in KEYS else (401,))
    assert answer.status in expected, answer.body
    if not may:
        assert world.sent() == []
        assert "key" in answer.text


@pytest.mark.parametrize(
    ("settings", "claims", "csrf", "status"),
    [
        pytest.param({}, [("roles", "ops")], "1", 401, id="no setting says so"),
        pytest.param({"ALM_PLATFORM_AUTH": True}, [("roles", "ops")], "1", 401, id="only ours"),
        pytest.param(
            {"WEBSITE_AUTH_ENABLED": True}, [("roles", "ops")], "1", 401, id="only theirs"
        ),
        pytest.param("both", [("roles", "ops")], "1", 202, id="both"),
        pytest.param("both", [("groups", "ops")], "1", 202, id="by group"),
        pytest.param("both", [("roles", "ops")], "", 403, id="no CSRF header"),
        pytest.param("both", [("roles", "readers")], "1", 403, id="another role"),
        pytest.param("both", [("preferred_username", "ops")], "1", 401, id="a name is no role"),
        pytest.param("both", [("roles", "nobody")], "1", 401, id="no role"),
    ],
)
def test_the_platforms_principal_counts_only_when_both_settings_say_so(
    tmp_path, settings, claims, csrf, status
):
    both = {"ALM_PLATFORM_AUTH": True, "WEBSITE_AUTH_ENABLED": True}
    members = {"ALM_ROLE_MEMBERS": {"operator": ["ops"], "reader": ["readers"]}}
    chosen = both if settings == "both" else settings
    world = AppWorld(tmp_path / "m", **members, **chosen)
    headers = {access.PRINCIPAL_HEADER: principal(*claims)}
    headers |= {access.CSRF_HEADER: csrf} if csrf else {}
    answer = responding.respond(world.app, Call("POST", "models/churn/verify", headers))
    assert answer.status == status, answer.body


@pytest.mark.parametrize(
    "header", ["%%%", "bm90IGpzb24=", "W10=", "e30=", "eyJjbGFpbXMiOjF9", "W1" * 9000]
)
def test_a_broken_principal_is_nobody(tmp_path, header):
    world = AppWorld(tmp_path / "m", ALM_PLATFORM_AUTH=True, WEBSITE_AUTH_ENABLED=True)
    answer = responding.respond(world.app, Call("GET", "models", {access.PRINCIPAL_HEADER: header}))
    assert answer.status == 401


def test_a_wrong_key_is_refused_although_the_platform_knows_the_caller(tmp_path):
    settings = {"ALM_PLATFORM_AUTH": True, "WEBSITE_AUTH_ENABLED": True}
    world = AppWorld(tmp_path / "m", **settings, ALM_ROLE_MEMBERS={"reader": ["me"]})
    headers = {access.PRINCIPAL_HEADER: principal(("oid", "me"))}
    assert responding.respond(world.app, Call("GET", "models", headers)).status == 200
    headers[access.KEY_HEADER] = "guess"
    assert responding.respond(world.app, Call("GET", "models", headers)).status == 401


@pytest.mark.parametrize("key", ["ключ", "\ud800", "x" * 10_000, KEYS["reader"] + " "])
def test_strange_keys_are_refused(world, key):
    assert world.call("GET", "models", headers={access.KEY_HEADER: key}).status == 401


# -- what cannot be answered -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "", 404, "GET models"),
        ("GET", "nothing", 404, "GET models"),
        ("GET", "models/churn/nothing", 404, "GET models"),
        ("GET", "models/../inbox/x/y", 404, "GET models"),
        ("POST", "models", 405, "use GET"),
        ("GET", "models/churn/start", 405, "use POST"),
        ("GET", "models/chrun", 404, "did you mean 'churn'"),
        ("GET", "models/chrun/versions", 404, "did you mean 'churn'"),
        ("GET", "models/~%%%", 400, "base64"),
        ("GET", "models/..", 404, "no managed model"),
        ("GET", "models/shops", 404, "is a family"),
        ("POST", "models/chrun/start", 404, "did you mean 'churn'"),
        ("GET", "runs/churn.r9", 404, "its last run is churn.r7"),
        ("GET", "runs/dropped.r1", 404, "it has had no run"),
        ("GET", "runs/churn", 404, "not the name of a run"),
        ("GET", "runs/_overview.r1", 404, "not the name of a run"),
        ("GET", "runs/..%2f..%2fsecrets.r1", 404, "not the name of a run"),
        ("GET", "runs/.r1", 404, "not the name of a run"),
        ("GET", "inbox/none", 404, "inbox has no item"),
        ("POST", "inbox/none/redrive", 404, "inbox has no item"),
    ],
)
def test_what_is_not_there_is_told_with_a_remedy(world, method, path, status, told):
    furnished(world)
    answer = world.call(method, path)
    assert answer.status == status
    assert answer.media_type == "application/problem+json"
    assert told in answer.body["detail"]
    assert answer.body["status"] == status
    assert world.sent() == []


def test_a_wrong_method_names_the_right_ones_in_a_header_too(world):
    assert world.call("GET", "models/churn/start").headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 400, "not a JSON object"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 60_000, 400, "nested too deeply"),
        (b'{"version": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "nested too deeply"),
        (b" " * 65_537, 413, "at most 65536"),
        (b'{"model": "dropped"}', 400, "'model' is not a field"),
        (b'{"version": "v1", "version": "v2"}', 400, "names a field twice"),
        (b'{"by": "boss"}', 400, "'by' is not a field"),
        (b'{"versoin": "v1"}', 400, "did you mean 'version'"),
        (b"{}", 400, "version: missing"),
        (b'{"version": 1}', 400, "version: is a number"),
        (b'{"version": "latest"}', 400, "'latest' is not accepted"),
    ],
)
def test_a_body_that_is_no_order_is_refused(world, body, status, told):
    answer = world.call("POST", "models/churn/rollback", body)
    assert (answer.status, told in answer.body["detail"]) == (status, True), answer.body
    assert world.sent() == []


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b" " * ((4 << 20) + 1), 413, "at most 4194304"),
        (b" " * 65_537 + b"{}", 400, "rows: missing; write a list of objects"),
        (b'{"rows": ' + b"[" * 60_000, 400, "nested too deeply"),
        (b'{"rows": [{"a": {"b": 1}}]}', 400, "has a list or an object in"),
        (b'{"rows": [' + b'{"a": 1}, ' * 1000 + b'{"a": 1}]}', 400, "at most 1000 are scored"),
        (b'{"rows": [{"a": 1}], "url": "https://evil.example"}', 400, "'url' is not a field"),
    ],
)
def test_a_body_that_cannot_be_scored_is_refused(world, body, status, told):
    answer = world.call("POST", "score/churn", body, role="reader")

    assert (answer.status, told in answer.body["detail"]) == (status, True), answer.body


@pytest.mark.parametrize(
    ("path", "query", "told"),
    [
        ("runs", {"days": "0"}, "1 to 366"),
        ("runs", {"days": "367"}, "1 to 366"),
        ("runs", {"days": "9" * 5000}, "1 to 366"),
        ("runs", {"days": "١"}, "1 to 366"),
        ("runs", {"limit": "-1"}, "1 to 1000"),
        ("runs", {"model": "../x"}, "write the id of a managed model"),
        ("runs", {"modle": "churn"}, "did you mean 'model'"),
        ("inbox", {"limit": "all"}, "1 to 1000"),
        ("models", {"limit": "1e3"}, "1 to 2000"),
        ("models/churn/targets", {"read": "yes"}, "read=true"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_it_may_be(world, path, query, told):
    answer = world.call("GET", path, query=query)
    assert (answer.status, told in answer.body["detail"]) == (400, True), answer.body


def test_the_hosts_own_parameter_is_nobodys_mistake(world):
    assert world.call("GET", "models", query={"code": "host-key"}).status == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("storage is away"), 503),
        (Unknown("no answer"), 503),
        (Denied("the identity was refused"), 502),
    ],
)
def test_trouble_behind_the_api_is_told_apart(world, error, status):
    world.ledgers.fail("list", error)
    answer = world.call("GET", "models")
    assert (answer.status, str(error) in answer.body["detail"]) == (status, True)
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


def test_what_has_no_etag_is_never_kept_and_nothing_is_sniffed(world):
    furnished(world)
    for answer in (world.call("GET", "nothing"), world.call("POST", "models/churn/verify")):
        assert ALWAYS.items() <= answer.headers.items()
    kept = {**ALWAYS, "Cache-Control": "private, no-cache"}
    assert kept.items() <= world.call("GET", "models").headers.items()


# -- looking -----------------------------------------------------------------------------------


def test_models_are_those_declared_and_those_with_a_ledger(world):
    world.active()
    world.put_ledger(Ledger(model="shops--north", runs=1, last_run="shops--north.r1"))
    rows = world.call("GET", "models").body
    found = {row["model"]: row["state"] for row in rows}
    assert found == {"churn": "running", "dropped": "new", "shops--north": "idle"}


def test_models_come_page_by_page_and_by_state(world):
    for place in range(7):
        world.put_ledger(Ledger(model=f"shops--s{place}"))
    names, query = [], {"limit": "3", "state": "idle"}
    while True:
        answer = world.call("GET", "models", query=query)
        names += [row["model"] for row in answer.body]
        link = answer.headers.get("Link", "")
        if not link:
            break
        query = {name: values[0] for name, values in parse_qs(link[2:].split(">")[0]).items()}
    assert names == [f"shops--s{place}" for place in range(7)]


def test_a_model_is_shown_with_its_declaration_and_without_its_steps(world):
    world.active()
    shown = world.call("GET", "models/churn").body
    assert shown["ledger"]["active"]["run"] == "churn.r7"
    assert "step" not in shown["ledger"]["active"]
    assert shown["declaration"]["dataset"] == "churn/*.csv"


def test_versions_have_their_aliases(world):
    served = {version: world.version(version) for version in ("v1", "v2")}
    world.put_ledger(Ledger(model="churn", champion="v2", before={"us": served["v1"]}))
    rows = world.call("GET", "models/churn/versions").body
    assert {row["version"]: row["aliases"] for row in rows} == {
        "v1": ["previous"],
        "v2": ["champion"],
    }


def test_targets_are_read_back_when_asked_and_one_that_fails_hides_no_other(world):
    declared = world.app.declarations.resolve("churn")
    served = Served(version="v1", digest="d", blob="alm-versions/churn/v1.ilearner")
    world.put_ledger(Ledger(model="churn", serves={"us": served}, unknown=("us",)))
    world.services.target(declared.targets[1]).fail("read", Unavailable("eu is away"))
    us, eu = world.call("GET", "models/churn/targets", query={"read": "true"}).body
    assert (us["serves"], us["unknown"], us["agrees"]) == ("v1", True, False)
    assert eu["error"] == "eu is away"
    assert "agrees" not in world.call("GET", "models/churn/targets").body[0]


def test_a_run_shows_its_record_and_while_active_what_the_ledger_says(world):
    furnished(world)
    shown = world.call("GET", "runs/churn.r7").body
    assert shown["active"]["hold"]["digest"] == DIGEST
    world.ended("failed")
    shown = world.call("GET", "runs/churn.r7").body
    assert (shown["result"], "active" in shown) == ("failed", False)


def test_a_run_without_a_record_yet_is_shown_from_the_ledger(world):
    world.active()
    shown = world.call("GET", "runs/churn.r7").body
    assert (shown["run"], shown["pipeline"]) == ("churn.r7", "retrain")


def test_runs_and_inbox_are_limited(world):
    for number in range(1, 6):
        world.ended(number=number)
        world.records.put_inbox(item(f"alm-requests:{number}"))
    assert len(world.call("GET", "runs", query={"limit": "3"}).body) == 3
    assert len(world.call("GET", "inbox", query={"limit": "2"}).body) == 2
    assert world.call("GET", "runs", query={"model": "dropped"}).body == []


def test_pipelines_are_shown_stage_by_stage(world):
    shown = world.call("GET", "pipelines").body
    assert shown["verify"][0]["stage"] == "verify"
    assert shown["retrain"][-1]["failed"] == "end: failed"


# -- ordering ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "pipeline"),
    [
        ("start", None, "retrain"),
        ("verify", {}, "verify"),
        ("publish", {"blob": "churn/new.ilearner"}, "publish"),
        ("publish", {"blob": "trained-models/churn/new.ilearner"}, "publish"),
        ("rollback", {"version": "v1"}, "roll_back"),
    ],
)
def test_an_order_goes_to_the_mailbox_of_its_model(world, path, body, pipeline):
    furnished(world)
    answer = world.call("POST", f"models/churn/{path}", body)
    assert (answer.status, answer.body["accepted"]) == (202, ["churn"]), answer.body
    (message,) = world.messages()
    assert isinstance(message, TriggerMessage)
    assert (message.trigger.pipeline, message.trigger.source) == (pipeline, "order")
    assert message.trigger.by == "key:operator"
    assert world.sent()[0].session == "churn"


def test_an_order_to_publish_is_bound_to_the_content_of_now(world):
    file = world.upload("trained-models/churn/new.ilearner")
    world.call("POST", "models/churn/publish", {"blob": "churn/new.ilearner"})
    (message,) = world.messages()
    assert message.trigger.blob == file


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("dropped/start", None, 400, "declares no training service"),
        ("churn/publish", {"blob": "churn/none.ilearner"}, 400, "does not exist; upload it first"),
        ("churn/publish", {"blob": "churn/empty.ilearner"}, 400, "0 bytes"),
        ("churn/publish", {"blob": "../x.ilearner"}, 400, "blob:"),
        ("churn/rollback", {"version": "v9"}, 404, "there are: v1"),
        ("churn/rollback", {"version": "previous"}, 409, "no previous version"),
        ("churn/rollback", {"version": "v0"}, 409, "v0 is there now"),
        ("shops/verify", None, 400, "no member yet"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(world, path, body, status, told):
    world.version("v1")
    world.upload("trained-models/churn/empty.ilearner", b"")
    answer = world.call("POST", f"models/{path}", body)
    assert (answer.status, told in answer.body["detail"]) == (status, True), answer.body
    assert world.sent() == []


def test_an_order_to_a_family_is_for_every_member(world):
    for shop in ("north", "south"):
        world.put_ledger(Ledger(model=f"shops--{shop}"))
    answer = world.call("POST", "models/shops/rollback", {"version": "v3"})
    assert answer.body["accepted"] == ["shops--north", "shops--south"]
    assert [message.session for message in world.sent()] == ["shops--north", "shops--south"]
    assert len({message.id for message in world.sent()}) == 2


def test_the_same_key_twice_is_the_same_order(world):
    for _ in range(2):
        answer = world.call("POST", "models/churn/start", headers={"idempotency-key": "nightly-1"})
        assert answer.status == 202
    assert len(world.sent()) == 1
    assert answer.body["id"].startswith("nightly-1.")


def test_orders_without_a_key_are_orders_of_their_own(world):
    world.call("POST", "models/churn/start")
    world.call("POST", "models/churn/start")
    assert len(world.sent()) == 2


@pytest.mark.parametrize("key", ["a b", "-x", "ключ", "x" * 101, "../x"])
def test_a_key_that_is_none_is_refused(world, key):
    answer = world.call("POST", "models/churn/start", headers={"idempotency-key": key})
    assert (answer.status, "at most 100" in answer.body["detail"]) == (400, True)


def test_an_order_whose_acceptance_is_not_certain_can_be_repeated_with_the_key_that_is_told(world):
    world.bus.fail("send", Unknown("the broker did not answer"), after=True)
    answer = world.call("POST", "models/churn/start")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    key = answer.body["detail"].rpartition(": ")[2]
    again = world.call("POST", "models/churn/start", headers={"idempotency-key": key})
    assert again.status == 202
    assert len(world.sent()) == 1


@pytest.mark.parametrize(
    ("role", "kind"), [("approver", "approve"), ("approver", "refuse"), ("operator", "cancel")]
)
def test_a_decision_goes_to_the_mailbox_of_its_run(world, role, kind):
    furnished(world)
    body = {} if kind == "cancel" else {"digest": DIGEST}
    answer = world.call("POST", f"runs/churn.r7/{kind}", body, role=role)
    assert answer.status == 202, answer.body
    (message,) = world.messages()
    assert isinstance(message, Decision)
    assert (message.kind, message.run, message.by) == (kind, "churn.r7", f"key:{role}")


def test_a_decision_names_what_is_decided(world):
    furnished(world)
    for kind in ("approve", "refuse"):
        answer = world.call("POST", f"runs/churn.r7/{kind}", {}, role="approver")
        assert (answer.status, "digest: missing" in answer.body["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("state", "kind", "digest", "status", "told"),
    [
        ("running", "approve", DIGEST, 409, "is not held"),
        ("held", "approve", "sha256:other", 409, f"is held for {DIGEST}"),
        ("held", "refuse", "sha256:other", 409, f"is held for {DIGEST}"),
        ("approved", "approve", DIGEST, 200, "was approved already"),
        ("approved", "refuse", DIGEST, 409, "cancel it to stop it"),
        ("gone on", "approve", DIGEST, 200, "was approved already"),
        ("cancelled", "approve", DIGEST, 409, "was cancelled already"),
        ("cancelled", "cancel", "", 200, "was cancelled"),
        ("ended ok", "approve", DIGEST, 200, "it was approved and ended ok"),
        ("ended ok", "approve", "sha256:other", 409, "it ended ok at 2026"),
        ("ended ok", "cancel", "", 409, "nothing is left to cancel"),
        ("ended cancelled", "cancel", "", 200, "it was cancelled"),
        ("ended refused", "refuse", DIGEST, 200, "it was refused"),
        ("ended expired", "approve", DIGEST, 409, "it ended expired at 2026"),
        ("never", "cancel", "", 404, "there is no run"),
    ],
)
def test_a_decision_that_comes_too_late_is_told_how_the_run_stands(
    world, state, kind, digest, status, told
):
    stands(world, state)
    role = "operator" if kind == "cancel" else "approver"
    answer = world.call(
        "POST", f"runs/churn.r7/{kind}", {"digest": digest} if digest else {}, role=role
    )
    assert answer.status == status, answer.body
    assert told in answer.text
    assert world.sent() == []


def stands(world: AppWorld, state: str) -> None:
    match state.split():
        case ["never"]:
            return
        case ["ended", result]:
            world.ended(result)
        case ["gone", "on"]:
            ledger = world.active(approved=True)
            token = ledger.active.token.model_copy(update={"operation": "patch:0"})
            world.put_ledger(ledger.with_active(token=token))
        case ["cancelled"]:
            world.active(held=True, cancel="cancelled")
        case [other]:
            world.active(**({other: True} if other != "running" else {}))


def test_a_run_whose_record_is_gone_is_over_all_the_same(world):
    world.put_ledger(Ledger(model="churn", runs=9, last_run="churn.r9", last_result="ok"))
    for run, told in (("churn.r9", "is over (ok)"), ("churn.r2", "is over (a while ago)")):
        answer = world.call("POST", f"runs/{run}/cancel")
        assert (answer.status, told in answer.body["detail"]) == (409, True)


def test_a_run_of_a_model_that_is_no_longer_declared_can_still_be_cancelled(world, tmp_path):
    ledger = world.active()
    declared = world.app.declarations.resolve("churn")
    world.app.declarations.keep(declared)
    (tmp_path / "managed_models" / "0.yaml").unlink()
    world.restarted()
    assert world.call("POST", "runs/churn.r7/cancel").status == 202
    world.put_ledger(ledger.model_copy(update={"active": None}))
    assert world.call("POST", "models/churn/start").status == 404


# -- what became of an order -------------------------------------------------------------------


def test_an_order_can_be_followed_from_the_queue_to_its_end(world):
    path = "models/churn/orders/o1"
    name = trigger_id("churn", "o1")

    assert world.call("GET", path).body["state"] == "sent"

    ledger = world.active(triggers=())
    world.put_ledger(ledger.with_waiting(trigger(name)))
    assert world.call("GET", path).body == {
        "id": "o1", "model": "churn", "state": "waiting", "behind": "churn.r7",
    }  # fmt: skip

    world.active(triggers=(trigger(name),))
    assert world.call("GET", path).body["state"] == "running"
    world.active(triggers=(trigger(name),), held=True)
    assert world.call("GET", path).body["state"] == "held"

    world.ended("rejected", triggers=covered(name))
    shown = world.call("GET", path).body
    assert (shown["state"], shown["run"], shown["result"]) == ("ended", "churn.r7", "rejected")


def test_an_order_that_was_skipped_is_seen_and_has_no_run(world):
    from alm.domain.ledger import Seen

    seen = (Seen(id=trigger_id("churn", "o1"), at=EPOCH),)
    world.put_ledger(Ledger(model="churn", seen=seen))
    assert world.call("GET", "models/churn/orders/o1").body["state"] == "seen"


# -- the inbox ---------------------------------------------------------------------------------

STRANGE = [
    "alm-requests:42:deadbeef",
    'blob:datasets/a b/ü?#&.csv@"0x8D"',
    "blob:datasets/a%2Fb/../c//d.csv@1",
    "alm-requests:~x:1",
    "alm-requests:\r\n:1",
    "%",
    "..",
    "日本語" * 50,
]


@pytest.mark.parametrize("item_id", STRANGE)
def test_any_item_can_be_named_in_a_path(world, item_id):
    world.records.put_inbox(item(item_id))
    segment = encoded(item_id)
    assert set(segment) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789~@:._-"
    )
    assert world.call("GET", f"inbox/{segment}").body["id"] == item_id
    assert world.call("POST", f"inbox/{segment}/discard").status == 200
    assert world.records.items == {}


def test_an_item_in_a_path_that_was_percent_encoded_by_hand_is_found(world):
    """The host decodes the path, but for slashes."""
    world.records.put_inbox(item('blob:datasets/a b.csv@"1"'))
    assert world.call("GET", 'inbox/blob:datasets%2Fa b.csv@"1"').status == 200


def test_an_item_is_sent_again_where_it_came_from_and_taken_out(world):
    world.records.put_inbox(item(payload='{"kind": "verify", "model": "churn"}', message_id="42"))
    answer = world.call("POST", "inbox/alm-requests:1/redrive")
    assert (answer.status, answer.body["queue"]) == (202, "alm-requests")
    (message,) = world.sent("alm-requests")
    assert message.id == answer.body["message"]
    assert json.loads(message.body) == {"id": "42", "kind": "verify", "model": "churn"}
    assert world.call("GET", "inbox").body == []


def test_an_item_kept_twice_is_sent_again_twice(world):
    for _ in range(2):
        world.records.put_inbox(item())
        assert world.call("POST", "inbox/alm-requests:1/redrive").status == 202
    assert len(world.sent("alm-requests")) == 2


def test_one_order_to_send_again_is_one_message_whatever_happens_in_between(world):
    world.records.put_inbox(item())
    world.records.fail("discard_inbox", Unavailable("storage is away"))
    key = {"idempotency-key": "again-1"}
    assert world.call("POST", "inbox/alm-requests:1/redrive", headers=key).status == 503
    assert world.call("POST", "inbox/alm-requests:1/redrive", headers=key).status == 202
    assert len(world.sent("alm-requests")) == 1
    assert world.records.items == {}


def test_what_came_from_no_queue_cannot_be_sent_again(world):
    world.records.put_inbox(item("blob:x", queue=""))
    answer = world.call("POST", "inbox/blob:x/redrive")
    assert (answer.status, "did not come from a queue" in answer.body["detail"]) == (400, True)
    assert len(world.records.items) == 1
