"""Grid and Geometry: what goes into the stored array comes back, and every pixel keeps its millimetres."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_vost.errors import GeometryError
from napari_vost.geometry import (
    Geometry,
    Grid,
    axis_letters,
    column_lengths,
    is_sheared,
    lps_from_ras,
    points_lps,
    points_xyf,
    ras_from_lps,
    tilt_deg,
)

sizes = st.integers(1, 6)
lengths = st.floats(0.1, 10)


@st.composite
def affines(draw: st.DrawFn, shear: bool = True) -> np.ndarray:
    """Affines with independent columns: rotated, scaled, moved, and sheared or not."""
    seed = draw(st.integers(0, 10**6))
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = rotation * [draw(lengths) for _ in range(3)]
    if shear:
        affine[:3, 2] += draw(st.floats(-0.5, 0.5)) * affine[:3, 1]
    affine[:3, 3] = [draw(st.floats(-500, 500)) for _ in range(3)]
    return affine


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Grids of 3D and 4D arrays, in every axis order, of volumes and of cines."""
    affine = draw(affines())
    shape = tuple(draw(sizes) for _ in range(3))
    order = draw(st.sampled_from(list(permutations((0, 1, 2)))))
    kind = draw(st.sampled_from(["3d", "volume", "cine"]))
    if kind == "3d":
        return Grid(shape, order, affine)
    four = (*shape, draw(sizes))
    if kind == "volume":
        return Grid(four, order, affine, ((3, draw(st.integers(0, four[3] - 1))),))
    fixed = (order[0], draw(st.integers(0, shape[order[0]] - 1)))
    return Grid(four, (3, order[1], order[2]), affine, (fixed,))


def frames_of(grid: Grid, stored: np.ndarray) -> np.ndarray:
    return np.stack([grid.take(stored, index) for index in range(grid.shape[grid.axes[0]])])


def test_a_grid_says_which_part_of_a_4d_source_it_is() -> None:
    def part(shape: tuple[int, ...], axes: tuple[int, int, int], *fixed: tuple[int, int]) -> str:
        return str(Grid(shape, axes, np.eye(4), fixed).part)

    assert part((4, 5, 6, 7), (2, 1, 0), (3, 2)) == "Time 3/7"
    assert part((4, 5, 6, 7), (3, 1, 0), (2, 5)) == "Slice 6/6"
    assert part((4, 5, 6, 7), (3, 2, 0), (1, 0)) == "Slice 1/5"  # cut across the stored slices
    assert part((4, 5, 1, 7), (3, 1, 0), (2, 0)) == "None"  # a cine of the only slice
    assert part((4, 5, 6), (2, 1, 0)) == "None"


@given(grids())
def test_frames_go_back_to_where_they_were_taken(grid: Grid) -> None:
    stored = 1 + np.arange(np.prod(grid.shape)).reshape(grid.shape)
    frames = frames_of(grid, stored)
    assert frames.shape == tuple(grid.shape[axis] for axis in grid.axes)
    placed = grid.place(frames)
    if grid.axes[0] < 3 and len(grid.shape) == 4:
        np.testing.assert_array_equal(placed, stored[..., dict(grid.fixed)[3]])
        return
    key = [slice(None)] * len(grid.shape)
    for axis, index in grid.fixed:
        key[axis] = slice(index, index + 1)
    np.testing.assert_array_equal(placed[tuple(key)], stored[tuple(key)])
    assert np.count_nonzero(placed) == frames.size


@given(grids(), st.integers(0, 10**6))
def test_a_pixel_keeps_its_millimetres(grid: Grid, seed: int) -> None:
    random = np.random.default_rng(seed)
    stored = np.arange(np.prod(grid.shape)).reshape(grid.shape)
    frames = frames_of(grid, stored)
    index = tuple(int(random.integers(0, size)) for size in frames.shape)
    where = np.unravel_index(int(frames[index]), grid.shape)
    expected = grid.affine_lps @ [*where[:3], 1]
    frame, y, x = index
    moving = 0 if grid.axes[0] == 3 else frame  # a frame of a cine lies where frame 0 lies
    got = points_lps(grid.geometry().affine_lps, np.array([[x, y, moving]], dtype=float))[0]
    np.testing.assert_allclose(got, expected[:3], atol=1e-6)


