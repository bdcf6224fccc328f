"""Window and level: presets, and Shift + left drag on the canvas. They change the display only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.qt.threading import create_worker
from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import QToolTip

from napari_vost.clip import Clip, Window
from napari_vost.display.windows import presets
from napari_vost.errors import InputError

_WIDER_PX = 150.0  # a drag to the right by so many pixels doubles the width
_LEVEL_PX = 250.0  # a drag up or down by so many pixels moves the level by one width
_MOST = 12.0  # doublings in one drag


class Windowing:
    """The window of a clip's image layer.

    Drag right to widen the window, left to narrow it, up to brighten the picture, down to darken it.

    Parameters
    ----------
    viewer
        The viewer.
    clip
        What is shown; colour has no window.
    image
        The layer that shows it.
    ours
        Whether a layer is one of the clip's: the drag works while such a layer is active, and the user's own layers
        keep theirs. None: the image alone.
    """

    presets_ready = Signal(tuple)  # of `Window`, the one to open with first
    changed = Signal(Window)

    def __init__(self, viewer: Any, clip: Clip, image: Any, ours: Callable[[Any], bool] | None = None) -> None:
        self._viewer, self._image = viewer, image
        self._ours = ours or (lambda layer: layer == image)
        self.available = not clip.colour
        self.presets: tuple[Window, ...] = ()
        self._worker: Any = None
        self._taken: tuple[Any, list[Any]] | None = None  # the active layer and its drag callbacks, during a press
        self._give_back_soon = QTimer()
        self._give_back_soon.setSingleShot(True)
        self._give_back_soon.timeout.connect(self._give_back)
        if self.available:
            viewer.mouse_drag_callbacks.append(self._drag)
            image.events.contrast_limits.connect(self._on_limits)
            self._worker = create_worker(presets, clip, _ignore_errors=True)
            self._worker.returned.connect(self._on_presets)
            self._worker.start()

    @property
    def window(self) -> Window:
        """What spans black to white; named where it is a preset."""
        low, high = (float(limit) for limit in self._image.contrast_limits)
        return next((one for one in self.presets if (one.low, one.high) == (low, high)), Window(low, high))

    def apply(self, window: Window) -> None:
        """Show a window.

        Raises
        ------
        InputError
            Its low end is not below its high end.
        """
        if not window.low < window.high:
            raise InputError(f"Window: expected low below high, got {window.low} to {window.high}.")
        self._image.contrast_limits = (window.low, window.high)

    def turn_to(self, windows: tuple[Window, ...]) -> None:
        """Offer the windows of another part of the scan; what is shown stays, and "Automatic" stays automatic."""
        if not self.available:
            return
        shown, self._worker, self.presets = self.window.name, None, windows
        same = next((one for one in windows if one.name == shown), None)
        if same is not None:
            self.apply(same)
        self.presets_ready.emit(windows)

    def close(self) -> None:
        """Take the drag away; the window that is shown stays."""
        if not self.available:
            return
        self.available = False
        self._worker = None
        self._give_back()
        self._viewer.mouse_drag_callbacks.remove(self._drag)
        self._image.events.contrast_limits.disconnect(self._on_limits)

    def _on_presets(self, found: tuple[Window, ...]) -> None:
        if self._worker is not None:
            self._worker = None
            self.presets = found
            self.presets_ready.emit(found)

    def _on_limits(self, event: Any = None) -> None:
        self.changed.emit(self.window)

    def _drag(self, viewer: Any, event: Any) -> Any:
        active = viewer.layers.selection.active
        shift_alone = len(event.modifiers) == 1 and "Shift" in event.modifiers
        if event.button != 1 or not shift_alone or active is None or not self._ours(active):
            return
        event.handled = True  # at the press: after it, the camera no longer asks
        self._take(active)
        start, (x, y) = self.window, event.pos
        yield
        while event.type == "mouse_move" and self.available:
            self.apply(moved(start, event.pos[0] - x, event.pos[1] - y))
            QToolTip.showText(QCursor.pos(), said(self.window))
            yield
        QToolTip.hideText()

    def _take(self, layer: Any) -> None:
        """Keep the active layer from painting or placing points at this press, which napari would let it do too."""
        self._give_back()
        self._taken = (layer, list(layer.mouse_drag_callbacks))
        layer.mouse_drag_callbacks.clear()
        self._give_back_soon.start(0)

    def _give_back(self) -> None:
        self._give_back_soon.stop()
        if self._taken is not None:
            layer, callbacks = self._taken
            layer.mouse_drag_callbacks.extend(callbacks)
            self._taken = None


def moved(start: Window, right_px: float, down_px: float) -> Window:
    """The window after a drag that started at another one."""
    width = (start.high - start.low) * 2.0 ** min(max(right_px / _WIDER_PX, -_MOST), _MOST)
    level = (start.low + start.high) / 2 + (start.high - start.low) * down_px / _LEVEL_PX
    return Window(level - width / 2, level + width / 2)


def said(window: Window) -> str:
    """A window as people say it: ``W 400  L 40``, with decimals where values are small."""
    width, level = window.high - window.low, (window.low + window.high) / 2
    digits = 0 if width >= 20 else 3
    return f"W {width:.{digits}f}  L {level:.{digits}f}".replace("-", "−")
