"""Every command in the documentation works, in the order in which it stands there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import page, pages
from tests.docs.playground import Playground, fits, is_run, play

QUICK_START = "docs/quick-start.md"
RUN = [each.name for each in pages() if any(map(is_run, each.blocks()))]
OTHERS = [name for name in RUN if not name.startswith("examples/") and name != QUICK_START]


@pytest.fixture(scope="module")
def begun(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> Playground:
    """Where the quick start ends; the other pages begin there."""
    play(playground, page(QUICK_START).blocks(), tmp_path_factory.mktemp("quick-start"))
    return playground


def test_the_quick_start_works(begun: Playground) -> None:
    assert begun.stack.worker_pid()


def test_a_shell_has_the_command_line_wherever_it_is(begun: Playground) -> None:
    """The other pages use it imported already."""
    shell = "set -e; . .local/up/client.env; cd /; alm models; python -c 'import rich'"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=begun.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "churn" in done.stdout


@pytest.mark.parametrize("name", OTHERS)
def test_the_commands_of_a_page_work(name: str, begun: Playground, tmp_path: Path) -> None:
    play(begun, page(name).blocks(), tmp_path)


def test_an_output_fits_what_is_shown() -> None:
    assert fits("model  state\nchurn  idle\n", "model state\nchurn …\n")
    assert fits("a\nb\nc\n", "a\n…\nc\n")
    assert not fits("a\nb\n", "a\n")
    assert not fits("churn.r1 failed", "churn.r1 ok")
