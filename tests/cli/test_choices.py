"""``segment``: what ``auto`` chose, forecasts, and names that do not fit the clip or the network."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_vost.cli.main import main
from napari_vost.io.exporters import export
from napari_vost.io.label_files import names_in, read_labels
from napari_vost.io.readers import open_clip
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label
from tests.io.dicom_factory import ramp_volume, stack_origins, write_cine, write_series

FRAMES = 70


@pytest.fixture(autouse=True)
def _bright(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_vost.engine.load_network", lambda *args, **kwargs: BrightNetwork())


@pytest.fixture
def cine(tmp_path: Path) -> str:
    """A bright disc that drifts along x by half a pixel per frame, 25 frames per second, and has no heart rate."""
    return drift(tmp_path)


def drift(folder: Path, **attributes: object) -> str:
    rows, columns = np.mgrid[0:64, 0:64]
    stack = [((rows - 32) ** 2 + (columns - 12 - at / 2) ** 2 < 81) * 200 for at in range(FRAMES)]
    return str(write_cine(folder / "cine.dcm", np.stack(stack).astype(np.uint8), frame_time_ms=40, **attributes))


@pytest.fixture
def volume(tmp_path: Path) -> str:
    rows, columns = np.mgrid[0:64, 0:64]
    stack = np.stack([((rows - 32) ** 2 + (columns - 30) ** 2 < 81) * 200] * 6).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(stack.transpose(2, 1, 0), np.eye(4)), tmp_path / "scan.nii")
    return str(tmp_path / "scan.nii")


def segment(path: str, *words: str, at: str = "0,32,12") -> int:
    return main(["segment", path, "--point", at, "--out", str(Path(path).parent / "out") + "/", *words])


def test_what_auto_chose_is_said_with_its_reason_and_stands_in_the_report(
    cine: str, volume: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    for path, at, memory, motion in ((cine, "0,32,12", "fifo", "flow"), (volume, "3,32,30", "quality", "none")):
        assert segment(path, "--report", str(report), at=at) == 0
        said = capsys.readouterr().err
        assert f"memory {memory}: A " in said
        assert f"motion {motion}: " in said
        written = json.loads(report.read_text())
        assert (written["memory"], written["motion"]) == (memory, motion)


def test_what_the_user_named_is_not_explained(cine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert segment(cine, "--memory", "quality", "--motion", "kalman") == 0
    assert capsys.readouterr().err == ""


def test_a_forecast_goes_into_the_report(cine: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert segment(cine, "--forecast", "3", "--report", str(report)) == 0
    found = json.loads(report.read_text())["objects"]["1"]["forecast"]
    assert [one["frame"] for one in found] == [FRAMES, FRAMES + 1, FRAMES + 2]
    middle = (found[2]["box"][1] + found[2]["box"][3] - 1) / 2
    assert abs(middle - 12 - (FRAMES + 2) / 2) < 2
    assert len(found[0]["deviation_px"]) == len(found[0]["outer"]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--forecast", "3"], "give --report FILE too"),
        (["--forecast", "3", "--report", "REPORT", "--motion", "none"], "give --motion regression"),
        (["--memory", "tree"], "needs 2 or more; bright gives 1"),
        (["--memory", "qualty"], "Did you mean 'quality'"),
        (["--motion", "harmonics"], "Did you mean 'harmonic'"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_exit_code_2(
    cine: str, tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(tmp_path / "report.json") if word == "REPORT" else word for word in words]
    assert segment(cine, *words) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("napari-vost: ")]
    assert len(lines) == 1 and said in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("frames", ["0", "31", "-1", "x"])
def test_a_forecast_of_too_many_frames_or_none_is_wrong_use(
    cine: str, frames: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        segment(cine, "--report", "r.json", f"--forecast={frames}")
    assert stopped.value.code == 2
    assert "expected 1 to 30 frames" in capsys.readouterr().err


def test_a_periodic_prior_on_what_never_swings_is_noted_once(cine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert segment(cine, "--motion", "imm", "--memory", "fifo") == 0
    said = capsys.readouterr().err
    assert said.count("note: No rhythm showed in 70 frames") == 1


def test_a_periodic_prior_on_a_volume_is_noted(volume: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert segment(volume, "--motion", "harmonic", at="3,32,30") == 0
    assert "note: Motion prior 'harmonic' follows a cycle in time" in capsys.readouterr().err


def test_a_heart_rate_that_the_frames_cannot_carry_is_refused_or_gone_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = drift(tmp_path, HeartRate=900)
    assert segment(path, "--motion", "harmonic") == 2
    assert "15 Hz cannot be followed at 25 frames per second" in capsys.readouterr().err
    assert segment(path) == 0
    assert "motion regression: Frames cannot carry a cycle of 15 Hz" in capsys.readouterr().err


def test_a_label_map_without_a_pixel_is_refused(
    volume: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((64, 64, 6), np.uint8), np.eye(4)), tmp_path / "none.nii")
    out = str(tmp_path / "out.nii")
    assert main(["segment", volume, "--mask", str(tmp_path / "none.nii"), "--out", out]) == 2
    assert "holds no object" in capsys.readouterr().err


def test_a_dicom_seg_is_a_mask_and_its_names_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(tmp_path / "ct", ramp_volume(5, 32, 32), stack_origins(5))
    clip = open_clip(tmp_path / "ct")
    given, followed = tmp_path / "given.dcm", tmp_path / "followed.dcm"
    drawn = Session(clip)
    for object_id, name in ((1, "Liver"), (2, "Spleen")):
        mask = np.zeros((32, 32), np.bool_)
        mask[8 * object_id : 8 * object_id + 7, 5:25] = True
        drawn.add_mask(2, mask, object_id)
        drawn.name_object(object_id, Label(name))
    export(drawn.segmentation(), given)
    words = ["segment", str(clip.source.path), "--mask", str(given), "--name", "2=Milz", "--out", str(followed)]
    assert main([*words, "--frames", "2:3"]) == 0, capsys.readouterr().err
    assert {one.name for one in names_in(followed).values()} == {"Liver", "Milz"}
    np.testing.assert_array_equal(read_labels(followed, clip), read_labels(given, clip))
