"""The dock as napari opens it: from a sample to an exported file, and a case that is closed and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

import highdicom
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QPushButton, QToolButton

from napari_vost.case_names import set_reader_name
from napari_vost.cases import list_cases, open_case, start_case
from napari_vost.clip import Clip, Window
from napari_vost.io.readers import open_clip
from napari_vost.session import Session
from napari_vost.ui import dock as dock_module
from napari_vost.ui.layers import image_layer
from napari_vost.ui.message import Message
from tests.ui.hands import CONTROL, LEFT, NONE, Hands

pytestmark = pytest.mark.gui

Open = Callable[..., Any]
LIVER = (50, 99, 65)  # frame, y, x in the sample volume


def press(widget: Any) -> None:
    QTest.mouseClick(widget, LEFT, NONE, widget.rect().center())


def button(parent: Any, words: str, kind: type = QPushButton) -> Any:
    return next(one for one in parent.findChildren(kind) if words in one.text())


def desk_of(dock: Any, qtbot: Any) -> Hands:
    """The hands of a user at the desk, once it is laid."""
    qtbot.waitUntil(lambda: dock.desk is not None, timeout=60_000)
    qtbot.wait(50)
    hands = Hands(dock.viewer, dock.desk, qtbot)
    hands.settle()
    return hands


def continue_first(dock: Any, qtbot: Any) -> Hands:
    """Click the first case of the first screen."""
    cases = dock.start.cases
    qtbot.waitUntil(lambda: cases.count() > 0 and cases.isVisible(), timeout=20_000)
    QTest.mouseClick(cases.viewport(), LEFT, NONE, cases.visualItemRect(cases.item(0)).center())
    return desk_of(dock, qtbot)


def test_from_the_sample_to_a_dicom_seg_in_six_actions(
    open_dock: Open, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock, path = open_dock(), tmp_path / "liver.dcm"
    press(button(dock.start, "Abdomen"))  # 1
    hands = desk_of(dock, qtbot)
    dock.desk.view.go_to(LIVER[0])
    hands.click(*LIVER[1:])  # 2
    hands.settle()
    assert dock.desk.scene.masks.data[LIVER[0]][LIVER[1], LIVER[2]] == 1
    hands.key(Qt.Key.Key_F)  # 3
    assert dock.studio.following
    hands.settle()
    press(button(dock.desk, "Export", QToolButton))  # 4
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))  # 6: Enter, in the dialog
    press(dock.desk.export.button)  # 5
    qtbot.waitUntil(lambda: dock.desk.export.result.isVisible(), timeout=20_000)
    written = highdicom.seg.segread(path)
    assert written.number_of_segments == 1 and written.ContentCreatorName == "Doe^Jo"
    marked = sum(kept.mask.area for kept in dock.studio.session.ledger.kept.values())
    assert int((written.get_volume().array > 0).sum()) == marked > 1000


def test_a_case_is_gone_on_with_where_it_was_left(
    open_dock: Open, make_napari_viewer: Any, qtbot: Any, nifti: Path
) -> None:
    dock = open_dock()
    dock.open_path(nifti)
    hands = desk_of(dock, qtbot)
    dock.desk.view.go_to(12)
    hands.click(30, 40)
    hands.key(Qt.Key.Key_F)
    hands.settle()
    followed = {place: kept.mask for place, kept in dock.studio.session.ledger.kept.items()}
    assert len(followed) > 10
    hands.key(Qt.Key.Key_B)
    dock.desk.view.show("Coronal")
    qtbot.waitUntil(lambda: dock.desk.view.plane == "Coronal")
    dock.desk.view.world.go_to({0: 14, 1: 21})
    dock.viewer.scene.camera.zoom, dock.viewer.scene.camera.center = 7.5, (0.0, 21.0, 33.0)
    dock.desk.windowing.apply(Window(20.0, 130.0))
    left = looked_at(dock)
    dock.viewer.window.close()  # as the mouse does it, while all layers are there
    again = open_dock()
    hands = continue_first(again, qtbot)
    qtbot.waitUntil(lambda: again.desk.view.plane == "Coronal")
    assert looked_at(again) == left
    assert {place: kept.mask for place, kept in again.studio.session.ledger.kept.items()} == followed
    hands.key(Qt.Key.Key_Z, CONTROL)
    hands.settle()
    assert len(again.studio.session.ledger.kept) == 1
    hands.key(Qt.Key.Key_Z, CONTROL)
    hands.settle()
    assert again.studio.session.prompts == ()


def looked_at(dock: Any) -> dict[str, Any]:
    camera, view = dock.viewer.scene.camera, dock.desk.view
    return {
        "at": view.world.indices,
        "plane": view.plane,
        "zoom": round(float(camera.zoom), 4),
        "centre": tuple(round(float(one), 3) for one in camera.center[-2:]),
        "window": dock.desk.windowing.window,
        "tool": dock.desk.tools.tool,
        "object": dock.studio.object_id,
    }


def test_how_a_clip_is_looked_at_is_kept_while_one_looks(open_dock: Open, qtbot: Any, nifti: Path) -> None:
    dock = open_dock()
    dock.open_path(nifti)
    hands = desk_of(dock, qtbot)
    hands.click(30, 40)
    hands.settle()
    dock.desk.view.go_to(17)
    path = dock.studio.autosave.path

    def kept() -> bool:
        return Session.load(path).view.get("at", [0])[0] == 17

    qtbot.waitUntil(kept, timeout=10_000)  # nothing was closed: so it would be after a crash


def test_the_case_of_another_reader_is_only_looked_at(
    open_dock: Open, qtbot: Any, nifti: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Message, "warn", lambda _, words: said.append(words))
    set_reader_name("Doe^Jo")
    theirs = start_case(Session(open_clip(nifti)), "ball", "Doe^Jo")
    theirs.session.add_point(12, (30, 40))
    assert theirs.autosave is not None and theirs.autosave.close()
    dock = open_dock("Roe^Ann")
    dock.studio.failed.connect(said.append)
    hands = continue_first(dock, qtbot)
    assert dock.studio.session.read_only and any("read-only" in one for one in said)
    before = dict(dock.studio.session.ledger.kept)
    dock.desk.tools.arm("point")
    said.clear()
    hands.click(20, 30)
    hands.settle()
    assert dock.studio.session.ledger.kept == before and len(dock.studio.session.prompts) == 1
    assert any("read-only" in one for one in said)
    assert [case.reader for case in list_cases()] == ["Doe^Jo"]
    kept = open_case(list_cases()[0].path, "Doe^Jo")
    assert kept.session.prompts == theirs.session.prompts
    assert kept.autosave is not None and kept.autosave.close()
    path = list_cases()[0].path
    held = path.read_bytes()
    press(button(dock, "Make mine", QToolButton))
    qtbot.waitUntil(lambda: dock.studio.session is not None and not dock.studio.session.read_only, timeout=60_000)
    hands = desk_of(dock, qtbot)
    hands.click(20, 30)
    hands.settle()
    assert len(dock.studio.session.prompts) == 2 and path.read_bytes() == held
    assert {case.reader for case in list_cases()} == {"Doe^Jo", "Roe^Ann"}
    assert not button(dock, "Make mine", QToolButton).isVisible()


def test_the_mask_does_not_wait_for_the_readers_name(
    open_dock: Open, qtbot: Any, nifti: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock, asked = open_dock(), []

    def ask(parent: Any) -> str:
        asked.append(parent.objectName())
        hands.settle()  # as a dialog does, which lets the window go on
        assert dock.studio.session.preview(12)[1].any()
        return "Doe^Jo"

    with monkeypatch.context() as patch:
        patch.setattr(dock_module, "ask_reader", ask)
        dock.open_path(nifti)
        hands = desk_of(dock, qtbot)
        dock.desk.view.go_to(12)
        hands.click(30, 40)
        qtbot.waitUntil(lambda: dock.studio.autosave is not None)
        hands.click(34, 44)
        hands.settle()
    assert len(asked) == 1
    assert [case.alias for case in list_cases()] == ["case-001"]


def test_a_new_case_is_called_what_the_user_types(
    open_dock: Open, qtbot: Any, nifti: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dock_module, "ask_alias", lambda reader, parent: "heart-7")
    dock = open_dock()
    dock.open_path(nifti)
    hands = desk_of(dock, qtbot)
    press(button(dock, "Name …", QToolButton))
    assert not button(dock, "Name …", QToolButton).isVisible()
    dock.desk.view.go_to(12)
    hands.click(30, 40)
    qtbot.waitUntil(lambda: dock.studio.autosave is not None)
    hands.settle()
    assert [(case.alias, case.path.name) for case in list_cases()] == [("heart-7", "heart-7_doe-jo.vost")]


def test_nobody_says_who_reads_and_is_asked_no_more(
    open_dock: Open, qtbot: Any, nifti: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(dock_module, "ask_reader", lambda parent: asked.append(1) or "")
    dock = open_dock()
    dock.open_path(nifti)
    hands = desk_of(dock, qtbot)
    for x in (38, 44):
        dock.desk.view.go_to(12)
        hands.click(30, x)
        hands.settle()
    assert len(asked) == 1 and list_cases() == () and len(dock.studio.session.prompts) == 2


def test_painting_begins_a_case_as_a_click_does(open_dock: Open, qtbot: Any, nifti: Path) -> None:
    dock = open_dock()
    dock.open_path(nifti)
    hands = desk_of(dock, qtbot)
    mask = np.zeros((64, 72), np.bool_)
    mask[20:30, 20:30] = True
    dock.studio.paint({(1, 12): mask})
    hands.settle()
    qtbot.waitUntil(lambda: dock.studio.autosave is not None)


def test_an_image_that_our_reader_opened_is_worked_on_at_once(
    open_dock: Open, make_napari_viewer: Any, qtbot: Any, volume: Clip
) -> None:
    viewer = make_napari_viewer(show=True)
    data, options = image_layer(volume, "there")
    viewer.add_image(data, **options)
    dock = open_dock(viewer=viewer)
    hands = desk_of(dock, qtbot)
    assert hands.desk.scene.image.name == "there" and hands.desk.tools.tool == "point"


def test_what_is_to_be_said_of_a_file_is_said_when_the_dock_opens_it(
    open_dock: Open, qtbot: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "film"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.full((60, 50, 3), 40 * number, np.uint8)).save(folder / f"{number}.png")
    dock = open_dock()
    dock.open_path(folder)
    desk_of(dock, qtbot)
    assert dock.message.text() == "Pictures say no order: they are taken as a cine by name."


def test_going_from_case_to_case_leaves_no_images_behind_and_shows_the_whole_of_each(
    open_dock: Open, qtbot: Any, nifti: Path
) -> None:
    dock = open_dock()
    dock.open_path(nifti)
    desk_of(dock, qtbot)
    zoom = dock.viewer.scene.camera.zoom
    press(button(dock, "Close", QToolButton))
    assert dock.desk is None and not list(dock.viewer.layers)
    press(button(dock.start, "ventricle"))
    desk_of(dock, qtbot)
    assert sum(type(one).__name__ == "Image" for one in dock.viewer.layers) == 1
    assert dock.viewer.scene.camera.zoom != zoom


def test_closing_with_masks_that_were_not_exported_asks_once(
    open_dock: Open, qtbot: Any, nifti: Path, closing: list[bool], tmp_path: Path
) -> None:
    set_reader_name("Reader One")
    dock = open_dock()
    dock.open_path(nifti)
    hands = desk_of(dock, qtbot)
    closing.append(False)
    hands.desk.view.go_to(12)
    hands.click(30, 40)
    hands.settle()
    close = button(dock, "Close", QToolButton)
    press(close)
    assert dock.desk is not None and not closing  # asked, and stayed
    closing.append(False)
    press(close)
    assert dock.desk is None and closing == [False]  # not asked again


def test_closing_after_an_export_does_not_ask(
    open_dock: Open, qtbot: Any, nifti: Path, closing: list[bool], tmp_path: Path
) -> None:
    set_reader_name("Reader One")
    dock = open_dock()
    dock.open_path(nifti)
    hands = desk_of(dock, qtbot)
    hands.desk.view.go_to(12)
    hands.click(30, 40)
    hands.settle()
    with qtbot.waitSignal(hands.desk.export.exported, timeout=20_000):
        hands.desk.export.export_to(tmp_path / "out.nii.gz")
    closing.append(False)
    press(button(dock, "Close", QToolButton))
    assert dock.desk is None and closing == [False]
