"""Names from a list: in the menu, while one is typed, and with their colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_vost.clip import Clip
from napari_vost.paths import state_folder
from napari_vost.types import Label

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui

NAMES = [{"name": "Liver", "color": [221, 130, 101]}, {"name": "Left kidney"}, {"name": "Right kidney"}]


@pytest.fixture
def names_file(tmp_path: Path) -> Path:
    path = tmp_path / "organs.json"
    path.write_text(json.dumps(NAMES))
    return path


def test_a_name_of_the_menu_is_given_to_the_chosen_object_with_its_colour(
    lay_desk: Any, volume: Clip, names_file: Path, qtbot: Any
) -> None:
    hands = lay_desk(volume)
    names, studio = hands.desk.names, hands.desk.studio
    names.load(names_file)
    qtbot.waitUntil(lambda: len(names.labels) == 3)
    assert hands.said[-1].startswith("3 names are ready")
    names.menu.aboutToShow.emit()
    assert [one.text() for one in names.menu.actions() if one.text()][1:] == ["Liver", "Left kidney", "Right kidney"]
    studio.choose(2)
    names.menu.actions()[2].trigger()
    hands.settle()
    assert studio.session.labels == {2: Label("Liver", colour_rgb=(221, 130, 101))}
    names.menu.aboutToShow.emit()
    before = studio.colour(2)
    names.menu.actions()[3].trigger()
    hands.settle()
    assert studio.label(2).name == "Left kidney" and studio.colour(2) == before
    path = state_folder() / "settings.json"
    qtbot.waitUntil(lambda: path.exists() and json.loads(path.read_text()).get("name list") == str(names_file))
    loaded = list(names.labels)
    again = lay_desk(volume, after=hands).desk.names
    qtbot.waitUntil(lambda: list(again.labels) == loaded)


def test_a_file_that_is_no_list_is_said_and_one_that_has_gone_is_not_at_every_start(
    lay_desk: Any, volume: Clip, tmp_path: Path, qtbot: Any
) -> None:
    state_folder().mkdir(parents=True, exist_ok=True)
    (state_folder() / "settings.json").write_text(json.dumps({"name list": str(tmp_path / "gone.json")}))
    hands = lay_desk(volume)
    qtbot.wait(100)
    assert hands.said == []
    (tmp_path / "a.json").write_text("{")
    hands.desk.names.load(tmp_path / "a.json")
    qtbot.waitUntil(lambda: bool(hands.said))
    assert "a.json is not JSON" in hands.said[0] and hands.desk.names.labels == {}


def test_typing_a_name_completes_it_and_a_double_click_on_the_colour_asks_for_another_one(
    lay_desk: Any, volume: Clip, names_file: Path, qtbot: Any
) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtGui import QColor
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QLineEdit

    from napari_vost.ui.object_list import COLOUR, FRAMES, NAME

    hands = lay_desk(volume)
    desk, studio = hands.desk, hands.desk.studio
    desk.names.load(names_file)
    qtbot.waitUntil(lambda: len(desk.names.labels) == 3)
    tree, left = desk.objects, Qt.MouseButton.LeftButton

    def double_click(column: int) -> None:
        place = tree.visualRect(tree.indexFromItem(tree.topLevelItem(0), column)).center()
        qtbot.mouseClick(tree.viewport(), left, pos=place)
        QTest.mouseDClick(tree.viewport(), left, Qt.KeyboardModifier.NoModifier, place)

    for column in (FRAMES, COLOUR):
        double_click(column)
        assert tree.viewport().findChild(QLineEdit) is None
    dialog = tree._dialog
    assert dialog is not None and dialog.isVisible() and dialog.currentColor() == QColor(*studio.colour(1))
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    hands.settle()
    assert studio.colour(1) == (1, 2, 3) and studio.label(1).name == "Object 1"

    double_click(NAME)
    line = tree.viewport().findChild(QLineEdit)
    assert line.completer() is not None
    line.clear()
    qtbot.keyClicks(line, "kidn")
    model = line.completer().completionModel()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["Left kidney", "Right kidney"]
    line.completer().popup().hide()
    line.setText("Liver")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    hands.settle()
    assert studio.label(1).name == "Liver" and studio.colour(1) == (221, 130, 101)
