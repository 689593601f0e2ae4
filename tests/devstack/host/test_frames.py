"""Frames between host and worker."""

import io

import pytest

from devstack.host import frames

FRAMES = [({"a": 1}, b""), ({"b": "ü"}, b"\x00\xff" * 50), ({}, b"x" * 200_000)]


@pytest.mark.parametrize("step", [1, 7, 4096, 10**6])
def test_frames_survive_any_cutting(step):
    sent = b"".join(b"".join(frames.encode(*frame)) for frame in FRAMES)
    if step == 1:
        sent = sent[:500]
    buffer = frames.FrameBuffer()
    found = [
        frame for at in range(0, len(sent), step) for frame in buffer.feed(sent[at : at + step])
    ]
    assert found == (FRAMES[:2] if step == 1 else FRAMES)


def test_a_blocking_reader_sees_the_same_and_then_the_end():
    stream = io.BytesIO(b"".join(b"".join(frames.encode(*frame)) for frame in FRAMES))
    assert [frames.read_frame(stream) for _ in FRAMES] == FRAMES
    assert frames.read_frame(stream) is None


def test_a_frame_cut_short_is_the_end():
    sent = b"".join(frames.encode({"a": 1}, b"body"))
    assert frames.read_frame(io.BytesIO(sent[:-1])) is None
