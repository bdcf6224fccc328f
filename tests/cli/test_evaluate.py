"""``napari-vost eval``."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_vost.benchmark import quality
from napari_vost.cli.main import main
from napari_vost.model.network import Sam2Network
from napari_vost.testing import tiny_sam2_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One ACDC volume; every model's name loads the tiny network."""
    label = np.zeros((5, 32, 32), dtype=np.uint8)
    label[1:4, 10:20, 10:20] = 3
    (tmp_path / "dev").mkdir()
    np.savez(tmp_path / "dev" / "patient001_frame01.npz", image=label.astype(np.uint16) * 9000, label=label)
    monkeypatch.setattr(quality, "load_network", lambda *given: Sam2Network(tiny_sam2_model(), "tiny"))
    return tmp_path / "dev"


def words(folder: Path, out: Path, **changed: str) -> list[str]:
    given = {"layout": "acdc", "prompt": "mask", "out": str(out), **changed}
    return ["eval", str(folder), *(word for name, value in given.items() for word in (f"--{name}", value))]


def test_the_table_is_written_and_shown(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table.json"
    assert main(words(folder, out)) == 0
    facts = json.loads(out.read_text())
    assert facts["folder"] == f"{tmp_path.name}/dev"
    assert (facts["layout"], facts["prompt"], facts["model"]) == ("acdc", "mask", "tiny")
    assert facts["structures"]["LV"]["copied"]["frames"]["mean"] == 1.0
    shown = capsys.readouterr().out
    assert "LV" in shown
    assert str(out) in shown
    assert str(tmp_path) not in out.read_text()  # no path of this machine


def test_clicks_add_a_table_of_corrections(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table.json"
    assert main(words(folder, out, clicks="2")) == 0
    facts = json.loads(out.read_text())
    assert facts["clicks"] == 2
    assert len(facts["structures"]["LV"]["corrections"]["after"]) == 2
    assert len(facts["cases"][0]["corrected"]) == 2
    assert "after simulated corrections" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"layout": "acdx"}, "Unknown layout 'acdx': choose one of"),
        ({"memory": "fito"}, "Unknown memory policy 'fito'"),
        ({"limit": "0"}, "limit must be at least 1"),
        ({"clicks": "-1"}, "clicks must be 0 or more"),
    ],
)
def test_wrong_use_is_one_sentence_and_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, str], sentence: str
) -> None:
    out = tmp_path / "table.json"
    assert main(words(folder, out, **changed)) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert sentence in said[0]
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: object) -> None:
        raise AssertionError("ran")

    monkeypatch.setattr(quality, "evaluate", never)
    assert main(words(folder, tmp_path / "table.csv")) == 2
    assert main(words(folder, tmp_path / "missing" / "table.json")) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert "ends in .json" in said[0]
    assert "create it first" in said[1]


def test_a_folder_of_another_layout_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(folder, tmp_path / "t.json", layout="davis16")) == 2
    assert "give another folder or layout" in capsys.readouterr().err
