"""A path becomes what napari shows: the clip, its window, its name; on a thread of its own where nobody may wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_vost.clip import Clip, Window
from napari_vost.display.windows import presets
from napari_vost.errors import Cancelled, ChoiceNeeded
from napari_vost.io.readers import Description, describe, open_clip
from napari_vost.ui.background import Failed, Running
from napari_vost.ui.frames import FrameArray
from napari_vost.ui.layers import image_layer
from napari_vost.ui.series_chooser import Choices, SeriesChooser

_KINDS = {"video": "video", "image-stack": "pictures"}


@dataclass(frozen=True, eq=False)
class Opened:
    """A clip that can be shown, ``viewer.add_image(opened.data, **opened.options)``, and its windows to choose from."""

    clip: Clip
    data: FrameArray
    options: dict[str, Any]
    windows: tuple[Window, ...] = ()


def layer_name(clip: Clip) -> str:
    """Name of the layer of a clip: the user's own word for the case, else what it is; never from a header or a file."""
    if clip.alias:
        return clip.alias
    kind = _KINDS.get(clip.source.kind, "volume" if clip.order == "depth" else "cine")
    kind = "image" if len(clip) == 1 else kind
    return f"{clip.modality} {kind}" if clip.modality else kind.capitalize()


def ready(clip: Clip, name: str = "") -> Opened:
    """Find the window of a clip, and read the frame that napari shows first: call it where that may take its time."""
    windows = presets(clip)
    data, options = image_layer(clip, name or layer_name(clip), windows[0] if windows else None)
    data.frame((len(clip) - 1) // 2)
    return Opened(clip, data, options, windows)


def load(path: Path, choices: Choices | None = None) -> Opened:
    """Open a path as `open_clip` does, ready to be shown.

    Raises
    ------
    ReadError
        It cannot be read, or the choices do not fit.
    ChoiceNeeded
        It holds several clips.
    """
    return ready(open_clip(path, **(choices or {})))


def load_or_describe(path: Path, choices: Choices | None = None) -> Opened | Description:
    """Open a path, or say what it holds where nothing was chosen and something must be."""
    try:
        return load(path, choices)
    except ChoiceNeeded:
        if choices:
            raise
        return describe(path)


def other_part(clip: Clip, at: int) -> Clip:
    """Another time point or slice of the 4D source of a clip, opened as that clip was.

    Raises
    ------
    ReadError
        It cannot be read any more.
    """
    choices: Choices = dict(clip.source.opened)
    return open_clip(choices.pop("path"), **{**choices, "at": at})


class Opening:
    """A path that is being opened, with a question in between where a choice is missing.

    Parameters
    ----------
    path
        File or folder.
    done
        Gets the `Opened`, in the GUI thread.
    failed
        Gets the exception; `Cancelled` where the user did not choose.
    parent
        Over which the question stands; once it is destroyed, nobody is told any more.
    choices
        What `open_clip` takes, if it is known already.
    """

    def __init__(
        self,
        path: Path,
        done: Callable[[Opened], object],
        failed: Failed,
        parent: QWidget | None = None,
        choices: Choices | None = None,
    ) -> None:
        self._path, self._done, self._failed, self._parent = path, done, failed, parent
        self.question: SeriesChooser | None = None  # while it is open
        self._running = self._start(choices)

    def cancel(self) -> None:
        """Tell nobody; a question that is open is taken back."""
        self._running.forget()
        question, self.question = self.question, None
        if question is not None:
            question.finished.disconnect(self._answered)
            question.reject()
            question.deleteLater()

    def _start(self, choices: Choices | None) -> Running:
        return Running(partial(load_or_describe, self._path, choices), self._came, self._failed, self._parent)

    def _came(self, found: Opened | Description) -> None:
        if isinstance(found, Opened):
            self._done(found)
            return
        self.question = SeriesChooser(found, self._parent)
        self.question.finished.connect(self._answered)
        self.question.open()

    def _answered(self) -> None:
        question, self.question = self.question, None
        if question is None:
            return
        question.deleteLater()
        if question.choices is None:
            self._failed(Cancelled("Nothing was chosen."))
        else:
            self._running = self._start(question.choices)


def open_in_background(
    path: Path,
    done: Callable[[Opened], object],
    failed: Failed,
    parent: QWidget | None = None,
    **choices: Any,
) -> Opening:
    """Open a path without anybody waiting; see `Opening`."""
    return Opening(path, done, failed, parent, choices)
