"""A call runs elsewhere and its end is told here, once, or not at all where nobody wants to know any more."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from napari_vost.ui.background import Running

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
