"""A tiny network, and the generated folders of the layouts."""

from typing import Any

import pytest

from napari_vost.model.network import Sam2Network
from napari_vost.testing import tiny_sam2_model
from tests.datasets.conftest import acdc, acdc_cine, ct_lesion, davis16, hippocampus

__all__ = ["acdc", "acdc_cine", "ct_lesion", "davis16", "hippocampus"]


@pytest.fixture(scope="session")
def tiny_model() -> Any:
    return tiny_sam2_model()


@pytest.fixture(scope="session")
def tiny_network(tiny_model: Any) -> Sam2Network:
    return Sam2Network(tiny_model, "tiny")
