"""What `ports.py` promises of storage, kept by the doubles and by the adapters over Azurite."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from alm.adapters import blob_listing
from alm.domain.errors import Conflict, Denied, Misconfigured, NotFound, Refused
from alm.domain.ledger import Ledger
from alm.domain.versions import InService, Manifest
from alm.ports import InboxItem
from tests.contract.storage_worlds import TODAY, StorageWorld

MODEL_BYTES = 20 << 20
HOSTILE_NAMES = [
    "with space.csv",
    "pl+us&amp=1?#%23%2F.csv",
    "ümläut/日本語\u3000/😀.csv",
    "{braces}/[brackets]/~tilde'quote\".csv",
    "a/b/c/d/e/f.csv",
    "n" * 250 + ".csv",
    "-.csv",
    "...csv",
]
NO_PATHS = [
    "datasets",
    "datasets/",
    "/name",
    "datasets//a.csv",
    "datasets/../secret.csv",
    "datasets/./a.csv",
    "datasets/a\\b.csv",
    "datasets/a\nb.csv",
    "datasets/a\x00b.csv",
    "datasets/\ud800.csv",
    "Data sets/a.csv",
    "datasets/" + "n" * 1025,
]


# blobs


def test_a_blob_is_read_as_it_was_written(storage: StorageWorld):
    path = storage.path("a.csv")

    storage.blobs.put(path, b"a,b\n1,2\n")

    assert storage.blobs.get(path) == b"a,b\n1,2\n"
    assert storage.blobs.open(path).read() == b"a,b\n1,2\n"


def test_an_empty_blob_is_a_blob(storage: StorageWorld):
    path = storage.path("empty.csv")

    storage.blobs.put(path, b"")

    assert storage.blobs.get(path) == b""
    assert storage.blobs.open(path).read() == b""
    assert storage.blobs.properties(path).size == 0


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_any_name_comes_back_as_it_was(storage: StorageWorld, name: str):
    path = storage.path(name)

    storage.blobs.put(path, b"content")

    folder = path.removesuffix(name)
    listed = list(storage.blobs.list("datasets", folder.removeprefix("datasets/")))
    assert [blob.path for blob in listed] == [path]
    assert storage.blobs.get(path) == b"content"
    assert storage.blobs.properties(path).path == path
    grant = storage.blobs.grant(path, "read", storage.now() + timedelta(hours=1))
    assert storage.blobs.fetch(grant.location, grant.sas).read() == b"content"
    assert storage.use(grant.url) == b"content"


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_cannot_be_a_path_is_refused(storage: StorageWorld, path: str):
    with pytest.raises(Refused):
        storage.blobs.get(path)
    with pytest.raises(Refused):
        storage.blobs.put(path, b"")
    with pytest.raises(Refused):
        storage.blobs.grant(path, "read", storage.now() + timedelta(hours=1))


def test_a_missing_blob_is_not_found(storage: StorageWorld):
    path = storage.path("missing.csv")

    for look in (storage.blobs.get, storage.blobs.open, storage.blobs.properties):
        with pytest.raises(NotFound):
            look(path)
    with pytest.raises((NotFound, Conflict)):  # storage may say either
        storage.blobs.get(path, etag='"0x1"')
    with pytest.raises(NotFound):
        storage.blobs.fetch(storage.blobs.location("alm-versions/churn/missing.ilearner"))


def test_a_changed_blob_conflicts_with_the_etag_it_had(storage: StorageWorld):
    path = storage.path("a.csv")
    before = storage.blobs.put(path, b"before")

    after = storage.blobs.put(path, b"after")

    assert before != after
    assert storage.blobs.get(path, etag=after) == b"after"
    assert storage.blobs.get(path, etag=after.strip('"')) == b"after"
    with pytest.raises(Conflict):
        storage.blobs.get(path, etag=before)
    with pytest.raises(Conflict):
        storage.blobs.open(path, etag=before)


def test_one_etag_wherever_it_is_asked_for(storage: StorageWorld):
    path = storage.path("a.csv")

    etag = storage.blobs.put(path, b"content")

    [listed] = storage.blobs.list("datasets", path.removeprefix("datasets/"))
    assert storage.blobs.properties(path).etag == etag == listed.etag


def test_a_blob_that_is_too_large_is_not_read(storage: StorageWorld):
    path = storage.path("large.csv")
    storage.blobs.put(path, b"x" * 11)

    with pytest.raises(Refused, match="11 bytes, at most 10"):
        storage.blobs.get(path, bytes_max=10)
    assert storage.blobs.get(path, bytes_max=11) == b"x" * 11


def test_only_an_absent_blob_is_written_if_absent(storage: StorageWorld):
    path = storage.path("a.csv")
    storage.blobs.put(path, b"first", if_absent=True)

    with pytest.raises(Conflict):
        storage.blobs.put(path, b"second", if_absent=True)
    assert storage.blobs.get(path) == b"first"


def test_of_many_who_write_if_absent_one_wins(storage: StorageWorld):
    path = storage.path("raced.csv")

    def write(number: int) -> int | None:
        try:
            storage.blobs.put(path, str(number).encode(), if_absent=True)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(16) as writers:
        won = [number for number in writers.map(write, range(32)) if number is not None]
    assert len(won) == 1
    assert storage.blobs.get(path) == str(won[0]).encode()


def test_deleting_is_harmless_to_repeat(storage: StorageWorld):
    path = storage.path("a.csv")
    storage.blobs.put(path, b"content")

    storage.blobs.delete(path)
    storage.blobs.delete(path)

    with pytest.raises(NotFound):
        storage.blobs.get(path)


def test_a_listing_tells_size_and_time(storage: StorageWorld):
    path = storage.path("a.csv")
    before = storage.now() - timedelta(seconds=5)
    storage.blobs.put(path, b"12345")

    [blob] = storage.blobs.list("datasets", path.removeprefix("datasets/"))

    assert blob.size == 5
    assert blob.modified.tzinfo is not None
    assert before <= blob.modified <= storage.now() + timedelta(seconds=5)


def test_a_listing_is_complete_beyond_a_page(
    storage: StorageWorld, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(blob_listing, "PAGE_MAX", 50)  # 5000 would take Azurite 15 s to fill
    folder = storage.path("")
    paths = [f"{folder}{number:04d}" for number in range(120)]

    with ThreadPoolExecutor(16) as writers:
        list(writers.map(lambda path: storage.blobs.put(path, b""), paths))

    found = storage.blobs.list("datasets", folder.removeprefix("datasets/"))
    assert [blob.path for blob in found] == paths


# files


def test_a_model_file_is_streamed(storage: StorageWorld):
    content = hashlib.shake_256(b"model").digest(MODEL_BYTES)
    path = storage.path("model.ilearner")

    storage.blobs.put(path, io.BytesIO(content))

    read = hashlib.sha256()
    with storage.blobs.open(path) as file:
        while piece := file.read(100_000):
            assert len(piece) <= 100_000
            read.update(piece)
    assert read.digest() == hashlib.sha256(content).digest()
    assert storage.blobs.get(path) == content


def test_a_file_that_gives_short_reads_is_written_whole(storage: StorageWorld):
    class Dripping(io.RawIOBase):
        left = 5 << 20

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            size = min(self.left, len(buffer), 700_001)
            buffer[:size] = b"d" * size
            self.left -= size
            return size

    path = storage.path("model.ilearner")

    storage.blobs.put(path, Dripping(), if_absent=True)  # type: ignore[arg-type]

    assert storage.blobs.get(path) == b"d" * (5 << 20)


def test_two_writers_of_one_file_never_mix_their_content(storage: StorageWorld):
    path = storage.path("model.ilearner")
    contents = [bytes([65 + number]) * (9 << 20) for number in range(4)]

    def write(content: bytes) -> bool:
        try:
            storage.blobs.put(path, io.BytesIO(content), if_absent=True)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as writers:
        won = list(writers.map(write, contents))
    assert sum(won) == 1
    assert storage.blobs.get(path) == contents[won.index(True)]


# grants


def test_a_grant_to_read_reads_and_does_not_write(storage: StorageWorld):
    path = storage.path("model.ilearner")
    storage.blobs.put(path, b"model")

    grant = storage.blobs.grant(path, "read", storage.now() + timedelta(hours=1))

    assert storage.use(grant.url) == b"model"
    with pytest.raises(Denied):
        storage.use(grant.url, b"other")
    assert storage.blobs.get(path) == b"model"


def test_a_grant_to_write_creates_and_overwrites_and_does_not_read(storage: StorageWorld):
    path = storage.path("output.csv")

    grant = storage.blobs.grant(path, "write", storage.now() + timedelta(hours=1))
    storage.use(grant.url, b"first")
    storage.use(grant.url, b"second")

    assert storage.blobs.get(path) == b"second"
    with pytest.raises(Denied):
        storage.use(grant.url)


def test_a_grant_is_for_one_blob(storage: StorageWorld):
    path, other = storage.path("a.csv"), storage.path("b.csv")
    storage.blobs.put(other, b"other")

    grant = storage.blobs.grant(path, "read", storage.now() + timedelta(hours=1))

    with pytest.raises(Denied):
        storage.use(storage.blobs.location(other) + grant.sas)


def test_a_grant_expires(storage: StorageWorld):
    path = storage.path("a.csv")
    storage.blobs.put(path, b"content")

    grant = storage.expired(path)

    with pytest.raises(Denied):
        storage.use(grant.url)


def test_a_grant_that_was_tampered_with_is_worth_nothing(storage: StorageWorld):
    path = storage.path("a.csv")
    storage.blobs.put(path, b"content")
    grant = storage.blobs.grant(path, "read", storage.now() + timedelta(hours=1))

    with pytest.raises(Denied):
        storage.use(grant.location + grant.sas.replace("sp=r", "sp=rw"))
    with pytest.raises(Denied):
        storage.use(grant.location)


def test_a_grant_lasts_six_days_at_most(storage: StorageWorld):
    path = storage.path("a.csv")

    grant = storage.blobs.grant(path, "read", storage.now() + timedelta(days=90))

    expiry = datetime.fromisoformat(parse_qs(grant.sas.lstrip("?"))["se"][0])
    assert expiry <= storage.now() + timedelta(days=6, seconds=5)


def test_a_grant_does_not_show_its_leave(storage: StorageWorld):
    grant = storage.blobs.grant(storage.path("a.csv"), "read", storage.now() + timedelta(hours=1))

    assert grant.sas.startswith("?")
    assert grant.sas.lstrip("?") not in repr(grant)
    assert grant.url == grant.location + grant.sas
    assert grant.location == storage.blobs.location(grant.relative)


# fetch


def test_a_model_file_of_our_own_is_fetched_whatever_the_leave_says(storage: StorageWorld):
    path = storage.path("model.ilearner")
    storage.blobs.put(path, b"model")
    url = storage.blobs.location(path)

    assert storage.blobs.fetch(url).read() == b"model"
    assert storage.blobs.fetch(url, "?sig=nonsense").read() == b"model"
    assert storage.blobs.fetch(url + "?sig=nonsense").read() == b"model"


@pytest.mark.parametrize(
    "path", ["datasets/a/rows.csv", "alm-ledger/churn.json", "alm-jobs/churn/churn.r1/scored.csv"]
)
def test_anything_else_of_our_own_takes_the_leave_of_the_service(storage: StorageWorld, path: str):
    storage.blobs.put(path, b"rows")
    url = storage.blobs.location(path)
    leave = storage.blobs.grant(path, "read", storage.now() + timedelta(hours=1)).sas

    with pytest.raises(Misconfigured, match="of our own account"):
        storage.blobs.fetch(url)
    with pytest.raises(Denied):
        storage.blobs.fetch(url, "?sig=nonsense")
    assert storage.blobs.fetch(url, leave).read() == b"rows"


def test_a_file_on_an_allowed_host_is_fetched_with_its_leave(storage: StorageWorld):
    url, sas = storage.elsewhere(b"model")

    assert storage.blobs.fetch(url, sas).read() == b"model"
    assert storage.blobs.fetch(url + sas).read() == b"model"
    with pytest.raises(Denied, match="leave"):
        storage.blobs.fetch(url)


def test_our_own_blobs_are_reached_after_a_file_elsewhere_was(storage: StorageWorld):
    path, (url, sas) = storage.path("own"), storage.elsewhere(b"model")
    storage.blobs.put(path, b"own")

    assert storage.blobs.fetch(url, sas).read() == b"model"
    assert storage.blobs.get(path) == b"own"


def test_an_expired_leave_is_denied(storage: StorageWorld):
    url, sas = storage.elsewhere(b"model", expired=True)

    with pytest.raises(Denied, match="leave"):
        storage.blobs.fetch(url, sas)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/datasets/a.csv",
        "https://double.blob.core.windows.net.evil.example/datasets/a.csv",
        "https://double.blob.core.windows.net@evil.example/datasets/a.csv",
        "http://169.254.169.254/metadata/identity",
        "file:///etc/passwd",
        "no url at all",
        "",
    ],
)
def test_a_file_on_another_host_is_not_fetched(storage: StorageWorld, url: str):
    with pytest.raises(Misconfigured, match=r"allowed storage hosts|no URL"):
        storage.blobs.fetch(url)


# ledgers


def test_a_ledger_that_was_never_written_is_empty(storage: StorageWorld):
    model = f"m-{uuid4().hex}"

    assert storage.ledgers.get(model) == (Ledger(model=model), "")


def test_a_ledger_is_read_as_it_was_written(storage: StorageWorld):
    ledger = Ledger(model=f"m-{uuid4().hex}", champion="v3", runs=7, unknown=("eu",))

    etag = storage.ledgers.put(ledger, "")

    assert storage.ledgers.get(ledger.model) == (ledger, etag)


def test_a_ledger_is_written_only_over_the_one_that_was_read(storage: StorageWorld):
    ledger = Ledger(model=f"m-{uuid4().hex}")
    first = storage.ledgers.put(ledger, "")
    second = storage.ledgers.put(ledger.model_copy(update={"runs": 1}), first)

    for stale in ("", first):
        with pytest.raises(Conflict):
            storage.ledgers.put(ledger.model_copy(update={"runs": 9}), stale)
    assert storage.ledgers.get(ledger.model)[1] == second
    assert storage.ledgers.get(ledger.model)[0].runs == 1


def test_of_many_who_write_a_ledger_each_sees_all_writes_before_its_own(storage: StorageWorld):
    model = f"m-{uuid4().hex}"

    def add_five(_worker: int) -> None:
        done = 0
        while done < 5:
            ledger, etag = storage.ledgers.get(model)
            try:
                storage.ledgers.put(ledger.model_copy(update={"runs": ledger.runs + 1}), etag)
            except Conflict:
                continue
            done += 1

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(add_five, range(8)))
    assert storage.ledgers.get(model)[0].runs == 40


def test_a_listing_tells_the_status_of_each_ledger(storage: StorageWorld):
    model = f"m-{uuid4().hex}"
    ended = Ledger(model=model, last_run=f"{model}.r1", last_result="ok", champion="v1")

    storage.ledgers.put(ended.model_copy(update={"finished_at": TODAY}), "")
    storage.blobs.put("alm-ledger/_schedule.json", b"{}")

    listed = dict(storage.ledgers.list())
    assert listed[model] == {
        "state": "idle",
        "run": f"{model}.r1",
        "pipeline": "",
        "began": "",
        "due": "",
        "waiting": "0",
        "finished": TODAY.isoformat(),
        "unknown": "0",
        "unknown_targets": "",
        "last_run": f"{model}.r1",
        "last_result": "ok",
        "champion": "v1",
    }
    assert "_schedule" not in listed


# versions


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("size", [0, 1000, 5 << 20])
def test_a_version_file_is_kept_and_harmless_to_repeat(storage: StorageWorld, size: int):
    content, path = b"m" * size, f"alm-versions/m-{uuid4().hex}/m-v1.ilearner"

    for _ in range(2):
        storage.versions.put_file(path, io.BytesIO(content), digest_of(content))

    assert storage.blobs.get(path) == content


def test_a_version_file_is_never_overwritten(storage: StorageWorld):
    path = f"alm-versions/m-{uuid4().hex}/m-v1.ilearner"
    storage.versions.put_file(path, io.BytesIO(b"first"), digest_of(b"first"))

    with pytest.raises(Conflict):
        storage.versions.put_file(path, io.BytesIO(b"second"), digest_of(b"second"))
    assert storage.blobs.get(path) == b"first"


@pytest.mark.parametrize("size", [1000, 9 << 20])
def test_a_file_that_changed_while_it_was_read_is_not_kept(storage: StorageWorld, size: int):
    path = f"alm-versions/m-{uuid4().hex}/m-v1.ilearner"
    read, expected = b"a" * (size - 1) + b"!", b"a" * size

    with pytest.raises(Misconfigured, match="digest"):
        storage.versions.put_file(path, io.BytesIO(read), digest_of(expected))

    with pytest.raises(NotFound):
        storage.blobs.properties(path)


def manifest(model: str, version: str, day: int) -> Manifest:
    return Manifest(
        model=model,
        version=version,
        file=f"alm-versions/{model}/{model}-{version}.ilearner",
        digest=digest_of(version.encode()),
        size=1,
        created=TODAY + timedelta(days=day),
        run=f"{model}.r{day}",
    )


def test_a_version_is_recorded_once(storage: StorageWorld):
    model = f"m-{uuid4().hex}"
    first = manifest(model, "v1", 1)

    assert storage.versions.put_manifest(first) == first
    assert storage.versions.put_manifest(manifest(model, "v1", 2)) == first
    assert storage.versions.manifest(model, "v1") == first


def test_the_versions_of_a_model_come_oldest_first(storage: StorageWorld):
    model = f"m-{uuid4().hex}"
    for version, day in (("v10", 10), ("v2", 2), ("eu-v0", 0)):
        storage.versions.put_manifest(manifest(model, version, day))
    storage.versions.put_manifest(manifest(f"{model}2", "v1", 1))

    assert [item.version for item in storage.versions.manifests(model)] == ["eu-v0", "v2", "v10"]


def test_a_missing_version_is_told_with_those_there_are(storage: StorageWorld):
    model = f"m-{uuid4().hex}"
    storage.versions.put_manifest(manifest(model, "v1", 1))

    with pytest.raises(NotFound, match="there are: v1"):
        storage.versions.manifest(model, "v9")
    with pytest.raises(NotFound, match="there are: none"):
        storage.versions.manifest(f"{model}-other", "v9")
    with pytest.raises(Refused):
        storage.versions.manifest(model, "../other/v1")


def test_a_retired_file_is_gone_and_its_manifest_stays(storage: StorageWorld):
    model = f"m-{uuid4().hex}"
    one, other = manifest(model, "v1", 1), manifest(model, "v2", 2)
    for each in (one, other):
        storage.versions.put_manifest(each)
        storage.versions.put_file(each.file, io.BytesIO(b"m"), digest_of(b"m"))

    for _ in range(2):
        storage.versions.retire_file(one)

    with pytest.raises(NotFound):
        storage.blobs.properties(one.file)
    assert storage.blobs.get(other.file) == b"m"
    assert storage.versions.manifests(model) == [one, other]


def in_service(model: str, run: int, minutes: float, version: str) -> InService:
    return InService(
        model=model,
        run=f"{model}.r{run}",
        at=TODAY + timedelta(minutes=minutes),
        champion=version,
        targets={"eu": version, "us": version},
    )


def test_what_was_in_service_comes_oldest_first_and_each_once(storage: StorageWorld):
    model = f"m-{uuid4().hex}"
    records = [
        in_service(model, 1, 0, "v1"),
        in_service(model, 2, 0.001, "v2"),
        in_service(model, 10, 60 * 24 * 400, "v1"),
    ]
    for record in (*reversed(records), records[0]):
        storage.versions.put_in_service(record)
    storage.versions.put_in_service(in_service(f"{model}2", 1, 5, "v9"))

    assert storage.versions.in_service(model) == records
    assert storage.versions.in_service(f"{model}-other") == []
    assert storage.versions.manifests(model) == []


def test_the_history_of_service_takes_any_time_zone(storage: StorageWorld):
    model = f"m-{uuid4().hex}"
    later, zone = in_service(model, 2, 30, "v2"), timezone(timedelta(hours=-7))
    earlier = in_service(model, 1, 0, "v1")
    storage.versions.put_in_service(later.model_copy(update={"at": later.at.astimezone(zone)}))
    storage.versions.put_in_service(earlier)

    assert [record.run for record in storage.versions.in_service(model)] == [
        earlier.run,
        later.run,
    ]


# records


def record(model: str, number: int, **fields: object) -> dict[str, object]:
    return {"run": f"{model}.r{number}", "model": model, "result": "ok", **fields}


def test_a_run_is_shown_in_flight_and_then_ended(storage: StorageWorld):
    run = "churn.r1"
    storage.records.put_active("churn", run, record("churn", 1, result=""))
    assert storage.records.run(run)["result"] == ""

    storage.records.put_ended(run, "2026-01-05", record("churn", 1, shown=True))

    assert storage.records.run(run)["result"] == "ok"
    assert [each["run"] for each in storage.records.runs()] == [run]


def test_an_ended_run_is_found_however_old(storage: StorageWorld):
    storage.records.put_ended("churn.r1", "2024-02-29", record("churn", 1))

    assert storage.records.run("churn.r1")["model"] == "churn"
    assert storage.records.runs() == []


def test_a_run_nobody_recorded_is_not_found(storage: StorageWorld):
    with pytest.raises(NotFound, match=r"churn\.r99"):
        storage.records.run("churn.r99")


def test_runs_in_flight_come_first_then_ended_ones_newest_first(storage: StorageWorld):
    storage.records.put_ended("churn.r1", "2026-01-03", record("churn", 1))
    storage.records.put_ended("churn.r3", "2026-01-05", record("churn", 3))
    storage.records.put_ended("churn.r2", "2026-01-04", record("churn", 2))
    storage.records.put_ended("churn.r3", "2026-01-05", record("churn", 3))
    storage.records.put_active("churn", "churn.r4", record("churn", 4))

    runs = [each["run"] for each in storage.records.runs()]

    assert runs == ["churn.r4", "churn.r3", "churn.r2", "churn.r1"]
    assert [each["run"] for each in storage.records.runs(count=2)] == runs[:2]
    assert [each["run"] for each in storage.records.runs(days=2)] == runs[:3]
    assert storage.records.runs(days=366) == storage.records.runs(days=7)
    assert [each["run"] for each in storage.records.runs(days=0)] == runs[:1]


def test_a_run_that_ended_is_shown_once(storage: StorageWorld):
    storage.records.put_active("churn", "churn.r1", record("churn", 1, result=""))
    storage.records.put_ended("churn.r1", "2026-01-05", record("churn", 1))

    assert [each["result"] for each in storage.records.runs()] == ["ok"]


def test_runs_are_those_of_the_model_asked_for(storage: StorageWorld):
    for model in ("churn", "churn2", "sales"):
        storage.records.put_ended(f"{model}.r1", "2026-01-05", record(model, 1))
        storage.records.put_active(model, f"{model}.r2", record(model, 2))

    runs = {each["run"] for each in storage.records.runs(model="churn")}

    assert runs == {"churn.r1", "churn.r2"}


def item(item_id: str, at: datetime = TODAY, payload: str = "{}") -> InboxItem:
    return InboxItem(
        id=item_id,
        at=at,
        source="queue alm-requests",
        reason="model: no managed model 'chrun'",
        remedy="correct it",
        payload=payload,
        queue="alm-requests",
    )


@pytest.mark.parametrize(
    "item_id",
    [
        "alm-requests:42",
        "",
        ".",
        "..",
        "a/b/../../c",
        'blob:datasets/ü/日本語.csv@"0x8D"',
        "%2F%00?#&\\",
        "\x00\x1b[31m\u2028",
        "\ud800 half a pair",
        "x" * 5000,
        "日" * 1000,
    ],
)
def test_an_inbox_item_is_found_by_any_id(storage: StorageWorld, item_id: str):
    storage.records.put_inbox(item("other"))
    storage.records.put_inbox(item(item_id, payload="\ud800\x00 payload é"))

    assert storage.records.inbox_item(item_id) == item(item_id, payload="\ud800\x00 payload é")
    assert {each.id for each in storage.records.inbox()} == {item_id, "other"}

    storage.records.discard_inbox(item_id)
    storage.records.discard_inbox(item_id)

    with pytest.raises(NotFound):
        storage.records.inbox_item(item_id)
    assert [each.id for each in storage.records.inbox()] == ["other"]


def test_long_ids_that_begin_alike_are_kept_apart(storage: StorageWorld):
    ids = ["x" * 3000 + end for end in "abc"]

    for each in ids:
        storage.records.put_inbox(item(each))

    assert {each.id for each in storage.records.inbox()} == set(ids)


def test_an_item_is_kept_once(storage: StorageWorld):
    storage.records.put_inbox(item("a", payload="first"))
    storage.records.put_inbox(item("a", payload="second"))
    storage.records.put_inbox(item("a", at=TODAY + timedelta(hours=20), payload="third"))

    assert [each.payload for each in storage.records.inbox()] == ["first"]


def test_the_inbox_comes_newest_first(storage: StorageWorld):
    for number in (2, 1, 3):
        storage.records.put_inbox(item(f"item-{number}", at=TODAY + timedelta(days=number)))

    assert [each.id for each in storage.records.inbox()] == ["item-3", "item-2", "item-1"]
    assert [each.id for each in storage.records.inbox(count=1)] == ["item-3"]
