"""Windows by modality: which values span black to white."""

from __future__ import annotations

import math

import numpy as np

from napari_vost.clip import Clip, Window
from napari_vost.errors import InputError, UnknownName
from napari_vost.types import Image

CT_WINDOWS = {
    "abdomen": Window(-160, 240, "abdomen"),
    "lung": Window(-1350, 150, "lung"),
    "bone": Window(-450, 1050, "bone"),
    "brain": Window(0, 80, "brain"),
    "liver": Window(-15, 145, "liver"),
    "mediastinum": Window(-125, 225, "mediastinum"),
}
_SAMPLED_FRAMES = 9
_LOW, _HIGH = 0.5, 99.5  # percentiles for MR and everything that has no unit


def choose_window(clip: Clip, name: str = "auto") -> Window | None:
    """Window that maps a clip's values to 0..1; None where they are shown as they are (8 bit, colour).

    Parameters
    ----------
    clip
        Read only for MR and unknown modalities: up to 9 frames, evenly spread.
    name
        ``"auto"``: a CT gets the abdomen window, 8-bit and colour clips none, everything else the percentiles 0.5 to
        99.5 of its values above the smallest. Otherwise the name of a CT window, or ``"low:high"``, the values that
        are black and white (`window_words` writes it).

    Raises
    ------
    UnknownName, InputError
        No such window.
    """
    if name != "auto":
        return _named(name)
    if clip.colour:
        return None
    if clip.modality == "CT":
        return CT_WINDOWS["abdomen"]
    values = sampled_values(clip)
    return None if values.dtype == np.uint8 else percentile_window(values)


def sampled_values(clip: Clip) -> Image:
    """Values (N,) of up to 9 frames, evenly spread, up to some 65,000 to 131,000 of each."""
    picks = np.unique(np.linspace(0, len(clip) - 1, _SAMPLED_FRAMES).round().astype(int))
    frames = [clip.frame(int(pick)) for pick in picks]
    return np.concatenate([frame.ravel()[:: max(1, frame.size // 65536)] for frame in frames])


def check_window(name: str) -> None:
    """Raise `UnknownName` or `InputError` for a name that `choose_window` does not take."""
    if name != "auto":
        _named(name)


def window_words(window: Window) -> str:
    """A window as `choose_window` takes it: the name of a CT window where it is one, else ``"low:high"``."""
    same = (name for name, one in CT_WINDOWS.items() if (one.low, one.high) == (window.low, window.high))
    return next(same, f"{float(window.low)!r}:{float(window.high)!r}")


def _named(name: str) -> Window:
    if name in CT_WINDOWS:
        return CT_WINDOWS[name]
    low, colon, high = name.partition(":")
    if not colon:
        raise UnknownName("window", name, ("auto", *CT_WINDOWS, "low:high"))
    try:
        window = Window(float(low), float(high), name)
    except ValueError:
        window = Window(0.0, 0.0)
    if not -math.inf < window.low < window.high < math.inf:
        raise InputError(f"A window of one's own is low:high, two numbers of which the first is smaller, got {name!r}.")
    return window


def percentile_window(values: Image) -> Window:
    """Window from the percentiles 0.5 to 99.5 of the values above the smallest one (the empty background)."""
    numbers = np.asarray(values, dtype=np.float64)
    above = numbers[numbers > numbers.min()]
    if above.size == 0:
        return Window(float(numbers.min()), float(numbers.min()) + 1.0, "flat")
    low, high = np.percentile(above, (_LOW, _HIGH))
    if high - low < 1e-3 * (high - numbers.min()):  # one grey on an empty background
        low = numbers.min()
    return Window(float(low), float(high), "percentiles")
