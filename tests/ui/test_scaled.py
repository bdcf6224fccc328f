"""Screens on which a point is more than a pixel: the dock fits, and a click marks what is painted under it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari_vost.ui.dock import LEAST_PX
from napari_vost.ui.scene import MARKER_PX
from tests.ui.alone import start
from tests.ui.scaled import LIVER

pytestmark = [pytest.mark.gui, pytest.mark.slow]


@pytest.mark.parametrize("factor", [1.25, 2.0])
def test_on_a_scaled_screen_the_dock_fits_and_a_click_marks_what_lies_under_it(tmp_path: Path, factor: float) -> None:
    told = tmp_path / "told.json"
    window = start("tests.ui.scaled", tmp_path, told, tmp_path / "window.png", QT_SCALE_FACTOR=str(factor))
    assert window.wait(timeout=200) == 0
    found = json.loads(told.read_text(encoding="utf-8"))
    assert found["ratio"] == factor
    assert found["width"] <= LEAST_PX + 2 and found["at the start"] == [] and found["at the desk"] == []
    assert found["all of it"]
    assert found["likeness"] > 0.95  # where the hands touch is what the screen shows there
    assert found["prompt"] == pytest.approx(LIVER, abs=1) and found["mark"] == pytest.approx(LIVER, abs=1)
    assert found["mark's width"] == pytest.approx(MARKER_PX, abs=2)
    assert found["answered"] == 1
