"""Members of a family for `alm init --family`: who they are, and one of them that exists.

Where services are named (`sales/{shop}`), the endpoints that there are tell the members.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import typer

from alm.adapters.studio.declaring_families import Kind, Membership, placeholders
from alm.domain.errors import Misconfigured, NotFound, Refused
from alm.domain.family import fill, value_fault
from alm.domain.managed_model import ClassicEndpoint
from alm.domain.nearest import shown
from alm.entrypoints.cli.init_services import Service, Services, is_address

PANEL = "Of a family"


@dataclass(frozen=True)
class Members:
    """Whether it is a family, and who belongs to it."""

    family: Annotated[
        bool, typer.Option("--family", help="A family: one for each {x}.", rich_help_panel=PANEL)
    ] = False
    members: Annotated[
        str,
        typer.Option(
            help="captures (of the datasets' names), list or file; default: by what else is given.",
            rich_help_panel=PANEL,
        ),
    ] = ""
    member: Annotated[
        list[str] | None,
        typer.Option(help="A member of a list; may repeat.", rich_help_panel=PANEL),
    ] = None
    members_file: Annotated[
        Path | None,
        typer.Option(help="A CSV file, one row per member.", rich_help_panel=PANEL),
    ] = None
    member_column: Annotated[
        list[str] | None,
        typer.Option(help="What makes its id; default: the first {x}.", rich_help_panel=PANEL),
    ] = None
    sample: Annotated[
        str,
        typer.Option(help="Of captures: a member that exists.", rich_help_panel=PANEL),
    ] = ""

    @property
    def kind(self) -> Kind:
        """Raises BadParameter for a kind that there is not, or that does not fit."""
        natural = "file" if self.members_file else "list" if self.member else "captures"
        kind = self.members or natural
        if kind not in get_args(Kind):
            raise typer.BadParameter("write captures, list or file", param_hint="--members")
        if kind == "file" and self.members_file is None:
            raise typer.BadParameter("name the file", param_hint="--members-file")
        if natural not in ("captures", kind):
            raise typer.BadParameter(f"does not go with a {natural}", param_hint="--members")
        return kind  # type: ignore[return-value]  # one of them: looked at above


@dataclass(frozen=True)
class Templated:
    """A member's service, and the address that has the placeholders of all members."""

    service: Service
    template: str


def membership(
    services: Services, targets: Sequence[str], training: str, members: Members
) -> Membership:
    """Who the members are, with the values of one that exists. Raises Refused, Misconfigured."""
    kind = members.kind
    names = placeholders(targets)
    if not names:
        raise Refused(
            f"--target {targets[0]!r} is the same for all members; write {{shop}} or the like "
            "where they differ: SERVICE/{shop}, or …/endpoints/{shop}"
        )
    if kind == "captures" and not training:
        raise Refused(
            "members by captures come with their first dataset, which needs --training; without, "
            "name them: --members list, --member or --members-file"
        )
    columns = tuple(members.member_column or names[:1])
    if kind == "file":
        assert members.members_file is not None
        rows = _rows(members.members_file, columns)
        return Membership("file", columns, rows[0], file=members.members_file.name)
    if len(placeholders([*targets, training])) > 1:
        raise Refused(
            f"{', '.join(f'{{{name}}}' for name in names)}: members with several values each come "
            "from a file: --members-file, with a column for each"
        )
    listed = tuple(members.member or ()) or tuple(filter(None, [members.sample]))
    if not listed:
        listed = tuple(_there(services, targets[0], names[0]))
    for name in listed:
        if wrong := value_fault(names[0], name):
            raise Refused(wrong)
    known = listed if kind == "list" else ()
    return Membership(kind, names[:1], {names[0]: listed[0]}, names=known)


def templated(
    services: Services, text: str, sample: Mapping[str, str], *, is_target: bool = False
) -> Templated:
    """The sample's service, and the address as a template."""
    filled = _filled(text, sample)
    service = services.target(filled) if is_target else services.training(filled)
    if is_address(text):
        return Templated(service, text.rstrip("/"))
    address = service.endpoint if isinstance(service, ClassicEndpoint) else service.resource
    name, _, endpoint = text.rpartition("/")
    if placeholders([name]):
        raise Refused(
            f"{text!r}: services have ids that no name tells, so {{…}} belongs into the endpoint; "
            "give services of their own by address, in a column of --members-file"
        )
    if not placeholders([endpoint]):
        return Templated(service, _plain(address))
    return Templated(service, _plain(address.rpartition("/")[0]) + "/" + endpoint)


def _there(services: Services, template: str, column: str) -> list[str]:
    """The members whose endpoints are there already."""
    if is_address(template):
        raise Refused(
            "which members are there cannot be told from an address; name one that exists with "
            "--sample, or the members with --member or --members-file"
        )
    service, endpoint = services.named(template)
    before, _, after = endpoint.partition(f"{{{column}}}")
    form = re.compile(re.escape(before) + r"([A-Za-z0-9][A-Za-z0-9._-]*)" + re.escape(after))
    found = [match[1] for name in services.endpoints(service) if (match := form.fullmatch(name))]
    if not found:
        raise NotFound(
            f"{service.name} has no endpoint like {endpoint!r}; make the first with "
            f"alm endpoint create {service.name} NAME"
        )
    services.tell(f"{len(found)} members are there: {', '.join(found[:8])}")
    return found


def _rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a file of members; what is wrong in it otherwise, the loader tells."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{file} cannot be read ({error}); name a CSV file in UTF-8") from error
    if not rows:
        raise Refused(f"{file} has no rows; write one per member below the columns' names")
    missing = [name for name in columns if name not in rows[0]]
    if missing:
        has = ", ".join(map(str, rows[0]))
        raise Refused(f"{file} has no column {missing[0]!r} (it has {has}); use --member-column")
    return [{str(name): str(value) for name, value in row.items()} for row in rows]


def _filled(text: str, sample: Mapping[str, str]) -> str:
    try:
        return str(fill(text, sample))
    except Misconfigured as error:
        raise Refused(f"{shown(text)}: {error}") from error


def _plain(address: str) -> str:
    return address.replace("{", "{{").replace("}", "}}")
