"""Another scan beside the one in hand: hidden where it would lie wrong, laid over it on request, or taken in hand."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_vost.clip import Clip
from napari_vost.display.overlay import notes, overlay, same_grid
from napari_vost.ui.adopt import place_options
from napari_vost.ui.background import Running
from napari_vost.ui.buttons import button
from napari_vost.ui.jobs import sentence_of
from napari_vost.ui.layers import clip_of
from napari_vost.ui.scene import Scene
from napari_vost.ui.tools import Tool, Tools

RESAMPLED = "resampled"  # in the name of a layer that is not what its file holds
_SEEN_THROUGH = 0.5


class OtherScan(QWidget):
    """A strip that is there while a scan on another grid is open; napari would draw it where it does not lie.

    A scan on the same grid is shown as it is, below the masks.

    Parameters
    ----------
    scene
        Whose image other scans are laid over.
    tools
        What is in the hand stays there.
    clip
        What the image shows.
    """

    work_asked = Signal(object)  # for a layer

    def __init__(self, scene: Scene, tools: Tools, clip: Clip) -> None:
        super().__init__()
        self._scene, self._tools, self._clip = scene, tools, clip
        self._layers = scene.viewer.layers
        self._others: list[Any] = []  # on other grids, the one that came last at the end
        self._hidden: list[Any] = []  # of them, those that were shown before
        self._veiled: list[tuple[Any, str, float]] = []  # on the same grid: how they were blended before
        self._stop = threading.Event()
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.show_button = button("Show it here", "", self._lay_over, "Resampled onto the scan in hand, for looking")
        self.work_button = button("Work on it", "", self._work, "Take it in hand instead; what you have done is kept")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.line, 0, 0, 1, 2)
        layout.addWidget(self.show_button, 1, 0)
        layout.addWidget(self.work_button, 1, 1)
        self._layers.events.inserted.connect(self._inserted)
        self._layers.events.removed.connect(self._removed)
        for layer in list(self._layers):
            self._take(layer)
        self._show()

    def close_down(self) -> None:
        """Listen no longer, and show other scans as they were."""
        self._stop.set()
        self._layers.events.inserted.disconnect(self._inserted)
        self._layers.events.removed.disconnect(self._removed)
        for layer in self._hidden:
            layer.visible = True
        for layer, blending, opacity in self._veiled:
            layer.blending, layer.opacity = blending, opacity

    def turn_to(self, clip: Clip) -> None:
        """Another part of the scan is in hand, at the same place."""
        self._clip = clip

    def _inserted(self, event: Any) -> None:
        QTimer.singleShot(0, partial(self._came, event.value, self._tools.tool))  # napari is not done with it yet

    def _came(self, layer: Any, tool: Tool | None) -> None:
        if not self._stop.is_set() and layer in self._layers and self._take(layer):
            self._show()
            self._take_up(tool)

    def _take_up(self, tool: Tool | None) -> None:
        """Work goes on with the scan in hand: napari has chosen the new layer, which puts a tool down."""
        self._layers.selection.active = self._scene.prompts
        if tool is not None:
            self._tools.arm(tool)

    def _take(self, layer: Any) -> bool:
        """Show a scan half transparent, or hide it; whether it was one."""
        scan = clip_of(layer)
        if scan is None or layer == self._scene.image:
            return False
        if same_grid(scan, self._clip):
            self._below_the_masks(layer)
            self._veiled.append((layer, str(layer.blending), float(layer.opacity)))
            layer.blending, layer.opacity = "translucent", _SEEN_THROUGH
            return True
        self._others.append(layer)
        if layer.visible:
            self._hidden.append(layer)
            layer.visible = False
        return True

    def _removed(self, event: Any) -> None:
        self._forget(event.value)

    def _forget(self, layer: Any) -> None:
        self._others = [one for one in self._others if one != layer]
        self._hidden = [one for one in self._hidden if one != layer]
        self._show()

    def _show(self) -> None:
        if self._others:
            name = self._others[-1].name
            self.line.setText(f"“{name}” lies on another grid than this scan and is hidden.")
        self.setVisible(bool(self._others))

    def _work(self) -> None:
        self.work_asked.emit(self._others[-1])

    def _lay_over(self) -> None:
        layer = self._others[-1]
        scan = clip_of(layer)
        if scan is None:
            return
        self._wait(f"“{layer.name}” is being resampled …")
        call = partial(overlay, scan, self._clip, self._stop)
        Running(call, partial(self._laid_over, layer), self._refused, self)

    def _wait(self, words: str) -> None:
        for one in (self.show_button, self.work_button):
            one.setDisabled(bool(words))
        self.line.setText(words)

    def _laid_over(self, layer: Any, values: Any) -> None:
        self._wait("")
        scan, scene = clip_of(layer), self._scene
        if self._stop.is_set() or scan is None:
            return
        laid = Image(
            values, name=f"{layer.name} ({RESAMPLED})", colormap=layer.colormap, contrast_limits=layer.contrast_limits,
            interpolation2d="linear", blending="translucent", opacity=_SEEN_THROUGH, **place_options(scene.image),
        )  # fmt: skip
        tool = self._tools.tool
        self._layers.append(laid)
        self._below_the_masks(laid)
        self._take_up(tool)
        self._forget(layer)
        for note in notes(scan, self._clip):
            scene.studio.said.emit(note)

    def _refused(self, error: Exception) -> None:
        self._wait("")
        self._show()
        words = sentence_of(error)
        if words and not self._stop.is_set():
            self._scene.studio.failed.emit(words)

    def _below_the_masks(self, layer: Any) -> None:
        """Right above the image."""
        self._layers.move(self._layers.index(layer), self._layers.index(self._scene.image) + 1)
