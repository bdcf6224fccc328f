"""The whole path on real input with the shipped network: segment, export, read back elsewhere, same voxels."""

import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

from napari_vost import open_clip
from napari_vost.cli.main import main
from napari_vost.geometry import lps_from_ras

pytestmark = pytest.mark.slow


def _segment(path: Path, *words: str) -> None:
    assert main(["segment", str(path), *words]) == 0


def _voxels_lps(path: Path) -> np.ndarray:
    """Centres of all labelled voxels of a NIfTI, LPS millimetres, as nibabel reads it."""
    image = nibabel.load(path)
    index = np.argwhere(np.asarray(image.dataobj) > 0)[:, :3].astype(float)
    affine = lps_from_ras(image.affine)
    return index @ affine[:3, :3].T + affine[:3, 3]


def _itk_voxels_lps(path: Path) -> np.ndarray:
    image = SimpleITK.ReadImage(str(path))
    index = np.argwhere(SimpleITK.GetArrayFromImage(image) > 0)[:, ::-1].astype(float)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    return index * np.array(image.GetSpacing()) @ direction.T + np.array(image.GetOrigin())


def _seg_voxels_lps(path: Path) -> np.ndarray:
    """Centres of all labelled pixels of a DICOM-SEG, from the plane position of every frame."""
    seg = pydicom.dcmread(path)
    shared = seg.SharedFunctionalGroupsSequence[0]
    spacing = [float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing]
    points = []
    for groups, plane in zip(seg.PerFrameFunctionalGroupsSequence, np.atleast_3d(seg.pixel_array), strict=True):
        holder = groups if "PlaneOrientationSequence" in groups else shared
        cosines = np.array(holder.PlaneOrientationSequence[0].ImageOrientationPatient, float)
        origin = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        y, x = np.nonzero(plane)
        points.append(origin + np.outer(x * spacing[1], cosines[:3]) + np.outer(y * spacing[0], cosines[3:]))
    return np.concatenate(points)


def _same(first: np.ndarray, second: np.ndarray, tolerance_mm: float = 0.02) -> None:
    """Both sets hold the same points, in whatever order."""
    from scipy.spatial import cKDTree

    assert len(first) == len(second) > 100
    assert cKDTree(second).query(first)[0].max() < tolerance_mm
    assert cKDTree(first).query(second)[0].max() < tolerance_mm


def _no_errors(path: Path, excused: tuple[str, ...] = ()) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    found = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    errors = [line for line in found.stderr.splitlines() if line.startswith("Error")]
    assert [line for line in errors if not any(word in line for word in excused)] == []


def test_oblique_t1_gives_the_same_voxels_in_nibabel_simpleitk_and_dicom_seg(data: Path, tmp_path: Path) -> None:
    nifti, seg = tmp_path / "m.nii.gz", tmp_path / "m.dcm"
    _segment(data / "dicom_oblique_T1_subset", "--box", "40,100,60,250,200", "--out", str(nifti), "--out", str(seg))
    _same(_voxels_lps(nifti), _itk_voxels_lps(nifti))
    _same(_voxels_lps(nifti), _seg_voxels_lps(seg))
    _no_errors(seg)


def test_gantry_tilt_is_exact_in_dicom_seg_and_needs_a_word_for_nifti(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = data / "dicom_gantry_tilt"
    seg, nifti = tmp_path / "m.dcm", tmp_path / "m.nii.gz"
    words = ["--box", "14,150,150,350,350", "--window", "brain", "--out"]
    _segment(scan, *words, str(seg))
    clip = open_clip(scan)
    points = _seg_voxels_lps(seg)
    origins = np.stack([clip.geometry.frame_origin(index) for index in range(len(clip))])
    normal = np.cross(clip.geometry.affine_lps[:3, 0], clip.geometry.affine_lps[:3, 1])
    normal /= np.linalg.norm(normal)
    distance = np.abs((points @ normal)[:, None] - (origins @ normal)[None]).min(axis=1)
    assert distance.max() < 0.01
    _no_errors(seg)
    assert main(["segment", str(scan), *words, str(nifti)]) == 2
    assert "--resample" in capsys.readouterr().err.replace("resample=True", "--resample")
    _segment(scan, *words, str(nifti), "--resample")
    assert nibabel.load(nifti).header["qform_code"] == 0
    with pytest.raises(RuntimeError):
        SimpleITK.ReadImage(str(nifti))


def test_a_heart_cine_without_positions_refers_to_its_own_frames(data: Path, tmp_path: Path) -> None:
    seg, nifti = tmp_path / "m.dcm", tmp_path / "m.nii.gz"
    scan = data / "dicom_multiframe" / "MR_heart_cine16"
    _segment(scan, "--box", "0,100,100,150,150", "--out", str(seg), "--out", str(nifti))
    assert nibabel.load(nifti).shape == (256, 256, 1, 16)
    read = pydicom.dcmread(seg)
    assert "synthetic" in str(read.get("ContentDescription", "")) + str(read.get("SeriesDescription", ""))
    _no_errors(seg, ("Invalid Value Representation", "UID", "multi-frame", "Single-frame"))


@pytest.mark.parametrize(("order", "at", "box"), [("depth", "0", "3,30,30,60,60"), ("time", "3", "0,30,30,60,60")])
def test_one_time_point_and_one_slice_of_a_4d_loop_stay_on_its_grid(
    data: Path, tmp_path: Path, order: str, at: str, box: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = sorted((data / "acdc_cine4d" / "dev").glob("*_4d.nii.gz"))[0]
    out = tmp_path / "m.nii.gz"
    _segment(scan, "--order", order, "--at", at, "--box", box, "--out", str(out))
    mask, source = nibabel.load(out), nibabel.load(scan)
    assert mask.shape == (source.shape[:3] if order == "depth" else source.shape)
    assert np.allclose(mask.affine, source.affine)
    labelled = np.argwhere(np.asarray(mask.dataobj) > 0)
    assert len(labelled) > 100
    if order == "time":
        assert set(labelled[:, 2]) == {3}
    assert (
        main(["segment", str(scan), "--order", order, "--at", at, "--box", box, "--out", str(tmp_path / "m.dcm")]) == 2
    )
    assert "--reference" in capsys.readouterr().err


def test_a_video_of_real_frames_is_followed_and_refused_as_dicom(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    av = pytest.importorskip("av")
    from PIL import Image

    frames = sorted((data / "davis16" / "dev").glob("blackswan/frames/*.jpg"))[:12]
    assert frames
    video = tmp_path / "swan.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 854, 480, "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.asarray(Image.open(frame).convert("RGB")), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    out = tmp_path / "m.nii.gz"
    _segment(video, "--box", "0,110,170,420,600", "--out", str(out))
    assert nibabel.load(out).shape == (854, 480, 1, 12)
    assert (np.asarray(nibabel.load(out).dataobj) > 0).any(axis=(0, 1, 2)).all()
    assert main(["segment", str(video), "--box", "0,110,170,420,600", "--out", str(tmp_path / "m.dcm")]) == 2
    assert "--reference" in capsys.readouterr().err
