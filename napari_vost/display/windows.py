"""Window and level to choose from. They change the display only, never what a network sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_vost.clip import Clip, Window
from napari_vost.intensity import CT_WINDOWS, choose_window, percentile_window, sampled_values
from napari_vost.types import Image

_BELOW_ANY_MR = -200.0  # a scan whose dark end lies below this may hold Hounsfield units
_AIR_HU = -900.0  # a CT has darker values than this, be it lung alone
_TISSUE_HU = (-1100.0, 400.0)  # from air to the softest bone; below it is what lies outside the field of view
_MOST = 0.8  # of the values of a CT lie between; phase images, which reach as far down, spread evenly


def presets(clip: Clip) -> tuple[Window, ...]:
    """Windows to offer for a clip, the one to open with first; names are for people.

    The file's own come first, by the file's names or, unnamed, by number. A CT adds those by organ, anything else the
    percentiles of its own values or, for 8-bit grey, the whole range. A scan that says no modality is taken for a CT
    where its values are Hounsfield units (a CT as NIfTI): those by organ come before its percentiles, and after them
    where only its dark end is low enough. Colour has none. Equal ones are offered once.

    Parameters
    ----------
    clip
        Up to 9 frames are read unless it is a CT or in colour: call it outside the GUI thread.
    """
    if clip.colour:
        return ()
    organs = [replace(window, name=name.capitalize()) for name, window in CT_WINDOWS.items()]
    known = {(window.low, window.high): window.name for window in organs} if clip.modality == "CT" else {}
    found = [
        replace(window, name=window.name or known.get((window.low, window.high), f"File {number}"))
        for number, window in enumerate(clip.windows, 1)
    ]
    if clip.modality == "CT":
        found += organs
    elif clip.modality:
        found.append(_automatic(choose_window(clip)))
    else:
        values = sampled_values(clip)
        automatic = None if values.dtype == np.uint8 else percentile_window(values)
        found.append(_automatic(automatic))
        if holds_hounsfield(values):
            found = [*found[:-1], *organs, found[-1]]
        elif automatic is not None and automatic.low < _BELOW_ANY_MR:
            found += organs
    first = {(window.low, window.high): window for window in reversed(found)}
    return tuple(window for window in found if first[window.low, window.high] is window)


def holds_hounsfield(values: Image) -> bool:
    """Whether values of a scan that says no modality are those of a CT: air, and hardly anything but tissue above it.

    Parameters
    ----------
    values
        Some values (N,) of the whole scan.
    """
    low, high = _TISSUE_HU
    if values.dtype.kind not in "if" or not values.size or not float(values.min()) < _AIR_HU:
        return False
    numbers = np.asarray(values, np.float64)
    inside = numbers[numbers > low]
    return inside.size > 0 and float((inside < high).mean()) >= _MOST


def _automatic(window: Window | None) -> Window:
    return Window(0, 255, "As stored") if window is None else replace(window, name="Automatic")
