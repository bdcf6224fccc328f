"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(2)


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of real images; tests that need it skip where it is not given."""
    given = os.environ.get("VOST_DATA")
    if not given or not Path(given).is_dir():
        pytest.skip("VOST_DATA names no folder of real images")
    return Path(given)
