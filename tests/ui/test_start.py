"""The first screen: cases in words, one click or Enter goes on, and what to do where there is none."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from napari_vost.cases import Case
from napari_vost.ui.start import case_line, when

NOW = datetime(2025, 6, 12, 15, 30, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=3), "today, 12:30"),
        (timedelta(hours=20), "yesterday, 19:30"),
        (timedelta(days=3), "Monday, 15:30"),
        (timedelta(days=30), "13 May"),
        (timedelta(days=300), "16 August 2024"),
        (timedelta(seconds=-30), "just now"),
    ],
)
def test_when_a_case_was_changed_is_told_in_words(ago: timedelta, said: str) -> None:
    assert when(NOW - ago, NOW) == said


def test_a_case_that_does_not_say_when_says_nothing() -> None:
    from napari_vost.cases import NEVER

    assert when(NEVER, NOW) == ""


def test_a_line_says_what_how_far_and_when(tmp_path: Path) -> None:
    path = tmp_path / "case-001_a.vost"
    path.write_bytes(b"")
    case = Case(path, "case-001", "Ann", ("Liver", "Spleen"), 42, 61, NOW - timedelta(minutes=5))
    assert case_line(case, "Ann", NOW) == "Liver, Spleen · 42 of 61 reviewed · 5 minutes ago"
    assert case_line(case, "Bob", NOW).endswith("· read-only")
    many = Case(path, "case-001", "Ann", ("A", "B", "C", "D", "E"), 0, 9, NOW)
    assert case_line(many, "", NOW) == "A, B, C and 2 more · 0 of 9 reviewed · just now"


@pytest.fixture()
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
    now = datetime.now().astimezone()
    return [
        Case(tmp_path / "one_a.vost", "one", "Ann", ("Liver",), 3, 6, now),
        Case(tmp_path / "two_a.vost", "<b>two</b>", "Ann", (), 0, 0, now),
        Case(tmp_path / "bad_a.vost", "bad", "Ann", changed=now, problem="It was made by a newer version: update."),
    ]


def start(qtbot: Any, find: Any) -> Any:
    from napari_vost.ui.start import Start

    widget = Start(find)
    qtbot.addWidget(widget)
    widget.resize(300, 600)
    widget.show()
    return widget


@pytest.mark.gui
def test_the_list_is_made_elsewhere_and_shown_when_it_is_there(qtbot: Any, cases: list[Case]) -> None:
    go, threads = threading.Event(), []

    def find() -> list[Case]:
        threads.append(threading.get_ident())
        go.wait()
        return cases

    widget = start(qtbot, find)
    assert "Looking" in widget.words.text() and widget.cases.count() == 0
    go.set()
    qtbot.waitUntil(lambda: widget.cases.count() == 3)
    assert threads != [threading.get_ident()] and not widget.words.isVisible()


@pytest.mark.gui
def test_a_click_and_enter_go_on_with_a_case(qtbot: Any, cases: list[Case]) -> None:
    from qtpy.QtCore import Qt

    widget = start(qtbot, lambda: cases)
    qtbot.waitUntil(lambda: widget.cases.count() == 3)
    chosen: list[Path] = []
    widget.case_chosen.connect(chosen.append)
    place = widget.cases.visualItemRect(widget.cases.item(1)).center()
    qtbot.mouseClick(widget.cases.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen == [cases[1].path]
    qtbot.keyClick(widget.cases, Qt.Key.Key_Up)
    assert chosen == [cases[1].path]
    qtbot.keyClick(widget.cases, Qt.Key.Key_Return)
    assert chosen == [cases[1].path, cases[0].path]


@pytest.mark.gui
def test_a_case_with_a_problem_is_grey_says_why_and_opens_nothing(qtbot: Any, cases: list[Case]) -> None:
    from qtpy.QtCore import Qt

    widget = start(qtbot, lambda: cases)
    qtbot.waitUntil(lambda: widget.cases.count() == 3)
    chosen: list[Path] = []
    widget.case_chosen.connect(chosen.append)
    bad = widget.cases.item(2)
    assert bad.toolTip() == cases[2].problem and not widget.cases.itemWidget(bad).isEnabled()
    place = widget.cases.visualItemRect(bad).center()
    qtbot.mouseClick(widget.cases.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen == []


@pytest.mark.gui
def test_where_there_is_no_case_it_says_what_to_do(qtbot: Any) -> None:
    widget = start(qtbot, lambda: [])
    qtbot.waitUntil(lambda: "No cases yet" in widget.words.text())
    assert "Open a scan" in widget.words.text() and not widget.cases.isVisible()


@pytest.mark.gui
def test_a_list_that_cannot_be_made_is_said(qtbot: Any) -> None:
    def find() -> list[Case]:
        raise PermissionError("the folder is locked")

    widget = start(qtbot, find)
    qtbot.waitUntil(lambda: "the folder is locked" in widget.words.text())


@pytest.mark.gui
def test_files_folders_and_samples_are_told(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QFileDialog, QPushButton

    widget = start(qtbot, lambda: [])
    paths: list[Path] = []
    samples: list[str] = []
    widget.path_chosen.connect(paths.append)
    widget.sample_chosen.connect(samples.append)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "a.nii"), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    for button in widget.findChildren(QPushButton):
        assert button.toolTip() and button.focusPolicy() == Qt.FocusPolicy.TabFocus
        button.click()
    assert paths == [tmp_path / "a.nii", tmp_path] and samples == ["volume", "cine"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    widget.open_buttons[1].click()
    assert len(paths) == 2


@pytest.mark.gui
def test_it_fits_into_300_pixels(qtbot: Any, cases: list[Case]) -> None:
    widget = start(qtbot, lambda: cases)
    qtbot.waitUntil(lambda: widget.cases.count() == 3)
    assert widget.minimumSizeHint().width() <= 300 and widget.width() == 300


@pytest.mark.gui
def test_closing_while_it_looks_for_cases_harms_nothing(qtbot: Any, cases: list[Case]) -> None:
    from napari_vost.ui.start import Start

    go = threading.Event()
    widget = Start(lambda: (go.wait(), cases)[1])
    widget.deleteLater()
    qtbot.wait(50)
    go.set()
    qtbot.wait(100)
    assert not any(one.name == "napari-vost call" for one in threading.enumerate())
