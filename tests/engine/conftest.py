"""A tiny network and a tiny clip for tests of the engine."""

from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.model.network import Sam2Network
from napari_vost.testing import tiny_sam2_model


@pytest.fixture(scope="session")
def tiny_model() -> Any:
    return tiny_sam2_model()


@pytest.fixture(scope="session")
def tiny_network(tiny_model: Any) -> Sam2Network:
    return Sam2Network(tiny_model, "tiny")


@pytest.fixture
def cine() -> Clip:
    """Twelve grey frames (96 x 80) with a bright disc that moves right."""
    y, x = np.mgrid[0:96, 0:80]
    frames = [((y - 48) ** 2 + (x - 30 - t) ** 2 < 150) * 150 + 40 + (x + y) // 4 for t in range(12)]
    return Clip.from_array(np.stack(frames).astype(np.uint8), order="time")
