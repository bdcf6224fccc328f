"""Real scans, opened by the readers: what is written lies where the scan lies, as other programs read it.

The same on generated files is in test_nifti.py, test_itk.py and test_dicom_seg.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pytest
import SimpleITK

from napari_vost.clip import Clip
from napari_vost.errors import ExportError
from napari_vost.geometry import lps_from_ras
from napari_vost.io.exporters import export
from napari_vost.io.readers import open_clip
from napari_vost.masks import PackedMask
from napari_vost.types import Label, Segmentation

from .builders import assert_same_points, labelled_points, points_of_map
from .test_dicom_seg import seg_points

pytestmark = pytest.mark.skipif("VOST_DATA" not in os.environ, reason="VOST_DATA is not set")
DATA = Path(os.environ.get("VOST_DATA", ""))
OBLIQUE, TILTED = "dicom_oblique_T1_subset", "dicom_gantry_tilt"
ENHANCED = "dicom_multiframe/MR_enhanced_imageio"
HEART = "dicom_multiframe/MR_heart_cine16"


def _masks(clip: Clip) -> Segmentation:
    """Two lopsided objects that change from frame to frame; the first frame stays empty where there are several."""
    frames, height, width = clip.shape
    masks: dict[int, dict[int, PackedMask]] = {1: {}, 4: {}}
    for frame in range(1 if frames > 2 else 0, frames):
        first, second = np.zeros((2, height, width), dtype=bool)
        first[height // 4 : height // 4 + 5, width // 5 : width // 5 + 3 + frame % 4] = True
        second[height // 2 : height // 2 + 4 + frame % 3, width // 2 : width // 2 + 6] = True
        masks[1][frame], masks[4][frame] = PackedMask.pack(first), PackedMask.pack(second)
    labels = {1: Label("first"), 4: Label("second")}
    return Segmentation(clip.shape, masks, labels, clip.order, clip.geometry, clip.source, clip.frame_times_s)


def _renumbered(points: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    return {segment: points[number] for segment, number in enumerate(sorted(points), start=1)}


# What references cannot mend: the heart cine has UIDs of no valid root, and 16 frames in a class of single images.
OF_THE_SOURCE = ("Illegal root for UID", "Shall not be present for Referenced SOP Class that is not multi-frame")


def _errors(path: Path, of_the_source: tuple[str, ...] = ()) -> list[str]:
    """Errors of dciodvfy, but for what a reference must repeat of its source."""
    if shutil.which("dciodvfy") is None:
        return []
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if line.startswith("Error") and not any(words in line for words in of_the_source)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (OBLIQUE, {}),
        (OBLIQUE, {"axis": "axial"}),
        (OBLIQUE, {"axis": 2}),
        (TILTED, {}),
        ("dcmqi_seg/ct-3slice", {}),
        ("dcmqi_seg/24x38x3/multiframe", {}),
        (ENHANCED, {"series": 1}),
        ("dicom_multiframe/dcm_qa_enh/Philips", {"series": 2}),
        ("dicom_multiframe/dcm_qa_enh/Siemens", {"order": "depth", "at": 2}),
    ],
)
def test_dicom_seg_keeps_every_labelled_voxel_in_place(tmp_path, name, options):
    segmentation = _masks(open_clip(DATA / name, **options))
    assert export(segmentation, tmp_path / "out.dcm") == ()
    assert _errors(tmp_path / "out.dcm") == []
    assert_same_points(seg_points(tmp_path / "out.dcm"), _renumbered(labelled_points(segmentation)), 0.01)


def test_the_seg_of_a_series_comes_back_by_source_instance(tmp_path):
    segmentation = _masks(open_clip(DATA / TILTED))
    export(segmentation, tmp_path / "out.dcm")
    seg = highdicom.seg.segread(tmp_path / "out.dcm")
    back = seg.get_pixels_by_source_instance(
        list(segmentation.source.instance_uids), assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(back[..., 0], segmentation.volume(1))
    np.testing.assert_array_equal(back[..., 1], segmentation.volume(4))


@pytest.mark.parametrize(
    ("name", "options", "notices"),
    [(HEART, {}, 1), ("dicom_multiframe/dcm_qa_enh/Siemens", {"order": "time", "at": 3}, 0)],
)
def test_the_seg_of_a_cine_comes_back_by_source_frame(tmp_path, name, options, notices):
    segmentation = _masks(open_clip(DATA / name, **options))
    said = export(segmentation, tmp_path / "out.dcm")
    assert len(said) == notices and all("synthetic" in notice for notice in said)
    assert _errors(tmp_path / "out.dcm", OF_THE_SOURCE if name == HEART else ()) == []
    seg = highdicom.seg.segread(tmp_path / "out.dcm")
    assert ("synthetic" in seg.SeriesDescription) == bool(notices)
    source = segmentation.source
    found = {1: np.zeros(segmentation.shape, bool), 2: np.zeros(segmentation.shape, bool)}
    for pixels, group in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence, strict=True):
        item = group.DerivationImageSequence[0].SourceImageSequence[0]
        uids = source.instance_uids * (1 if len(source.instance_uids) > 1 else segmentation.shape[0])
        where = list(zip(uids, source.frame_numbers, strict=True))
        frame = where.index((item.ReferencedSOPInstanceUID, item.ReferencedFrameNumber))
        found[group.SegmentIdentificationSequence[0].ReferencedSegmentNumber][frame] = pixels
    np.testing.assert_array_equal(found[1], segmentation.volume(1))
    np.testing.assert_array_equal(found[2], segmentation.volume(4))


@pytest.mark.parametrize(
    ("name", "options"),
    [(OBLIQUE, {}), (OBLIQUE, {"axis": "coronal"}), (ENHANCED, {"series": 2}), ("dcmqi_seg/ct-3slice", {})],
)
def test_nibabel_and_simpleitk_agree_on_every_labelled_voxel(tmp_path, name, options):
    segmentation = _masks(open_clip(DATA / name, **options))
    truth = labelled_points(segmentation)
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        path = tmp_path / f"out{suffix}"
        assert export(segmentation, path) == ()
        image = SimpleITK.ReadImage(str(path))
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
        affine[:3, 3] = image.GetOrigin()
        assert_same_points(points_of_map(SimpleITK.GetArrayFromImage(image).T, affine), truth, 0.01)
    image = nibabel.load(tmp_path / "out.nii.gz")
    assert_same_points(points_of_map(np.asarray(image.dataobj), lps_from_ras(image.affine)), truth, 0.01)


def test_the_tilted_head_has_two_spacings_and_nifti_only_resampled_with_an_sform(tmp_path):
    segmentation = _masks(open_clip(DATA / TILTED))
    with pytest.raises(ExportError, match="no regular grid"):
        export(segmentation, tmp_path / "out.nii.gz", fill_gap=True)
    resampled, tilted = export(segmentation, tmp_path / "out.nii.gz", resample=True)
    assert "37 even ones" in resampled and "18.5 degrees" in tilted
    image = nibabel.load(tmp_path / "out.nii.gz")
    assert (image.header["qform_code"], image.header["sform_code"]) == (0, 1)
    labels, affine = np.asarray(image.dataobj), lps_from_ras(image.affine)
    origins = segmentation.geometry.frame_origins_lps
    for index in range(labels.shape[2]):  # every slice is that of the nearest source slice
        nearest = np.linalg.norm(origins - (affine[:3, 3] + index * affine[:3, 2]), axis=1).argmin()
        np.testing.assert_array_equal(labels[:, :, index].T == 4, segmentation.mask(4, int(nearest)))
    with pytest.raises(ExportError, match="tilted"):
        export(segmentation, tmp_path / "out.nrrd", resample=True)


@pytest.mark.parametrize("options", [{"order": "depth", "at": 3}, {"order": "time", "at": 2}])
def test_a_4d_heart_comes_back_on_its_own_grid(tmp_path, options):
    source = sorted((DATA / "acdc_cine4d" / "dev").rglob("*.nii*"))
    source = [path for path in source if len(nibabel.load(path).shape) == 4]
    segmentation = _masks(open_clip(source[0], **options))
    export(segmentation, tmp_path / "out.nii.gz")
    old, new = nibabel.load(source[0]), nibabel.load(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(new.affine, old.affine)
    assert new.shape == (old.shape if options["order"] == "time" else old.shape[:3])
    labels = np.asarray(new.dataobj)
    back = labels[:, :, options["at"]].transpose(2, 1, 0) if options["order"] == "time" else labels.transpose(2, 1, 0)
    np.testing.assert_array_equal(back, segmentation.label_map())
    assert (labels > 0).sum() == (back > 0).sum()


def test_a_nifti_of_a_dicom_series_finds_its_way_back_to_it(tmp_path):
    scan = open_clip(DATA / OBLIQUE)
    affine = lps_from_ras(scan.source.grid.affine_lps)
    volume = np.stack(list(scan)).transpose(2, 1, 0)
    flipped = volume[::-1, :, ::-1]  # as converters do
    moved = affine.copy()
    moved[:3, 3] += affine[:3, 0] * (volume.shape[0] - 1) + affine[:3, 2] * (volume.shape[2] - 1)
    moved[:3, [0, 2]] *= -1
    nibabel.save(nibabel.Nifti1Image(flipped.astype(np.int16), moved), tmp_path / "scan.nii")
    segmentation = _masks(open_clip(tmp_path / "scan.nii", axis=1))
    export(segmentation, tmp_path / "out.dcm", reference=DATA / OBLIQUE)
    assert _errors(tmp_path / "out.dcm") == []
    assert_same_points(seg_points(tmp_path / "out.dcm"), _renumbered(labelled_points(segmentation)), 0.01)
    with pytest.raises(ExportError, match="No series in"):
        export(segmentation, tmp_path / "no.dcm", reference=DATA / TILTED)
