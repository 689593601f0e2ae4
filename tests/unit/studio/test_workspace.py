"""The workspace API's client: what is sent, what answers mean, odd and hostile ones too."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from alm.adapters.identity import Identity
from alm.adapters.studio.directory import StudioDirectory
from alm.adapters.studio.workspace_calls import TOKEN_HEADER
from alm.domain.errors import (
    AlmError,
    Conflict,
    Denied,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
    Unknown,
)
from alm.domain.experiment import Graph, StudioWorkspace
from alm.studio_ports import Workspace
from tests.unit.studio.scripted import HandClock, Scripted, error, http, identity
from tests.unit.studio.workspaces import (
    BASE,
    DECLARED,
    DRAFT,
    EXPERIMENT,
    GRAPH,
    HTML,
    SNAPSHOT,
    TOKEN,
    WORKSPACE,
    experiment,
    workspace,
)

LOST = Unknown("no complete answer")


def test_facts_are_read_with_the_token_in_both_headers() -> None:
    document = {"WorkspaceId": WORKSPACE, "FriendlyName": "Büro", "Type": "Free", "Region": None}
    studio, transport = workspace((200, document))

    facts = studio.facts()

    assert (facts.id, facts.name, facts.is_free, facts.region) == (WORKSPACE, "Büro", True, "")
    assert transport.seen == [f"GET {BASE}"]
    headers = transport.requests[0].headers
    assert headers["x-ms-metaanalytics-authorizationtoken"] == TOKEN
    assert headers["Authorization"] == f"Bearer {TOKEN}"


def test_experiments_are_those_of_the_users_without_samples() -> None:
    sample = f"506153734175476c4f62416c57734963.f-id.{'1' * 32}"
    studio, transport = workspace(
        (
            200,
            [
                experiment(),
                experiment(Category=None, Description=None),
                experiment(Category="sample"),
                experiment(ExperimentId=sample),
            ],
        )
    )

    found = studio.experiments()

    assert [(one.id, one.name) for one in found] == [(EXPERIMENT, "Churn"), (EXPERIMENT, "")]
    assert transport.seen == [f"GET {BASE}/experiments"]


@pytest.mark.parametrize("answer", [(200, b"null"), (204, None), (200, []), (200, b"")])
def test_no_experiments_are_an_empty_list(answer: object) -> None:
    studio, _ = workspace(answer)

    assert studio.experiments() == []


def test_an_experiment_is_read_whole_and_without_the_addresses_of_its_outputs() -> None:
    endpoint = {"AccessCredential": "?signature=canary", "BaseUri": "https://studio.test/"}
    statuses = [
        {
            "NodeId": "n-1",
            "Status": {"StatusCode": "Finished"},
            "OutputEndpoints": [endpoint],
            "StandardErrorEndpoint": endpoint,
            "StandardOutEndpoint": endpoint,
            "MetadataOutputEndpoints": {"Trained model": [{"Value": endpoint}]},
        }
    ]
    studio, transport = workspace((200, experiment(Graph=GRAPH, NodeStatuses=statuses)))

    read = studio.experiment(EXPERIMENT)

    assert read.graph is not None
    assert read.graph.document == GRAPH
    assert read.node_statuses is not None
    assert [status.status.state for status in read.node_statuses] == ["Finished"]
    assert "canary" not in repr(read)
    assert transport.seen == [f"GET {BASE}/experiments/{EXPERIMENT}"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"ExperimentId": EXPERIMENT}, "Status"),
        (experiment(Status={"StatusDetail": "canary-password"}), "StatusCode"),
        (experiment(Graph={"ModuleNodes": [{"Id": 1, "ModuleId": "canary-password"}]}), "Graph"),
        (experiment(NodeStatuses="canary-password"), "NodeStatuses"),
        ({}, "ExperimentId"),
    ],
)
def test_what_is_not_an_experiment_is_told_without_its_values(document: object, told: str) -> None:
    studio, _ = workspace((200, document))

    with pytest.raises(Misconfigured, match=told) as raised:
        studio.experiment(EXPERIMENT)

    assert "canary" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_creating_posts_the_draft_in_ascii_and_tells_the_new_id() -> None:
    studio, transport = workspace((200, {"ExperimentId": EXPERIMENT, "Etag": 'W/"1"'}))

    assert studio.create(DRAFT) == EXPERIMENT

    assert transport.seen == [f"POST {BASE}/experiments/"]
    body = transport.requests[0].body
    assert body is not None
    assert body.isascii()
    assert json.loads(body) == {
        "Description": DRAFT.name,
        "Summary": "",
        "IsDraft": True,
        "ParentExperimentId": SNAPSHOT,
        "DisableNodeUpdate": False,
        "Category": "user",
        "ExperimentGraph": GRAPH,
        "WebService": {"Inputs": [], "ArmWebServiceId": None},
    }


@pytest.mark.parametrize("told", ['"{}"', "{}", ' "{}"\n', '"\\"{}\\""'])
def test_an_id_may_come_bare_or_in_quotes(told: str) -> None:
    studio, _ = workspace((201, told.format(EXPERIMENT).encode()))

    assert studio.create(DRAFT) == EXPERIMENT


@pytest.mark.parametrize("answer", [(204, None), (200, b""), (200, b"null"), (200, {"Etag": "1"})])
def test_a_creation_that_tells_no_id_is_unknown(answer: object) -> None:
    studio, _ = workspace(answer)

    with pytest.raises(Unknown, match="look for it by its name"):
        studio.create(DRAFT)


@pytest.mark.parametrize("body", [HTML, b'"../../etc"', b"[1]", b'"a b"', b'{"ExperimentId": {}}'])
def test_what_is_no_id_is_not_taken_for_one(body: bytes) -> None:
    studio, _ = workspace((200, body))

    with pytest.raises(Misconfigured, match="not an id"):
        studio.create(DRAFT)


def test_saving_and_running_differ_in_is_draft_alone() -> None:
    studio, transport = workspace((200, {}), (204, None))

    studio.save(EXPERIMENT, DRAFT)
    studio.run(EXPERIMENT, DRAFT)

    assert transport.seen == [f"POST {BASE}/experiments/{EXPERIMENT}"] * 2
    saved, ran = transport.sent(0), transport.sent(1)
    assert isinstance(saved, dict)
    assert (saved["IsDraft"], ran) == (True, {**saved, "IsDraft": False})


def test_a_graph_of_our_own_is_sent_with_the_lists_that_studio_expects() -> None:
    studio, transport = workspace((200, {}))

    studio.save(EXPERIMENT, DRAFT.model_copy(update={"graph": Graph(), "service": None}))

    sent = transport.sent()
    assert isinstance(sent, dict)
    empty = {"ModuleNodes": [], "EdgesInternal": [], "SerializedClientData": ""}
    assert (sent["ExperimentGraph"], sent["WebService"]) == (empty, None)


def test_a_snapshot_is_locked_and_not_even_asked_about() -> None:
    studio, transport = workspace()

    for change in (studio.save, studio.run):
        with pytest.raises(Conflict, match="snapshot"):
            change(SNAPSHOT, DRAFT)
    with pytest.raises(Conflict, match="snapshot"):
        studio.delete(SNAPSHOT)

    assert transport.seen == []


def test_deleting_takes_the_snapshots_along_and_may_be_repeated() -> None:
    studio, transport = workspace((200, None), error(404, "ExperimentNotFound"))

    studio.delete(EXPERIMENT)
    studio.delete(EXPERIMENT)

    path = f"{BASE}/experiments/{EXPERIMENT}?deleteAncestors=true"
    assert transport.seen == [f"DELETE {path}"] * 2


def test_an_output_is_read_from_a_path_whose_parts_are_quoted() -> None:
    studio, transport = workspace((200, b"a,b\n1,2\n"))

    with studio.output(SNAPSHOT, "n-1", "Trained model/ä?#%") as file:
        assert file.read() == b"a,b\n1,2\n"

    port = "Trained%20model%2F%C3%A4%3F%23%25"
    assert transport.seen == [f"GET {BASE}/experiments/{SNAPSHOT}/outputdata/n-1/{port}"]


@pytest.mark.parametrize("status", [204, 404])
def test_an_output_that_is_not_there_yet_is_not_found(status: int) -> None:
    studio, _ = workspace((status, None))

    with pytest.raises(AlmError) as raised:
        studio.output(EXPERIMENT, "n-1", "Trained model")

    assert isinstance(raised.value, NotFound)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "a b", "é", "x" * 300, "a\r\nHost: b"])
def test_what_cannot_be_an_id_goes_into_no_url(name: str) -> None:
    studio, transport = workspace()
    calls: list[Callable[[], object]] = [
        lambda: studio.experiment(name),
        lambda: studio.save(name, DRAFT),
        lambda: studio.delete(name),
        lambda: studio.output(name, "n", "p"),
        lambda: studio.output(EXPERIMENT, name, "p"),
        lambda: studio.asset("dataset", name),
        lambda: studio.delete_datasets(name),
        lambda: studio.pack(name),
        lambda: studio.packing(name),
        lambda: studio.unpacking(name),
        lambda: studio.deploy(name, update=True),
        lambda: studio.deploying(name),
        lambda: studio.definition(name),
    ]

    for call in calls:
        with pytest.raises(Refused):
            call()

    assert transport.seen == []


@pytest.mark.parametrize("port", ["", ".", "..", "a\nb", "a\0", "x" * 201])
def test_what_cannot_be_a_port_goes_into_no_url(port: str) -> None:
    studio, transport = workspace()

    with pytest.raises(Refused, match="port"):
        studio.output(EXPERIMENT, "n-1", port)

    assert transport.seen == []


def test_a_definition_is_the_document_as_it_is() -> None:
    document = {"location": "", "properties": {"packageType": "Graph", "title": "Ü"}}
    studio, transport = workspace((200, document))

    assert studio.definition(EXPERIMENT) == document
    assert transport.seen == [f"GET {BASE}/experiments/{EXPERIMENT}/webservicedefinition"]


@pytest.mark.parametrize("operation", ["create", "save", "run"])
@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (LOST, Unknown),
        (error(500, "InternalError"), Unknown),
        (error(503, "ServiceUnavailable"), Unavailable),
        (error(429, "TooManyRequests"), Unavailable),
        (error(409, "Conflict"), Conflict),
        (error(400, "BadArgument", message="node 'x' has no input 'y'"), Misconfigured),
        (error(404, "ExperimentNotFound"), NotFound),
        ((302, None, {"location": "https://elsewhere.test/?t=canary"}), Misconfigured),
    ],
)
def test_what_becomes_of_a_change_is_told_by_its_answer(
    operation: str, answer: object, meant: type[AlmError]
) -> None:
    studio, transport = workspace(answer)
    arguments = (DRAFT,) if operation == "create" else (EXPERIMENT, DRAFT)

    with pytest.raises(AlmError) as raised:
        getattr(studio, operation)(*arguments)

    assert type(raised.value) is meant
    assert len(transport.seen) == 1
    assert "canary" not in str(raised.value)


def test_a_refused_graph_is_told_with_what_studio_said() -> None:
    studio, _ = workspace(error(400, "BadArgument", message="node 'x' has no input 'y'"))

    with pytest.raises(Misconfigured, match=r"node 'x' has no input 'y'.*correct the graph"):
        studio.save(EXPERIMENT, DRAFT)


def calls(studio: Workspace) -> list[Callable[[], object]]:
    return [
        studio.facts,
        studio.experiments,
        studio.modules,
        lambda: studio.assets("dataset"),
        lambda: studio.experiment(EXPERIMENT),
        lambda: studio.definition(EXPERIMENT),
        lambda: studio.deploying("d" * 32),
        lambda: studio.packing("d" * 32),
    ]


@pytest.mark.parametrize("number", range(8))
def test_a_page_of_a_portal_is_not_taken_for_an_answer(number: int) -> None:
    studio, _ = workspace((200, HTML))

    with pytest.raises(Misconfigured, match=r"Studio API|not JSON"):
        calls(studio)[number]()


@pytest.mark.parametrize("number", range(8))
def test_a_token_that_is_refused_is_never_shown(number: int) -> None:
    refused = error(401, "Unauthorized", message=f"The token {TOKEN} is wrong.")
    studio, _ = workspace(refused, refused)

    with pytest.raises(Denied) as raised:
        calls(studio)[number]()

    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("document", [[1], [None], {"value": []}, "text", [["a"]]])
def test_a_list_of_something_else_is_told(document: object) -> None:
    studio, _ = workspace((200, document))

    with pytest.raises(Misconfigured, match="list of objects"):
        studio.modules()


def test_modules_are_told_by_their_ids() -> None:
    studio, transport = workspace((200, [{"Id": "w.m.v1-default-1"}, {"Name": "no id"}]))

    assert studio.modules() == ["w.m.v1-default-1"]
    assert transport.seen == [f"GET {BASE}/modules"]


def test_a_token_that_was_changed_meanwhile_is_looked_up_again_once() -> None:
    environment = {"ALM_STUDIO_WORKSPACE_TOKEN": "old-token-01"}
    refused = error(401, "Unauthorized")

    def answer(request: object) -> object:
        environment["ALM_STUDIO_WORKSPACE_TOKEN"] = "new-token-02"
        return refused if len(transport.requests) == 1 else (200, b"null")

    transport = Scripted(by=answer)
    studio = StudioDirectory(http(transport), Identity(environment, HandClock()))

    assert studio.workspace(DECLARED).experiments() == []
    sent = [request.headers[TOKEN_HEADER] for request in transport.requests]
    assert sent == ["old-token-01", "new-token-02"]


def test_a_declaration_always_finds_the_same_client() -> None:
    studio = StudioDirectory(http(Scripted()), identity())

    assert studio.workspace(DECLARED) is studio.workspace(DECLARED.model_copy())


def test_a_region_that_has_no_studio_is_told_before_anything_is_asked() -> None:
    studio = StudioDirectory(http(Scripted()), identity())

    with pytest.raises(Misconfigured, match="Norway East"):
        studio.workspace(StudioWorkspace(workspace=WORKSPACE, region="Norway East"))
