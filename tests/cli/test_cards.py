"""``segment --save-card`` and ``--card``: one scan teaches the next."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_vost.cli.main import main
from napari_vost.testing.networks import BrightNetwork


def ball(folder: Path, name: str, x: int) -> str:
    """A bright ball in a small dark scan, and its label on the middle slice."""
    rows, columns = np.mgrid[0:48, 0:48]
    inside = np.stack([(rows - 24) ** 2 + (columns - x) ** 2 < radius**2 for radius in (5, 8, 10, 8, 5)])
    only = np.where(np.arange(5)[:, None, None] == 2, inside, False)
    for part, array in ((name, inside * 100 + 20), (f"{name}-label", only)):
        nibabel.save(nibabel.Nifti1Image(array.astype(np.int16).transpose(2, 1, 0), np.eye(4)), folder / f"{part}.nii")
    return str(folder / f"{name}.nii")


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("napari_vost.engine.load_network", lambda *args, **kwargs: BrightNetwork())
    scan, card = ball(tmp_path, "first", 22), str(tmp_path / "ball.card")
    words = ["segment", scan, "--mask", str(tmp_path / "first-label.nii"), "--name", "1=Ball", "--save-card", card]
    assert main([*words, "--out", str(tmp_path / "first-out.nii")]) == 0
    return card


@pytest.mark.parametrize("at", ["", "@2"])
def test_the_next_scan_needs_no_prompt(card: str, at: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan, out = ball(tmp_path, "second", 30), tmp_path / "out.nii"
    assert main(["segment", scan, "--card", card + at, "--out", str(out)]) == 0
    assert "object 1: Ball found on frame 2" in capsys.readouterr().err
    found, truth = (np.asarray(nibabel.load(path).dataobj) for path in (out, scan))
    np.testing.assert_array_equal(found == 1, truth > 50)


def test_a_card_outside_the_frames_asked_for_is_refused(
    card: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = ball(tmp_path, "second", 30)
    assert main(["segment", scan, "--card", card + "@2", "--frames", "3:5", "--out", str(tmp_path / "out.nii")]) == 2
    assert "outside --frames 3:5" in capsys.readouterr().err
    assert not (tmp_path / "out.nii").exists()


def test_a_card_is_never_written_over_what_is_read(
    card: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan, before = ball(tmp_path, "second", 30), Path(card).read_bytes()
    assert main(["segment", scan, "--card", card, "--save-card", card, "--out", str(tmp_path / "out.nii")]) == 2
    assert Path(card).read_bytes() == before
