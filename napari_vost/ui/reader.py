"""What napari calls to open a file or folder that is dropped on it or chosen in its menus."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import napari
from qtpy.QtWidgets import QApplication

from napari_vost.errors import ChoiceNeeded, VostError
from napari_vost.io.readers import Description, describe
from napari_vost.io.readers.glance import may_open
from napari_vost.io.readers.registry import looks_like_dicom
from napari_vost.ui.background import awake
from napari_vost.ui.layers import clip_of
from napari_vost.ui.opening import Opened, load
from napari_vost.ui.say import say_error, say_notices
from napari_vost.ui.series_chooser import Choices, SeriesChooser

LayerData = tuple[Any, ...]
NOTHING: list[LayerData] = [(None,)]  # napari's word for: read, and there is no layer
_ONE_DROP_S = 1.0
_READING = "Reading the scan …"


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Say whether a path is ours, from a glance; None where it is not.

    Several files as one stack are ours where they are DICOM: the first one stands for its series.
    """
    paths = [Path(path)] if isinstance(path, str) else [Path(one) for one in path]
    if len(paths) > 1 and not all(looks_like_dicom(one) for one in paths):
        return None
    return read if paths and may_open(paths[0]) else None


def read(path: str | Sequence[str]) -> list[LayerData]:
    """Open a path as an image layer; a choice that is missing is asked for.

    Frames are read when they are looked at. What cannot be read is said in one sentence and opens nothing; without a
    window it is raised.

    Raises
    ------
    VostError
        Only where there is no window to say it in.
    """
    where = Path(path if isinstance(path, str) else path[0])
    if QApplication.instance() is None:
        return _layers(load(where))
    if _shown_already(where) or _DECLINED.just_now(where):
        return NOTHING
    try:
        try:
            found = awake(partial(load, where), _READING)
        except ChoiceNeeded:
            choices = ask(awake(partial(describe, where), _READING))
            if choices is None:
                _DECLINED.note(where)
                return NOTHING
            found = awake(partial(load, where, choices), _READING)
    except VostError as error:
        say_error(error)
        return NOTHING
    say_notices(found.clip.notices)
    return _layers(found)


def ask(description: Description) -> Choices | None:
    """Ask which clip is meant, and wait for the answer; None where nothing was chosen."""
    dialog = SeriesChooser(description, QApplication.activeWindow())
    dialog.exec()
    dialog.deleteLater()
    return dialog.choices


def _layers(found: Opened) -> list[LayerData]:
    return [(found.data, found.options, "image")]


def _shown_already(path: Path) -> bool:
    """Whether a file belongs to a series that another file has opened: a drop of a whole series brings each of them."""
    viewer = napari.current_viewer()
    for layer in () if viewer is None else viewer.layers:
        clip = clip_of(layer)
        if clip is None or len(clip.source.files) < 2 or path not in clip.source.files:
            continue
        if dict(clip.source.opened).get("path") != str(path):
            viewer.layers.selection.active = layer
            return True
    return False


class _Declined:
    """The folder of a file about which the user was asked last, and chose nothing: its neighbours came in one drop."""

    def __init__(self) -> None:
        self._folder, self._when = Path(), -_ONE_DROP_S

    def note(self, path: Path) -> None:
        self._folder, self._when = path.parent, time.monotonic()

    def just_now(self, path: Path) -> bool:
        """Whether this is another file of that drop; each one that comes prolongs it."""
        if path.is_dir() or path.parent != self._folder or time.monotonic() - self._when > _ONE_DROP_S:
            return False
        self._when = time.monotonic()
        return True


_DECLINED = _Declined()
