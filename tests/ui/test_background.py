"""A call runs elsewhere and its end is told here, once, or not at all where nobody wants to know any more."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from napari_vost.errors import Cancelled
from napari_vost.ui.background import SOON_MS, Running, awake

pytestmark = pytest.mark.gui


def test_the_end_is_told_in_the_gui_thread(qtbot: Any) -> None:
    told: list[Any] = []
    Running(threading.get_ident, lambda where: told.append((where, threading.get_ident())), told.append)
    gc.collect()  # nobody holds it
    qtbot.waitUntil(lambda: bool(told))
    ran, here = told[0]
    assert ran != here == threading.get_ident()


def test_what_is_raised_is_handed_over(qtbot: Any) -> None:
    told: list[Any] = []

    def fail() -> None:
        raise ValueError("no")

    Running(fail, lambda value: told.append("done"), told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told[0], ValueError)


def test_nobody_is_told_after_forget_or_when_the_owner_is_gone(qtbot: Any) -> None:
    from qtpy.QtCore import QObject

    go, told, owner = threading.Event(), [], QObject()
    first = Running(go.wait, told.append, told.append)
    second = Running(go.wait, told.append, told.append, owner)
    first.forget()
    owner.deleteLater()
    qtbot.wait(50)
    go.set()
    first.wait()
    second.wait()
    qtbot.wait(50)
    assert told == []


def test_who_must_have_it_waits_and_the_window_goes_on(qtbot: Any) -> None:
    from qtpy.QtCore import QTimer

    go, ticks = threading.Event(), []
    clock = QTimer(interval=5)
    clock.timeout.connect(lambda: ticks.append(go.set() if len(ticks) == 4 else None))
    clock.start()

    def wait() -> int:
        go.wait()
        return threading.get_ident()

    assert awake(wait, "Waiting …") != threading.get_ident() and len(ticks) >= 5


def test_what_is_raised_is_raised_to_who_waits(qtbot: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        awake(lambda: 1 // 0, "Dividing …")


def test_a_long_wait_says_what_for_and_can_be_cancelled(qtbot: Any) -> None:
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication, QProgressDialog, QPushButton

    go, seen = threading.Event(), []

    def cancel() -> None:
        dialog = next(one for one in QApplication.topLevelWidgets() if isinstance(one, QProgressDialog))
        seen.append((dialog.isVisible(), dialog.labelText()))
        dialog.findChild(QPushButton).click()

    QTimer.singleShot(4 * SOON_MS, cancel)
    with pytest.raises(Cancelled):
        awake(go.wait, "Reading the scan …")
    go.set()
    assert seen == [(True, "Reading the scan …")]


def test_on_another_thread_it_is_called_as_it_is(qtbot: Any) -> None:
    where: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: where.append((threading.get_ident(), awake(threading.get_ident, "…"))))
    thread.start()
    thread.join()
    assert where[0][0] == where[0][1]
