"""Every block says what it is, so that none is left out; what cannot be run here is parsed."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from alm.adapters.declarations import Declarations
from alm.entrypoints.cli.main import cli
from devstack import declarations
from devstack.__main__ import _PARTS as PARTS
from tests.docs.pages import ROOT, Block, Page, pages
from tests.docs.playground import DECLARED

PAGES = pages()
BLOCKS = [block for page in PAGES for block in page.blocks()]
MARKS = {
    "sh": {"make", "azure", "apart", "repeat", "fails"},
    "python": {"part"},
    "yaml": {"part"},
    "json": set(),
    "output": set(),
    "text": set(),
    "": set(),
}
COMMAND = re.compile(r"^\s*(?:\$ )?(?:alm|make|az|azd|python3?|pip|git|curl|npm|\.venv\S*) ", re.M)
COMMANDS = get_command(cli)
CONTEXT = COMMANDS.context_class
ELSEWHERE = {"alm", "az", "azd", "git", "curl", "export", "make", "python", "cd", "."}


def of(language: str, *marks: str) -> list[Block]:
    return [b for b in BLOCKS if b.language == language and set(marks) <= set(b.marks)]


def lines(block: Block) -> list[str]:
    """The commands of a block, each in one line, without comments."""
    found: list[str] = []
    open_ended = ""
    for line in block.text.replace("\\\n", " ").splitlines():
        line = f"{open_ended} {line}" if open_ended else line
        open_ended = line if _is_open(line) else ""
        if not open_ended and line.strip() and not line.startswith("#"):
            found.append(line)
    assert not open_ended, f"{block}: a quote is not closed: {open_ended}"
    return found


def _is_open(line: str) -> bool:
    try:
        words(line)
    except ValueError:
        return True
    return False


def words(line: str) -> list[str]:
    """The words of the first command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    found = list(lexer)
    ends = [at for at, word in enumerate(found) if set(word) <= set("|;&<>")]
    return found[: ends[0]] if ends else found


def parsed(given: list[str]) -> None:
    """Raises UsageError for words that the command line would not take."""
    command = COMMANDS
    context = CONTEXT(command, info_name="alm")
    while hasattr(command, "commands"):
        name, found, given = command.resolve_command(context, given)
        assert found is not None
        command, context = found, CONTEXT(found, info_name=name, parent=context)
    command.make_context(command.name, list(given), parent=context.parent)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_what_it_is(block: Block) -> None:
    told = f"{block}: CONTRIBUTING.md says how a block is marked"
    assert block.language in MARKS, told
    assert set(block.marks) <= MARKS[block.language], told
    if block.language in ("", "text"):
        assert COMMAND.search(block.text) is None, f"{told}; this one has a command in it"


@pytest.mark.parametrize("block", of("sh", "make"), ids=str)
def test_a_make_target_that_is_named_exists(block: Block) -> None:
    for line in lines(block):
        program, *targets = words(line.partition("#")[0])
        assert program == "make", f"{block}: {line} is no make command"
        for target in targets:
            assert "=" in target or target in made(), f"{block}: there is no target {target}"


def made() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def test_the_stack_of_these_tests_is_the_one_of_make_dev() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "dev"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    command = done.stdout.strip().splitlines()[-1]
    assert command.endswith(f"python -m devstack up --with-samples --declare {DECLARED}")


@pytest.mark.parametrize("block", [*of("sh", "azure"), *of("sh", "apart")], ids=str)
def test_a_command_that_is_not_run_is_one_that_the_command_line_takes(block: Block) -> None:
    for line in lines(block):
        given = words(line)
        assert given[0] in ELSEWHERE, (
            f"{block}: {given[0]} is not expected in a block that is not run"
        )
        if given[0] == "alm":
            parsed(given[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_is_mentioned_exists(page: Page) -> None:
    for code in page.code():
        program, *given = code.split()
        if program == "alm":
            mentioned(page, given)
        elif program == "make" and given:
            assert given[0] in made() | {"…"}, f"{page.name}: there is no {code}"
        elif code.startswith("python -m devstack "):
            parts = given[2].split("|")
            assert set(parts) <= {*PARTS, "…", "PART", "--help"}, f"{page.name}: there is no {code}"


def mentioned(page: Page, given: list[str]) -> None:
    """A command may be mentioned without what it needs; its name and options are there."""
    command = COMMANDS
    rest = list(given)
    while rest and hasattr(command, "commands") and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    vague = {"…", "|"} & set(given)
    named = not hasattr(command, "commands") or all(word.startswith("--") for word in rest)
    assert vague or named, f"{page.name}: alm {given}"
    options = {option for parameter in command.params for option in parameter.opts}
    asked = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert vague or asked <= options | {"--help", "--key", "--url"}, f"{page.name}: alm {given}"


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_a_declaration_is_accepted(block: Block, tmp_path: Path) -> None:
    document = yaml.safe_load(block.text)
    assert isinstance(document, dict), f"{block} is no YAML document of names"
    if not block.marks:
        text = declarations.filled(block.text, example_names(), str(block))
        (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
        Declarations.read(tmp_path, None)


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_a_json_document_is_one(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text, str(block))


def example_names() -> dict[str, str]:
    """Placeholders of declarations with addresses of their form."""
    samples = [
        {
            "name": name,
            "role": role,
            "kind": kind,
            "web_service_id": f"{number:032x}",
            "arm_resource_id": "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups"
            f"/g/providers/Microsoft.MachineLearning/webServices/{name}-{role}",
        }
        for number, (name, role) in enumerate(
            (name, role)
            for name in ("cancer", "diabetes", "churn", "sales")
            for role in ("training", "scoring")
        )
        for kind in ("classic", "new")
    ]
    workspace = "0" * 31 + "1"
    experiments = [
        {"name": name, "role": role, "experiment_id": f"{workspace}.f-id.{workspace}"}
        for name in ("churn", "sales")
        for role in ("training", "predictive")
    ]
    addresses = {"base_url": "https://management.azureml.net", "workspace_id": workspace}
    return declarations.addresses_by_name(
        {**addresses, "samples": samples, "experiments": experiments}
    )
