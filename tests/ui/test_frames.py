"""The frames of a clip as an array: equal to the array it was made of, read once, and no more of them kept than fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.ui.frames import FrameArray

VOLUME = np.random.default_rng(0).integers(-500, 900, (7, 5, 6)).astype(np.int16)
FILM = np.random.default_rng(1).integers(0, 255, (7, 5, 6, 3)).astype(np.uint8)


class Counting:
    """Frames that count how often they are read."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.reads = array, array.shape, 0

    def read(self, frame_index: int) -> Any:
        self.reads += 1
        return self.array[frame_index]


@pytest.mark.parametrize("array", [VOLUME, FILM], ids=["grey", "colour"])
@pytest.mark.parametrize(
    "key",
    [0, -1, slice(None), slice(1, 6, 2), (slice(None), 2), (3, slice(1, 4)), (slice(2, 4), slice(None), 3),
     (Ellipsis, 1), (2, Ellipsis), Ellipsis, np.int64(3)],
)  # fmt: skip
def test_it_slices_like_the_array_it_was_made_of(array: Any, key: Any) -> None:
    assert np.array_equal(FrameArray(Clip.from_array(array))[key], array[key])


def test_as_a_whole_it_is_the_array() -> None:
    frames = FrameArray(Clip.from_array(VOLUME))
    assert np.array_equal(np.asarray(frames), VOLUME)
    assert (frames.dtype, frames.ndim, frames.size, len(frames)) == (VOLUME.dtype, 3, VOLUME.size, 7)


def test_a_frame_is_read_once() -> None:
    clip = Clip.from_array(VOLUME)
    stack = Counting(VOLUME)
    object.__setattr__(clip, "frames", stack)
    frames = FrameArray(clip)
    before = stack.reads
    for _ in range(3):
        frames.frame(4)
    assert stack.reads == before + 1 and frames.holds(4)


def test_no_more_is_kept_than_fits() -> None:
    frames = FrameArray(Clip.from_array(VOLUME), kept_bytes=3 * VOLUME[0].nbytes)
    assert not frames.full
    for one in (0, 1, 2, 0, 3):
        frames.frame(one)
    assert frames.full
    assert [one for one in range(7) if frames.holds(one)] == [0, 2, 3]
