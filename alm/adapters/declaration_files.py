"""The declarations of a folder: one YAML file per managed model or family, read and checked.

Every mistake of every file is told at once, with file, line and remedy.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from alm.adapters import declaration_doubts, declaration_sets, family_members, yaml_lines
from alm.adapters.declaration_reading import Reading
from alm.adapters.declaration_shape import shape, texts_wanted, with_texts
from alm.adapters.family_members import Faulty, Members
from alm.adapters.yaml_lines import Document
from alm.domain.declared import Declared, Single
from alm.domain.errors import Misconfigured
from alm.domain.family import SEPARATOR, Family, fill, placeholders
from alm.domain.mistakes import Mistake, Mistaken, in_order
from alm.domain.nearest import shown, suggestion
from alm.domain.patterns import Pattern

NOT_IN_TEMPLATE = ("family", "members", "model")  # of a family; what a member has is filled in
_FAMILY_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._]|-(?=[a-z0-9._])){0,59}")
_SECRET = re.compile(r"^(env|keyvault):")
_HOST = re.compile(r"^https?://[^/]*\{")


def read_folder(folder: Path) -> list[Declared]:
    """Read a folder of declarations, or one file. Raises Misconfigured telling every mistake."""
    readings, mistakes = _readings(folder)
    if mistakes:
        raise Mistaken(mistakes)
    return [reading.declared for reading in readings if reading.declared is not None]


def doubts_in(folder: Path) -> tuple[Mistake, ...]:
    """What is valid in a folder or file, and doubtful. Raises Misconfigured without it."""
    return in_order(declaration_doubts.doubts(_readings(folder)[0]))


def _readings(folder: Path) -> tuple[list[Reading], list[Mistake]]:
    if folder.is_file():
        return _checked([folder], folder.parent)
    if not folder.is_dir():
        raise Misconfigured(
            f"there is no folder {folder.name!r} of declarations; create it, with one YAML file "
            "per managed model or family, or correct ALM_MANAGED_MODELS"
        )
    return _checked(sorted(folder.iterdir()), folder)


def _checked(paths: list[Path], folder: Path) -> tuple[list[Reading], list[Mistake]]:
    documents, mistakes = _documents(paths, folder)
    readings = [_read(document, folder) for document in documents]
    mistakes += [mistake for reading in readings for mistake in reading.mistakes]
    mistakes += declaration_sets.mistakes(readings)
    return readings, mistakes


def _documents(paths: list[Path], folder: Path) -> tuple[list[Document], list[Mistake]]:
    documents: list[Document] = []
    mistakes: list[Mistake] = []
    for path in paths:
        label = f"{folder.name}/{path.name}"
        if path.suffix == ".yml":
            mistakes.append(Mistake(label, 1, (), "would not be read", "rename it to .yaml"))
        if path.suffix != ".yaml" or not path.is_file():
            continue
        try:
            found, wrong = yaml_lines.read(path.read_text(encoding="utf-8-sig"), label)
        except UnicodeDecodeError:
            found, wrong = [], [Mistake(label, 1, (), "is not UTF-8", "save it as UTF-8")]
        documents += found
        mistakes += wrong
    members = {f"{folder.name}/{family_members.file_named(item.value)}" for item in documents}
    return [item for item in documents if item.file not in members], mistakes


def _read(document: Document, folder: Path) -> Reading:
    value = document.value
    if not isinstance(value, dict):
        reading = Reading(document, {})
        reading.wrong((), "is not a mapping", "begin with `model: name` or `family: name`")
    elif "family" in value or "members" in value:
        reading = _family(document, value, folder)
    else:
        reading = _single(document, value)
    return reading


def _single(document: Document, value: dict[str, Any]) -> Reading:
    reading = Reading(document, value)
    name = str(document.texts.get(("model",), value.get("model")))
    if SEPARATOR in name:
        what = f"{shown(name)} holds {SEPARATOR}, which stands between a family and its member"
        reading.wrong(("model",), what, "write - or _ instead")
    texts = {
        key: text.replace("{model}", name)
        for key, default in (("dataset", ""), ("model_pattern", f"{name}/*.ilearner"))
        if isinstance(text := value.get(key, default), str)
    }
    reading.judge(shape(document, {**value, **texts}))
    compiled = {key: reading.pattern(key, text) for key, text in texts.items()}
    for key, pattern in compiled.items():
        if pattern is not None and pattern.captures:
            what = f"captures {{{pattern.captures[0]}}}, and this is one managed model"
            reading.wrong((key,), what, "write * instead, or declare a `family`")
    model_pattern = compiled.get("model_pattern")
    if reading.sample is not None and model_pattern is not None:
        reading.declared = Single(reading.sample, compiled.get("dataset"), model_pattern)
    return reading


def _family(document: Document, value: dict[str, Any], folder: Path) -> Reading:
    reading = Reading(document, value)
    name = _family_name(reading)
    template = {key: item for key, item in value.items() if key not in NOT_IN_TEMPLATE}
    template.setdefault("model_pattern", "{model}/*.ilearner")
    dataset, model_pattern = (
        reading.pattern(key, text if isinstance(text := template.get(key, ""), str) else "")
        for key in ("dataset", "model_pattern")
    )
    members = _members(reading, folder, name, dataset)
    sample = _sample(name, members, template)
    known = _placeholders_known(reading, template, members)
    if "{" in sample or "}" in sample:
        return reading  # with a lone brace nothing can be filled in
    places = texts_wanted(document, _filled(template, sample))
    template = with_texts(document, template, places)
    reading.judge(shape(document, _filled(template, sample)))
    if members is None or model_pattern is None or reading.sample is None or not known:
        return reading
    _check_model_pattern(reading, model_pattern, members)
    reading.declared = Family(
        name=name,
        template=template,
        key=members.key,
        dataset=dataset,
        model_pattern=model_pattern,
        rows=members.rows,
        source=reading.source,
    )
    return reading


def _members(
    reading: Reading, folder: Path, family: str, dataset: Pattern | None
) -> Members | None:
    try:
        captures = dataset.captures if dataset else ()
        return family_members.read(reading.document, folder, family, captures)
    except Faulty as error:
        reading.mistakes += error.mistakes
        return None


def _filled(template: dict[str, Any], sample: dict[str, str]) -> dict[str, Any]:
    filled = fill(template, sample)
    assert isinstance(filled, dict)
    return {**filled, "model": sample["model"], "family": sample["family"]}


def _family_name(reading: Reading) -> str:
    name = reading.value.get("family")
    if "model" in reading.value:
        what = "is given for a family, whose members get their ids from it"
        reading.wrong(("model",), what, "remove `model`, or `family` and `members`")
    if not isinstance(name, str) or not _FAMILY_NAME.fullmatch(name):
        remedy = f"write `family: name`: small letters, digits, . _ -, no {SEPARATOR}, at most 60"
        reading.wrong(("family",), "has not the right form, or is missing", remedy)
        return "unnamed"
    return name


def _sample(family: str, members: Members | None, template: dict[str, Any]) -> dict[str, str]:
    """Values of one member: the first row, or `1` for whatever is not known."""
    values = {name: "1" for _, name in placeholders(template)}
    slug = "1"
    if members is not None and members.rows is not None:
        slug = next(iter(members.rows.by_slug))
        values |= members.rows.values(slug) or {}
    elif members is not None:
        slug = SEPARATOR.join("1" for _ in members.key)
    return {**values, "model": f"{family}{SEPARATOR}{slug}", "family": family}


def _placeholders_known(
    reading: Reading, template: dict[str, Any], members: Members | None
) -> bool:
    """Whether every placeholder has a value, and none is where a value must not decide."""
    before = len(reading.mistakes)
    known: set[str] = set()
    if members is not None:
        known = {"model", "family", *(members.rows.columns if members.rows else members.key)}
    for place, name in placeholders(template):
        text = _text_at(template, place)
        if place == ("dataset",) and name in family_members.RESERVED:
            what = f"captures {{{name}}}, which is the name of something else"
            reading.wrong(place, what, "give the capture another name")
        elif name in ("{", "}"):
            reading.wrong(place, f"has a lone {name}", "write {{ and }} for plain braces")
        elif name not in known and members is not None:
            remedy = f"{suggestion(name, known)} (write {{{{ and }}}} for plain braces)"
            reading.wrong(place, f"has {{{name}}}, which has no value", remedy)
        elif _SECRET.match(text) and members is not None and members.rows is None:
            what = "would let the name of a blob choose a secret"
            reading.wrong(place, what, "name one secret, or declare a list or file of members")
        elif _HOST.match(text):
            what = "would let a value choose the host that gets our credentials"
            reading.wrong(place, what, "write the host out; placeholders belong into the path")
    return len(reading.mistakes) == before


def _text_at(value: Any, place: tuple[str | int, ...]) -> str:
    for part in place:
        value = value[part]
    return str(value)


def _check_model_pattern(reading: Reading, pattern: Pattern, members: Members) -> None:
    """A model file must say which member it is for."""
    if "model" not in pattern.captures and not set(members.key) <= set(pattern.captures):
        what = "does not say which member a file is for"
        needed = ", ".join(f"{{{name}}}" for name in members.key)
        reading.wrong(("model_pattern",), what, f"put {{model}} or {needed} into it")
