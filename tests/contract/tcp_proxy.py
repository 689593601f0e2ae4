"""A TCP proxy that loses answers, on purpose."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Literal

Mode = Literal["pass", "lose_answers", "stall"]


class TcpProxy:
    """Passes connections on to a port of this machine.

    mode: `lose_answers` lets requests through and closes instead of answering; `stall` lets them
    through and says nothing more. answers_lost: how many were.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self.mode: Mode = "pass"
        self.answers_lost = 0
        self.lose_only = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> TcpProxy:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            _close(connection)
        for thread in self._threads:
            thread.join(5)

    def lose(self, answers: int) -> None:
        """Lose the next so many answers, then pass again."""
        self.lose_only, self.mode = answers, "lose_answers"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._upstream))
            self._open += [client, server]
            for read, write in ((client, server), (server, client)):
                target = self._forward if read is client else self._back
                thread = threading.Thread(target=target, args=(read, write), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(1 << 16):
                server.sendall(data)
        except OSError:
            pass
        _close(server)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(1 << 16):
                if self.mode == "stall":
                    continue
                if self.mode == "lose_answers":
                    self._lost()
                    break
                client.sendall(data)
        except OSError:
            pass
        _close(client)
        _close(server)

    def _lost(self) -> None:
        self.answers_lost += 1
        self.lose_only -= 1
        if self.lose_only == 0:
            self.mode = "pass"


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
