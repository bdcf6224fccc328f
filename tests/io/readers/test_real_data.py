"""Facts about real images, each as its SOURCE.txt states them. Needs VOST_DATA; every rule has a generated twin."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.errors import ChoiceNeeded
from napari_vost.geometry import points_xyf
from napari_vost.io.readers import describe, open_clip

LOSSLESS = "1.2.1 1.2 1.2.2 1.2.1.99 1.2.5 1.2.4.57 1.2.4.70 1.2.4.80 1.2.4.90".split()
LOSSY = {"1.2.4.81": 1, "1.2.4.91": 8, "1.2.4.51": 40, "1.2.4.53": 40, "1.2.4.55": 40, "1.2.4.50": 70}


def alone(path: Path, folder: Path) -> Clip:
    """Open one file without its neighbours: copies of one slice in many encodings are no series."""
    folder.mkdir(parents=True, exist_ok=True)
    return open_clip(shutil.copy(path, folder / path.name))


def test_mr_heart_cine(data: Path) -> None:
    clip = open_clip(data / "dicom_multiframe" / "MR_heart_cine16")
    assert clip.shape == (16, 256, 256) and clip.order == "time" and clip.modality == "MR"
    assert clip.frame_time_s == pytest.approx(0.06947) and clip.geometry.letters is None
    assert not np.array_equal(clip.frame(0), clip.frame(8))


def test_oblique_t1(data: Path) -> None:
    clip = open_clip(data / "dicom_oblique_T1_subset")
    assert clip.shape == (80, 384, 274) and clip.order == "depth"
    assert clip.spacing_mm_zyx == pytest.approx((0.6667, 0.6667, 0.7), abs=2e-4)
    directions = clip.geometry.affine_lps[:3, :3] / np.array(clip.spacing_mm_zyx[::-1])
    np.testing.assert_allclose(directions[:, 0], (0.999, -0.022, 0.038), atol=1e-3)
    np.testing.assert_allclose(directions[:, 1], (0.027, 0.991, -0.128), atol=1e-3)
    assert not clip.geometry.sheared and np.linalg.det(directions) > 0


def test_gantry_tilt(data: Path) -> None:
    (one,) = describe(data / "dicom_gantry_tilt").series
    assert one.tilt_deg == pytest.approx(18.5, abs=0.05) and (one.frames, one.height, one.width) == (28, 512, 512)
    clip = open_clip(data / "dicom_gantry_tilt")
    assert clip.geometry.sheared and clip.geometry.frame_origins_lps is not None
    assert clip.spacing_mm_zyx[0] * np.cos(np.radians(18.5)) == pytest.approx(4.0, abs=0.01)
    heights = clip.geometry.frame_origins_lps[:, 2]
    assert (np.diff(heights) > 0).all() and (clip.windows[0].low, clip.windows[0].high) == (-7.5, 77.5)


def test_the_same_slice_in_many_encodings(data: Path, tmp_path: Path) -> None:
    folder = data / "dicom_transfer_syntaxes" / "cornerstone3D"
    files = {path.stem.split("_1.2.840.10008.")[-1]: path for path in folder.glob("CTImage.dcm_*")}
    reference = alone(folder / "CTImage.dcm", tmp_path / "reference").frame(0).astype(float)
    assert set(files) == {*LOSSLESS, *LOSSY} and (reference.min(), reference.max()) == (-3024, 1378)
    for uid, path in files.items():
        error = np.abs(alone(path, tmp_path / uid).frame(0) - reference).max()
        assert error <= LOSSY.get(uid, 0), uid


@pytest.mark.parametrize("name", ["CT1", "CT2", "MR1", "MR4", "US1"])
def test_nema_reference_images(data: Path, tmp_path: Path, name: str) -> None:
    folder = data / "dicom_transfer_syntaxes" / "WG04"
    reference = alone(folder / "RLE" / f"{name}_RLE", tmp_path / "RLE").frame(0).astype(float)
    for path in folder.glob(f"*/{name}_*"):
        error = np.abs(alone(path, tmp_path / path.name).frame(0) - reference).mean() / np.ptp(reference)
        lossy = path.parent.name in ("J2KI", "JLSN", "JPLY")
        assert error < 0.01 if lossy else error == 0, path.name


def test_colour_palette_and_ybr(data: Path, tmp_path: Path) -> None:
    folder = data / "dicom_transfer_syntaxes" / "cornerstone3D"
    reference = alone(folder / "TestPattern_RGB.dcm", tmp_path / "rgb").frame(0).astype(float)
    for path in folder.glob("TestPattern_*"):
        frame = alone(path, tmp_path / path.stem).frame(0)
        assert frame.shape == (400, 640, 3) and frame.dtype == np.uint8
        assert np.abs(frame - reference).mean() < 1.5, path.name
    more = folder.parent / "pydicom-data"
    palette = alone(more / "OBXXXX1A.dcm", tmp_path / "palette").frame(0)
    for name in ("OBXXXX1A_rle.dcm", "OBXXXX1A_expb.dcm", "OBXXXX1A_2frame.dcm"):
        np.testing.assert_array_equal(alone(more / name, tmp_path / name).frame(0), palette)
    interleaved, planar = (alone(more / f"color-{k}.dcm", tmp_path / k).frame(0) for k in ("px", "pl"))
    np.testing.assert_array_equal(interleaved, planar)
    assert alone(more / "HTJ2KLossless_08_RGB.dcm", tmp_path / "ht").frame(0).shape == (480, 640, 3)


def test_ultrasound_regions(data: Path, tmp_path: Path) -> None:
    path = data / "dicom_transfer_syntaxes" / "cornerstone3D" / "US-YBR_FULL_422-EVRLE.dcm"
    clip = alone(path, tmp_path)
    assert clip.spacing_mm_zyx[1:] == pytest.approx((0.0616, 0.0616), abs=1e-4) and clip.order == "time"


def test_enhanced_mr(data: Path) -> None:
    folder = data / "dicom_multiframe"
    with pytest.raises(ChoiceNeeded, match="4 time points of 6 slices"):
        open_clip(folder / "dcm_qa_enh" / "Siemens")
    volume = open_clip(folder / "dcm_qa_enh" / "Siemens", order="depth", at=3)
    assert volume.spacing_mm_zyx == pytest.approx((2.4, 3.375, 3.375), abs=1e-3) and len(volume) == 6
    assert {path.name for path in volume.source.files} == {"6_4.dcm"}
    philips = describe(folder / "dcm_qa_enh" / "Philips").series
    assert [one.frames for one in philips] == [32, 32] and philips[1].label.endswith("FIELD_MAP")
    field = open_clip(folder / "dcm_qa_enh" / "Philips", series=2)
    assert min(float(frame.min()) for frame in field) < -100
    assert [one.frames for one in describe(folder / "MR_enhanced_imageio").series] == [3, 3, 3, 3]


def test_enhanced_and_single_frame_copies_agree(data: Path) -> None:
    for name in ("23x38x3", "24x38x3"):
        folder = data / "dcmqi_seg" / name
        single, multi = open_clip(folder / "image"), open_clip(folder / "multiframe")
        np.testing.assert_allclose(single.geometry.affine_lps, multi.geometry.affine_lps, atol=1e-4)
        np.testing.assert_array_equal(np.stack(list(single)), np.stack(list(multi)))


def test_objects_without_images_are_named(data: Path) -> None:
    found = describe(data / "highdicom_seg")
    kinds = sorted(one.what for one in found.without_pixels)
    assert kinds == ["SEG"] * 6 + ["SR"] * 2 and [one.modality for one in found.series] == ["CT", "DX"]
    phantom = open_clip(data / "dicom_rtstruct_phantom")
    assert len(phantom) == 2 and any("RTSTRUCT" in notice for notice in phantom.notices)
    assert open_clip(data / "highdicom_seg" / "dx_image.dcm").frame(0).max() <= 0


def test_ct_and_its_segmentation(data: Path) -> None:
    clip = open_clip(data / "dcmqi_seg" / "ct-3slice")
    assert clip.spacing_mm_zyx == pytest.approx((1.0, 0.810547, 0.810547)) and clip.shape == (3, 512, 512)
    assert [path.name for path in clip.source.files] == ["03.dcm", "02.dcm", "01.dcm"]
    mask = open_clip(data / "dcmqi_seg" / "liver_seg.nrrd")
    np.testing.assert_allclose(mask.geometry.affine_lps, clip.geometry.affine_lps, atol=1e-3)


def test_nifti_orientations_show_the_same_voxels_at_the_same_place(data: Path) -> None:
    files = sorted((data / "nifti_orientations").glob("*.nii.gz"))
    assert len(files) == 12
    points = np.random.default_rng(0).uniform(-40, 40, (300, 3))
    seen = []
    for path in files:
        clip = open_clip(path)
        letters = clip.geometry.letters
        assert letters is not None and "".join(letters[::-1]) == path.name[:3]
        volume = np.stack(list(clip))
        x, y, frame = np.rint(points_xyf(clip.geometry.affine_lps, points)).astype(int).T
        seen.append(volume[frame, y, x].astype(int))
    assert np.std(seen[0]) > 20
    agreement = [np.mean(np.abs(one - seen[0]) <= 2) for one in seen]
    assert min(agreement) > 0.9


def test_cord_axes_run_to_posterior_superior_right(data: Path) -> None:
    path = data / "sct_cord" / "t2.nii.gz"
    clip = open_clip(path)
    assert clip.shape == (52, 55, 60) and clip.geometry.letters == ("R", "S", "P")
    axial = open_clip(path, axis="axial")
    assert axial.geometry.letters is not None and axial.geometry.letters[0] == "S" and len(axial) == 55
    stored = np.asarray(nibabel.load(path).dataobj)
    np.testing.assert_array_equal(axial.frame(20), stored[:, 20, :].T)
    mask = open_clip(data / "sct_cord" / "t2_seg-manual.nii.gz", axis="axial")
    np.testing.assert_allclose(mask.geometry.affine_lps, axial.geometry.affine_lps, atol=1e-3)


def test_cine_loops_of_the_heart(data: Path) -> None:
    folder = data / "acdc_cine4d" / "dev"
    path = folder / "patient001_4d.nii.gz"
    with pytest.raises(ChoiceNeeded, match="30 time points of 7 slices"):
        open_clip(path)
    cine, volume = open_clip(path, order="time", at=3), open_clip(path, order="depth", at=11)
    assert cine.shape == (30, 95, 100) and volume.shape == (7, 95, 100)
    assert cine.frame_times_s is None and volume.spacing_mm_zyx == pytest.approx((10, 1.5625, 1.5625))
    np.testing.assert_array_equal(cine.frame(11), volume.frame(3))
    assert describe(data / "niivue_unlabelled" / "pcasl.nii.gz").series[0].frame_time_s == pytest.approx(2.54)


def test_nrrd_with_a_flipped_row_axis(data: Path) -> None:
    clip = open_clip(data / "pyradiomics_lesions" / "brain1_image.nrrd")
    assert clip.shape == (25, 256, 256) and clip.geometry.letters == ("S", "A", "L")
    assert clip.spacing_mm_zyx == pytest.approx((6.5, 0.78125, 0.78125))
    lung = open_clip(data / "elastix_lung" / "3DCT_lung.mha")
    assert lung.shape == (129, 157, 115) and lung.spacing_mm_zyx == pytest.approx((2.5, 1.366, 1.366))


def test_natural_video_frames(data: Path) -> None:
    clip = open_clip(data / "davis16" / "dev" / "blackswan" / "frames")
    assert clip.shape == (50, 480, 854) and clip.colour and clip.order == "time"


@pytest.mark.parametrize(
    "name",
    "dcmqi_seg dicom_gantry_tilt dicom_multiframe dicom_oblique_T1_subset dicom_rtstruct_phantom "
    "dicom_transfer_syntaxes/pydicom-data elastix_lung highdicom_seg macaque_inia19 nifti_orientations "
    "niivue_unlabelled pyradiomics_lesions sct_cord totalseg_ref".split(),
)
def test_every_series_of_a_folder_opens_and_shows_a_frame(data: Path, name: str) -> None:
    found = describe(data / name)
    assert found.series
    for one in found.series:
        if one.problem:
            assert "mixes pictures of different sizes" in one.problem
            continue
        choice = {"order": "depth", "at": 0} if one.choices else {}
        clip = open_clip(data / name, series=one.number, **choice)
        assert clip.shape == (one.frames, one.height, one.width)
        assert clip.frame(one.frames // 2).shape[:2] == (one.height, one.width)
