"""A fresh clone with the local stack running in it, and terminals in which a reader types."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured
from devstack import declarations
from devstack.client_settings import write_client_settings
from devstack.kept_addresses import keep_addresses
from devstack.stack import Stack, StackOptions
from devstack.watched import Watched
from tests.docs import fast_alm
from tests.docs.pages import ROOT, Block

DECLARED = Path("examples/one-model")  # what `make dev` declares; a test compares
LINKED = ("alm", "devstack", "docs", "Makefile", "pyproject.toml", "README.md", ".venv")
COPIED = ("examples", "managed_models")
SECONDS_MAX = 75.0
LOOK_SECONDS = 0.5
PROPAGATION_SECONDS = 0.5  # of local Studio: declarations say more, and answers that changed prove


class Playground:
    """The folder, the stack on its `.local/up`, and the command line, imported once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self._make_folder()
        self.stack = Stack(
            StackOptions(
                app=ROOT,
                data=self.folder / ".local/up",
                with_samples=True,
                declare=(ROOT / DECLARED,),
                propagation_seconds=PROPAGATION_SECONDS,
            )
        )
        self.stack.up()
        self._lock, self._closing = threading.Lock(), threading.Event()
        try:
            write_client_settings(
                self.folder / ".local/up", self.stack.addresses, self.stack.options.beside
            )
            keep_addresses(self.folder / ".local/up", self.stack.addresses)
            self._watched = Watched(self.stack, mistakes)
            self._start_fast_alm()
        except BaseException:
            self.stack.down()
            raise
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            self._server.stdin.close()  # type: ignore[union-attr]
            self._server.wait(10)
            self._server.stdout.close()  # type: ignore[union-attr]
            shutil.rmtree(self._socket_folder)
            self.stack.down()

    def settle(self) -> None:
        """Have the app read declarations that changed, before anybody goes on."""
        with self._lock:
            self._watched.look()
            _, wrong = declarations.reported(self.stack.options.data)
        assert wrong == "", wrong

    def _make_folder(self) -> None:
        (self.folder / ".local/up").mkdir(parents=True)
        for name in LINKED:
            (self.folder / name).symlink_to(ROOT / name)
        for name in COPIED:
            shutil.copytree(ROOT / name, self.folder / name)

    def _start_fast_alm(self) -> None:
        self._socket_folder = tempfile.mkdtemp(prefix="alm")  # such names must be short
        self.socket = f"{self._socket_folder}/s"
        command = [sys.executable, fast_alm.__file__, self.socket, "serve"]
        self._server = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == b"ready\n"

    def _watch(self) -> None:
        """What `python -m devstack up` does all the time."""
        while not self._closing.wait(LOOK_SECONDS):
            with self._lock:
                if not self._closing.is_set():
                    self._watched.look()


def mistakes(folder: Path, _app: Path) -> str:
    """What `alm validate` says, without the second that Python needs to import it."""
    try:
        Declarations.read(folder, None).check_members()
    except Misconfigured as error:
        return str(error)
    return ""


class Ran(NamedTuple):
    code: int
    output: str


class Terminal:
    """One shell, in which a page's blocks are run in order. What they export stays."""

    def __init__(self, playground: Playground, folder: Path) -> None:
        self._playground = playground
        self._folder = folder
        self._count = 0
        quiet = {name: value for name, value in os.environ.items() if not name.startswith("ALM_")}
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-o", "pipefail"],
            cwd=playground.folder,
            env={**quiet, "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def close(self) -> None:
        self._shell.kill()
        self._shell.communicate()

    def run(self, block: Block) -> Ran:
        """Run a block; the first command that fails ends it. Only one marked `fails` may."""
        if block.language == "python":
            return self._run(f"python {self._kept(block.text, '.py')}\n", fails=False)
        return self._run(block.text, fails="fails" in block.marks)

    def until(self, block: Block, output: str) -> Ran:
        """Run a block again and again until it prints this."""
        ends = time.monotonic() + SECONDS_MAX
        while True:
            ran = self.run(block)
            if fits(ran.output, output) or time.monotonic() > ends:
                return ran
            time.sleep(LOOK_SECONDS)

    def _run(self, text: str, *, fails: bool) -> Ran:
        script = self._kept(self._fast() + text, ".sh")
        told = script.with_suffix(".out")
        marker = f"end of {script.name}"
        line = f"set {'+e' if fails else '-e'}; . {script} > {told} 2>&1 < /dev/null; "
        line += f'echo "{marker} $?"\n'
        assert self._shell.stdin is not None
        self._shell.stdin.write(line.encode())
        self._shell.stdin.flush()
        answer = self._line()
        output = told.read_text(encoding="utf-8") if told.exists() else ""
        self._playground.settle()
        if not answer.startswith(marker):
            return Ran(self._shell.poll() or 1, output + answer)
        return Ran(int(answer.split()[-1]), output)

    def _line(self) -> str:
        """What the shell says at the end of a block; "" if it ended, or takes too long."""
        assert self._shell.stdout is not None
        ready, _, _ = select.select([self._shell.stdout], [], [], SECONDS_MAX)
        return self._shell.stdout.readline().decode() if ready else "it takes too long"

    def _fast(self) -> str:
        """`alm` as client.env defines it, but imported already."""
        command = f"{sys.executable} -I -S {fast_alm.__file__} {self._playground.socket}"
        return f'if declare -F alm > /dev/null; then alm() {{ {command} "$@"; }}; fi\n'

    def _kept(self, text: str, suffix: str) -> Path:
        self._count += 1
        path = self._folder / f"{self._count}{suffix}"
        path.write_text(text, encoding="utf-8")
        return path


def fits(seen: str, shown: str) -> bool:
    """Whether an output is the one shown: `…` stands for any text, alone on a line for any lines.

    How wide the columns of a table are does not count.
    """
    pattern = ""
    for line in _lines(shown):
        if line == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part.strip()) for part in line.split("…")) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(seen))) is not None


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def play(playground: Playground, blocks: list[Block], folder: Path) -> None:
    """Do what a page says, top to bottom. Raises AssertionError telling where it went wrong."""
    terminal = Terminal(playground, folder)
    try:
        for number, block in enumerate(blocks):
            following = blocks[number + 1] if number + 1 < len(blocks) else None
            expected = following.text if following and following.language == "output" else None
            _do(terminal, block, expected)
    finally:
        terminal.close()


def _do(terminal: Terminal, block: Block, expected: str | None) -> None:
    if not is_run(block):
        return
    repeated = "repeat" in block.marks
    assert expected is not None or not repeated, f"{block}: `repeat` needs an output to wait for"
    ran = terminal.until(block, expected or "") if repeated else terminal.run(block)
    told = f"{block}: ended with {ran.code}\n{block.text}\n--- it printed:\n{ran.output}"
    assert (ran.code != 0) == ("fails" in block.marks), told
    if expected is not None:
        assert fits(ran.output, expected), f"{told}\n--- the page shows:\n{expected}"


def is_run(block: Block) -> bool:
    """Whether a block is run where the local stack is."""
    if block.language == "sh":
        return not {"make", "azure", "apart"} & set(block.marks)
    return block.language == "python" and not block.marks
