"""DICOM-SEG: right frames, right places, right references, no error in a validator."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from napari_vost.errors import ExportError
from napari_vost.geometry import Geometry, Grid
from napari_vost.io.exporters import export
from napari_vost.types import Code, Label, Segmentation

from ..dicom_factory import (
    ramp_volume,
    stack_origins,
    tilted,
    write_cine,
    write_enhanced_mr,
    write_series,
)
from .builders import assert_same_points, blobs, labelled_points, random_affine, segmentation_of, sort_points


def assert_valid(path: Path) -> None:
    """No error of dciodvfy, where it is installed."""
    if shutil.which("dciodvfy") is None:
        return
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
    assert lines == []


def seg_points(path: Path) -> dict[int, np.ndarray]:
    """LPS mm of every labelled pixel by segment number, from the plain attributes alone."""
    data = pydicom.dcmread(path)
    pixels = data.pixel_array.reshape(-1, data.Rows, data.Columns)
    shared = data.SharedFunctionalGroupsSequence[0]
    directions = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    row_mm, column_mm = shared.PixelMeasuresSequence[0].PixelSpacing
    points: dict[int, list[np.ndarray]] = {}
    for frame, group in zip(pixels, data.PerFrameFunctionalGroupsSequence, strict=True):
        where = group if "SegmentIdentificationSequence" in group else shared
        number = int(where.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        origin = np.array(group.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        for y, x in np.argwhere(frame):
            points.setdefault(number, []).append(origin + x * column_mm * directions[:3] + y * row_mm * directions[3:])
    return {number: sort_points(np.array(found)) for number, found in points.items()}


def series_segmentation(
    folder: Path, axes=(2, 1, 0), origins=None, orientation=(1, 0, 0, 0, 1, 0), seed=0, **attributes
) -> Segmentation:
    """A series of 5 slices of 6 x 7 pixels and masks on a clip along any of its axes."""
    origins = origins or stack_origins(5)
    paths = write_series(folder, ramp_volume(5, 6, 7), origins, orientation, (0.8, 0.7), **attributes)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = np.array(orientation[:3]) * 0.7, np.array(orientation[3:]) * 0.8
    affine[:3, 2] = np.array(origins[1]) - origins[0]
    affine[:3, 3] = origins[0]
    stored = (7, 6, 5)
    grid = Grid(stored, axes, affine)
    shape = tuple(stored[axis] for axis in axes)
    segmentation = segmentation_of(blobs(shape, np.random.default_rng(seed)), grid, kind="dicom-series")
    uids = tuple(str(pydicom.dcmread(path).SOPInstanceUID) for path in paths)
    source = replace(segmentation.source, files=tuple(paths), instance_uids=uids, path=folder)
    return replace(segmentation, source=source)


def test_a_series_keeps_every_voxel_and_names_everything(tmp_path):
    segmentation = series_segmentation(tmp_path / "ct")
    labels = {
        1: Label("Liver", Code("123037004", "SCT", "Body structure"), Code("10200004", "SCT", "Liver"), (200, 30, 30)),
        2: Label("Zunge ö"),
    }
    segmentation = replace(segmentation, labels=labels, algorithm=("vost-nano", "1.2"))
    path = tmp_path / "out.dcm"
    assert export(segmentation, path, creator="Doe^Jane") == ()
    assert_valid(path)
    assert_same_points(seg_points(path), labelled_points(segmentation))
    seg = highdicom.seg.segread(path)
    assert seg.SegmentationType == "BINARY"
    assert seg.SeriesDescription == "napari-vost segmentation"
    assert seg.ContentCreatorName == "Doe^Jane"
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Liver", "Zunge ö"]
    first = seg.SegmentSequence[0]
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    assert first.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator == "SCT"
    assert first.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert first.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName == "vost-nano"
    assert first.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == "1.2"
    assert first.TrackingID and first.TrackingUID
    assert seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices == 2.5
    source = pydicom.dcmread(segmentation.source.files[0])
    assert seg.FrameOfReferenceUID == source.FrameOfReferenceUID
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID
    assert len(seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 5
    assert {item.ReferencedSOPClassUID for item in seg.SourceImageSequence} == {source.SOPClassUID}
    back = seg.get_pixels_by_source_instance(
        list(segmentation.source.instance_uids),
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )
    np.testing.assert_array_equal(back, segmentation.label_map())


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (0, 2, 1), (1, 0, 2), (2, 0, 1)])
def test_a_clip_along_another_axis_is_turned_back_to_native_slices(tmp_path, axes):
    segmentation = series_segmentation(tmp_path / "ct", axes, seed=axes[0] + 3 * axes[1])
    export(segmentation, tmp_path / "out.dcm")
    assert_valid(tmp_path / "out.dcm")
    data = pydicom.dcmread(tmp_path / "out.dcm")
    assert (data.Rows, data.Columns) == (6, 7)
    assert_same_points(seg_points(tmp_path / "out.dcm"), labelled_points(segmentation))


def test_tilt_and_a_missing_slice_keep_exact_positions(tmp_path):
    origins = [(-10.0, -20.0, 2.5 * index) for index in (0, 1, 2, 5, 6)]
    segmentation = series_segmentation(tmp_path / "ct", origins=origins, orientation=tilted(18.5))
    geometry = replace(segmentation.geometry, frame_origins_lps=np.array(origins))
    segmentation = replace(segmentation, geometry=geometry)
    assert export(segmentation, tmp_path / "out.dcm") == ()
    assert_valid(tmp_path / "out.dcm")
    assert_same_points(seg_points(tmp_path / "out.dcm"), labelled_points(segmentation))
    data = pydicom.dcmread(tmp_path / "out.dcm")
    assert "SpacingBetweenSlices" not in data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_a_clip_across_uneven_slices_goes_to_dicom_seg_only(tmp_path, suffix):
    origins = [(-10.0, -20.0, 2.5 * index) for index in (0, 1, 2, 5, 6)]
    opened = series_segmentation(tmp_path / "ct", axes=(1, 2, 0), origins=origins)
    whole = segmentation_of({1: np.ones(opened.shape, dtype=bool)}, opened.source.grid)
    segmentation = replace(whole, source=opened.source)
    with pytest.raises(ExportError, match="cuts across"):
        export(segmentation, tmp_path / f"out{suffix}")
    export(segmentation, tmp_path / "out.dcm")
    places = {round(float(point[2]), 3) for points in seg_points(tmp_path / "out.dcm").values() for point in points}
    assert places == {0.0, 2.5, 5.0, 12.5, 15.0}
    export(series_segmentation(tmp_path / "even", axes=(1, 2, 0)), tmp_path / f"even{suffix}")


def test_overlapping_objects_stay_whole_and_ids_become_numbers_without_gaps(tmp_path):
    segmentation = series_segmentation(tmp_path / "ct")
    volume = np.zeros((5, 6, 7), dtype=bool)
    volume[1:3, 2:5, 2:5] = True
    other = np.roll(volume, 1, axis=2)
    made = segmentation_of({4: volume, 7: np.zeros_like(volume), 300: other}, segmentation.source.grid)
    made = replace(made, source=segmentation.source)
    (notice,) = export(made, tmp_path / "out.dcm")
    assert notice == "Object 7 (object 7) has no pixel and was left out."
    assert_valid(tmp_path / "out.dcm")
    seg = highdicom.seg.segread(tmp_path / "out.dcm")
    assert [one.SegmentNumber for one in seg.SegmentSequence] == [1, 2]
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["object 4", "object 300"]
    back = seg.get_pixels_by_source_instance(
        list(segmentation.source.instance_uids), assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(back[..., 0], volume)
    np.testing.assert_array_equal(back[..., 1], other)
    assert int(seg.NumberOfFrames) == 4  # two slices of two objects, none of the empty ones


def test_only_empty_objects_are_refused(tmp_path):
    segmentation = series_segmentation(tmp_path / "ct")
    empty = segmentation_of({1: np.zeros((5, 6, 7), dtype=bool)}, segmentation.source.grid)
    with pytest.raises(ExportError, match="No object has a pixel"):
        export(replace(empty, source=segmentation.source), tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()


def test_a_source_that_is_gone_or_another_is_refused(tmp_path):
    segmentation = series_segmentation(tmp_path / "ct")
    other = replace(segmentation.source, instance_uids=("1.2.3",) * 5)
    with pytest.raises(ExportError, match="others than those"):
        export(replace(segmentation, source=other), tmp_path / "out.dcm")
    segmentation.source.files[2].unlink()
    with pytest.raises(ExportError, match="Cannot read the source image"):
        export(segmentation, tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()


def test_missing_headers_are_filled_in_and_a_missing_frame_of_reference_is_told(tmp_path):
    segmentation = series_segmentation(tmp_path / "ct")
    for path in segmentation.source.files:
        data = pydicom.dcmread(path)
        for name in ("PatientID", "StudyID", "AccessionNumber", "FrameOfReferenceUID", "ReferringPhysicianName"):
            delattr(data, name)
        data.SpecificCharacterSet, data.PatientName = "ISO_IR 100", "Müller^Jörg"
        with pydicom.config.disable_value_validation():
            data.StudyTime, data.StudyDate, data.PatientAge = "11:20:00", "1994.02.17", "42"
            data.PatientIdentityRemoved, data.PatientBirthDate = "YES", "unknown"
        data.save_as(path)
    (notice,) = export(segmentation, tmp_path / "out.dcm")
    assert "no frame of reference" in notice
    assert_valid(tmp_path / "out.dcm")
    data = pydicom.dcmread(tmp_path / "out.dcm")
    assert data.FrameOfReferenceUID and str(data.PatientName) == "Müller^Jörg"
    assert (data.StudyTime, data.StudyDate, data.PatientBirthDate) == ("112000", "19940217", "")
    assert_same_points(seg_points(tmp_path / "out.dcm"), labelled_points(segmentation))


def test_a_cine_of_single_images_in_one_place_is_told_apart_by_time(tmp_path):
    affine = np.diag([0.7, 0.8, 2.0, 1.0])
    affine[:3, 3] = (1.0, 2.0, 3.0)
    paths = write_series(tmp_path / "mr", ramp_volume(5, 6, 7), [(1.0, 2.0, 3.0)] * 5, modality="MR")
    grid = Grid((7, 6, 5), (2, 1, 0), affine)
    segmentation = segmentation_of(blobs((5, 6, 7), np.random.default_rng(1)), grid, "time", "dicom-series")
    uids = tuple(str(pydicom.dcmread(path).SOPInstanceUID) for path in paths)
    segmentation = replace(
        segmentation, source=replace(segmentation.source, files=tuple(paths), instance_uids=uids, path=tmp_path)
    )
    assert export(segmentation, tmp_path / "out.dcm") == ()
    assert_valid(tmp_path / "out.dcm")
    seg = highdicom.seg.segread(tmp_path / "out.dcm")
    back = seg.get_pixels_by_source_instance(list(uids), combine_segments=True, assert_missing_frames_are_empty=True)
    np.testing.assert_array_equal(back, segmentation.label_map())
    places = {
        tuple(item.PlanePositionSequence[0].ImagePositionPatient) for item in seg.PerFrameFunctionalGroupsSequence
    }
    assert places == {(1.0, 2.0, 3.0)}
    for item in seg.PerFrameFunctionalGroupsSequence:
        uid = item.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        assert item.FrameContentSequence[0].TemporalPositionIndex == uids.index(uid) + 1


def _multiframe(segmentation: Segmentation, path: Path, numbers: tuple[int, ...]) -> Segmentation:
    uid = str(pydicom.dcmread(path).SOPInstanceUID)
    source = replace(segmentation.source, path=path, files=(path,), instance_uids=(uid,), frame_numbers=numbers)
    return replace(segmentation, source=source)


def test_an_old_cine_gets_synthetic_places_and_says_so_in_file_and_words(tmp_path):
    path = write_cine(tmp_path / "us.dcm", np.zeros((5, 6, 7), dtype=np.uint8))
    grid = Grid((7, 6, 5), (2, 1, 0), np.diag([0.5, 1.0, 1.0, 1.0]))
    segmentation = segmentation_of(blobs((5, 6, 7), np.random.default_rng(5)), grid, "time", "dicom-multiframe")
    segmentation = _multiframe(segmentation, path, (1, 2, 3, 4, 5))
    (notice,) = export(segmentation, tmp_path / "out.dcm")
    assert "synthetic" in notice
    assert_valid(tmp_path / "out.dcm")
    seg = highdicom.seg.segread(tmp_path / "out.dcm")
    assert "synthetic" in seg.SeriesDescription and "synthetic" in seg.ContentDescription
    assert list(seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing) == [1.0, 0.5]
    uid = pydicom.dcmread(path).SOPInstanceUID
    back = seg.get_pixels_by_source_frame(
        uid, [1, 2, 3, 4, 5], combine_segments=True, assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(back, segmentation.label_map())
    (only,) = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert only.ReferencedSOPInstanceUID == uid
    assert only.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.3.1"
    export(segmentation, tmp_path / "again.dcm")
    assert pydicom.dcmread(tmp_path / "again.dcm").FrameOfReferenceUID == seg.FrameOfReferenceUID


def test_one_time_point_of_an_enhanced_object_references_just_its_frames(tmp_path):
    origins = [place for place in stack_origins(4) for _ in range(2)]
    path = write_enhanced_mr(tmp_path / "mr.dcm", np.zeros((8, 6, 7), dtype=np.uint16), origins, [1, 2] * 4)
    affine = np.diag([0.7, 0.8, 2.5, 1.0])
    affine[:3, 3] = origins[0]
    grid = Grid((7, 6, 4, 2), (2, 1, 0), affine, ((3, 1),))
    segmentation = segmentation_of(blobs((4, 6, 7), np.random.default_rng(3)), grid, kind="dicom-multiframe")
    segmentation = _multiframe(segmentation, path, (2, 4, 6, 8))
    assert export(segmentation, tmp_path / "out.dcm") == ()
    assert_valid(tmp_path / "out.dcm")
    assert_same_points(seg_points(tmp_path / "out.dcm"), labelled_points(segmentation))
    seg = highdicom.seg.segread(tmp_path / "out.dcm")
    uid = pydicom.dcmread(path).SOPInstanceUID
    back = seg.get_pixels_by_source_frame(
        uid, [2, 4, 6, 8], combine_segments=True, assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(back, segmentation.label_map())


@pytest.mark.parametrize("seed", range(12))
def test_a_clip_that_was_not_dicom_is_matched_to_its_reference_by_voxel_centres(tmp_path, seed):
    generator = np.random.default_rng(seed)
    reference = series_segmentation(tmp_path / "ct", orientation=_random_orientation(generator), seed=seed)
    affine, shape = reference.source.grid.affine_lps, [7, 6, 5]
    order = generator.permutation(3)  # stored axes of the other file: any order, any direction
    other = np.eye(4)
    other[:3, 3] = affine[:3, 3]
    for place, axis in enumerate(order):
        backwards = generator.random() < 0.5
        other[:3, place] = affine[:3, axis] * (-1 if backwards else 1)
        other[:3, 3] += affine[:3, axis] * (shape[axis] - 1 if backwards else 0)
    axes = tuple(int(axis) for axis in generator.permutation(3))
    stored = tuple(shape[axis] for axis in order)
    grid = Grid(stored, axes, other)
    segmentation = segmentation_of(blobs(tuple(stored[axis] for axis in axes), generator), grid, kind="nifti")
    with pytest.raises(ExportError, match="--reference DIR"):
        export(segmentation, tmp_path / "out.dcm")
    export(segmentation, tmp_path / "out.dcm", reference=tmp_path / "ct")
    assert_valid(tmp_path / "out.dcm")
    assert_same_points(seg_points(tmp_path / "out.dcm"), labelled_points(segmentation))


def _random_orientation(generator: np.random.Generator) -> tuple[float, ...]:
    matrix = random_affine(generator)[:3, :3]
    matrix = matrix / np.linalg.norm(matrix, axis=0)
    return (*np.round(matrix[:, 0], 9), *np.round(matrix[:, 1], 9))


def test_a_reference_that_does_not_match_is_refused_with_the_reason(tmp_path):
    reference = series_segmentation(tmp_path / "ct")
    moved = reference.source.grid.affine_lps.copy()
    moved[2, 3] += 0.4
    segmentation = segmentation_of(blobs((5, 6, 7), np.random.default_rng(0)), Grid((7, 6, 5), (2, 1, 0), moved))
    with pytest.raises(ExportError, match=r"0\.4 mm apart"):
        export(segmentation, tmp_path / "out.dcm", reference=tmp_path / "ct")
    small = segmentation_of(blobs((4, 6, 7), np.random.default_rng(0)))
    with pytest.raises(ExportError, match="size 7 x 6 x 4 against 7 x 6 x 5"):
        export(small, tmp_path / "out.dcm", reference=tmp_path / "ct")
    lost = replace(segmentation, geometry=Geometry(moved, oriented=False))
    with pytest.raises(ExportError, match="how the patient lies"):
        export(lost, tmp_path / "out.dcm", reference=tmp_path / "ct")
    with pytest.raises(ExportError, match="does not exist"):
        export(segmentation, tmp_path / "out.dcm", reference=tmp_path / "nowhere")
    assert not (tmp_path / "out.dcm").exists()


def test_two_series_that_fit_must_be_told_apart(tmp_path):
    reference = series_segmentation(tmp_path / "ct")
    write_series(tmp_path / "ct" / "again", ramp_volume(5, 6, 7), stack_origins(5))
    segmentation = segmentation_of(
        blobs((5, 6, 7), np.random.default_rng(0)), Grid((7, 6, 5), (2, 1, 0), reference.source.grid.affine_lps)
    )
    with pytest.raises(ExportError, match="2 series"):
        export(segmentation, tmp_path / "out.dcm", reference=tmp_path / "ct")
