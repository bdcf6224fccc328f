"""Windows by modality."""

import numpy as np
import pytest

from napari_vost.clip import Clip, Window
from napari_vost.errors import InputError, UnknownName
from napari_vost.intensity import CT_WINDOWS, check_window, choose_window, window_words


def _clip(values: np.ndarray, modality: str = "") -> Clip:
    return Clip.from_array(values, modality=modality)


def test_a_ct_gets_the_abdomen_window_or_the_one_that_is_named() -> None:
    clip = _clip(np.zeros((2, 8, 8), np.int16), "CT")
    assert choose_window(clip) == CT_WINDOWS["abdomen"]
    assert choose_window(clip, "lung") == CT_WINDOWS["lung"]
    with pytest.raises(UnknownName, match="Did you mean 'lung'"):
        choose_window(clip, "lungs")


def test_eight_bit_and_colour_frames_are_shown_as_they_are() -> None:
    assert choose_window(_clip(np.zeros((2, 8, 8), np.uint8), "US")) is None
    assert choose_window(_clip(np.zeros((2, 8, 8, 3), np.uint8))) is None


def test_an_mr_is_windowed_by_percentiles_above_its_background() -> None:
    generator = np.random.default_rng(0)
    values = np.zeros((3, 64, 64))
    values[:, 16:48, 16:48] = generator.uniform(100, 900, (3, 32, 32))
    window = choose_window(_clip(values, "MR"))
    assert window is not None
    assert 100 <= window.low < 120
    assert 880 < window.high <= 900


def test_a_window_of_ones_own_is_two_numbers_and_comes_back_from_its_words() -> None:
    clip = _clip(np.zeros((2, 8, 8), np.int16))
    for window in (Window(-100.25, 1e3), Window(1e-7, 2e-7)):
        found = choose_window(clip, window_words(window))
        assert found is not None and (found.low, found.high) == (window.low, window.high)
    assert window_words(Window(-160, 240, "Abdomen")) == "abdomen"


@pytest.mark.parametrize("name", ["1:1", "5:1", "a:b", ":", "nan:1", "0:inf", "1:2:3"])
def test_what_is_no_window_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(InputError, match="low:high, two numbers"):
        check_window(name)
