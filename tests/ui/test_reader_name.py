"""Two names: the reader's, asked once, and the case's, whose mistakes are said while one types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_vost.case_names import case_path, reader_name, set_reader_name

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NAPARI_VOST_CASES", str(tmp_path / "cases"))
    (tmp_path / "cases").mkdir()
    return tmp_path


def answer(monkeypatch: pytest.MonkeyPatch, name: str | None) -> list[str]:
    """Type a name into every such question, or cancel it; the questions that came."""
    from napari_vost.ui.reader_name import NameDialog

    asked: list[str] = []

    def run(dialog: Any) -> None:
        asked.append(dialog.windowTitle())
        if name is not None:
            dialog.line.setText(name)
            dialog.accept()

    monkeypatch.setattr(NameDialog, "exec", run)
    return asked


def test_the_readers_name_is_asked_once(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_vost.ui.reader_name import ask_reader

    asked = answer(monkeypatch, "  Doe^Jane ")
    assert ask_reader() == "Doe^Jane" == reader_name()
    assert ask_reader() == "Doe^Jane" and len(asked) == 1
    ask_reader(again=True)
    assert len(asked) == 2


def test_who_does_not_say_a_name_is_asked_again(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_vost.ui.reader_name import ask_reader

    answer(monkeypatch, None)
    assert ask_reader() == "" == reader_name()


def test_what_is_wrong_with_a_name_is_said_while_one_types(qtbot: Any) -> None:
    from qtpy.QtWidgets import QDialogButtonBox

    from napari_vost.ui.reader_name import alias_dialog

    dialog = alias_dialog("Ann")
    qtbot.addWidget(dialog)
    fine = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert dialog.line.text() == "case-001" and fine.isEnabled() and dialog.words.text() == ""
    dialog.line.clear()
    qtbot.keyClicks(dialog.line, "two words")
    assert "letters (A to Z)" in dialog.words.text() and not fine.isEnabled()
    dialog.accept()
    assert dialog.name == ""
    dialog.line.setText("heart-7")
    assert dialog.words.text() == "" and fine.isEnabled()
    dialog.accept()
    assert dialog.name == "heart-7"


def test_a_case_that_is_there_is_not_named_again(qtbot: Any) -> None:
    from napari_vost.ui.reader_name import alias_dialog

    case_path("case-001", "Ann").write_bytes(b"")
    dialog = alias_dialog("Ann")
    qtbot.addWidget(dialog)
    assert dialog.line.text() == "case-002"
    dialog.line.setText("case-001")
    assert "already" in dialog.words.text()


def test_the_readers_dialog_shows_the_name_that_is_known(qtbot: Any) -> None:
    from napari_vost.ui.reader_name import reader_dialog

    set_reader_name("Ann")
    dialog = reader_dialog()
    qtbot.addWidget(dialog)
    assert dialog.line.text() == "Ann"
    dialog.line.setText("a=b")
    assert "neither" in dialog.words.text()
