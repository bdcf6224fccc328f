"""Fixtures of the reader tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vost_data() -> Path:
    """Folder of real images that the environment variable VOST_DATA names."""
    folder = os.environ.get("VOST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("VOST_DATA does not name the folder of real images")
    return Path(folder)
