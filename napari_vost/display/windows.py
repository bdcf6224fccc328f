"""Window and level to choose from. They change the display only, never what a network sees."""

from __future__ import annotations

from dataclasses import replace

from napari_vost.clip import Clip, Window
from napari_vost.intensity import CT_WINDOWS, choose_window

_BELOW_ANY_MR = -200.0  # a scan whose dark end lies below this holds Hounsfield units


def presets(clip: Clip) -> tuple[Window, ...]:
    """Windows to offer for a clip, the one to open with first; names are for people.

    The file's own come first, by the file's names or, unnamed, by number. A CT adds those by organ, anything else the
    percentiles of its own values or, for 8-bit grey, the whole range. A scan that says no modality but holds
    Hounsfield units (a CT as NIfTI) adds those by organ too. Colour has none. Equal ones are offered once.

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
    else:
        automatic = choose_window(clip)
        found.append(Window(0, 255, "As stored") if automatic is None else replace(automatic, name="Automatic"))
        if automatic is not None and not clip.modality and automatic.low < _BELOW_ANY_MR:
            found += organs
    first = {(window.low, window.high): window for window in reversed(found)}
    return tuple(window for window in found if first[window.low, window.high] is window)
