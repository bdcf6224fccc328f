"""NRRD and MHA keep direction, spacing and origin."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK

from napari_vost.errors import ExportError
from napari_vost.geometry import Grid
from napari_vost.io.exporters import export

from .builders import (
    assert_same_points,
    blobs,
    labelled_points,
    points_of_map,
    random_affine,
    segmentation_of,
    with_gap,
)


def _reload(path):
    image = SimpleITK.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return SimpleITK.GetArrayFromImage(image).T, affine


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_every_labelled_voxel_keeps_its_place_under_any_orientation_and_axis(tmp_path, suffix, axes):
    generator = np.random.default_rng(sum(axes) * 7 + axes[0])
    stored = (7, 6, 5)
    grid = Grid(stored, axes, random_affine(generator))
    segmentation = segmentation_of(blobs(tuple(stored[axis] for axis in axes), generator), grid)
    assert export(segmentation, tmp_path / f"labels{suffix}") == ()
    labels, affine = _reload(tmp_path / f"labels{suffix}")
    assert labels.shape == stored
    np.testing.assert_allclose(affine, grid.affine_lps, atol=1e-6)
    assert_same_points(points_of_map(labels, affine), labelled_points(segmentation))


def test_a_tilted_stack_is_refused_with_the_formats_that_can(tmp_path):
    generator = np.random.default_rng(3)
    grid = Grid((7, 6, 5), (2, 1, 0), random_affine(generator, tilt=0.3))
    with pytest.raises(ExportError, match=r"tilted by .* DICOM-SEG"):
        export(segmentation_of(blobs((5, 6, 7), generator), grid), tmp_path / "tilted.nrrd")
    assert list(tmp_path.iterdir()) == []


def test_a_gap_is_refused_and_filled_on_demand(tmp_path):
    segmentation = with_gap(segmentation_of(blobs((5, 6, 7), np.random.default_rng(8))), missing_after=2)
    with pytest.raises(ExportError, match=r"5 mm after slice 2"):
        export(segmentation, tmp_path / "gap.mha")
    export(segmentation, tmp_path / "gap.mha", fill_gap=True)
    labels, affine = _reload(tmp_path / "gap.mha")
    assert labels.shape == (7, 6, 6)
    assert_same_points(points_of_map(labels, affine), labelled_points(segmentation))


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_a_cine_has_time_as_its_fourth_axis(tmp_path, suffix):
    segmentation = segmentation_of(blobs((5, 6, 7), np.random.default_rng(7)), order="time", kind="video")
    segmentation = replace(segmentation, frame_times_s=tuple(0.05 * index for index in range(5)))
    export(segmentation, tmp_path / f"cine{suffix}")
    image = SimpleITK.ReadImage(str(tmp_path / f"cine{suffix}"))
    assert image.GetSize() == (7, 6, 1, 5)
    assert image.GetSpacing()[3] == pytest.approx(0.05)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image)[:, 0], segmentation.label_map())
