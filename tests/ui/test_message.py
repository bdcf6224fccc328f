"""What is said at the foot of the dock: it is seen, it goes away by itself, and a warning outlives small talk."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_vost.ui import message as message_module
from napari_vost.ui.message import Message

pytestmark = pytest.mark.gui


@pytest.fixture
def message(qtbot: Any) -> Iterator[Message]:
    """At the foot of something that is seen."""
    dock = QWidget()
    layout = QVBoxLayout(dock)
    layout.addWidget(QLabel("dock"))
    found = Message(dock)
    layout.addWidget(found)
    dock.resize(300, 400)
    qtbot.addWidget(dock)
    dock.show()
    qtbot.waitUntil(dock.isVisible)
    yield found


def lines(message: Message) -> list[str]:
    return message.text().replace("\u200b", "").splitlines()


def test_a_sentence_is_seen_and_goes_away(message: Message, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_module, "SAID_MS", 150)
    assert not message.isVisible()
    message.say("Undid: prompt.")
    assert message.isVisible() and lines(message) == ["Undid: prompt."]
    qtbot.waitUntil(lambda: not message.isVisible(), timeout=2000)
    assert not message.findChild(QTimer).isActive()


def test_news_replaces_old_news_and_no_warning(message: Message) -> None:
    message.warn("This case is read-only.")
    message.say("Undid: prompt.")
    message.say("Did again: prompt.")
    assert lines(message) == ["This case is read-only.", "Did again: prompt."]
    message.warn("This case is read-only.")
    assert lines(message) == ["This case is read-only."]


def test_a_warning_stays_longer(message: Message, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_module, "SAID_MS", 100)
    monkeypatch.setattr(message_module, "WARNED_MS", 700)
    message.warn("The disk is full.")
    message.say("Undid: prompt.")
    qtbot.waitUntil(lambda: lines(message) == ["The disk is full."], timeout=600)
    qtbot.waitUntil(lambda: not message.isVisible(), timeout=2000)


def test_there_are_never_more_than_a_few(message: Message) -> None:
    for number in range(9):
        message.warn(f"Warning {number}.")
    assert lines(message) == ["Warning 6.", "Warning 7.", "Warning 8."]


def test_a_click_takes_it_away(message: Message) -> None:
    message.warn("The disk is full.")
    QTest.mouseClick(message, Qt.MouseButton.LeftButton)
    assert not message.isVisible()


def test_a_long_path_does_not_widen_the_dock(message: Message, qtbot: Any) -> None:
    message.say(f"Written: /{'a-long-folder/' * 30}masks.dcm")
    qtbot.wait(30)
    assert message.parentWidget().width() == 300 and message.height() > 60


def test_who_does_not_see_the_dock_is_told_by_napari(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(message_module, "show_info", said.append)
    monkeypatch.setattr(message_module, "show_warning", said.append)
    message.parentWidget().hide()
    message.say("Undid: prompt.")
    message.warn("The disk is full.")
    assert said == ["Undid: prompt.", "The disk is full."]


def test_a_thousand_sentences_leave_nothing(message: Message, qtbot: Any) -> None:
    def widgets() -> int:
        gc.collect()
        return sum(isinstance(one, QWidget) for one in gc.get_objects())

    message.say("0")
    before = widgets()
    for number in range(1000):
        (message.warn if number % 3 else message.say)(f"{number} of 1000")
    qtbot.wait(20)
    assert widgets() <= before


def test_the_dock_says_what_its_work_says(open_dock: Callable[..., Any]) -> None:
    dock = open_dock()
    dock.studio.said.emit("Undid: prompt.")
    dock.studio.failed.emit("Object 2 does not exist: choose one of (1,).")
    assert lines(dock.message)[-1] == "Object 2 does not exist: choose one of (1,)." and dock.message.isVisible()


def test_what_cannot_be_saved_stands_at_the_head_until_it_can(open_dock: Callable[..., Any]) -> None:
    dock = open_dock()
    dock._head.show_case(None)
    dock.studio.saved.emit("Cannot write it: the disk is full.")
    assert any("NOT SAVED" in one.text() for one in dock._head.findChildren(QLabel))
    assert lines(dock.message) == ["Cannot write it: the disk is full."]
    dock.studio.saved.emit("")
    assert not any("NOT SAVED" in one.text() for one in dock._head.findChildren(QLabel))
