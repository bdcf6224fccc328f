"""Millilitres and areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_vost.errors import GeometryError, InputError
from napari_vost.geometry import Geometry, Grid
from napari_vost.masks import PackedMask
from napari_vost.measure.volume import area_mm2, thickness_mm_per_frame, volume_ml
from napari_vost.types import Label, Segmentation, Source


def _segmentation(volume: np.ndarray, geometry: Geometry, order: str = "depth") -> Segmentation:
    frames, height, width = volume.shape
    grid = Grid((width, height, frames), (2, 1, 0), geometry.affine_lps)
    masks = {1: {index: PackedMask.pack(frame) for index, frame in enumerate(volume)}}
    return Segmentation(volume.shape, masks, {1: Label("ball")}, order, geometry, Source("array", grid))


def _affine(columns: np.ndarray) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = columns
    return affine


def test_volume_is_voxels_times_the_determinant_however_the_stack_lies():
    generator = np.random.default_rng(0)
    volume = generator.random((4, 6, 5)) < 0.5
    for _ in range(10):
        columns = generator.normal(size=(3, 3)) * 3
        segmentation = _segmentation(volume, Geometry(_affine(columns)))
        expected = volume.sum() * abs(np.linalg.det(columns)) / 1000
        assert volume_ml(segmentation, 1) == pytest.approx(expected)


def test_a_ball_has_its_volume():
    z, y, x = np.mgrid[-20:21, -20:21, -20:21]
    ball = z**2 * 1.0 + (0.5 * y) ** 2 + (0.5 * x) ** 2 <= 9.0**2
    segmentation = _segmentation(ball, Geometry(np.diag([0.5, 0.5, 1.0, 1.0])))
    assert volume_ml(segmentation, 1) == pytest.approx(4 / 3 * np.pi * 9**3 / 1000, rel=0.01)
    assert area_mm2(segmentation, 1)[20] == pytest.approx(np.pi * 9**2, rel=0.01)


def test_uneven_slices_count_with_their_local_thickness():
    origins = np.array([[0, 0, z] for z in (0.0, 2.0, 4.0, 10.0, 12.0)])
    geometry = Geometry(np.diag([1.0, 1.0, 2.0, 1.0]), frame_origins_lps=origins)
    np.testing.assert_allclose(thickness_mm_per_frame(geometry, 5), [2, 2, 4, 4, 2])
    segmentation = _segmentation(np.ones((5, 10, 10), dtype=bool), geometry)
    assert volume_ml(segmentation, 1) == pytest.approx(14 * 100 / 1000)


def test_a_tilted_uneven_stack_counts_along_the_normal():
    origins = np.array([[0, z, z] for z in (0.0, 2.0, 5.0)])
    geometry = Geometry(_affine(np.array([[1, 0, 0], [0, 1, 2], [0, 0, 2]], dtype=float)), frame_origins_lps=origins)
    np.testing.assert_allclose(thickness_mm_per_frame(geometry, 3), [2, 2.5, 3])


def test_what_cannot_be_measured_is_refused():
    volume = np.ones((2, 3, 3), dtype=bool)
    plain = _segmentation(volume, Geometry())
    with pytest.raises(InputError, match="no volume"):
        volume_ml(_segmentation(volume, Geometry(), "time"), 1)
    with pytest.raises(InputError, match="choose one of 1"):
        volume_ml(plain, 2)
    with pytest.raises(GeometryError, match="how large a pixel"):
        volume_ml(replace(plain, geometry=Geometry(spaced=False)), 1)
