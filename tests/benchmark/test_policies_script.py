"""The script behind docs/policies.md: it does what is not done, writes the page, and goes on when a plug-in breaks."""

import argparse
import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from napari_vost.testing.networks import BrightNetwork

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("policies_script", ROOT / "benchmarks" / "policies.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "load_network", lambda model, device: BrightNetwork())
    return module


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "policies.md", tmp_path / "docs")
    return ["--out", str(tmp_path / "runs"), "--docs", str(tmp_path / "docs")]


FEW = ["--only", "fifo", "copied", "--priors", "none", "--clips", "volume-end", "--seeds", "2"]


def test_runs_are_kept_one_by_one_and_not_done_again(
    script: ModuleType, places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert script.main([*places, *FEW]) == 0
    folder = tmp_path / "runs" / "vost-nano-bright" / "volume-end"
    assert {path.name for path in folder.iterdir()} == {
        "copied+none-0.json", "copied+none-1.json", "fifo+none-0.json", "fifo+none-1.json",
    }  # fmt: skip
    facts = json.loads((folder / "fifo+none-1.json").read_text())
    assert (facts["fingerprint"], facts["frames"], facts["seed"]) == ("bright", 48, 1)
    assert 0 < facts["scores"]["j_and_f"] < 1
    page = (tmp_path / "docs" / "policies.md").read_text()
    assert "| fifo | **" in page
    assert "seeds: 2;" in page
    assert (tmp_path / "docs" / "pictures" / "policies.png").stat().st_size > 5000
    (folder / "fifo+none-0.json").unlink()
    capsys.readouterr()
    assert script.main([*places, *FEW]) == 0
    assert capsys.readouterr().out.count("J&F") == 1
    assert script.main([*places, "--page"]) == 0


def test_a_try_keeps_nothing(script: ModuleType, places: list[str], tmp_path: Path) -> None:
    before = (tmp_path / "docs" / "policies.md").read_text()
    assert script.main([*places, *FEW, "--limit", "4"]) == 0
    assert not (tmp_path / "runs").exists()
    assert (tmp_path / "docs" / "policies.md").read_text() == before


def test_a_plug_in_that_breaks_stops_no_other_and_is_told(
    script: ModuleType, places: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = script.follow_hard

    def breaking(hard: object, network: object, memory: str, motion: str) -> object:
        if memory == "previous":
            raise ZeroDivisionError("a bug")
        return whole(hard, network, memory, motion)

    monkeypatch.setattr(script, "follow_hard", breaking)
    words = ["--only", "previous", "fifo", "--priors", "none", "--clips", "fast", "--seeds", "1", "--limit", "4"]
    assert script.main([*places, *words]) == 1
    told = capsys.readouterr()
    assert "a bug" in told.err
    assert "fifo+none: J&F" in told.out


def test_the_long_run_is_weighed_in_blocks(script: ModuleType, places: list[str], tmp_path: Path) -> None:
    words = ["--flat", "--flat-frames", "60", "--only", "fifo", "--priors", "none"]
    assert script.main([*places, *words]) == 0
    facts = json.loads((tmp_path / "runs" / "vost-nano-bright" / "flat" / "fifo+none.json").read_text())
    assert (len(facts["kept_bytes"]), len(facts["ms"])) == (2, 2)
    assert facts["kept_bytes"][0] == facts["kept_bytes"][1]
    assert "| fifo | none | 60 |" in (tmp_path / "docs" / "policies.md").read_text()


def test_a_star_changes_memory_or_motion_but_never_both(script: ModuleType) -> None:
    args = argparse.Namespace(only=["fifo", "tree", "copied"], priors=["none", "kalman"], star=True, flat=False)
    assert script.pairs_of(args) == [("copied", "none"), ("fifo", "none"), ("fifo", "kalman"), ("tree", "none")]
    args.star = False
    assert ("tree", "kalman") in script.pairs_of(args)


def test_an_unknown_name_is_refused_before_anything_runs(
    script: ModuleType, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main([*places, "--only", "fifoo"]) == 2
    assert "fifo" in capsys.readouterr().err
