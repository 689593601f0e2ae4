"""Assets through the workspace API: how they are read, uploaded, promoted, downloaded."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pytest

from alm.adapters.studio.blocks import BLOCK_BYTES
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
from alm.domain.experiment import Asset, Promotion, Upload
from tests.unit.studio.scripted import Scripted, error, http
from tests.unit.studio.workspaces import (
    BASE,
    EXPERIMENT,
    HTML,
    MODEL,
    SNAPSHOT,
    TOKEN,
    WORKSPACE,
    model,
    workspace,
)

DATASET = f"{WORKSPACE}.{'c' * 32}.v1-default-12"
BEGUN = (200, {"Id": "u/1", "DataTypeId": "GenericCSV", "Committed": False})
TAKEN = (200, {"Id": "u/1", "Committed": False})
REGISTERED = (200, f'"{DATASET}"'.encode())
UPLOAD = Upload(name="Kündigungen 2026.csv", description='the "new" ones')
PROMOTION = Promotion(
    experiment=EXPERIMENT, node="n-1", port="Trained model", name="Churn model", family="f" * 32
)
RESOURCE = f"/api/resourceuploads/workspaces/{WORKSPACE}/?userStorage=true&dataTypeId=GenericCSV"
LOST = Unknown("no complete answer")


def block_path(number: int, count: int) -> str:
    query = f"numberOfBlocks={count}&blockId={number}&uploadId=u%2F1&dataTypeId=GenericCSV"
    return f"/api/blobuploads/workspaces/{WORKSPACE}/?{query}"


class Drip(io.RawIOBase):
    """Content that cannot seek and gives less than it is asked for."""

    def __init__(self, content: bytes, at_most: int = 1_000_000) -> None:
        self._content = io.BytesIO(content)
        self._at_most = at_most
        self.largest = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "it would be read whole"
        self.largest = max(self.largest, size)
        return self._content.read(min(size, self._at_most))


def drip(content: bytes) -> BinaryIO:
    return Drip(content)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("dataset", "datasources"),
        ("trained_model", "trainedmodels"),
        ("transform", "transformmodules"),
    ],
)
def test_each_kind_of_assets_has_its_own_list(kind: Any, path: str) -> None:
    studio, transport = workspace((200, [model()]), (200, model()))

    listed, read = studio.assets(kind), studio.asset(kind, MODEL)

    assert listed == [read]
    assert read.kind == kind
    assert transport.seen == [f"GET {BASE}/{path}", f"GET {BASE}/{path}/{MODEL}"]


def test_an_asset_is_read_with_all_that_is_known_of_it() -> None:
    studio, _ = workspace((200, model()))

    assert studio.asset("trained_model", MODEL) == Asset(
        kind="trained_model",
        id=MODEL,
        family="f" * 32,
        number=48,
        name="Churn model",
        data_type="ILearnerDotNet",
        created=datetime(2016, 5, 25, 18, 11, 19, 696000, tzinfo=UTC),
        size=12,
        experiment=EXPERIMENT,
        promoted_from=f"{EXPERIMENT}.n-1.Trained model",
    )


def test_what_a_record_leaves_out_is_taken_from_its_id() -> None:
    studio, _ = workspace((200, [{"Id": MODEL, "CreatedDate": "yesterday", "Size": None}]))

    (asset,) = studio.assets("trained_model")

    assert (asset.family, asset.number, asset.name) == ("f" * 32, 48, "")
    assert (asset.created, asset.size, asset.is_latest) == (None, 0, True)


@pytest.mark.parametrize("date", ["/Date(999999999999999)/", "/Date(x)/", 5, None, "2026-01-01"])
def test_a_date_that_cannot_be_read_is_none(date: object) -> None:
    studio, _ = workspace((200, model(CreatedDate=date)))

    assert studio.asset("trained_model", MODEL).created is None


def test_an_asset_without_an_id_is_told_with_the_keys_it_has() -> None:
    studio, _ = workspace((200, [{"Name": "canary", "Size": 1}]))

    with pytest.raises(Misconfigured, match=r"without Id \(it has Name, Size\)") as raised:
        studio.assets("dataset")

    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("answer", [(200, b"null"), (204, None), (200, [])])
def test_no_assets_are_an_empty_list(answer: object) -> None:
    studio, _ = workspace(answer)

    assert studio.assets("dataset") == []


@pytest.mark.parametrize("answer", [(200, b"null"), (204, None), error(404, "ResourceNotFound")])
def test_an_asset_that_is_not_there_is_not_found(answer: object) -> None:
    studio, _ = workspace(answer)

    with pytest.raises(NotFound):
        studio.asset("dataset", DATASET)


def test_a_download_address_is_put_together_and_kept_out_of_sight() -> None:
    location = {
        "BaseUri": "https://storage.test/",
        "Location": "uploads/Kündigung 1.csv",
        "AccessCredential": "?sv=1&sig=canary",
    }
    studio, _ = workspace((200, model(Id=DATASET, DownloadLocation=location)))

    asset = studio.asset("dataset", DATASET)

    place = "https://storage.test/uploads/K%C3%BCndigung%201.csv"
    assert asset.download == f"{place}?sv=1&sig=canary"
    assert "canary" not in repr(asset)


@pytest.mark.parametrize("location", [None, "x", [], {}, {"BaseUri": "https://storage.test/"}])
def test_without_a_whole_location_there_is_no_download(location: object) -> None:
    studio, transport = workspace((200, model(DownloadLocation=location)))

    asset = studio.asset("trained_model", MODEL)
    with pytest.raises(NotFound, match="read the output"):
        studio.download(asset)

    assert len(transport.seen) == 1


def downloadable(url: str) -> Asset:
    return Asset(kind="dataset", id=DATASET, family="c" * 32, name="d", download=url)


def test_a_download_takes_no_token_along() -> None:
    storage = Scripted((200, b"a,b\n"))
    studio, transport = workspace(downloads=http(storage))

    with studio.download(downloadable("https://arm.test/d.csv?sig=canary")) as file:
        assert file.read() == b"a,b\n"

    assert (transport.seen, storage.seen) == ([], ["GET /d.csv?sig=canary"])
    assert TOKEN not in str(storage.requests[0].headers)


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        ((403, b"<?xml?><Error>sig=canary</Error>"), Denied),
        ((404, None), NotFound),
        ((302, None, {"location": "https://elsewhere.test/?sig=canary"}), Misconfigured),
        ((503, None), Unavailable),
    ],
)
def test_a_download_that_is_refused_shows_no_signature(
    answer: object, meant: type[AlmError]
) -> None:
    studio, _ = workspace(downloads=http(Scripted(answer)))

    with pytest.raises(AlmError) as raised:
        studio.download(downloadable("https://arm.test/d.csv?sig=canary"))

    assert type(raised.value) is meant
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("url", ["https://elsewhere.test/d?sig=canary", "file:///etc/passwd", "x"])
def test_a_download_leads_only_to_allowed_hosts(url: str) -> None:
    studio, transport = workspace()

    with pytest.raises(Misconfigured) as raised:
        studio.download(downloadable(url))

    assert transport.seen == []
    assert "canary" not in str(raised.value)


def test_an_upload_is_begun_sent_in_blocks_and_registered() -> None:
    content = bytes(2 * BLOCK_BYTES) + b"the end"
    studio, transport = workspace(BEGUN, TAKEN, TAKEN, (200, None), REGISTERED)
    file = Drip(content)

    dataset = studio.upload(
        UPLOAD.model_copy(update={"family": "c" * 32}),
        file,  # type: ignore[arg-type]
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
    )

    assert dataset == DATASET
    assert transport.seen == [
        f"POST {RESOURCE}",
        *(f"POST {block_path(number, 3)}" for number in range(3)),
        f"POST {BASE}/datasources",
    ]
    sent = [request.body for request in transport.requests[1:4]]
    assert b"".join(body or b"" for body in sent) == content
    assert file.largest == BLOCK_BYTES
    assert transport.requests[0].body == b""
    assert "Content-Type" not in transport.requests[1].headers
    assert transport.sent() == {
        "DataSource": {
            "Name": "Kündigungen 2026.csv",
            "DataTypeId": "GenericCSV",
            "Description": 'the "new" ones',
            "FamilyId": "c" * 32,
            "Owner": "azure-studio-alm",
            "SourceOrigin": "FromResourceUpload",
        },
        "UploadId": "u/1",
        "UploadedFromFileName": "Kündigungen 2026.csv",
        "ClientPoll": True,
    }
    body = transport.requests[-1].body
    assert body is not None
    assert body.isascii()


def test_content_that_can_seek_tells_its_own_size() -> None:
    content = io.BytesIO(b"header" + bytes(BLOCK_BYTES))
    content.seek(6)
    studio, transport = workspace(BEGUN, TAKEN, REGISTERED)

    studio.upload(UPLOAD, content)

    assert transport.seen[1] == f"POST {block_path(0, 1)}"
    assert transport.requests[1].body == bytes(BLOCK_BYTES)


@pytest.mark.parametrize(
    ("found", "size", "digest", "told"),
    [
        (b"12345", 6, "", "ended after 5 of 6 bytes"),
        (b"12345", 4, "", "more than 4 bytes"),
        (b"12345", 5, "0" * 64, "its digest is"),
        (b"", 5, "", "ended after 0 of 5 bytes"),
    ],
)
def test_content_that_is_not_what_was_announced_is_never_registered(
    found: bytes, size: int, digest: str, told: str
) -> None:
    studio, transport = workspace(BEGUN)

    with pytest.raises(Conflict, match=told):
        studio.upload(UPLOAD, drip(found), size=size, digest=digest)

    assert transport.seen == [f"POST {RESOURCE}"]


def test_content_that_shrinks_while_it_is_uploaded_is_found_out() -> None:
    studio, transport = workspace(BEGUN, TAKEN)

    with pytest.raises(Conflict, match="ended after"):
        studio.upload(UPLOAD, drip(bytes(BLOCK_BYTES + 10)), size=2 * BLOCK_BYTES)

    assert transport.seen == [f"POST {RESOURCE}", f"POST {block_path(0, 2)}"]


@pytest.mark.parametrize(
    ("upload", "content", "size"),
    [
        (UPLOAD, io.BytesIO(b""), None),
        (UPLOAD, io.BytesIO(b"a"), 0),
        (UPLOAD, drip(b"a"), None),
        (Upload(name="x", data_type="a&b=c"), io.BytesIO(b"a"), None),
    ],
)
def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    upload: Upload, content: BinaryIO, size: int | None
) -> None:
    studio, transport = workspace()

    with pytest.raises(Refused):
        studio.upload(upload, content, size=size)

    assert transport.seen == []


@pytest.mark.parametrize("answers", [(LOST,), (BEGUN, LOST), (BEGUN, error(500, "Internal"))])
def test_an_upload_that_broke_off_certainly_registered_nothing(answers: tuple[object]) -> None:
    studio, _ = workspace(*answers)

    with pytest.raises(Unavailable, match="nothing was registered"):
        studio.upload(UPLOAD, io.BytesIO(b"a,b"))


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (LOST, Unknown),
        (error(500, "Internal"), Unknown),
        ((204, None), Unknown),
        (error(503, "ServiceUnavailable"), Unavailable),
        (error(409, "Conflict", "NameTaken"), Conflict),
        ((200, HTML), Misconfigured),
    ],
)
def test_a_registration_is_what_may_have_happened(answer: object, meant: type[AlmError]) -> None:
    studio, _ = workspace(BEGUN, TAKEN, answer)

    with pytest.raises(AlmError) as raised:
        studio.upload(UPLOAD, io.BytesIO(b"a,b"))

    assert type(raised.value) is meant


@pytest.mark.parametrize(
    "begun", [(200, {}), (200, {"Id": None}), (200, []), (200, HTML), (204, None)]
)
def test_an_upload_that_was_given_no_id_is_told(begun: object) -> None:
    studio, transport = workspace(begun)

    with pytest.raises(Misconfigured):
        studio.upload(UPLOAD, io.BytesIO(b"a,b"))

    assert len(transport.seen) == 1


def test_deleting_a_family_may_be_repeated() -> None:
    studio, transport = workspace((200, None), error(404, "ResourceNotFound"))

    studio.delete_datasets("c" * 32)
    studio.delete_datasets("c" * 32)

    assert transport.seen == [f"DELETE {BASE}/datasources/family/{'c' * 32}"] * 2


@pytest.mark.parametrize(
    ("kind", "path", "wrapper", "data_type"),
    [
        ("trained_model", "trainedmodels", "TrainedModel", "iLearnerDotNet"),
        ("dataset", "datasources", "DataSource", "Dataset"),
        ("transform", "transformmodules", "Transform", "iTransformDotNet"),
    ],
)
def test_promoting_names_the_output_and_the_family(
    kind: str, path: str, wrapper: str, data_type: str
) -> None:
    studio, transport = workspace((200, f'"{MODEL}"'.encode()))

    assert studio.promote(PROMOTION.model_copy(update={"kind": kind})) == MODEL

    assert transport.seen == [f"POST {BASE}/{path}"]
    assert transport.sent() == {
        "ExperimentId": EXPERIMENT,
        "ModuleNodeId": "n-1",
        "OutputName": "Trained model",
        wrapper: {
            "Name": "Churn model",
            "DataTypeId": data_type,
            "Description": "",
            "SourceOrigin": "FromOutputPromotion",
            "FamilyId": "f" * 32,
        },
    }


@pytest.mark.parametrize("quiet", [(204, None), (200, b""), (200, b"null")])
def test_a_promotion_that_tells_no_id_is_looked_up_by_where_it_came_from(quiet: object) -> None:
    others = [
        model(Id=MODEL.replace("48", "49"), ServiceVersion=49, Name="Another"),
        model(Id=MODEL.replace("48", "50"), ServiceVersion=50, PromotedFrom=f"{EXPERIMENT}.n-2.x"),
        model(Id=MODEL.replace("48", "47"), ServiceVersion=47),
    ]
    studio, transport = workspace(quiet, (200, [*others, model()]))

    assert studio.promote(PROMOTION) == MODEL
    assert transport.seen[1] == f"GET {BASE}/trainedmodels"


def test_a_promotion_may_be_recorded_as_coming_from_the_snapshot() -> None:
    recorded = model(PromotedFrom=f"{SNAPSHOT}.n-1.Trained model")
    studio, _ = workspace((204, None), (200, [recorded]))

    assert studio.promote(PROMOTION) == MODEL


def test_a_promotion_that_is_nowhere_to_be_seen_has_no_id() -> None:
    studio, _ = workspace((204, None), (200, b"null"))

    assert studio.promote(PROMOTION) == ""


@pytest.mark.parametrize(
    ("answers", "meant"),
    [
        ((LOST,), Unknown),
        (((204, None), error(503, "ServiceUnavailable")), Unknown),
        ((error(409, "Conflict", "NameTaken"),), Conflict),
        ((error(404, "OutputNotFound"),), NotFound),
        ((error(503, "ServiceUnavailable"),), Unavailable),
    ],
)
def test_what_becomes_of_a_promotion_is_told_by_its_answers(
    answers: tuple[object], meant: type[AlmError]
) -> None:
    studio, _ = workspace(*answers)

    with pytest.raises(AlmError) as raised:
        studio.promote(PROMOTION)

    assert type(raised.value) is meant
