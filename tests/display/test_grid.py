"""The grid of a clip's layers: millimetres where they hold, and a slider that reaches every frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vost.clip import Clip
from napari_vost.display.grid import LayerGrid, layer_grid
from napari_vost.errors import InputError
from tests.display.patients import ORDERS, SHAPE, STEPS_MM, clip_at, rotation, turned

STRAIGHT = turned((2, 1, 0), (1, 1, 1))


def slider_steps(grid: LayerGrid) -> int:
    """How many steps napari's slider has over the frames: it cuts the quotient off."""
    start, stop = grid.world_of_frame(0), grid.world_of_frame(grid.frames - 1)
    return int((stop - start) / grid.scale[0]) + 1


@given(
    st.integers(2, 3000),
    st.floats(1e-4, 50),
    st.floats(-2000, 2000),
    st.sampled_from(ORDERS),
    st.floats(-0.49, 0.49),
)
def test_every_frame_has_its_place_on_the_slider_and_comes_back(
    frames: int, step: float, origin: float, order: tuple, off: float
) -> None:
    affine = turned(*order)
    affine[:3, 2] *= step / STEPS_MM[0]
    affine[:3, 3] = origin
    grid = layer_grid(clip_at(affine, shape=(frames, 2, 2)))
    assert slider_steps(grid) == frames
    for frame_index in {0, 1, frames // 2, frames - 1}:
        world = grid.world_of_frame(frame_index)
        assert grid.frame_of_world(world) == frame_index
        assert grid.frame_of_world(world + off * grid.scale[0]) == frame_index


def test_plain_numbers_would_lose_the_last_frame() -> None:
    start, step = -343.86451861, 0.7  # why scale and translate are rounded to numbers that add up exactly
    plain = [int((start + (frames - 1) * step - start) / step) + 1 - frames for frames in range(2, 300)]
    assert min(plain) == -1


def test_beyond_the_ends_the_first_and_the_last_frame_stay() -> None:
    grid = layer_grid(clip_at(STRAIGHT))
    assert grid.frame_of_world(-1e6) == 0 and grid.frame_of_world(1e6) == SHAPE[0] - 1
    with pytest.raises(InputError, match="frames 0 to 4"):
        grid.world_of_frame(5)


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
def test_a_scan_along_the_patients_axes_lies_at_its_millimetres(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    grid = layer_grid(clip)
    assert grid.scale == pytest.approx(tuple(STEPS_MM)) and min(grid.scale) > 0
    assert grid.units == ("mm", "mm", "mm")
    where = np.array(grid.translate) + np.array(grid.scale) * (3, 2, 1)  # frame 3, y 2, x 1
    in_patient = clip.geometry.affine_lps @ [1, 2, 3, 1]
    expected = [in_patient[row] * sign for row, sign in zip(axes, signs, strict=True)]
    np.testing.assert_allclose(where, expected, atol=1e-4)


def test_labels_say_from_which_side_to_which_an_axis_runs() -> None:
    assert layer_grid(clip_at(turned((2, 1, 0), (-1, 1, 1)))).axis_labels == ("S→I", "A→P", "R→L")
    assert layer_grid(Clip.from_array(np.zeros(SHAPE))).axis_labels == ("frame", "y", "x")


def test_a_turned_or_unplaced_scan_starts_at_zero_and_keeps_its_millimetres() -> None:
    for clip in (clip_at(rotation(0, 3) @ STRAIGHT), clip_at(STRAIGHT, oriented=False)):
        grid = layer_grid(clip)
        assert grid.translate == (0.0, 0.0, 0.0) and grid.scale == pytest.approx(tuple(STEPS_MM))


def test_uneven_frames_have_even_steps_on_the_slider() -> None:
    origins = np.array([[-12.3, 45.6, z] for z in (0.0, 2.5, 5.0, 20.0, 22.5)])
    grid = layer_grid(clip_at(STRAIGHT, frame_origins_lps=origins))
    worlds = [grid.world_of_frame(frame_index) for frame_index in range(5)]
    assert np.diff(worlds) == pytest.approx([2.5] * 4)
    assert [grid.frame_of_world(world) for world in worlds] == [0, 1, 2, 3, 4]


def test_time_counts_frames_and_a_picture_without_spacing_counts_pixels() -> None:
    cine = layer_grid(clip_at(STRAIGHT, "time", frame_times_s=(0.0, 0.03, 0.09, 0.1, 0.2)))
    assert (cine.scale[0], cine.translate[0], cine.units, cine.axis_labels[0]) == (1, 0, ("pixel", "mm", "mm"), "frame")
    assert [cine.world_of_frame(frame_index) for frame_index in range(5)] == [0, 1, 2, 3, 4]
    bare = layer_grid(clip_at(STRAIGHT, oriented=False, spaced=False))
    assert bare.scale == (1, 1, 1) and set(bare.units) == {"pixel"}
