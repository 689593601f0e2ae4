"""Answers too large for memory, read while they arrive.

Each piece has a deadline of its own: a download may take long, but not stand still. One that breaks
off changed nothing, so it is Unavailable: read it again from its beginning.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from time import monotonic
from typing import Any, BinaryIO

from alm.adapters.wire import Wire
from alm.domain.errors import Unavailable

PIECE_BYTES = 1 << 20  # in a minute: slower than any link that could carry a model file at all


def streamed(
    wire: Wire, response: HTTPResponse, url: str, seconds: float, ended: Callable[[], None]
) -> BinaryIO:
    """The body of an answer as a file, read once, forwards. `ended` is called when it is closed."""
    return io.BufferedReader(Stream(wire, response, url, seconds, ended), PIECE_BYTES)


class Stream(io.RawIOBase):
    """The body of an answer that has begun to arrive on `wire`."""

    def __init__(
        self,
        wire: Wire,
        response: HTTPResponse,
        url: str,
        seconds: float,
        ended: Callable[[], None],
    ) -> None:
        self._wire = wire
        self._response = response
        self._url = url
        self._seconds = seconds
        self._ended = ended

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._wire.deadline = monotonic() + self._seconds
        piece = memoryview(buffer)[:PIECE_BYTES]
        try:
            count = self._response.readinto(piece)
        except (OSError, HTTPException) as error:
            raise self._broken(f"{type(error).__name__}: {error}") from error
        if not count and self._response.length:
            raise self._broken(f"{self._response.length} bytes are missing")
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._ended()

    def _broken(self, seen: str) -> Unavailable:
        return Unavailable(
            f"{self._url} broke off while it was read ({seen}; {self._seconds:g} s are given to "
            "each mebibyte); read it again"
        )
