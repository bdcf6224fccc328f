"""Values become 0 to 1."""

import numpy as np

from napari_vost.clip import Clip
from napari_vost.features.intensity import to_unit
from napari_vost.intensity import CT_WINDOWS, choose_window


def test_a_flat_scan_does_not_divide_by_zero() -> None:
    window = choose_window(Clip.from_array(np.full((2, 8, 8), 7.0), modality="MR"))
    assert np.isfinite(to_unit(np.full((8, 8), 7.0), window).numpy()).all()


def test_units_span_zero_to_one_and_keep_colour() -> None:
    unit = to_unit(np.array([[-1000, -160, 40, 240, 3000]], np.int16), CT_WINDOWS["abdomen"])
    assert unit.tolist() == [[[0.0, 0.0, 0.5, 1.0, 1.0]]]
    assert to_unit(np.zeros((4, 5, 3), np.uint8), None).shape == (3, 4, 5)
