"""A napari window in a process of its own, for what must be so before Qt starts, and for what is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READER = "Doe^Jo"


def start(module: str, folder: Path, *given: object, **environment: str) -> subprocess.Popen[str]:
    """Run a module of the tests; its settings, cases and names stay in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, given)],
        cwd=ROOT,
        env={
            **os.environ,
            "NAPARI_CONFIG": str(folder / "settings.yaml"),
            "NAPARI_VOST_STATE": str(folder / "state"),
            "NAPARI_VOST_CASES": str(folder / "cases"),
            **environment,
        },
        stdout=subprocess.PIPE,
        text=True,
    )


class Waiter:
    """Waits as `qtbot` does: the window goes on meanwhile."""

    @staticmethod
    def wait(milliseconds: int) -> None:
        from qtpy.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    @classmethod
    def waitUntil(cls, condition: Callable[[], Any], timeout: int = 60_000) -> None:  # noqa: N802  # pytest-qt's name
        end = time.monotonic() + timeout / 1000
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("The window did not come to where it was waited for.")
            cls.wait(10)


def open_dock(width: int = 1100, height: int = 800) -> Any:
    """The plugin in a window of some logical pixels, for a reader who has said their name."""
    import napari

    from napari_vost.case_names import set_reader_name

    set_reader_name(READER)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(width, height)
    _, dock = viewer.window.add_plugin_dock_widget("napari-vost")
    Waiter.waitUntil(dock.isVisible)
    return dock


def open_path(dock: Any, path: Path) -> Any:
    """The hands of a user at the desk of a file."""
    from tests.ui.hands import Hands

    dock.open_path(path)
    Waiter.waitUntil(lambda: dock.desk is not None)
    Waiter.wait(200)
    hands = Hands(dock.viewer, dock.desk, Waiter)
    hands.settle()
    return hands
