"""Windows to choose from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_vost.clip import Clip, Window
from napari_vost.display.windows import presets

ORGANS = ["Abdomen", "Lung", "Bone", "Brain", "Liver", "Mediastinum"]


def names(clip: Clip) -> list[str]:
    return [window.name for window in presets(clip)]


def test_a_ct_offers_its_own_windows_first_and_equal_ones_once() -> None:
    own = (Window(-100, 300, "SOFT"), Window(-20, 90), Window(-450, 1050), Window(-100, 300, "AGAIN"))
    clip = replace(Clip.from_array(np.zeros((2, 4, 4), np.int16), modality="CT"), windows=own)
    assert names(clip) == ["SOFT", "File 2", "Bone", "Abdomen", "Lung", "Brain", "Liver", "Mediastinum"]
    assert presets(clip)[:2] == (own[0], Window(-20, 90, "File 2"))


def test_a_ct_without_windows_opens_as_abdomen() -> None:
    clip = Clip.from_array(np.zeros((2, 4, 4), np.int16), modality="CT")
    assert names(clip) == ORGANS
    assert (presets(clip)[0].low, presets(clip)[0].high) == (-160, 240)


def test_an_mr_is_windowed_by_its_own_values() -> None:
    values = np.zeros((3, 64, 64))
    values[:, 16:48, 16:48] = np.random.default_rng(0).uniform(100, 900, (3, 32, 32))
    (window,) = presets(Clip.from_array(values, modality="MR"))
    assert window.name == "Automatic" and 100 <= window.low < 120 and 880 < window.high <= 900


def test_a_scan_in_hounsfield_units_that_says_no_modality_offers_the_organs_too() -> None:
    values = np.random.default_rng(0).uniform(-1024, 400, (3, 32, 32))
    assert names(Clip.from_array(values)) == ["Automatic", *ORGANS]
    assert names(Clip.from_array(values, modality="MR")) == ["Automatic"]
    assert names(Clip.from_array(values + 1100)) == ["Automatic"]


def test_eight_bits_show_their_whole_range_and_colour_has_no_window() -> None:
    assert presets(Clip.from_array(np.zeros((2, 4, 4), np.uint8), modality="US")) == (Window(0, 255, "As stored"),)
    assert presets(Clip.from_array(np.zeros((2, 4, 4, 3), np.uint8))) == ()
