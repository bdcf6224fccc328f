"""NIfTI keeps grid, axes and millimetres."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from napari_vost.errors import ExportError
from napari_vost.geometry import Grid, lps_from_ras
from napari_vost.io.exporters import export
from napari_vost.types import Order

from .builders import (
    assert_same_points,
    blobs,
    labelled_points,
    points_of_map,
    random_affine,
    segmentation_of,
    with_gap,
)


def _reload(path: Path):
    image = nibabel.load(path)
    return np.asarray(image.dataobj), lps_from_ras(image.affine), image.header


def _itk_affine(image) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_labelled_voxel_keeps_its_place_under_any_orientation_and_axis(tmp_path, axes, seed):
    generator = np.random.default_rng(seed)
    stored = (7, 6, 5)
    grid = Grid(stored, axes, random_affine(generator))
    segmentation = segmentation_of(blobs(tuple(stored[axis] for axis in axes), generator), grid)
    path = tmp_path / "labels.nii.gz"
    assert export(segmentation, path) == ()
    labels, affine, header = _reload(path)
    assert labels.shape == stored
    assert labels.dtype == np.uint8
    assert header["qform_code"] == header["sform_code"] == 1
    assert header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(affine, grid.affine_lps, atol=1e-4)
    truth = labelled_points(segmentation)
    assert_same_points(points_of_map(labels, affine), truth)
    image = SimpleITK.ReadImage(str(path))
    assert_same_points(points_of_map(SimpleITK.GetArrayFromImage(image).T, _itk_affine(image)), truth)


def test_a_tilted_stack_has_only_an_sform_and_says_so(tmp_path):
    generator = np.random.default_rng(3)
    grid = Grid((7, 6, 5), (2, 1, 0), random_affine(generator, tilt=0.3))
    segmentation = segmentation_of(blobs((5, 6, 7), generator), grid)
    (notice,) = export(segmentation, tmp_path / "tilted.nii")
    assert "tilted" in notice and "SimpleITK" in notice
    labels, affine, header = _reload(tmp_path / "tilted.nii")
    assert (header["qform_code"], header["sform_code"]) == (0, 1)
    assert_same_points(points_of_map(labels, affine), labelled_points(segmentation))
    with pytest.raises(RuntimeError):
        SimpleITK.ReadImage(str(tmp_path / "tilted.nii"))


def test_ids_above_255_are_stored_in_16_bits_and_above_65535_refused(tmp_path):
    volume = np.zeros((2, 3, 4), dtype=bool)
    volume[1, 2, 3] = True
    export(segmentation_of({300: volume}), tmp_path / "big.nii")
    labels, _, _ = _reload(tmp_path / "big.nii")
    assert labels.dtype == np.uint16 and labels[3, 2, 1] == 300 and labels.sum() == 300
    with pytest.raises(ExportError, match="70000"):
        export(segmentation_of({70000: volume}), tmp_path / "huge.nii")
    assert not (tmp_path / "huge.nii").exists()


def _source_4d(path: Path) -> Grid:
    affine = random_affine(np.random.default_rng(4))
    image = nibabel.Nifti1Image(np.zeros((7, 6, 5, 4), dtype=np.int16), None)
    ras = lps_from_ras(affine)
    image.header.set_qform(ras, code=1)
    image.header.set_sform(ras, code=3)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 0.04
    image.header["descrip"] = b"Jane Doe"
    nibabel.save(image, path)
    return Grid((7, 6, 5, 4), (3, 1, 0), lps_from_ras(nibabel.load(path).affine), ((2, 3),))


def test_a_slice_of_a_4d_source_comes_back_on_the_4d_grid_with_its_codes(tmp_path):
    grid = _source_4d(tmp_path / "source.nii")
    segmentation = segmentation_of(
        blobs((4, 6, 7), np.random.default_rng(5)), grid, "time", "nifti", path=tmp_path / "source.nii"
    )
    segmentation = replace(segmentation, frame_times_s=(0.0, 0.04, 0.08, 0.12))
    export(segmentation, tmp_path / "out.nii.gz")
    labels, _, header = _reload(tmp_path / "out.nii.gz")
    source = nibabel.load(tmp_path / "source.nii")
    assert labels.shape == (7, 6, 5, 4)
    assert not labels[:, :, :3].any() and not labels[:, :, 4:].any()
    np.testing.assert_array_equal(labels[:, :, 3, :].T, segmentation.label_map())
    np.testing.assert_array_equal(header.get_sform(), source.header.get_sform())
    np.testing.assert_array_equal(header.get_qform(), source.header.get_qform())
    assert (header["qform_code"], header["sform_code"]) == (1, 3)
    assert header["pixdim"][4] == pytest.approx(0.04)
    assert header.get_xyzt_units() == ("mm", "sec")
    assert header["descrip"] == b""  # nothing that may name a person is copied


def test_a_time_point_of_a_4d_source_comes_back_as_its_3d_grid(tmp_path):
    grid = replace(_source_4d(tmp_path / "source.nii"), axes=(2, 1, 0), fixed=((3, 1),))
    segmentation = segmentation_of(
        blobs((5, 6, 7), np.random.default_rng(6)), grid, kind="nifti", path=tmp_path / "source.nii"
    )
    export(segmentation, tmp_path / "out.nii")
    labels, affine, header = _reload(tmp_path / "out.nii")
    assert labels.shape == (7, 6, 5)
    assert header["sform_code"] == 3
    assert_same_points(points_of_map(labels, affine), labelled_points(segmentation))


@pytest.mark.parametrize("kind", ["video", "dicom-multiframe", "array"])
def test_a_cine_becomes_one_slice_and_many_times(tmp_path, kind):
    order: Order = "time"
    segmentation = segmentation_of(blobs((5, 6, 7), np.random.default_rng(7)), order=order, kind=kind)
    segmentation = replace(segmentation, frame_times_s=tuple(0.05 * index for index in range(5)))
    export(segmentation, tmp_path / "cine.nii.gz")
    labels, _, header = _reload(tmp_path / "cine.nii.gz")
    assert labels.shape == (7, 6, 1, 5)
    assert header["pixdim"][4] == pytest.approx(0.05)
    np.testing.assert_array_equal(labels[:, :, 0, :].T, segmentation.label_map())


def test_a_missing_slice_is_refused_with_its_millimetres_and_filled_on_demand(tmp_path):
    segmentation = with_gap(segmentation_of(blobs((5, 6, 7), np.random.default_rng(8))), missing_after=1, missing=2)
    with pytest.raises(ExportError, match=r"7\.5 mm after slice 1"):
        export(segmentation, tmp_path / "gap.nii")
    assert list(tmp_path.iterdir()) == []
    (notice,) = export(segmentation, tmp_path / "gap.nii", fill_gap=True)
    assert "2 slice(s)" in notice
    labels, affine, _ = _reload(tmp_path / "gap.nii")
    assert labels.shape == (7, 6, 7) and not labels[:, :, 2:4].any()
    assert_same_points(points_of_map(labels, affine), labelled_points(segmentation))


def test_uneven_slices_that_fit_no_grid_are_refused_even_with_fill_gap(tmp_path):
    segmentation = with_gap(segmentation_of(blobs((5, 6, 7), np.random.default_rng(9))), missing_after=1, jitter=0.4)
    with pytest.raises(ExportError, match="no regular grid"):
        export(segmentation, tmp_path / "uneven.nii", fill_gap=True)
    assert list(tmp_path.iterdir()) == []


def test_uneven_slices_are_resampled_on_demand_from_the_nearest(tmp_path):
    volume = np.zeros((6, 4, 5), dtype=bool)
    for index in range(6):
        volume[index, index % 4, index % 5] = True
    segmentation = segmentation_of({1: volume})
    along = np.array([0.0, 2.5, 5.0, 5.6, 9.5, 13.5])
    affine = segmentation.geometry.affine_lps
    origins = affine[:3, 3] + along[:, None] * affine[:3, 2] / 2.5
    segmentation = replace(segmentation, geometry=replace(segmentation.geometry, frame_origins_lps=origins))
    with pytest.raises(ExportError, match="resample=True"):
        export(segmentation, tmp_path / "even.nii", fill_gap=True)
    (notice,) = export(segmentation, tmp_path / "even.nii", resample=True)
    assert "resampled to 6 even ones" in notice
    labels, written, _ = _reload(tmp_path / "even.nii")
    np.testing.assert_allclose(written[:3, 2], [0, 0, 2.7], atol=1e-6)
    np.testing.assert_array_equal(labels.T > 0, volume[[0, 1, 3, 4, 4, 5]])


def test_overlap_and_emptiness_are_told(tmp_path):
    volume = np.zeros((2, 3, 4), dtype=bool)
    (notice,) = export(segmentation_of({1: volume}), tmp_path / "empty.nii")
    assert "empty" in notice
    volume[1, 1, 1:3] = True
    (notice,) = export(segmentation_of({2: volume, 5: volume}), tmp_path / "overlap.nii")
    assert "smaller id" in notice
    labels, _, _ = _reload(tmp_path / "overlap.nii")
    assert set(np.unique(labels)) == {0, 2}


@pytest.mark.skipif("VOST_DATA" not in os.environ, reason="VOST_DATA is not set")
def test_real_orientations_keep_their_grid(tmp_path):
    folder = Path(os.environ.get("VOST_DATA", "")) / "nifti_orientations"
    paths = sorted(folder.rglob("*.nii*"))
    assert paths
    for number, source in enumerate(paths):
        image = nibabel.load(source)
        if len(image.shape) != 3:
            continue
        grid = Grid(image.shape, (1, 2, 0), lps_from_ras(image.affine))
        shape = (image.shape[1], image.shape[2], image.shape[0])
        mask = np.zeros(shape, dtype=bool)
        mask[1 : shape[0] // 2, 2 : shape[1] // 3, : shape[2] // 4] = True
        segmentation = segmentation_of({1: mask}, grid, kind="nifti", path=source)
        path = tmp_path / f"{number}.nii.gz"
        export(segmentation, path)
        written = nibabel.load(path)
        assert written.shape == image.shape
        np.testing.assert_array_equal(written.affine, image.affine)
        for name in ("qform_code", "sform_code", "quatern_b", "qoffset_x", "srow_x"):
            np.testing.assert_array_equal(written.header[name], image.header[name])
        np.testing.assert_array_equal(np.asarray(written.dataobj).transpose(1, 2, 0) > 0, mask)
