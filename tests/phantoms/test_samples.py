"""The sample data in the repository: it is what the phantoms make, and what truth.json says of it holds."""

import gzip
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest

from napari_vost.io.readers import open_clip
from napari_vost.paths import shipped

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "make_samples.py"


@pytest.fixture(scope="module")
def folder() -> Path:
    return shipped("sample_data")


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def labels(folder: Path) -> dict[str, np.ndarray]:
    return {
        "abdomen": np.asarray(nib.load(folder / "abdomen" / "labels.nii.gz").dataobj).transpose(2, 1, 0),
        "ventricle": np.load(folder / "ventricle" / "labels.npz")["labels"],
    }


def dicom_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.dcm"))


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_samples", SCRIPT)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_samples_together_stay_small(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 5_000_000


@pytest.mark.parametrize("name", ["abdomen", "ventricle"])
def test_clicks_and_boxes_fit_the_labels(name: str, truth: dict[str, Any], labels: dict[str, np.ndarray]) -> None:
    volume, entry = labels[name], truth[name]
    assert list(volume.shape) == entry["shape"]
    assert {one["object_id"] for one in entry["objects"]} == set(np.unique(volume)) - {0}
    for one in entry["objects"]:
        frame, y, x = one["click"]
        assert volume[frame, y, x] == one["object_id"], one["name"]
        rows, columns = np.nonzero(volume[one["box"][0]] == one["object_id"])
        assert one["box"][1:] == [rows.min(), columns.min(), rows.max(), columns.max()]


def test_sizes_in_the_truth_are_those_of_the_labels(truth: dict[str, Any], labels: dict[str, np.ndarray]) -> None:
    entry = truth["abdomen"]
    voxel_ml = np.prod(entry["spacing_mm_zyx"]) / 1000
    for one in entry["objects"]:
        assert one["volume_ml"] == pytest.approx((labels["abdomen"] == one["object_id"]).sum() * voxel_ml, abs=0.01)
    cavity = truth["ventricle"]["objects"][0]
    _, row, column = truth["ventricle"]["spacing_mm_zyx"]
    assert cavity["area_mm2"][3] == pytest.approx((labels["ventricle"][3] == 1).sum() * row * column, abs=0.1)


def test_series_and_nifti_hold_the_same_values_at_the_same_places(folder: Path) -> None:
    slices = sorted(
        (pydicom.dcmread(file) for file in (folder / "abdomen" / "dicom").iterdir()),
        key=lambda one: float(one.ImagePositionPatient[2]),
    )
    series = np.stack([one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in slices])
    image = nib.load(folder / "abdomen" / "abdomen.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj).transpose(2, 1, 0), series)
    first = np.array([float(value) for value in slices[0].ImagePositionPatient])
    assert np.allclose(image.affine[:3, 3] * [-1, -1, 1], first, atol=1e-4)
    assert np.allclose(np.abs(np.diag(image.affine)[:2]), [float(value) for value in slices[0].PixelSpacing])
    assert image.get_qform(coded=True)[1] == image.get_sform(coded=True)[1] == 1


def test_headers_name_no_patient_and_no_foreign_root(folder: Path) -> None:
    for file in dicom_files(folder):
        data = pydicom.dcmread(file, stop_before_pixels=True)
        assert str(data.PatientName).startswith("Phantom^") and data.PatientBirthDate == ""
        for value in (data.SOPInstanceUID, data.SeriesInstanceUID, data.StudyInstanceUID):
            assert value.startswith("2.25.") and len(value) <= 64
    uids = {pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID for file in dicom_files(folder)}
    assert len(uids) == len(dicom_files(folder))


def test_the_video_shows_the_frames_of_the_dicom_cine(folder: Path) -> None:
    av = pytest.importorskip("av")
    stored = pydicom.dcmread(folder / "ventricle" / "ventricle.dcm")
    assert float(stored.FrameTime) == pytest.approx(1000 / 30, abs=1e-3)
    with av.open(str(folder / "ventricle" / "ventricle.mp4")) as container:
        video = np.stack([frame.to_ndarray(format="rgb24")[..., 0] for frame in container.decode(video=0)])
    assert video.shape == stored.pixel_array.shape
    assert np.abs(video.astype(float) - stored.pixel_array).mean() < 4


def test_a_dicom_validator_finds_no_error(folder: Path) -> None:
    tool = shutil.which("dciodvfy")
    if tool is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is not installed")
    for file in (dicom_files(folder)[0], folder / "ventricle" / "ventricle.dcm"):
        said = subprocess.run([tool, str(file)], capture_output=True, text=True, check=False)
        assert "Error" not in said.stdout + said.stderr


@pytest.mark.slow
def test_making_the_samples_again_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    if not SCRIPT.is_file():
        pytest.skip("benchmarks/ is not part of this installation")
    pytest.importorskip("av")
    script().make(tmp_path)
    assert {one.relative_to(tmp_path) for one in tmp_path.rglob("*")} == {
        one.relative_to(folder) for one in folder.rglob("*")
    }
    for name in ("abdomen.nii.gz", "labels.nii.gz"):
        old, new = ((root / "abdomen" / name).read_bytes() for root in (folder, tmp_path))
        assert gzip.decompress(old) == gzip.decompress(new), name
    for file in dicom_files(folder):
        old_data, new_data = (pydicom.dcmread(root / file.relative_to(folder)) for root in (folder, tmp_path))
        assert np.array_equal(old_data.pixel_array, new_data.pixel_array), file.name
        for data in (old_data, new_data):
            del data.PixelData
        assert old_data == new_data, file.name
    old_labels, new_labels = (np.load(root / "ventricle" / "labels.npz") for root in (folder, tmp_path))
    assert np.array_equal(old_labels["labels"], new_labels["labels"])
    for name in ("truth.json", "README.md"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_readers_see_the_same_volume_in_both_files_and_a_timed_cine(folder: Path) -> None:
    series, nifti = (open_clip(folder / "abdomen" / name) for name in ("dicom", "abdomen.nii.gz"))
    for index in (0, 20, 59):
        assert np.array_equal(series.frame(index), nifti.frame(index))
    assert np.allclose(series.geometry.affine_lps, nifti.geometry.affine_lps, atol=1e-4)
    assert [window.name for window in series.windows] == ["ABDOMEN", "LIVER", "BONE"]
    cine = open_clip(folder / "ventricle" / "ventricle.dcm")
    assert (cine.order, cine.modality, cine.shape) == ("time", "US", (40, 256, 256))
    assert cine.frame_time_s == pytest.approx(1 / 30, abs=1e-6)
    assert cine.spacing_mm_zyx[1:] == pytest.approx((154 / 256, 154 / 256))
