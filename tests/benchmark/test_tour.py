"""The tour that takes the pictures of the documentation: it gets through a scan, and its pictures show something."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("napari", reason="napari is not installed")
pytestmark = [pytest.mark.gui, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
SCRIPT = ROOT / "benchmarks" / "tour.py"


# a screen of its own: what is photographed is a part of the screen, and another test's window may lie over it
SCREEN = ("xvfb-run", "-a", "-s", "-screen 0 1400x900x24") if shutil.which("xvfb-run") else ()


def tour(*words: object) -> subprocess.CompletedProcess[str]:
    command = [*SCREEN, sys.executable, str(SCRIPT), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280)


def test_a_scan_is_opened_clicked_followed_looked_at_and_exported(tmp_path: Path) -> None:
    scan = ROOT / "sample_data" / "abdomen" / "abdomen.nii.gz"
    done = tour("--data", scan, "--at", "22,153,66", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in tmp_path.iterdir()} == {"scan-click", "scan-followed", "scan-planes", "scan-export"}
    for path in tmp_path.iterdir():
        red, _, blue = np.moveaxis(np.asarray(Image.open(path).convert("RGB"), np.int16), -1, 0)
        assert (red - blue > 60).sum() > 1000, f"{path.name} shows no mask"  # the first object is orange
        assert path.stat().st_size < 200_000


def test_pictures_of_a_scan_do_not_go_into_the_documentation_by_themselves(tmp_path: Path) -> None:
    done = tour("--data", tmp_path)
    assert done.returncode == 2 and "--out" in done.stderr


def test_every_picture_of_the_documentation_is_shown_on_a_page() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {name for page in pages for name in re.findall(r"pictures/([\w-]+\.png)", page.read_text(encoding="utf-8"))}
    assert shown == {path.name for path in PICTURES.iterdir()}


def test_pictures_of_the_window_are_small() -> None:
    sizes = [path.stat().st_size for path in PICTURES.glob("window-*.png")]
    assert sizes and max(sizes) < 200_000
