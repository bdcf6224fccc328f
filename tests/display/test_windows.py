"""Windows to choose from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_vost.clip import Clip, Window
from napari_vost.display.windows import presets
from napari_vost.intensity import choose_window

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


def ct_like(shape: tuple[int, int, int] = (3, 64, 64), padding: float = -1024) -> np.ndarray:
    """A body in air: fat, soft tissue and some bone, with padding around the field of view."""
    rng = np.random.default_rng(0)
    values = rng.normal(-1000, 20, shape)
    values[:, 12:52, 12:52] = rng.normal(-100, 20, (shape[0], 40, 40))
    values[:, 18:46, 18:46] = rng.normal(50, 30, (shape[0], 28, 28))
    values[:, 30:34, 24:40] = rng.normal(700, 200, (shape[0], 4, 16))
    values[:, :4] = padding
    return values


@pytest.mark.parametrize("padding", [-1024, -2000, -3024])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32])
def test_a_ct_that_says_no_modality_opens_as_a_ct(kind: type, padding: float) -> None:
    values = ct_like(padding=padding).astype(kind)
    assert names(Clip.from_array(values)) == [*ORGANS, "Automatic"]
    assert names(Clip.from_array(values, modality="MR")) == ["Automatic"]


def test_windows_of_the_file_come_before_a_guess() -> None:
    clip = replace(Clip.from_array(ct_like().astype(np.int16)), windows=(Window(-20, 90, "OWN"),))
    assert names(clip) == ["OWN", *ORGANS, "Automatic"]


def test_phase_images_and_stored_values_are_no_ct() -> None:
    phase = np.random.default_rng(0).integers(-4096, 4095, (3, 64, 64)).astype(np.int16)
    assert names(Clip.from_array(phase))[0] == "Automatic"
    stored = (ct_like() + 1024).clip(0).astype(np.uint16)
    assert names(Clip.from_array(stored)) == ["Automatic"]


def test_a_low_dark_end_alone_offers_the_organs_after_the_scans_own_window() -> None:
    values = np.random.default_rng(0).uniform(-800, 400, (3, 32, 32))
    assert names(Clip.from_array(values)) == ["Automatic", *ORGANS]
    assert names(Clip.from_array(values + 1100)) == ["Automatic"]


def test_what_the_network_sees_is_chosen_without_that_guess() -> None:
    clip = Clip.from_array(ct_like().astype(np.int16))
    seen = choose_window(clip)
    assert seen is not None and seen.low < -900 and seen.name == "percentiles"


def test_eight_bits_show_their_whole_range_and_colour_has_no_window() -> None:
    assert presets(Clip.from_array(np.zeros((2, 4, 4), np.uint8), modality="US")) == (Window(0, 255, "As stored"),)
    assert presets(Clip.from_array(np.zeros((2, 4, 4, 3), np.uint8))) == ()
