"""Clip: lazy frames of anything array-like, with order, spacing, times, and honest refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip, finite
from napari_vost.errors import InputError, VostWarning


class Watched:
    """An array that notes which frames are read."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape = array.shape
        self.read: list[Any] = []

    def __getitem__(self, key: Any) -> np.ndarray:
        self.read.append(key)
        return self._array[key]


def test_nothing_is_read_before_a_frame_is_asked_for() -> None:
    watched = Watched(np.arange(24).reshape(2, 3, 4))
    clip = Clip.from_array(watched)
    assert clip.shape == (2, 3, 4) and len(clip) == 2 and not watched.read
    np.testing.assert_array_equal(clip.frame(1), np.arange(12, 24).reshape(3, 4))
    assert watched.read == [1]


def test_a_clip_of_an_array_knows_its_spacing_and_its_grid() -> None:
    array = np.random.default_rng(0).normal(size=(4, 5, 6))
    clip = Clip.from_array(array, spacing_mm_zyx=(2.5, 0.8, 0.7))
    assert clip.spacing_mm_zyx == pytest.approx((2.5, 0.8, 0.7)) and clip.order == "depth" and not clip.colour
    assert clip.geometry.letters is None and clip.source.kind == "array"
    np.testing.assert_array_equal(np.stack(list(clip)), array)
    np.testing.assert_array_equal(clip.source.grid.place(np.stack(list(clip))), np.transpose(array, (2, 1, 0)))


def test_nested_lists_and_colour_are_taken() -> None:
    assert Clip.from_array([[[1, 2], [3, 4]]]).shape == (1, 2, 2)
    colour = Clip.from_array(np.zeros((3, 4, 5, 3), np.uint8), order="time")
    assert colour.colour and colour.shape == (3, 4, 5) and colour.frame(0).shape == (4, 5, 3)


def test_the_frame_time_is_the_mean_step() -> None:
    clip = Clip.from_array(np.zeros((4, 2, 2)), order="time", frame_times_s=(0.0, 0.1, 0.2, 0.6))
    assert clip.frame_time_s == pytest.approx(0.2)
    assert Clip.from_array(np.zeros((4, 2, 2))).frame_time_s is None
    assert replace(clip, frame_times_s=(0.0,)).frame_time_s is None


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4, 2), (0, 3, 4), (1, 2, 3, 4, 5), (7,)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="A clip is"):
        Clip.from_array(np.zeros(shape))


def test_wrong_orders_spacings_and_frames_are_refused() -> None:
    array = np.zeros((2, 3, 4))
    with pytest.raises(InputError, match="order"):
        Clip.from_array(array, order="up")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="spacing"):
        Clip.from_array(array, spacing_mm_zyx=(1, 0, 1))
    for index in (-1, 2):
        with pytest.raises(InputError, match="frames 0 to 1"):
            Clip.from_array(array).frame(index)


def test_nan_and_infinity_become_the_smallest_value_with_one_warning() -> None:
    image = np.array([[1.0, np.nan], [np.inf, -3.0]], dtype=np.float32)
    with pytest.warns(VostWarning, match="replaced"):
        clean = finite(image)
    assert clean.dtype == np.float32 and clean.tolist() == [[1.0, -3.0], [-3.0, -3.0]]
    with pytest.warns(VostWarning):
        assert finite(np.full((2, 2), np.nan)).tolist() == [[0, 0], [0, 0]]


def test_finite_images_are_returned_as_they_are() -> None:
    for image in (np.arange(4).reshape(2, 2), np.ones((2, 2))):
        assert finite(image) is image
