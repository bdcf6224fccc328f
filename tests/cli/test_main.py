"""The command line: one sentence for bad input, exit code 2, nothing half-written."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from napari_vost.cli.main import main
from napari_vost.testing import BrightNetwork
from tests.io import dicom_factory as dicom


@pytest.fixture
def bright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every model name mean the network that sees bright pixels."""
    monkeypatch.setattr("napari_vost.engine.load_network", lambda *args, **kwargs: BrightNetwork())


@pytest.fixture
def ball() -> np.ndarray:
    y, x = np.mgrid[0:64, 0:64]
    radii = [0, 0, 5, 9, 12, 13, 12, 9, 5, 0, 0]
    return np.stack([200 * ((y - 30) ** 2 + (x - 34) ** 2 < radius**2) for radius in radii]).astype(np.int16)


@pytest.fixture
def nifti(ball: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(ball.transpose(2, 1, 0), np.diag([-1.0, -1.2, 2.5, 1])), path)
    return path


@pytest.fixture
def series(ball: np.ndarray, tmp_path: Path) -> Path:
    dicom.write_series(tmp_path / "ct", ball, dicom.stack_origins(len(ball)), modality="MR")
    return tmp_path / "ct"


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must be refused; return its one sentence."""
    before = capsys.readouterr()
    code = main(words)
    captured = capsys.readouterr()
    assert code == 2, captured.err
    lines = [line for line in captured.err.splitlines() if line.startswith("napari-vost: ")]
    assert len(lines) == 1
    assert "Traceback" not in captured.err
    assert captured.out == ""
    del before
    return captured.err


@pytest.mark.usefixtures("bright")
class TestSegment:
    def test_a_nifti_is_segmented_on_its_own_grid(self, nifti: Path, ball: np.ndarray, tmp_path: Path) -> None:
        out = tmp_path / "mask.nii.gz"
        assert main(["segment", str(nifti), "--point", "5,30,34", "--out", str(out)]) == 0
        mask, scan = nibabel.load(out), nibabel.load(nifti)
        assert np.array_equal(mask.affine, scan.affine)
        assert np.array_equal(np.asarray(mask.dataobj) > 0, ball.transpose(2, 1, 0) > 0)

    def test_a_series_gives_every_format_a_report_and_a_session(self, series: Path, tmp_path: Path) -> None:
        outs = [f"{tmp_path}/{name}" for name in ("a.nii.gz", "a.dcm", "a.nrrd", "png/")]
        words = [word for out in outs for word in ("--out", out)]
        report, case = tmp_path / "report.json", tmp_path / "case.vost"
        extra = ["--report", str(report), "--save", str(case), "--name", "1=Ball"]
        assert main(["segment", str(series), "--box", "5,15,20,45,50", *words, *extra]) == 0
        assert all(Path(out).exists() for out in (*outs, report, case))
        written = json.loads(report.read_text())
        assert written["objects"]["1"]["name"] == "Ball"
        assert written["objects"]["1"]["volume_ml"] > 0
        again = tmp_path / "again.nii.gz"
        assert main(["replay", str(case), "--out", str(again)]) == 0
        first, second = (np.asarray(nibabel.load(path).dataobj) for path in (outs[0], again))
        assert np.array_equal(first, second)

    def test_a_mask_of_one_frame_starts_several_objects(self, nifti: Path, ball: np.ndarray, tmp_path: Path) -> None:
        labels = (ball > 0).astype(np.uint8)
        labels[:, :30] *= 3
        path = tmp_path / "labels.nii.gz"
        nibabel.save(nibabel.Nifti1Image(labels.transpose(2, 1, 0), nibabel.load(nifti).affine), path)
        out = tmp_path / "mask.nii.gz"
        assert main(["segment", str(nifti), "--mask", f"{path}@5", "--frames", "5:6", "--out", str(out)]) == 0
        assert set(np.unique(np.asarray(nibabel.load(out).dataobj))) == {0, 1, 3}

    def test_a_mask_of_another_grid_is_refused_or_brought_over(self, nifti: Path, ball: np.ndarray, tmp_path: Path,
                                                               capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
        path, out = tmp_path / "coarse.nii.gz", tmp_path / "mask.nii.gz"
        coarse = (ball[:, ::2, ::2] > 0).astype(np.uint8)
        nibabel.save(nibabel.Nifti1Image(coarse.transpose(2, 1, 0), np.diag([-2.0, -2.4, 2.5, 1])), path)
        words = ["segment", str(nifti), "--mask", f"{path}@5", "--out", str(out)]
        assert "--resample" in refusal(capsys, *words)
        assert not out.exists()
        assert main([*words, "--resample"]) == 0

    def test_a_full_disk_is_one_sentence_and_the_masks_are_kept(
        self, nifti: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import errno

        def full(*args: Any, **kwargs: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
        monkeypatch.setattr("nibabel.save", full)
        out = tmp_path / "mask.nii.gz"
        said = refusal(capsys, "segment", str(nifti), "--point", "5,30,34", "--out", str(out))
        assert "disk is full" in said
        assert "rescued-001.vost" in said
        assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.nii.gz", "state"]
        monkeypatch.undo()

    def test_one_frame_is_segmented_though_there_is_nothing_to_follow(self, ball: np.ndarray, tmp_path: Path) -> None:
        path = tmp_path / "one.nii"
        nibabel.save(nibabel.Nifti1Image(ball[5:6].transpose(2, 1, 0), np.eye(4)), path)
        assert main(["segment", str(path), "--point", "0,30,34", "--out", str(tmp_path / "m.nii")]) == 0

    def test_nan_voxels_are_replaced_with_one_notice(
        self, ball: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        values = ball.astype(np.float32)
        values[3:6, 0, 0] = np.nan
        values[3, 1, 1] = np.inf
        path = tmp_path / "nan.nii"
        nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0), np.eye(4)), path)
        assert main(["segment", str(path), "--point", "5,30,34", "--out", str(tmp_path / "m.nii")]) == 0
        assert capsys.readouterr().err.count("NaN or infinite") == 1

    def test_a_missing_slice_is_exact_in_dicom_and_needs_a_word_for_nifti(
        self, ball: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        origins = dicom.stack_origins(len(ball))
        dicom.write_series(tmp_path / "gap", np.delete(ball, 7, axis=0), [*origins[:7], *origins[8:]], modality="MR")
        words = ["segment", str(tmp_path / "gap"), "--point", "5,30,34", "--out"]
        assert main([*words, str(tmp_path / "m.dcm")]) == 0
        assert "5" in capsys.readouterr().err
        assert "--fill-gap" in refusal(capsys, *words, str(tmp_path / "m.nii")).replace("fill_gap", "--fill-gap")
        assert main([*words, str(tmp_path / "m.nii"), "--fill-gap"]) == 0
        assert nibabel.load(tmp_path / "m.nii").shape == (64, 64, len(ball))


def _empty(path: Path) -> Path:
    (path / "empty").mkdir()
    return path / "empty"


def _texts(path: Path) -> Path:
    (path / "texts").mkdir()
    (path / "texts" / "notes.txt").write_text("no image here")
    return path / "texts"


def _truncated(path: Path) -> Path:
    files = dicom.write_series(path / "cut", dicom.ramp_volume(3), dicom.stack_origins(3))
    for file in files:
        file.write_bytes(file.read_bytes()[:-40])
    return path / "cut"


def _duplicates(path: Path) -> Path:
    dicom.write_series(path / "twice", dicom.ramp_volume(4), [(0, 0, 0), (0, 0, 1), (0, 0, 1), (0, 0, 2)])
    return path / "twice"


def _mixed(path: Path) -> Path:
    first = dicom.write_series(path / "mixed", dicom.ramp_volume(2), dicom.stack_origins(2))
    import pydicom

    uid = pydicom.dcmread(first[0]).SeriesInstanceUID
    more = dicom.write_series(path / "more", dicom.ramp_volume(2, 8, 9), dicom.stack_origins(4)[2:])
    for index, file in enumerate(more):
        data = pydicom.dcmread(file)
        data.SeriesInstanceUID = uid
        data.save_as(path / "mixed" / f"more{index}.dcm")
    return path / "mixed"


def _several(path: Path) -> Path:
    for name in ("a", "b"):
        dicom.write_series(path / "several" / name, dicom.ramp_volume(3), dicom.stack_origins(3))
    return path / "several"


def _corrupt_gzip(path: Path) -> Path:
    whole = gzip.compress(bytes(5000))
    (path / "bad.nii.gz").write_bytes(whole[: len(whole) // 2])
    return path / "bad.nii.gz"


def _four_d(path: Path) -> Path:
    nibabel.save(nibabel.Nifti1Image(np.zeros((6, 5, 4, 3), np.int16), np.eye(4)), path / "four.nii")
    return path / "four.nii"


def _undecodable(path: Path) -> Path:
    import pydicom
    from pydicom.encaps import encapsulate

    files = dicom.write_series(path / "jpip", dicom.ramp_volume(3), dicom.stack_origins(3))
    for file in files:
        data = pydicom.dcmread(file)
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.94"
        data.PixelData = encapsulate([b"\0" * 64])
        data["PixelData"].is_undefined_length = True
        data.save_as(file)
    return path / "jpip"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path / "nowhere", "nowhere"),
        (_empty, "empty"),
        (_texts, "no image"),
        (_truncated, "cut off"),
        (_duplicates, "position"),
        (_mixed, "8 x 9"),
        (_several, "--series"),
        (_corrupt_gzip, "bad.nii.gz"),
        (_four_d, "time point"),
        (_undecodable, "JPIP"),
    ],
    ids=["missing", "empty", "texts", "truncated", "duplicates", "mixed", "several", "gzip", "4D", "undecodable"],
)
def test_a_scan_that_cannot_be_read_is_refused_in_one_sentence(
    make: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    said = refusal(capsys, "segment", str(path), "--point", "0,2,2", "--out", str(out / "m.nii"))
    assert words.lower() in said.lower()
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--point", "99,2,2"], "frames 0 to 10"),
        (["--point", "5,64,2"], "outside the image"),
        (["--point", "5,2"], "F,Y,X"),
        (["--point", "5,a,2"], "numbers"),
        (["--point", "5.5,2,2"], "whole number"),
        (["--box", "5,1,1,200,9"], "outside the image"),
        (["--mask", "missing.nii@5"], "missing.nii"),
        ([], "--point"),
        (["--point", "5,3,3", "--model", "vost-nanno"], "Did you mean 'vost-nano'"),
        (["--point", "5,3,3", "--device", "cudda"], "cpu"),
        (["--point", "5,3,3", "--memory", "fiffo"], "Did you mean 'fifo'"),
        (["--point", "5,3,3", "--motion", "nonne"], "Did you mean 'none'"),
        (["--point", "5,3,3", "--adapter", "lora"], "adapter"),
        (["--point", "5,3,3", "--window", "livver"], "Did you mean 'liver'"),
        (["--point", "5,3,3", "--name", "Liver"], "ID=NAME"),
        (["--point", "5,3,3", "--out", "x.xyz"], ".nii.gz"),
        (["--point", "5,3,3", "--out", "missing/x.nii"], "does not exist"),
        (["--point", "5,3,3", "--out", "x.dcm"], "--reference"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_computed(
    nifti: Path, extra: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    said = refusal(capsys, "segment", str(nifti), "--out", "m.nii", *extra)
    assert words in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.nii.gz"]


@pytest.mark.parametrize("command", ["segment", "info", "replay", "demo", "models", "eval", "bench", "train"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: napari-vost " + command in capsys.readouterr().out


def test_info_says_what_the_reader_sees_and_json_says_the_same(
    series: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(series)]) == 0
    text = capsys.readouterr().out
    assert "11 x 64 x 64" in text
    assert "axes SPL" in text
    assert main(["info", str(series), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["series"][0]["frames"] == 11


def test_an_error_of_ours_is_one_sentence_with_exit_code_1(
    nifti: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("napari_vost.io.readers.describe", broken)
    assert main(["info", str(nifti)]) == 1
    said = capsys.readouterr().err
    assert "--debug" in said
    assert "Traceback" not in said
    with pytest.raises(RuntimeError):
        main(["info", str(nifti), "--debug"])


@pytest.mark.usefixtures("bright")
def test_a_read_only_target_is_refused_before_the_run(
    nifti: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    real = os.access
    folder = tmp_path / "locked"
    folder.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False if Path(path) == folder else real(path, mode))
    said = refusal(capsys, "segment", str(nifti), "--point", "5,30,34", "--out", str(folder / "m.nii"))
    assert "read-only" in said
    shutil.rmtree(folder)
