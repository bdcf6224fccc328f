"""Fixtures that all tests share."""

import os
from pathlib import Path
from statistics import median

import pytest
import torch

torch.set_num_threads(1)

PACKAGE = Path(__file__).resolve().parent.parent / "napari_vost"


def pytest_report_header() -> str:
    """Say how long the package's files are, an aim rather than a rule (median 150), and which real data tests see."""
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")]
    where = os.environ.get("VOST_DATA") or "not set, tests on real images are skipped"
    return f"napari_vost: {len(lengths)} files, median {median(lengths):.0f} lines\nVOST_DATA: {where}"


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of real images; tests that need it skip where it is not given."""
    given = os.environ.get("VOST_DATA")
    if not given or not Path(given).is_dir():
        pytest.skip("VOST_DATA names no folder of real images")
    return Path(given)
