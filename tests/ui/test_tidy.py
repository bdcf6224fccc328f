"""Garbage dies on the window's thread while a dock is open, and Python collects by itself again afterwards."""

from __future__ import annotations

import gc
import platform
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")


OFTEN = (700, 10, 10)


@pytest.fixture
def by_itself() -> Iterator[None]:
    """Python collects by itself, as in a program; no test does."""
    before = gc.get_threshold()
    gc.set_threshold(*OFTEN)
    yield
    gc.set_threshold(*before)


class Ring:
    """Garbage that only a collection finds."""

    def __init__(self, died_on: list[int]) -> None:
        self.me, self.died_on = self, died_on

    def __del__(self) -> None:
        self.died_on.append(threading.get_ident())


@pytest.mark.parametrize("beside", ["nothing", "a dask array"])
def test_what_another_thread_leaves_dies_on_the_windows_thread(qtbot: Any, by_itself: None, beside: str) -> None:
    from qtpy.QtCore import QObject

    from napari_vost.ui.tidy import Tidy

    owner, died_on = QObject(), []
    tidy = Tidy(owner, lambda: False)
    if beside == "a dask array":
        pytest.importorskip("dask.array").zeros((4, 4))[2].compute()  # it enables collections
    thread = threading.Thread(target=lambda: [Ring(died_on) for _ in range(5000)])
    thread.start()
    thread.join()
    assert died_on == []
    qtbot.waitUntil(lambda: len(died_on) == 5000)
    assert set(died_on) == {threading.get_ident()}
    tidy.end()


def test_a_call_in_the_background_leaves_nothing_to_collect_by_itself(qtbot: Any, by_itself: None) -> None:
    from napari_vost.ui.background import Running

    died_on: list[int] = []
    told: list[object] = []
    running = Running(lambda: [Ring(died_on) for _ in range(5000)].clear(), told.append, told.append)
    running.wait()
    assert died_on == [] and gc.get_threshold()[0] == 0
    running.forget()
    qtbot.waitUntil(lambda: gc.get_threshold() == OFTEN)
    gc.collect()
    assert set(died_on) == {threading.get_ident()} and told == []


def test_the_last_dock_that_closes_gives_python_its_collections_back(qtbot: Any, by_itself: None) -> None:
    from qtpy.QtCore import QObject

    from napari_vost.ui.tidy import Tidy

    owner = QObject()
    first, second = Tidy(owner, lambda: False), Tidy(owner, lambda: False)
    first.end()
    first.end()
    assert gc.get_threshold() == (0, *OFTEN[1:])
    second.end()
    assert gc.get_threshold() == OFTEN


def test_what_stood_before_is_not_walked_through_until_the_last_dock_closes(qtbot: Any) -> None:
    from qtpy.QtCore import QObject

    from napari_vost.ui.tidy import Tidy

    gc.unfreeze()
    owner = QObject()
    first, second = Tidy(owner, lambda: False), Tidy(owner, lambda: False)
    assert gc.get_freeze_count() > 100_000
    first.end()
    assert gc.get_freeze_count() > 100_000
    second.end()
    assert gc.get_freeze_count() == 0
    gc.freeze()  # as it is between tests


def test_while_the_engine_is_busy_the_longest_collection_waits(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from qtpy.QtCore import QObject

    from napari_vost.ui import tidy as module

    busy, asked = True, []
    monkeypatch.setattr(module.gc, "get_count", lambda: (9999, 99, 99))
    monkeypatch.setattr(module.gc, "collect", lambda generation=2: asked.append(generation))
    owner = QObject()
    tidy = module.Tidy(owner, lambda: busy)
    tidy._collect()
    busy = False
    tidy._collect()
    tidy.end()
    assert asked[:2] == [1, 2]


def test_memory_goes_back_to_the_system_while_nobody_works(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from qtpy.QtCore import QObject

    from napari_vost.ui import tidy as module

    owner, busy, given = QObject(), True, []
    monkeypatch.setattr(module, "give_back", lambda: given.append(1))
    tidy = module.Tidy(owner, lambda: busy)
    for _ in range(2 * module.ROUNDS):
        tidy._collect()
    assert given == []
    busy = False
    tidy._collect()
    tidy._collect()
    tidy.end()
    assert given == [1]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library gives back by itself")
def test_what_was_freed_below_what_stays_is_given_back() -> None:
    from napari_vost.ui.tidy import give_back

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096

    blocks = [bytearray(b"x" * 20_000) for _ in range(5000)]
    stays = blocks[-1]
    del blocks
    before = resident()
    give_back()
    assert before - resident() > 50_000_000 and len(stays) == 20_000
