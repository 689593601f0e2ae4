"""Rules between declarations: names, services and files must each belong to one managed model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from alm.adapters.declaration_reading import Reading
from alm.domain import experiment_rules, patterns
from alm.domain.declaration_rules import services
from alm.domain.declared import Declared, Single
from alm.domain.deployments import deployed_as
from alm.domain.errors import Misconfigured
from alm.domain.family import PLACEHOLDER, SEPARATOR, Family, Rows, fill
from alm.domain.managed_model import Target
from alm.domain.mistakes import Mistake, Place
from alm.domain.patterns import Pattern


@dataclass(frozen=True)
class Owner:
    """Who patches a service, and where that is declared."""

    reading: Reading
    place: Place
    model: str

    def __str__(self) -> str:
        line = self.reading.document.line(self.place)
        return f"{self.model!r} ({self.reading.document.file}:{line})"


def mistakes(readings: Iterable[Reading]) -> list[Mistake]:
    """Everything wrong between declarations that could be read."""
    sound = [(reading, reading.declared) for reading in readings if reading.declared is not None]
    return [
        *_names(sound),
        *_services(sound),
        *_model_files(sound),
        *_held_out_rows(sound),
    ]


Sound = list[tuple[Reading, Declared]]


def _names(sound: Sound) -> Iterator[Mistake]:
    first: dict[str, Reading] = {}
    for reading, declared in sound:
        if declared.name in first and "model" not in reading.faulty:
            place: Place = ("model",) if isinstance(declared, Single) else ("family",)
            what = f"{declared.name!r} is declared already ({first[declared.name].source})"
            yield reading.document.mistake(place, what, "rename one of the two, or remove it")
        first.setdefault(declared.name, reading)


def _services(sound: Sound) -> Iterator[Mistake]:
    """One service has one managed model: two would patch over each other for ever."""
    owners: dict[str, Owner] = {}
    for reading, declared in sound:
        told: set[Place] = set()
        for name, owner in _owned(reading, declared):
            other = owners.setdefault(name, owner)
            if other is owner or owner.place in told or _one_document(other, owner):
                continue
            told.add(owner.place)
            what = f"{_shared(owner.place)} {other} too"
            remedy = "each managed model needs an endpoint or service of its own"
            if owner.place[0] == "experiment":
                remedy = "each managed model needs experiments and assets of its own"
            yield reading.document.mistake(owner.place, what, remedy)
    yield from _captured_services(sound, owners)


def _shared(place: Place) -> str:
    if place[0] == "experiment":
        return "is used by"
    return "makes the names of" if place[-1] == "name_template" else "is patched by"


def _one_document(one: Owner, other: Owner) -> bool:
    """Within one managed model the rules of the declaration itself have told it."""
    return one.reading is other.reading and one.model == other.model


def _owned(reading: Reading, declared: Declared) -> Iterator[tuple[str, Owner]]:
    """Every service that a declaration patches; of members by captures there is no list."""
    if {"targets", "staging", "experiment"} & reading.faulty or reading.sample is None:
        return
    if isinstance(declared, Single):
        for place, name in services(reading.sample):
            yield name, Owner(reading, place, declared.name)
    elif isinstance(declared, Family) and declared.rows is not None:
        yield from _owned_by_members(reading, declared, declared.rows)


def _owned_by_members(reading: Reading, family: Family, rows: Rows) -> Iterator[tuple[str, Owner]]:
    texts = dict(_service_texts(family))
    for slug in rows.by_slug:
        values = rows.values(slug)
        assert values is not None
        model = f"{family.name}{SEPARATOR}{slug}"
        for place, text in texts.items():
            name = str(fill(text, {**values, "model": model, "family": family.name}))
            yield name.lower(), Owner(reading, place, model)


def _service_texts(family: Family) -> Iterator[tuple[Place, str]]:
    """Endpoint or resource of each target, or what is deployed beside it, with its placeholders,
    by place."""
    steps = family.template.get("experiment")
    if isinstance(steps, Mapping):
        for place, text in experiment_rules.owned(steps, "{model}"):
            yield place, _lowered(text)
    targets = family.template.get("targets")
    staging = family.template.get("staging")
    listed: list[tuple[Place, object]] = [(("staging",), staging)]
    if isinstance(targets, list):
        listed += [(("targets", index), target) for index, target in enumerate(targets)]
    for place, target in listed:
        service = target.get("service") if isinstance(target, Mapping) else None
        if isinstance(service, Mapping) and isinstance(target, Mapping):
            text = str(service.get("endpoint") or service.get("resource")).rstrip("/")
            if target.get("deploy", "patch") == "patch":
                yield (*place, "service"), _lowered(text)
            else:
                names = str(
                    target.get("name_template", Target.model_fields["name_template"].default)
                )
                yield (*place, "name_template"), _lowered(deployed_as(text, names))


def _lowered(text: str) -> str:
    """Small letters outside placeholders, as services are compared."""
    return re.sub(
        r"(\{[^{}]*\})|[^{}]+", lambda found: found.group(1) or found.group().lower(), text
    )


def _captured_services(sound: Sound, owners: Mapping[str, Owner]) -> Iterator[Mistake]:
    """Members by captures are not known yet: their services must differ wherever captures do."""
    forms: dict[str, Owner] = {}
    for reading, declared in sound:
        if not isinstance(declared, Family) or declared.rows is not None:
            continue
        for place, text in _service_texts(declared):
            names = {found.group(1) for found in PLACEHOLDER.finditer(text)}
            missing = set() if "model" in names else set(declared.key) - names
            if missing:
                what = f"is the same for members that differ in {', '.join(sorted(missing))}"
                remedy = f"put {{{min(missing)}}} or {{model}} into it"
                yield reading.document.mistake(place, what, remedy)
                continue
            owner = Owner(reading, place, declared.name)
            form = _form(text)
            other = forms.setdefault(form, owner)
            if other is owner:
                other = next((owners[name] for name in owners if re.fullmatch(form, name)), owner)
            if other is not owner:
                what = f"can be the service of {other} too"
                yield reading.document.mistake(place, what, "name services that differ for sure")


def _form(text: str) -> str:
    """A regular expression for the services that a text with placeholders can name."""
    parts = re.split(r"\{[^{}]*\}", text)
    return r"[a-z0-9][a-z0-9._-]{0,89}".join(re.escape(part) for part in parts)


def _model_files(sound: Sound) -> Iterator[Mistake]:
    """A model file is for one managed model: its pattern must not overlap with another's."""
    listed = sorted(
        ((_disjoint(declared), reading, declared) for reading, declared in sound),
        key=lambda item: item[0].prefix,
    )
    for index, (pattern, reading, declared) in enumerate(listed):
        for other, another, others_declared in listed[index + 1 :]:
            if not other.prefix.startswith(pattern.prefix):
                break
            if patterns.overlap(pattern, other):
                what = f"{declared.model_pattern.text!r} and {others_declared.model_pattern.text!r}"
                what += f" of {declared.name!r} ({reading.source}) can match one file"
                remedy = "make them differ, for example by a folder of its own for each"
                yield another.document.mistake(("model_pattern",), what, remedy)


def _disjoint(declared: Declared) -> Pattern:
    """A pattern as narrow as can be said: `{model}` of a family begins with its name."""
    if isinstance(declared, Family) and "{model}" in declared.model_pattern.text:
        text = declared.model_pattern.text.replace("{model}", f"{declared.name}{SEPARATOR}*")
        try:
            return patterns.compile(text)
        except Misconfigured:
            return declared.model_pattern  # longer than a pattern may be: judged as it stands
    return declared.model_pattern


def _held_out_rows(sound: Sound) -> Iterator[Mistake]:
    """Rows that judge a model must not start a training when they are uploaded."""
    for reading, _ in sound:
        rows = reading.sample.gate.rows_blob if reading.sample else None
        container, _, name = (rows or "").partition("/")
        if container != "datasets" or "gate" in reading.faulty:
            continue
        patterns_of = ((each.name, each.dataset) for _, each in sound if each.dataset)
        taker = next((it for it in patterns_of if it[1].match(name) is not None), None)
        if taker is not None:
            what = f"is a dataset of {taker[0]!r} ({taker[1].text}): it would be trained on"
            remedy = "keep these rows in another folder or container"
            yield reading.document.mistake(("gate", "rows_blob"), what, remedy)
