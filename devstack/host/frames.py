"""What host and worker say to each other: a JSON header and a raw body, both preceded by lengths.

No pickle: neither side can make the other run anything.
"""

import json
import struct
from typing import Any, BinaryIO

Header = dict[str, Any]
_LENGTHS = struct.Struct("!IQ")
_JOIN_BYTES_MAX = 65536  # larger bodies are sent on their own rather than copied


def encode(header: Header, body: bytes = b"") -> list[bytes]:
    """Return the chunks to send, in order."""
    text = json.dumps(header, separators=(",", ":")).encode()
    start = _LENGTHS.pack(len(text), len(body)) + text
    return [start + body] if len(body) <= _JOIN_BYTES_MAX else [start, body]


def read_frame(stream: BinaryIO) -> tuple[Header, bytes] | None:
    """Read one frame from a blocking stream; None at its end."""
    prefix = stream.read(_LENGTHS.size)
    if len(prefix) < _LENGTHS.size:
        return None
    header_size, body_size = _LENGTHS.unpack(prefix)
    text = stream.read(header_size)
    body = stream.read(body_size) if body_size else b""
    if len(text) < header_size or len(body) < body_size:
        return None
    return json.loads(text), body


class FrameBuffer:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, chunk: bytes) -> list[tuple[Header, bytes]]:
        """Take bytes as they arrive, return the frames they complete."""
        self._bytes += chunk
        frames: list[tuple[Header, bytes]] = []
        start = 0
        while (end := self._end_of_frame(start)) is not None:
            header_size, _ = _LENGTHS.unpack_from(self._bytes, start)
            middle = start + _LENGTHS.size + header_size
            header = json.loads(self._bytes[start + _LENGTHS.size : middle])
            frames.append((header, bytes(self._bytes[middle:end])))
            start = end
        if start:
            del self._bytes[:start]
        return frames

    def _end_of_frame(self, start: int) -> int | None:
        if len(self._bytes) - start < _LENGTHS.size:
            return None
        header_size, body_size = _LENGTHS.unpack_from(self._bytes, start)
        end: int = start + _LENGTHS.size + header_size + body_size
        return end if end <= len(self._bytes) else None
