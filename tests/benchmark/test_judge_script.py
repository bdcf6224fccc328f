"""The script behind the judge: it gathers what is not there, teaches, and puts the judge beside the weights."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from napari_vost.benchmark.witness import Exam
from napari_vost.clip import Clip
from napari_vost.model.judge import JudgeNetwork, Panel, load_panel
from napari_vost.model.nano import NanoNetwork
from napari_vost.phantoms.simple import moving_disc_cine

ROOT = Path(__file__).resolve().parents[2]


def exams(pack: Path) -> Iterator[tuple[Clip, Exam, str]]:
    phantom = moving_disc_cine(frames=5)
    yield phantom.clip(), Exam({1: phantom.labels == 1}, {1: 2}, range(5), "mask"), "none"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("judge_script", ROOT / "benchmarks" / "judge.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    network = NanoNetwork(64).eval()
    monkeypatch.setattr(module, "load_nano", lambda folder: network)
    monkeypatch.setattr(module, "JOBS", {"one": (exams, None), "two": (exams, 2)})
    monkeypatch.setattr(module, "SOURCES", (("one",), ("two",)))
    return module


def test_it_gathers_once_and_teaches(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", str(tmp_path / "runs"), "--weights", str(tmp_path), "--epochs", "1"]
    assert script.main([*words, "--gather"]) == 0
    assert capsys.readouterr().out.count("answers") == 2
    assert not (tmp_path / "judge.safetensors").exists()
    assert script.main(words) == 0
    said = capsys.readouterr().out
    assert "answers" not in said
    assert said.count("epoch 1 of 1") == script.MEMBERS
    network = script.load_nano(tmp_path)
    assert load_panel(tmp_path, network.fingerprint) is not None


def test_without_anything_gathered_it_says_so(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--teach", "--out", str(tmp_path), "--weights", str(tmp_path)]) == 2
    assert "Nothing was gathered" in capsys.readouterr().err


def test_what_it_costs_is_measured_with_and_without_it(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "TURNS", 1)
    assert script.main(["--cost"]) == 2
    assert "have no judge" in capsys.readouterr().err
    script.load_nano(tmp_path).calibrate(None, Panel([JudgeNetwork()]).eval())
    assert script.main(["--cost"]) == 0
    assert "with the judge" in capsys.readouterr().out
    assert script.load_nano(tmp_path).traits.judge is not None
