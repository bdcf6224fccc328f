"""Small folders in the published layouts, with structures whose places are known."""

from pathlib import Path

import pytest

from tests.datasets import folders


@pytest.fixture
def acdc(tmp_path: Path) -> Path:
    return folders.acdc(tmp_path)


@pytest.fixture
def acdc_cine(tmp_path: Path) -> Path:
    return folders.acdc_cine(tmp_path)


@pytest.fixture
def hippocampus(tmp_path: Path) -> Path:
    return folders.hippocampus(tmp_path)


@pytest.fixture
def ct_lesion(tmp_path: Path) -> Path:
    return folders.ct_lesion(tmp_path)


@pytest.fixture
def davis16(tmp_path: Path) -> Path:
    return folders.davis16(tmp_path)
