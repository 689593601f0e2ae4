"""The command line without the second that Python needs to import it.

A process imports it once and forks for each command; the child gets the caller's folder,
environment and files, and runs `alm.entrypoints.cli.main.main` as `python -m alm` does.
`python fast_alm.py SOCKET serve` is the server, `python fast_alm.py SOCKET WORDS…` a command.
"""

from __future__ import annotations

import array
import json
import os
import socket
import sys
from pathlib import Path

ENDED_BY_SIGNAL = 128


def serve(path: str) -> None:
    """Answer commands until killed; the parent's end of the pipe on stdin closes with it."""
    import select

    from alm.entrypoints.cli import main as cli

    _warm(cli)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([server, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            _answer(connection, cli)
        connection.close()
        _reap()


def _warm(cli: object) -> None:
    """What a first command imports and builds, before there are children."""
    words, output = sys.argv, sys.stdout
    with Path(os.devnull).open("w") as nowhere:
        for command in (
            ["experiment", "list", "--help"],
            ["--url", "http://127.0.0.1:9", "models"],
        ):
            sys.argv, sys.stdout, sys.stderr = ["alm", *command], nowhere, nowhere
            _run(cli)
    sys.argv, sys.stdout, sys.stderr = words, output, sys.__stderr__


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _answer(connection: socket.socket, cli: object) -> None:
    """In the child: run one command in a child of its own, and tell its exit code."""
    message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    wanted = json.loads(message)
    child = os.fork()
    if child == 0:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.chdir(wanted["folder"])
        os.environ.clear()
        os.environ.update(wanted["environment"])
        sys.argv = ["alm", *wanted["words"]]
        os._exit(_run(cli))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    connection.sendall(str(code if code >= 0 else ENDED_BY_SIGNAL - code).encode())
    os._exit(0)


def _run(cli: object) -> int:
    try:
        cli.main()  # type: ignore[attr-defined]
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def ask(path: str, words: list[str]) -> int:
    """Have the server run a command with our folder, environment and files; its exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        wanted = {"words": words, "folder": str(Path.cwd()), "environment": dict(os.environ)}
        files = array.array("i", [0, 1, 2])
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)]
        connection.sendmsg([json.dumps(wanted).encode()], ancillary)
        return int(connection.recv(16) or b"1")


if __name__ == "__main__":
    if sys.argv[2:] == ["serve"]:
        serve(sys.argv[1])
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
