"""A real napari window that a benchmark drives: clicks, keys and wheels as events of Qt, times up to the painting."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
BEAT_MS = 5  # between two beats of the heart
GIVE_UP_S = 120.0


def own_folders() -> Path:
    """Cases and names of a benchmark go to a folder of its own; call it before anything of ours is imported."""
    folder = Path(tempfile.mkdtemp(prefix="window-"))
    os.environ["NAPARI_VOST_STATE"], os.environ["NAPARI_VOST_CASES"] = str(folder / "state"), str(folder / "cases")
    return folder


class Waiter:
    """Waits as the tests do: the event loop runs, and nothing is processed by hand."""

    @staticmethod
    def wait(milliseconds: int) -> None:
        """Let the window go on for a while."""
        from qtpy.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    @classmethod
    def waitUntil(cls, condition: Callable[[], Any], timeout: int = 5000) -> None:  # noqa: N802  # pytest-qt's name
        """Let the window go on until something is so."""
        end = time.monotonic() + timeout / 1000
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("The window did not come to where it was waited for.")
            cls.wait(5)


class Window:
    """A napari window; `lay` puts a desk into it, `open_dock` the plugin."""

    def __init__(self) -> None:
        import napari

        sys.path.append(str(ROOT))  # the hands of the tests
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(1300, 850)
        self.canvas = self.viewer.window._qt_viewer.canvas
        self.waiter = Waiter()
        self.hands: Any = None
        self.dock: Any = None
        self.desk: Any = None
        self.studio: Any = None
        self.actions = 0
        self.waiter.wait(200)

    def lay(self, clip: Any, network: Any = "vost-nano") -> None:
        """A desk with a session of a clip, as the dock lays it."""
        from napari.layers import Image

        from napari_vost.session import Session
        from napari_vost.ui.desk import Desk
        from napari_vost.ui.layers import image_layer
        from napari_vost.ui.studio import Studio

        data, options = image_layer(clip, "clip")
        image = self.viewer.add_layer(Image(data, **options))
        self.studio = Studio()
        self.studio.open(Session(clip, network))
        self.desk = Desk(self.viewer, self.studio, clip, image)
        self.viewer.window.add_dock_widget(self.desk, area="right", name="desk")
        self.viewer.window.add_dock_widget(self.desk.lane, area="bottom", name="lane")
        self._take_in_hand()

    def open_dock(self) -> None:
        """The plugin, as napari's menu opens it."""
        _, self.dock = self.viewer.window.add_plugin_dock_widget("napari-vost")
        self.studio = self.dock.studio
        self.waiter.wait(500)

    def at_desk(self) -> None:
        """Wait until the dock has laid its desk."""
        self.waiter.waitUntil(lambda: self.dock.desk is not None, 60_000)
        self.desk = self.dock.desk
        self._take_in_hand()

    def _take_in_hand(self) -> None:
        from tests.ui.hands import Hands

        self.hands = Hands(self.viewer, self.desk, self.waiter)
        self.desk.tools.arm("point")

    def press(self, widget: Any) -> None:
        """Click a button."""
        from tests.ui.hands import LEFT, NONE, QTest

        QTest.mouseClick(widget, LEFT, NONE, widget.rect().center())

    def settle(self) -> None:
        """Wait until everything that was asked is answered and drawn."""
        self.hands.settle()

    def key(self, name: str, *modifiers: str) -> None:
        """Press a key by Qt's name: ``key("Z", "Control")``."""
        from qtpy.QtCore import Qt

        held = Qt.KeyboardModifier.NoModifier
        for one in modifiers:
            held |= getattr(Qt.KeyboardModifier, f"{one}Modifier")
        self.hands.key(getattr(Qt.Key, f"Key_{name}"), held)

    def timed(self, act: Callable[[], Any], done: Callable[[], Any]) -> float:
        """Milliseconds from an action to the first time that the canvas is painted while ``done`` holds."""
        from qtpy.QtCore import QEventLoop, QTimer

        loop, found = QEventLoop(), [0.0]

        def painted(_: Any) -> None:
            if not found[0] and done():
                found[0] = time.perf_counter()
                loop.quit()

        def ask() -> None:
            """What is done may have changed nothing on the canvas: then it is painted for our sake."""
            if done():
                self.canvas.native.update()

        scene, asking = self.canvas._scene_canvas, QTimer()
        asking.timeout.connect(ask)
        scene.events.draw.connect(painted, position="last")
        start = time.perf_counter()
        try:
            act()
            if not found[0]:
                asking.start(2)
                QTimer.singleShot(int(1000 * GIVE_UP_S), loop.quit)
                loop.exec()
        finally:
            asking.stop()
            scene.events.draw.disconnect(painted)
        if not found[0]:
            raise TimeoutError("Nothing was painted of what was waited for.")
        return 1000 * (found[0] - start)

    def close(self) -> None:
        """End everything."""
        if self.dock is not None:
            self.dock.end()
        elif self.desk is not None:
            self.studio.close()
            self.desk.close_down()
            self.studio.end()
        self.viewer.close()
        self.waiter.wait(100)


class Heart:
    """Gaps between beats of a timer in the GUI thread: how long the window stood still."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.gaps_ms: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps_ms.append(1000 * (now - self._last))
        self._last = now

    def stop(self) -> list[float]:
        """The gaps, milliseconds."""
        self._timer.stop()
        return self.gaps_ms


def spread(values: list[float]) -> str:
    """``p50 / p95 / max`` in milliseconds."""
    p50, p95 = np.percentile(values, (50, 95))
    return f"{p50:.0f} / {p95:.0f} / {max(values):.0f} ms"
