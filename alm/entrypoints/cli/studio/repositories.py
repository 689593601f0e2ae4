"""`alm repository`: what is in the Git repository that ALM_GIT names, and what waits for it."""

from __future__ import annotations

from typing import Annotated

import typer

from alm.domain.source_control import Commit, Waiting, check_path
from alm.entrypoints.cli.studio import assets, files, repository
from alm.entrypoints.cli.studio.desk import Desk, columns, command

app = typer.Typer(name="repository", help="The Git repository (ALM_GIT).", no_args_is_help=True)

ID_SHOWN = 12  # of 40 digits: what `git log --oneline` shows of large repositories

Count = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
Where = Annotated[str, typer.Argument(help="Only below this path.")]


@command(app, "log", example="definitions --count 10", in_workspace=False)
def log(desk: Desk, path: Where = "", count: Count = 20) -> None:
    """List commits, the newest first: all, or those that changed a file or folder."""
    found = desk.connection.source_control().log(check_path(path) if path else "", count=count)
    commit = ("commit", lambda row: str(row["commit"])[:ID_SHOWN])
    desk.show([_commit(one) for one in found], (commit, *columns("at", "author", "message")))


@command(app, "list", example="experiments", in_workspace=False)
def list_files(desk: Desk, path: Where = "") -> None:
    """List the files of the branch; `repo:PATH` names one to other commands."""
    found = desk.connection.source_control().list(path)
    desk.show([{"path": one} for one in found], columns("path"))


@command(app, "show", example="experiments/churn.json@3f9c --to churn.json", in_workspace=False)
def show(
    desk: Desk,
    path: Annotated[str, typer.Argument(help="A file of the repository: PATH or PATH@COMMIT.")],
    out: assets.Destination,
) -> None:
    """Print a file as the branch has it, or as it was at a commit."""
    name = path if repository.is_in_repository(path) else f"{repository.PREFIX}{path}"
    content = repository.content_of(desk, name)
    files.write(content, out.to or files.STDOUT, force=out.force)
    if out.to and out.to != files.STDOUT:
        desk.answer(file=out.to, size=len(content))


@command(app, "pending", example="--count 10", in_workspace=False)
def pending(desk: Desk, count: Count = 200) -> None:
    """List changes that the app has not committed yet, the oldest first, and why they wait."""
    found = [_waiting(one) for one in desk.connection.storage().outbox.pending(count)]
    desk.show(found, columns("change", "since", "tries", "next", "reason"))


def _commit(commit: Commit) -> dict[str, object]:
    return {
        "commit": commit.id,
        "at": commit.at.isoformat(),
        "author": commit.author.name if commit.author else "",
        "message": commit.message.strip().partition("\n")[0],
        "change": commit.change,
    }


def _waiting(change: Waiting) -> dict[str, object]:
    return {
        "change": change.id,
        "since": change.since.isoformat(),
        "tries": change.tries,
        "next": change.retry_at.isoformat() if change.retry_at else "",
        "reason": change.reason,
    }
