"""Masks that somebody drew elsewhere, brought onto a clip: DICOM-SEG by the images it names, anything by its place."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.geometry import Geometry
from napari_vost.io.exporters import export
from napari_vost.io.label_files import names_in, read_labels
from napari_vost.io.readers import open_clip
from napari_vost.io.readers.candidates import Axis
from napari_vost.masks import PackedMask
from napari_vost.types import TISSUE, Code, Label, Segmentation

from .dicom_factory import ramp_volume, stack_origins, tilted, write_cine, write_enhanced_mr, write_series
from .exporters.builders import blobs


def drawn_on(clip: Clip, volumes: dict[int, NDArray[np.bool_]], labels: dict[int, Label] | None = None) -> Segmentation:
    """Bool volumes (T, H, W) by object id, as masks of a clip."""
    masks = {
        number: {index: PackedMask.pack(plane) for index, plane in enumerate(volume) if plane.any()}
        for number, volume in volumes.items()
    }
    names = labels or {number: Label(f"object {number}") for number in volumes}
    return Segmentation(clip.shape, masks, names, clip.order, clip.geometry, clip.source)


def seg_of(clip: Clip, path: Path, seed: int = 0) -> NDArray[np.int64]:
    """Write blobs on a clip as DICOM-SEG and return them as ids (T, H, W)."""
    segmentation = drawn_on(clip, blobs(clip.shape, np.random.default_rng(seed)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export(segmentation, path)
    return segmentation.label_map().astype(np.int64)


def series(folder: Path, origins: list[tuple[float, float, float]] | None = None, **words: Any) -> Path:
    write_series(folder, ramp_volume(5, 6, 7), origins or stack_origins(5), **words)
    return folder


def same_seg(path: Path, target: Path, **attributes: object) -> Path:
    """A copy of a SEG in which some attributes are others."""
    data = pydicom.dcmread(path)
    for name, value in attributes.items():
        setattr(data, name, value)
    data.save_as(target)
    return target


def without_references(path: Path) -> None:
    """Let a SEG forget which images it was drawn on."""
    data = pydicom.dcmread(path)
    for group in data.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    data.save_as(path)


UNEVEN = [(-10.0, -20.0, 2.5 * index) for index in (0, 1, 2, 5, 6)]


@pytest.mark.parametrize(
    "words",
    [{}, {"origins": UNEVEN}, {"orientation": (0, 1, 0, 0, 0, -1), "origins": [(2.0 * n, 0, 0) for n in range(5)]}],
    ids=["axial", "uneven", "sagittal"],
)
def test_what_was_exported_on_a_series_comes_back_bit_for_bit(tmp_path: Path, words: dict[str, Any]) -> None:
    clip = open_clip(series(tmp_path / "ct", **words))
    ids = seg_of(clip, tmp_path / "masks.dcm")
    np.testing.assert_array_equal(read_labels(tmp_path / "masks.dcm", clip), ids)


def test_a_tilted_stack_gets_its_masks_back(tmp_path: Path) -> None:
    clip = open_clip(series(tmp_path / "ct", orientation=tilted(20.0)))
    ids = seg_of(clip, tmp_path / "masks.dcm")
    np.testing.assert_array_equal(read_labels(tmp_path / "masks.dcm", clip), ids)
    without_references(tmp_path / "masks.dcm")
    np.testing.assert_array_equal(read_labels(tmp_path / "masks.dcm", clip), ids)


@pytest.mark.parametrize("axis", ["coronal", "sagittal"])
def test_a_clip_along_another_axis_gets_them_by_their_place(tmp_path: Path, axis: Axis) -> None:
    axial = open_clip(series(tmp_path / "ct"))
    across = open_clip(tmp_path / "ct", axis=axis)
    ids = seg_of(across, tmp_path / "masks.dcm")
    np.testing.assert_array_equal(read_labels(tmp_path / "masks.dcm", across), ids)
    assert (read_labels(tmp_path / "masks.dcm", axial) > 0).sum() == (ids > 0).sum()


def test_a_loop_without_positions_gets_them_by_frame_number(tmp_path: Path) -> None:
    clip = open_clip(write_cine(tmp_path / "us.dcm", np.zeros((5, 6, 7), np.uint8)))
    ids = seg_of(clip, tmp_path / "masks.dcm")
    np.testing.assert_array_equal(read_labels(tmp_path / "masks.dcm", clip), ids)
    other = open_clip(write_cine(tmp_path / "other.dcm", np.zeros((5, 6, 7), np.uint8)))
    with pytest.raises(InputError, match="drawn on other images"):
        read_labels(tmp_path / "masks.dcm", other)


def test_a_time_point_of_an_enhanced_object_gets_its_own(tmp_path: Path) -> None:
    origins = [place for place in stack_origins(4) for _ in range(2)]
    path = write_enhanced_mr(tmp_path / "mr.dcm", np.zeros((8, 6, 7), np.uint16), origins, [1, 2] * 4)
    clip = open_clip(path, order="depth", at=1)
    ids = seg_of(clip, tmp_path / "masks.dcm")
    np.testing.assert_array_equal(read_labels(tmp_path / "masks.dcm", clip), ids)


def test_a_copy_of_the_scan_in_another_format_gets_them_exactly_although_empty_slices_are_not_stored(
    tmp_path: Path,
) -> None:
    clip = open_clip(series(tmp_path / "ct"))
    volume = np.zeros(clip.shape, bool)
    volume[1, 2:4, 1:5] = volume[3, 1:5, 2:4] = True
    export(drawn_on(clip, {1: volume}), tmp_path / "masks.dcm")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ clip.geometry.affine_lps
    stored = np.stack(list(clip)).transpose(2, 1, 0)
    nibabel.Nifti1Image(stored.astype(np.float32), affine).to_filename(tmp_path / "copy.nii.gz")
    copy = open_clip(tmp_path / "copy.nii.gz")
    found = read_labels(tmp_path / "masks.dcm", copy)
    assert found.shape == copy.shape and set(np.unique(found)) == {0, 1}
    np.testing.assert_array_equal(found > 0, volume)


def test_a_label_map_that_is_turned_or_cropped_needs_no_resampling(tmp_path: Path) -> None:
    clip = replace(Clip.from_array(np.zeros((6, 8, 9), np.int16)), geometry=Geometry(np.diag([0.7, 0.8, 2.5, 1.0])))
    ids = np.zeros(clip.shape, np.uint8)
    ids[2:4, 3:6, 2:7] = 3
    ids[3, 4, 1] = 1
    part = ids[1:5, 2:8, 1:8]
    turned = part.transpose(2, 1, 0)[::-1]  # (x, y, frame), x backwards
    affine = np.diag([-0.7, 0.8, 2.5, 1.0])
    affine[:3, 3] = (7 * 0.7, 2 * 0.8, 1 * 2.5)
    nibabel.Nifti1Image(turned, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine).to_filename(tmp_path / "part.nii.gz")
    np.testing.assert_array_equal(read_labels(tmp_path / "part.nii.gz", clip), ids)


def test_another_grid_is_refused_until_resampling_is_asked_for(tmp_path: Path) -> None:
    clip = replace(Clip.from_array(np.zeros((6, 8, 8), np.int16)), geometry=Geometry(np.eye(4)))
    coarse = np.zeros((4, 4, 6), np.uint8)
    coarse[1:3, 1:3, 2:4] = 1
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.diag([2.0, 2.0, 1.0, 1.0])
    nibabel.Nifti1Image(coarse, affine).to_filename(tmp_path / "coarse.nii.gz")
    with pytest.raises(InputError, match=r"another grid.*--resample"):
        read_labels(tmp_path / "coarse.nii.gz", clip)
    assert read_labels(tmp_path / "coarse.nii.gz", clip, resample=True).sum() > 0


def test_where_segments_overlap_the_smaller_number_stays(tmp_path: Path) -> None:
    clip = open_clip(series(tmp_path / "ct"))
    left, right = np.zeros(clip.shape, bool), np.zeros(clip.shape, bool)
    left[2, 1:4, 1:4], right[2, 2:5, 2:6] = True, True
    export(drawn_on(clip, {1: left, 2: right}), tmp_path / "masks.dcm")
    found = read_labels(tmp_path / "masks.dcm", clip)
    np.testing.assert_array_equal(found == 1, left)
    np.testing.assert_array_equal(found == 2, right & ~left)


def test_names_codes_and_colours_come_along(tmp_path: Path) -> None:
    clip = open_clip(series(tmp_path / "ct"))
    volumes = blobs(clip.shape, np.random.default_rng(0))
    liver = Label("Liver", Code("123037004", "SCT", "Body structure"), Code("10200004", "SCT", "Liver"), (200, 30, 30))
    export(drawn_on(clip, volumes, {1: liver, 2: Label("Zunge ö")}), tmp_path / "masks.dcm")
    assert names_in(tmp_path / "masks.dcm") == {1: liver, 2: Label("Zunge ö", TISSUE, TISSUE, None)}
    nibabel.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)).to_filename(tmp_path / "map.nii.gz")
    assert names_in(tmp_path / "map.nii.gz") == {}


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_fractions_count_from_one_half_and_label_maps_are_read_too(tmp_path: Path, kind: str) -> None:
    clip = open_clip(series(tmp_path / "ct"))
    first = [pydicom.dcmread(path) for path in clip.source.files]
    pixels = np.zeros(clip.shape, np.float32 if kind == "FRACTIONAL" else np.uint8)
    pixels[1:3, 2:5, 2:6] = 1
    if kind == "FRACTIONAL":
        pixels[2, 2, 2] = 0.4
    what = highdicom.seg.SegmentDescription(
        1, "Cyst", pydicom.sr.codedict.codes.SCT.Tissue, pydicom.sr.codedict.codes.SCT.Tissue, "MANUAL"
    )
    seg = highdicom.seg.Segmentation(
        first, pixels, kind, [what], highdicom.UID(), 1, highdicom.UID(), 1, "someone", "something", "1", "1",
        max_fractional_value=200,
    )  # fmt: skip
    seg.save_as(tmp_path / "masks.dcm")
    np.testing.assert_array_equal(read_labels(tmp_path / "masks.dcm", clip), pixels >= 0.5)


def test_a_segmentation_of_another_scan_is_refused(tmp_path: Path) -> None:
    one, other = open_clip(series(tmp_path / "one")), open_clip(series(tmp_path / "other"))
    seg_of(one, tmp_path / "masks.dcm")
    for resample in (False, True):
        with pytest.raises(InputError, match="another scan"):
            read_labels(tmp_path / "masks.dcm", other, resample)


def test_a_damaged_segmentation_is_refused_in_one_sentence(tmp_path: Path) -> None:
    clip = open_clip(series(tmp_path / "ct"))
    seg_of(clip, tmp_path / "masks.dcm")
    short = same_seg(tmp_path / "masks.dcm", tmp_path / "short.dcm", PixelData=b"\0\0")
    with pytest.raises(InputError, match=r"short\.dcm cannot be laid on this scan"):
        read_labels(short, clip)
    for missing in ("SharedFunctionalGroupsSequence", "SegmentSequence"):
        bare = same_seg(tmp_path / "masks.dcm", tmp_path / "bare.dcm", **{missing: []})
        with pytest.raises(InputError, match=r"bare\.dcm .* what its frames show and where they lie"):
            read_labels(bare, clip)
    gone = same_seg(tmp_path / "masks.dcm", tmp_path / "gone.dcm")
    data = pydicom.dcmread(gone)
    del data.SegmentSequence
    data.save_as(gone)
    with pytest.raises(InputError, match=r"gone\.dcm .* cannot be read"):
        read_labels(gone, clip)


def test_segmentations_of_other_programs_are_read_as_they_mean_it(data: Path) -> None:
    folder = data / "dcmqi_seg"
    ct = open_clip(folder / "ct-3slice")
    np.testing.assert_array_equal(
        read_labels(folder / "liver.dcm", ct) > 0, read_labels(folder / "liver_seg.nrrd", ct) > 0
    )
    for name in ("23x38x3", "24x38x3"):
        for images in ("image", "multiframe"):
            clip = open_clip(folder / name / images)
            found = read_labels(folder / name / "seg" / "label.seg", clip)
            truth = read_labels(folder / name / "nrrd" / "label.nrrd", clip)
            assert found.any()
            np.testing.assert_array_equal(found > 0, truth > 0)
    assert names_in(folder / "liver.dcm")[1].name == "Liver"


@pytest.mark.parametrize(
    "kept", [(0, 1, 2, 3, 4), (1, 3), (0, 3, 4)], ids=["every slice", "one left out between", "two left out between"]
)
def test_on_a_finer_grid_each_pixel_takes_the_nearest_label_of_a_segmentation(
    tmp_path: Path, kept: tuple[int, ...]
) -> None:
    clip = open_clip(series(tmp_path / "ct"))
    volume = np.zeros(clip.shape, bool)
    volume[list(kept), 1:5, 2:6] = True
    export(drawn_on(clip, {1: volume}), tmp_path / "masks.dcm")
    fine = clip.geometry.affine_lps.copy()
    fine[:3, :3] /= 2
    copy = replace(Clip.from_array(np.zeros((9, 11, 13), np.int16)), geometry=Geometry(fine))
    with pytest.raises(InputError, match="another grid"):
        read_labels(tmp_path / "masks.dcm", copy)
    found = read_labels(tmp_path / "masks.dcm", copy, resample=True) > 0
    np.testing.assert_array_equal(found[::2, ::2, ::2], volume)
    assert found.sum() > 3 * volume.sum()