@given(affines(), st.integers(0, 10**6))
def test_points_go_to_millimetres_and_back(affine: np.ndarray, seed: int) -> None:
    assume(np.linalg.cond(affine[:3, :3]) < 1e4)
    points = np.random.default_rng(seed).uniform(-100, 100, (7, 3))
    np.testing.assert_allclose(points_xyf(affine, points_lps(affine, points)), points, atol=1e-6)


@given(affines())
def test_lps_and_ras_are_inverse_and_share_lengths(affine: np.ndarray) -> None:
    np.testing.assert_array_equal(lps_from_ras(ras_from_lps(affine)), affine)
    assert column_lengths(ras_from_lps(affine)) == pytest.approx(column_lengths(affine))
    flipped = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "S", "I": "I"}
    letters = axis_letters(affine)
    assert tuple(flipped[one] for one in letters) == axis_letters(ras_from_lps(affine))
    assert sorted("LAS".index({"R": "L", "P": "A", "I": "S"}.get(one, one)) for one in letters) == [0, 1, 2]


@given(affines(shear=False))
def test_a_rotated_grid_is_not_sheared(affine: np.ndarray) -> None:
    assert not is_sheared(affine) and tilt_deg(affine) == pytest.approx(0, abs=1e-3)


@given(st.floats(1, 40))
def test_the_tilt_of_a_gantry_is_measured(degrees: float) -> None:
    affine = np.eye(4)
    affine[:3, 1] = [0, np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))]
    assert is_sheared(affine) and tilt_deg(affine) == pytest.approx(degrees, abs=1e-6)


def test_letters_name_the_sides_that_axes_run_to() -> None:
    assert axis_letters(np.eye(4)) == ("L", "P", "S")
    assert axis_letters(np.diag([-1.0, -1.0, -1.0, 1.0])) == ("R", "A", "I")
    assert Geometry(np.eye(4)).letters == ("S", "P", "L") and Geometry(np.eye(4), oriented=False).letters is None


def test_uneven_frames_keep_their_places_and_gaps() -> None:
    origins = np.array([[0, 0, z] for z in (0, 2, 4, 8, 10)], dtype=float)
    geometry = Geometry(np.diag([1.0, 1.0, 2.0, 1.0]), frame_origins_lps=origins)
    assert geometry.gaps() == ((2, 4.0),)
    np.testing.assert_array_equal(geometry.frame_origin(3), [0, 0, 8])
    part = geometry.with_frames(3, 5)
    np.testing.assert_array_equal(part.affine_lps[:3, 3], [0, 0, 8])
    assert part.frame_origins_lps is not None and len(part.frame_origins_lps) == 2


@given(affines(), st.integers(0, 5), st.integers(6, 9))
@settings(max_examples=30)
def test_a_part_of_an_even_clip_lies_where_it_lay(affine: np.ndarray, start: int, stop: int) -> None:
    whole = Geometry(affine)
    part = whole.with_frames(start, stop)
    for index in range(stop - start):
        np.testing.assert_allclose(part.frame_origin(index), whole.frame_origin(start + index), atol=1e-9)


@pytest.mark.parametrize(
    ("shape", "axes", "fixed"),
    [
        ((2, 3, 4), (0, 1, 1), ()),
        ((2, 3), (0, 1, 2), ()),
        ((2, 3, 4, 5), (2, 1, 0), ()),
        ((2, 3, 4), (2, 1, 0), ((0, 1),)),
    ],
)
def test_a_grid_names_every_axis_once(shape: tuple[int, ...], axes: tuple[int, int, int], fixed: tuple) -> None:
    with pytest.raises(GeometryError, match="once"):
        Grid(shape, axes, np.eye(4), fixed)


@pytest.mark.parametrize("affine", [np.eye(3), np.diag([1.0, 1.0, 0.0, 1.0]), np.full((4, 4), np.nan)])
def test_affines_that_are_no_space_are_refused(affine: np.ndarray) -> None:
    with pytest.raises(GeometryError):
        Geometry(affine)
