"""`alm validate`: checks declarations, and a file of settings, before anything is deployed.

Nobody is called; whether what is named exists is the doctor's question.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from alm.adapters.declaration_files import doubts_in
from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured
from alm.domain.managed_model import ManagedModel
from alm.domain.mistakes import Mistake, Mistaken
from alm.domain.nearest import plural, printable, suggestion
from alm.entrypoints.cli import settings_file, tables_out, verdict
from alm.entrypoints.cli.arguments import AsJson
from alm.entrypoints.cli.doctor import named
from alm.entrypoints.cli.doctor.configuration import declared_in_all, judge_settings
from alm.entrypoints.cli.exits import REFUSED
from alm.entrypoints.cli.expanding import add
from alm.entrypoints.cli.verdict import FORMATS, Verdict

TEXT, JSON, FOLDER = "text", "json", "ALM_MANAGED_MODELS"
MEMBERS: tables_out.Columns = tuple(
    (name, tables_out.field(name)) for name in ("model", "dataset", "model files", "targets")
)


@dataclass(frozen=True)
class Wanted:
    """What is told, and how."""

    members: Annotated[
        bool, typer.Option("--members", help="Show every managed model, members filled in.")
    ] = False
    strict: Annotated[bool, typer.Option("--strict", help="Doubts fail, too.")] = False
    form: Annotated[
        str, typer.Option("--format", help=f"text, json, {', '.join(FORMATS)}: for builds.")
    ] = TEXT
    as_json: AsJson = False

    @property
    def chosen(self) -> str:
        """The format. Raises BadParameter for one that there is not."""
        forms = (TEXT, JSON, *FORMATS)
        if self.form not in forms:
            raise typer.BadParameter(
                f"{self.form!r}: {suggestion(self.form, forms)}", param_hint="--format"
            )
        return JSON if self.as_json else self.form


@dataclass(frozen=True)
class Looked:
    """The declarations of a folder, if they can be used, and the verdict on them."""

    declared: Declarations | None
    verdict: Verdict

    @property
    def models(self) -> list[str]:
        return self.declared.models() if self.declared else []

    @property
    def families(self) -> list[str]:
        return self.declared.families() if self.declared else []

    @property
    def members(self) -> list[dict[str, Any]]:
        """Each managed model with what it is made of; families whose members are not known yet."""
        assert self.declared is not None
        rows = [member(self.declared.resolve(model)) for model in self.models]
        later = [name for name in self.families if not self.declared.members(name)]
        none = "members come with their first dataset"
        return [*rows, *({"model": name, "dataset": none, "targets": {}} for name in later)]


def add_to(cli: typer.Typer) -> None:
    """Add the command to the command line."""
    add(cli, {validate: "validate managed_models --format github --strict"})


def validate(
    folder: Annotated[
        Path, typer.Argument(help="A folder of declarations, or one file.", envvar=FOLDER)
    ] = Path("managed_models"),
    settings: Annotated[
        Path | None, typer.Option(help="A file of settings to check as well: local.settings.json.")
    ] = None,
    *,
    wanted: Wanted,
) -> None:
    """Check declarations of managed models; every mistake is told with file, line, remedy.

    A file is checked by itself: whether others take the same datasets shows in the folder.
    """
    form = wanted.chosen
    looked = look(folder)
    if settings is not None:
        looked = replace(looked, verdict=with_settings(looked.verdict, settings, folder))
    _tell(looked, form, wanted.members, folder)
    found = looked.verdict
    if found.mistakes or (wanted.strict and found.doubts):
        raise typer.Exit(REFUSED)


def look(folder: Path) -> Looked:
    """Read the declarations of a folder, or of one file, members of families included."""
    if folder.is_file() and folder.suffix != ".yaml":
        wrong = Mistake(str(folder), 1, (), "would not be read", "rename it to .yaml")
        return Looked(None, Verdict((str(folder),), (wrong,)))
    files = [folder] if folder.is_file() else folder.glob("*.yaml")
    checked = tuple(sorted(str(path) for path in files))
    try:
        declared = Declarations.read(folder, None)
        declared.check_members()
    except Mistaken as error:
        return Looked(None, Verdict(checked, tuple(_at(folder, one) for one in error.mistakes)))
    except Misconfigured as error:
        what, _, remedy = str(error).partition("; ")
        return Looked(None, Verdict(checked, (Mistake(str(folder), 1, (), what, remedy),)))
    return Looked(
        declared, Verdict(checked, (), tuple(_at(folder, one) for one in doubts_in(folder)))
    )


def with_settings(before: Verdict, path: Path, folder: Path) -> Verdict:
    """The verdict with that on a file of settings. Raises Refused if it cannot be read."""
    given = settings_file.read(path)
    folder = folder.parent if folder.is_file() else folder
    mistakes, doubts = list(before.mistakes), list(before.doubts)
    for found in judge_settings(given.values, named.variables(folder, given.values)):
        name = "" if found.about == "together" else found.about
        place = (name or "settings",)
        one = Mistake(str(path), given.line(name), place, found.seen, found.remedy)
        if found.state in ("failed", "warning"):
            (mistakes if found.state == "failed" else doubts).append(one)
    return Verdict((*before.checked, str(path)), tuple(mistakes), tuple(doubts))


def member(model: ManagedModel) -> dict[str, Any]:
    """What a managed model is about, in a row."""
    targets = {
        target.name: getattr(target.service, "endpoint", "")
        or getattr(target.service, "resource", "")
        for target in model.targets
    }
    return {
        "model": model.model,
        "family": model.family,
        "dataset": model.dataset,
        "model files": model.model_pattern,
        "digest": model.digest,
        "targets": targets,
    }


def _at(folder: Path, mistake: Mistake) -> Mistake:
    """A mistake whose file is named from where we are, as builds want it."""
    inside = folder.parent if folder.is_file() else folder
    return replace(mistake, file=str(inside / Path(mistake.file).name))


def _tell(looked: Looked, form: str, members: bool, folder: Path) -> None:
    found = looked.verdict
    if form == JSON:
        tables_out.show(_document(looked, members), as_json=True)
    elif form in FORMATS:
        sys.stdout.write(FORMATS[form](found))
    else:
        errors = Console(stderr=True)
        for level, one in found.levels:
            tables_out.line(errors, f"{level}: {one}")
        if members and looked.declared is not None:
            rows = [{**row, "targets": ", ".join(row["targets"])} for row in looked.members]
            tables_out.show(rows, as_json=False, columns=MEMBERS)
        typer.echo(f"{_summary(looked)} in {printable(str(folder))}")


def _summary(looked: Looked) -> str:
    found = looked.verdict
    if found.mistakes:
        return plural(len(found.mistakes), "mistake")
    doubts = f", {len(found.doubts)} doubtful" if found.doubts else ""
    return f"{declared_in_all(looked.models, looked.families)}{doubts}"


def _document(looked: Looked, members: bool) -> dict[str, Any]:
    found = looked.verdict
    answer: dict[str, Any] = {
        "valid": not found.mistakes,
        "models": looked.models,
        "families": looked.families,
        "mistakes": [verdict.document(one) for one in found.mistakes],
        "doubts": [verdict.document(one) for one in found.doubts],
    }
    if members and looked.declared is not None:
        answer["members"] = looked.members
    return answer
