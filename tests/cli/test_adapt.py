"""``segment --adapt``: what it says, reports, saves and refuses."""

import json
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import pytest

import napari_vost.adaptation as adaptation
from napari_vost import Session
from napari_vost.adaptation import Recipe
from napari_vost.cli.main import main
from napari_vost.model.nano import build_nano


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Words of a command that follows a ball in a small scan from one painted slice."""
    monkeypatch.setattr("napari_vost.engine.load_network", lambda *args, **kwargs: build_nano(32, seed=1))
    few = partial(Recipe, made=1, judged=1)
    monkeypatch.setattr("napari_vost.session.Recipe", lambda steps, seed: few(steps=3, seed=seed))
    y, x = np.mgrid[0:48, 0:48]
    ball = np.stack([(y - 24) ** 2 + (x - 22) ** 2 < radius**2 for radius in (5, 8, 10, 8, 5)]).astype(np.int16)
    only = np.where(np.arange(5)[:, None, None] == 2, ball, 0).astype(np.int16)
    for name, array in (("scan", ball * 100 + 20), ("label", only)):
        nibabel.save(nibabel.Nifti1Image(array.transpose(2, 1, 0), np.eye(4)), tmp_path / f"{name}.nii.gz")
    scan, label, out = (str(tmp_path / f"{name}.nii.gz") for name in ("scan", "label", "out"))
    return ["segment", scan, "--mask", label, "--out", out]


@pytest.mark.parametrize(("gain", "accepted", "words"), [(-2.0, True, ": used"), (2.0, False, "own weights are used")])
def test_the_command_line_adapts_reports_and_saves(
    scan: list[str],
    gain: float,
    accepted: bool,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(adaptation, "GAIN", gain)
    monkeypatch.setattr(adaptation, "MADE_GAIN", gain)
    monkeypatch.setattr(adaptation, "LEAK", 1.0)
    report, case = tmp_path / "report.json", tmp_path / "case.vost"
    assert main([*scan, "--adapt", "600", "--report", str(report), "--save", str(case)]) == 0
    said = json.loads(report.read_text())["adaptation"]
    assert said["accepted"] is accepted and said["frames"] == [2] and said["steps"] > 0
    assert words in capsys.readouterr().err
    assert (Session.load(case).fitted is not None) is accepted
    again = tmp_path / "again.nii.gz"
    assert main(["replay", str(case), "--again", "--out", str(again)]) == 0
    first = np.asarray(nibabel.load(tmp_path / "out.nii.gz").dataobj)
    assert np.array_equal(first, np.asarray(nibabel.load(again).dataobj))


@pytest.mark.parametrize("seconds", ["0", "-3", "nan", "inf", "soon"])
def test_the_command_line_refuses_seconds_that_make_no_sense(
    scan: list[str], seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*scan, f"--adapt={seconds}"])
    assert ended.value.code == 2
    assert "expected seconds above 0" in capsys.readouterr().err


def test_the_command_line_says_that_a_click_is_nothing_to_adapt_to(
    scan: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [scan[0], scan[1], "--point", "2,24,22", "--out", scan[-1], "--adapt", "5"]
    assert main(words) == 2
    assert "nothing to adapt to" in capsys.readouterr().err
    assert not Path(scan[-1]).exists()
