"""The script behind docs/confidence.md: it does what is not done, fits, and writes constants, page and picture."""

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from napari_vost.benchmark.exams import exam_of
from napari_vost.benchmark.witness import Exam, Sample, facts_of
from napari_vost.confidence import Evidence, Signs, load_calibration
from napari_vost.phantoms.simple import moving_disc_cine
from napari_vost.testing.networks import BrightNetwork

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("confidence_script", ROOT / "benchmarks" / "confidence.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "load_network", lambda model: BrightNetwork())
    return module


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "confidence.md", tmp_path / "docs")
    return ["--out", str(tmp_path), "--docs", str(tmp_path / "docs"), "--weights", str(tmp_path)]


def answers(seed: int) -> list[Sample]:
    """Answers of every kind, good as often as their affinity says."""
    random = np.random.default_rng(seed)
    made = []
    for index in range(300):
        quality = float(random.uniform(0.02, 0.98))
        signs = Signs(quality, 0.9, 3.0, 0.8, -0.1 * index % 2) if index % 3 else None
        distance, order = (0 if index % 5 == 0 else 3), ("time" if index % 2 else "depth")
        verdict = None if distance == 0 else 4 * quality - 2
        occurrence = 10 * quality if signs else -10 * quality
        evidence = Evidence(quality, occurrence, signs, signs, distance, None, order, judged=verdict)
        made.append(Sample(evidence, float(random.random() < quality), index % 7 > 0, {"pointer": quality}))
    return made


def store(script: ModuleType, folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        (folder / f"{name}.json").write_text("\n".join(json.dumps(facts_of(one)) for one in answers(seed)))


def test_what_is_done_is_not_done_again_and_the_page_is_made_of_it(
    script: ModuleType, places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    store(script, tmp_path / "vost-nano-bright", [*script.FIT, *script.DEV])
    assert script.main(places) == 0
    assert capsys.readouterr().out == ""
    calibration = load_calibration(tmp_path, "bright")
    assert calibration is not None
    assert "affinity" in {term.name for term in calibration.sums["prompted"].terms}
    page = (tmp_path / "docs" / "confidence.md").read_text()
    assert "Weights: vost-nano bright" in page
    assert page.count("| **all answers** |") == 3
    assert page.count("| pointer |") == 1
    assert "| the judge |" in page
    assert (tmp_path / "docs" / "pictures" / "confidence.png").stat().st_size > 10_000


def test_without_all_jobs_to_fit_to_nothing_is_written(
    script: ModuleType, places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(script, tmp_path / "vost-nano-bright", ["fit-scenes"])
    assert script.main([*places, "--page"]) == 2
    assert "only ['fit-scenes'] are done" in capsys.readouterr().err
    assert load_calibration(tmp_path, "bright") is None


def test_a_job_becomes_a_file(script: ModuleType, tmp_path: Path) -> None:
    phantom = moving_disc_cine(frames=5)
    exam = Exam({1: phantom.labels == 1}, {1: 0}, range(5), "mask")
    script._run("fit-hard", iter([(phantom.clip(), exam, "kalman")]), BrightNetwork(), tmp_path)
    found = script._read(tmp_path / "fit-hard.json")
    assert [one.evidence.distance for one in found] == [1, 2, 3, 4]
    assert all(one.evidence.motion is not None and one.dice > 0.9 for one in found)


def test_structures_are_prompted_on_frames_that_show_enough_of_them() -> None:
    labels = np.zeros((10, 32, 32), np.uint8)
    labels[2:8, 4:14, 4:14] = 1
    labels[8, 4, 4] = 1  # next to nothing
    labels[:, 20, 20] = 2  # too small to be prompted anywhere
    exam = exam_of(labels, np.random.default_rng(0), "box", 3)
    assert exam is not None
    assert list(exam.truths) == [1]
    assert {*exam.extra[1], exam.prompted[1]} <= set(range(2, 8))
    assert len(exam.extra[1]) == 4
    assert exam_of(labels * 0, np.random.default_rng(0), "box", 3) is None
