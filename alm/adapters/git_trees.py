"""Trees of a Git repository: files found, listed, and changed. Pure: objects in, objects out."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping

from dulwich.objects import Blob, ObjectID, ShaFile, Tree

from alm.domain.errors import Misconfigured, NotFound

Objects = Callable[[ObjectID], ShaFile]
"""Gives the object of an id; raises KeyError if it is not there."""

FILE_MODE = 0o100644


class _Folder:
    """What is to change in one folder: files by name, and what is to change in its folders."""

    def __init__(self) -> None:
        self.files: dict[bytes, bytes | None] = {}
        self.folders: dict[bytes, _Folder] = {}


def changed(
    objects: Objects, root: ObjectID | None, files: Mapping[str, bytes | None]
) -> tuple[ObjectID, list[ShaFile]]:
    """The tree with these files written or (None) deleted, and the objects that it needs anew.

    Raises Misconfigured where a file is to be written in the place of a folder, or below a file.
    """
    plan = _Folder()
    for path, content in files.items():
        *folders, name = path.encode().split(b"/")
        place = plan
        for folder in folders:
            place = place.folders.setdefault(folder, _Folder())
        place.files[name] = content
    made: list[ShaFile] = []
    tree = _apply(objects, root, plan, b"", made)
    made.append(tree)
    return tree.id, made


def _apply(
    objects: Objects, old: ObjectID | None, plan: _Folder, place: bytes, made: list[ShaFile]
) -> Tree:
    tree = Tree()
    for entry in _tree(objects, old).items() if old is not None else ():
        tree.add(entry.path, entry.mode, entry.sha)
    for name, content in plan.files.items():
        _put_file(tree, name, content, place, made)
    for name, folder in plan.folders.items():
        below = place + name + b"/"
        new = _apply(objects, _folder_id(tree, name, folder, below), folder, below, made)
        if len(new):
            tree.add(name, stat.S_IFDIR, new.id)
            made.append(new)
        elif name in tree and stat.S_ISDIR(tree[name][0]):
            del tree[name]  # Git keeps no empty folders
    return tree


def _put_file(
    tree: Tree, name: bytes, content: bytes | None, place: bytes, made: list[ShaFile]
) -> None:
    is_file = name in tree and stat.S_ISREG(tree[name][0])
    if content is None:
        if is_file:
            del tree[name]
        return
    if name in tree and not is_file and not stat.S_ISLNK(tree[name][0]):
        raise _in_the_way(place + name, "a folder or a submodule")
    blob = Blob.from_string(content)
    tree.add(name, FILE_MODE, blob.id)
    made.append(blob)


def _folder_id(tree: Tree, name: bytes, plan: _Folder, below: bytes) -> ObjectID | None:
    if name not in tree:
        return None
    mode, sha = tree[name]
    if stat.S_ISDIR(mode):
        return sha
    if _writes(plan):
        raise _in_the_way(below[:-1], "a file, a link or a submodule")
    return None


def _writes(plan: _Folder) -> bool:
    written = any(content is not None for content in plan.files.values())
    return written or any(_writes(folder) for folder in plan.folders.values())


def _in_the_way(path: bytes, what: str) -> Misconfigured:
    return Misconfigured(
        f"{shown(path)!r} is {what} in the repository, where this change needs something else; "
        "move it away there"
    )


def found(objects: Objects, root: ObjectID, path: str) -> ObjectID:
    """The id of a file's content. Raises NotFound."""
    entry = entry_at(objects, root, path.encode("utf-8", "surrogatepass"))
    if entry is None or not path or not stat.S_ISREG(entry[0]):
        raise NotFound(
            f"the repository has no file {path!r}; `alm repository list` names those there are"
        )
    return entry[1]


def listed(objects: Objects, root: ObjectID, prefix: str) -> Iterator[str]:
    """The paths of all files that begin with `prefix`, in order of their bytes."""
    yield from _listed(objects, root, b"", prefix.encode("utf-8", "surrogatepass"))


def _listed(objects: Objects, sha: ObjectID, place: bytes, prefix: bytes) -> Iterator[str]:
    for entry in _tree(objects, sha).items():
        path = place + entry.path
        if stat.S_ISREG(entry.mode) and path.startswith(prefix):
            yield shown(path)
        below = path + b"/"
        if stat.S_ISDIR(entry.mode) and (below.startswith(prefix) or prefix.startswith(below)):
            yield from _listed(objects, entry.sha, below, prefix)


def entry_at(objects: Objects, root: ObjectID, path: bytes) -> tuple[int, ObjectID] | None:
    """Mode and id of what is at a path, file or folder; None if nothing is."""
    entry = (stat.S_IFDIR, root)
    for name in filter(None, path.split(b"/")):
        if not stat.S_ISDIR(entry[0]):
            return None
        tree = _tree(objects, entry[1])
        if name not in tree:
            return None
        entry = tree[name]
    return entry


def shown(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def _tree(objects: Objects, sha: ObjectID) -> Tree:
    tree = objects(sha)
    assert isinstance(tree, Tree), sha
    return tree
