"""Source control: which files a change brings, where they are kept, and what a commit tells.

Names come from declarations, experiments and people: paths are checked here, for Git and for the
disk of whoever checks the repository out (Windows included).
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, field_validator, model_validator

from alm.domain.canonical import canonical_json
from alm.domain.errors import Refused
from alm.domain.frozen import Frozen
from alm.domain.managed_model import SecretName

PATH_LENGTH_MAX = 200  # with the folder of a checkout below the 260 that Windows allows
SEGMENT_LENGTH_MAX = 100
FILES_MAX = 1000  # of one change: an export of a workspace has some hundreds
MESSAGE_LENGTH_MAX = 8000
CHANGE_BYTES_MAX = 100 << 20  # the largest file that the usual hosts of repositories take
MODEL_BYTES_MAX = 10 << 20
POINTER_SUFFIX = ".pointer.json"

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?<!\.)")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_][A-Za-z0-9_-]*)*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SCHEMES = ("https", "http", "file")

ChangeId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$")]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Author(Frozen):
    """Who a commit says made a change."""

    name: str = Field(min_length=1, max_length=200)
    email: str = Field(min_length=1, max_length=200)

    @field_validator("name", "email")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if _CONTROL.search(value) or re.search(r"[<>\n\t]", value) or not value.strip():
            raise ValueError("is one line of text without < and >")
        return value.strip()


class Repository(Frozen):
    """Where changes are committed.

    url: `https://host/path`, or a local path (`file:///…` or a plain one). token: the name of the
    secret; sent as the password of `user` (`basic`; hosts that look at the user name say which one
    they want) or by itself (`bearer`). models: what is committed of a model file: nothing, a
    pointer to it, or the file itself, if it has at most `model_bytes_max` bytes (else a pointer).
    """

    url: str = Field(min_length=1, max_length=2000)
    branch: str = Field(default="main", max_length=200)
    token: SecretName | None = None
    auth: Literal["basic", "bearer"] = "basic"
    user: str = Field(default="x-access-token", pattern=r"^[!-9;-~]{1,100}$")
    author: Author = Author(name="azure-studio-alm", email="azure-studio-alm@localhost")
    models: Literal["none", "pointer", "file"] = "pointer"
    model_bytes_max: int = Field(default=MODEL_BYTES_MAX, ge=0, le=CHANGE_BYTES_MAX)

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        scheme = url.partition("://")[0] if "://" in url else ""
        if scheme and scheme not in _SCHEMES:
            raise ValueError("is https://…, file:///… or a path; no other protocol is spoken")
        if not scheme and re.match(r"[^/\\]{2,}@?[^/\\]*:", url):
            raise ValueError("looks like an SSH address; write https://host/path")
        if scheme and (urlsplit(url).username is not None or re.search(r"[?#\s]", url)):
            raise ValueError("holds a user, a query or spaces; name the secret in `token`")
        return url

    @field_validator("branch")
    @classmethod
    def _is_a_branch(cls, branch: str) -> str:
        if not _BRANCH.fullmatch(branch) or re.search(r"\.lock(?:/|\Z)", branch):
            raise ValueError("is not the name of a branch, such as main or alm/definitions")
        return branch

    @model_validator(mode="after")
    def _token_where_it_is_sent(self) -> Repository:
        if self.token and self.is_local:
            raise ValueError("a local path needs no `token`")
        return self

    @property
    def is_local(self) -> bool:
        return not self.url.startswith(("https://", "http://"))

    @property
    def path(self) -> str:
        """The folder of a local repository."""
        assert self.is_local, self.url
        return urlsplit(self.url).path if self.url.startswith("file://") else self.url


class Change(Frozen):
    """Files to write (or, with None, to delete) together, as one commit.

    id: what the change is (run id and step); asked for twice, it is committed once. at: when it was
    first asked for, the same in every attempt (the run's begin, say): no commit of it is older, so
    history is searched back to there and no further.
    Raises Refused for paths that cannot be kept.
    """

    id: ChangeId
    message: str = Field(min_length=1, max_length=MESSAGE_LENGTH_MAX)
    at: AwareDatetime
    author: Author | None = None
    files: dict[str, bytes | None] = Field(repr=False)

    @field_validator("message", mode="before")
    @classmethod
    def _printable(cls, message: object) -> object:
        """Without control characters; it may quote what came from outside."""
        return _CONTROL.sub(" ", message).strip() if isinstance(message, str) else message

    @field_validator("files")
    @classmethod
    def _kept_together(cls, files: dict[str, bytes | None]) -> dict[str, bytes | None]:
        check_paths(files)
        check_size(sum(len(content or b"") for content in files.values()))
        return files


class Commit(Frozen):
    """What the repository says of a commit. change: the id of the change it holds, "" if none."""

    id: str
    change: str = ""
    message: str
    author: Author | None = None
    at: datetime


class Stored(Frozen):
    """The content of a file that lies in a blob, and is read when it is committed."""

    blob: str
    size: int = Field(ge=0)
    digest: Digest


class Kept(NamedTuple):
    """What is committed of a model file: `files` by content, `stored` by where they lie."""

    files: dict[str, bytes | None]
    stored: dict[str, Stored]


def kept(repository: Repository, path: str, model: Stored) -> Kept:
    """What to commit of a model file at `path`, as the repository's `models` says.

    The other form is deleted, so that a file and a pointer never stand beside each other.
    """
    other = path + POINTER_SUFFIX
    if repository.models == "none":
        return Kept({}, {})
    if repository.models == "file" and model.size <= repository.model_bytes_max:
        return Kept({other: None}, {path: model})
    return Kept({other: pointer(model.digest, model.size, model.blob), path: None}, {})


def pointer(digest: str, size: int, location: str) -> bytes:
    """A small file that stands for a model file: what it is, and where it lies (without leave)."""
    place = location.partition("?")[0]
    document = {"schema": "alm.pointer/1", "digest": digest, "size": size, "location": place}
    return canonical_json(document)


def check_paths(files: dict[str, bytes | None] | dict[str, Stored]) -> None:
    """Raises Refused if these cannot be the files of one change."""
    if not 0 < len(files) <= FILES_MAX:
        raise Refused(f"a change of {len(files)} files; it needs one, and at most {FILES_MAX}")
    folders: set[str] = set()
    for path in files:
        check_path(path)
        parts = path.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    both = sorted(folders & {path for path, content in files.items() if content is not None})
    if both:
        raise Refused(f"{both[0]!r} is to be a file and a folder in one change; rename one")


def check_path(path: str) -> str:
    """The path, if it can be kept. Raises Refused for what leads out, hides, or breaks a disk."""
    segments = path.split("/")
    safe = all(is_safe(segment) for segment in segments)
    if not safe or len(path) > PATH_LENGTH_MAX:
        raise Refused(
            f"{path[:PATH_LENGTH_MAX]!r} cannot be a path in the repository: at most "
            f"{PATH_LENGTH_MAX} characters, parts of letters, digits, `.`, `_`, `-` that neither "
            "begin nor end with a dot"
        )
    return path


def check_size(size: int) -> None:
    """Raises Refused if a change is too large to be committed at once."""
    if size > CHANGE_BYTES_MAX:
        raise Refused(
            f"a change of {size} bytes; at most {CHANGE_BYTES_MAX} are committed at once: lower "
            "`model_bytes_max`, or commit pointers"
        )


def is_safe(segment: str) -> bool:
    """Whether a name can be part of a path as it is."""
    is_name = _SEGMENT.fullmatch(segment) and len(segment) <= SEGMENT_LENGTH_MAX
    return bool(is_name) and not _DEVICE.fullmatch(segment)


def segment(name: str) -> str:
    """Any name as one part of a path: as it is where that is safe, else readable and distinct."""
    if is_safe(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60]
    return f"{readable}_{digest}" if readable else f"_{digest}"


class Waiting(Frozen):
    """A change that is not committed yet. tries, reason, retry_at: of one that was refused."""

    id: str
    since: datetime
    tries: int = 0
    reason: str = ""
    retry_at: datetime | None = None


class Flushed(Frozen):
    """What became of the changes that waited.

    held: refused by the repository, or not readable; they are tried again later, ever more rarely.
    left: how many wait for the next time; stopped: why, where it is not for those that are held.
    """

    committed: tuple[Commit, ...] = ()
    held: tuple[Waiting, ...] = ()
    left: int = 0
    stopped: str = ""
