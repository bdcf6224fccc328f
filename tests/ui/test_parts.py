"""4D scans: the second slider, Shift + wheel, and what was done on a time point or slice when one comes back to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

import nibabel
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QToolButton

from napari_vost.cases import list_cases, start_case
from napari_vost.clip import Clip
from napari_vost.io.readers import open_clip
from napari_vost.session import Session
from napari_vost.types import Label
from napari_vost.ui import dock as dock_module
from napari_vost.ui import parts as parts_module
from napari_vost.ui.message import Message
from napari_vost.ui.series_chooser import SeriesChooser
from tests.io.dicom_factory import write_series
from tests.ui.beating import AFFINE, SLICES, TIMES, beating, write_heart
from tests.ui.hands import CONTROL, SHIFT, Hands
from tests.ui.looking import hover
from tests.ui.test_dock import button, continue_first, desk_of, press

pytestmark = pytest.mark.gui

Open = Callable[..., Any]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return write_heart(tmp_path / "heart.nii.gz")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the dock said, from the moment it is opened."""
    told: list[str] = []
    for name in ("say", "warn"):
        monkeypatch.setattr(Message, name, lambda _, words: told.append(words))
    return told


def open_part(dock: Any, qtbot: Any, path: Path, order: str, number: int) -> Hands:
    """Open a 4D scan as a user does: the question about the part is answered with a number, from 1."""
    dock.open_path(path)
    qtbot.waitUntil(lambda: dock.findChild(SeriesChooser) is not None, timeout=20_000)
    chooser = dock.findChild(SeriesChooser)
    (chooser.part.slice if order == "time" else chooser.part.time_point).setValue(number)
    chooser.accept()
    return desk_of(dock, qtbot)


def shown(dock: Any) -> str:
    """What is shown, in the words of the read-out."""
    return str(dock.desk.clip.source.grid.part)


def arrives(dock: Any, hands: Hands, part: str) -> None:
    """Wait until a part is shown, and all is drawn."""
    hands.qtbot.waitUntil(lambda: shown(dock) == part and dock.desk.part_bar.label.text() == part, timeout=20_000)
    hands.settle()


def kept_of(dock: Any) -> dict[Any, Any]:
    return {place: kept.mask for place, kept in dock.studio.session.ledger.kept.items()}


def follow(dock: Any, hands: Hands) -> dict[Any, Any]:
    """A click on the disc, followed; the masks."""
    hands.click(30, 40)
    hands.settle()
    hands.key(Qt.Key.Key_F)
    hands.settle()
    return kept_of(dock)


@pytest.mark.parametrize(("order", "word", "count"), [("time", "Slice", SLICES), ("depth", "Time", TIMES)])
def test_shift_and_wheel_go_along_the_other_axis_and_leave_all_else_as_it_is(
    open_dock: Open, qtbot: Any, scan: Path, order: str, word: str, count: int
) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, order, 3)
    desk = dock.desk
    assert desk.part_bar.isVisible() and desk.part_bar.label.text() == f"{word} 3/{count}"
    desk.view.go_to(2)
    desk.tools.arm("box")
    dock.viewer.scene.camera.zoom = 5.5
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, f"{word} 4/{count}")
    assert (desk, desk.view.frame_index, desk.tools.tool) == (dock.desk, 2, "box")
    assert dock.viewer.scene.camera.zoom == 5.5
    stored = beating()
    plane = stored[:, :, 3, 2] if order == "time" else stored[:, :, 2, 3]
    assert np.array_equal(desk.scene.image.data[2], plane.T)
    hands.wheel(1)
    assert desk.view.frame_index == 1 and shown(dock) == f"{word} 4/{count}"
    hands.wheel(-9, SHIFT)  # beyond the end
    arrives(dock, hands, f"{word} {count}/{count}")
    desk.part_bar.slider.setValue(0)
    arrives(dock, hands, f"{word} 1/{count}")
    desk.settings.wheel.setChecked(True)  # the wheel is napari's
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, f"{word} 2/{count}")


def test_the_read_out_says_both_indices(open_dock: Open, qtbot: Any, scan: Path) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    dock.desk.view.go_to(4)
    at = hands.place(30, 40)
    hover(dock.viewer, qtbot, (at.x(), at.y()))
    qtbot.waitUntil(lambda: dock.desk.readout.text.count(" · ") == 4)
    before = dock.desk.readout.text
    assert before.startswith("Image 5/8 · Slice 3/6 · 200 ms · ")
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, "Slice 4/6")
    after = dock.desk.readout.text
    assert after.startswith("Image 5/8 · Slice 4/6 · 200 ms · ")
    assert before.split(" · ")[3] == after.split(" · ")[3]  # the same place in the plane
    assert after.split(" · ")[4] == str(dock.desk.clip.frame(4)[30, 40])


def test_marks_masks_and_undo_are_those_of_the_slice(open_dock: Open, qtbot: Any, scan: Path) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    fourth = follow(dock, hands)
    dock.studio.rename(1, Label("LV"))
    hands.settle()
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, "Slice 4/6")
    assert kept_of(dock) == {} and not dock.desk.scene.labels.any() and not len(dock.desk.scene.prompts.data)
    assert dock.studio.label(1).name == "LV"  # the same structure, most likely
    fifth = follow(dock, hands)
    assert len(fourth) == len(fifth) == TIMES and fourth != fifth
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 3/6")
    assert kept_of(dock) == fourth and len(dock.desk.scene.prompts.data) == 1
    assert np.array_equal(dock.desk.scene.labels, dock.studio.session.label_map(dense=True))
    hands.key(Qt.Key.Key_Z, CONTROL)
    hands.settle()
    assert len(kept_of(dock)) == 1
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, "Slice 4/6")
    assert kept_of(dock) == fifth
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 3/6")
    assert len(kept_of(dock)) == 1
    hands.key(Qt.Key.Key_Z, CONTROL | SHIFT)  # what was undone before going away
    hands.settle()
    assert kept_of(dock) == fourth
    assert sorted(case.alias for case in list_cases()) == ["case-001-slice03", "case-001-slice04"]


def test_a_case_of_one_slice_is_gone_on_with_and_the_others_are_there(open_dock: Open, qtbot: Any, scan: Path) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    third = follow(dock, hands)
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, "Slice 4/6")
    follow(dock, hands)
    press(button(dock, "Close", QToolButton))
    hands = continue_first(dock, qtbot)
    assert shown(dock) == "Slice 4/6" and dock.desk.scene.image.name == "case-001-slice04"
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 3/6")
    assert kept_of(dock) == third and dock.desk.scene.image.name == "case-001-slice03"
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 2/6")
    hands.click(30, 40)
    hands.settle()
    qtbot.waitUntil(lambda: dock.studio.autosave is not None)
    assert {case.alias for case in list_cases()} == {f"case-001-slice0{number}" for number in (2, 3, 4)}


def test_what_nothing_saves_is_kept_as_long_as_the_scan_is_open(
    open_dock: Open, qtbot: Any, scan: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(dock_module, "ask_reader", lambda parent: "")
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    third = follow(dock, hands)
    for notches, part in ((-2, "Slice 5/6"), (2, "Slice 3/6")):
        hands.wheel(notches, SHIFT)
        arrives(dock, hands, part)
    assert kept_of(dock) == third and list_cases() == ()
    hands.key(Qt.Key.Key_Z, CONTROL)
    hands.settle()
    assert len(kept_of(dock)) == 1


def test_while_masks_are_followed_no_other_slice_is_shown(
    open_dock: Open, qtbot: Any, scan: Path, said: list[str]
) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    hands.click(30, 40)
    hands.settle()
    hands.key(Qt.Key.Key_F)
    hands.wheel(-1, SHIFT)
    assert dock.studio.following and any("stop (F)" in one for one in said)
    assert dock.desk.part_bar.slider.value() == 2
    hands.settle()
    assert shown(dock) == "Slice 3/6" and len(kept_of(dock)) == TIMES


def test_a_run_that_starts_while_a_slice_is_opened_goes_on(
    open_dock: Open, qtbot: Any, scan: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = parts_module.other_part
    monkeypatch.setattr(parts_module, "other_part", lambda *which: (time.sleep(0.2), slow(*which))[1])
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    hands.click(30, 40)
    hands.settle()
    hands.wheel(-1, SHIFT)
    assert dock.desk.part_bar.label.text() == "Slice 4/6 …"
    hands.qtbot.wait(120)
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: dock.desk.part_bar.label.text() == "Slice 3/6", timeout=10_000)
    hands.settle()
    assert shown(dock) == "Slice 3/6" and len(kept_of(dock)) == TIMES


def test_a_stroke_that_is_being_drawn_is_drawn_to_its_end_where_it_began(
    open_dock: Open, qtbot: Any, scan: Path
) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    hands.wheel(-1, SHIFT)
    dock.desk.tools.arm("box")
    hands.press(hands.place(18, 28))
    for place in (hands.place(25, 35), hands.place(35, 45), hands.place(42, 52)):
        hands.move(place)
    qtbot.wait(600)
    assert dock.desk.mouse.drawing and shown(dock) == "Slice 3/6"
    session = dock.studio.session
    hands.release(hands.place(42, 52))
    arrives(dock, hands, "Slice 4/6")
    assert len(session.prompts) == 1 and dock.studio.session is not session
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 3/6")
    assert [type(one).__name__ for one in dock.studio.session.prompts] == ["BoxPrompt"]


def test_the_window_goes_on_while_a_slice_is_opened_and_fast_turns_end_where_they_ended(
    open_dock: Open, qtbot: Any, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = parts_module.other_part
    opened: list[int] = []
    monkeypatch.setattr(
        parts_module, "other_part", lambda clip, at: (time.sleep(0.3), opened.append(at), slow(clip, at))[2]
    )
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "depth", 1)
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start(10)
    for _ in range(TIMES - 1):
        hands.wheel(-1, SHIFT)
        qtbot.wait(20)
    arrives(dock, hands, "Time 8/8")
    timer.stop()
    assert opened[-1] == TIMES - 1 and len(opened) < TIMES - 1 and len(beats) > 20


@pytest.mark.parametrize(("order", "start"), [("time", 3), ("depth", 2)])
def test_an_exported_part_lies_where_it_belongs(
    open_dock: Open, qtbot: Any, scan: Path, tmp_path: Path, order: str, start: int
) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, order, start)
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, "Slice 4/6" if order == "time" else "Time 3/8")
    mask = np.zeros((64, 72), np.bool_)
    mask[5:12, 30:50] = True  # rows are y, columns x
    dock.studio.paint({(1, 3): mask})
    hands.settle()
    with qtbot.waitSignal(dock.desk.export.exported, timeout=20_000):
        dock.desk.export.export_to(tmp_path / "out.nii.gz")
    written = nibabel.load(tmp_path / "out.nii.gz")
    values = np.asarray(written.dataobj)
    assert np.allclose(written.affine, AFFINE)
    place = (slice(None), slice(None), 3, 3) if order == "time" else (slice(None), slice(None), 3)
    assert values.shape == beating().shape[: values.ndim]
    assert np.array_equal(values[place], mask.T) and (values > 0).sum() == mask.sum()


def test_closing_asks_for_masks_of_another_slice_that_were_not_exported(
    open_dock: Open, qtbot: Any, scan: Path, closing: list[bool]
) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    hands.click(30, 40)
    hands.settle()
    for notches, part in ((-1, "Slice 4/6"), (1, "Slice 3/6"), (-1, "Slice 4/6")):
        hands.wheel(notches, SHIFT)
        arrives(dock, hands, part)
    closing.append(False)
    press(button(dock, "Close", QToolButton))
    assert dock.desk is not None and not closing  # asked, and stayed


def test_in_a_plane_across_the_frames_too(open_dock: Open, qtbot: Any, scan: Path) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "depth", 3)
    dock.desk.view.show("Coronal")
    qtbot.waitUntil(lambda: dock.desk.view.plane == "Coronal")
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, "Time 4/8")
    assert dock.desk.view.plane == "Coronal" and dock.desk.view.world.indices[0] < SLICES
    assert all(dock.desk.scene.image.data.holds(frame) for frame in range(SLICES))


def test_slices_of_a_dicom_series_over_time(open_dock: Open, qtbot: Any, tmp_path: Path) -> None:
    stored = beating()
    planes = np.stack([stored[:, :, k, t].T for t in range(TIMES) for k in range(SLICES)])
    origins = [(0.0, 0.0, 8.0 * k) for _ in range(TIMES) for k in range(SLICES)]
    write_series(
        tmp_path / "heart", planes, origins, modality="MR", TriggerTime=[40 * t for t in range(TIMES) for _ in "123456"]
    )
    dock = open_dock()
    hands = open_part(dock, qtbot, tmp_path / "heart", "time", 3)
    third = follow(dock, hands)
    hands.wheel(-1, SHIFT)
    arrives(dock, hands, "Slice 4/6")
    assert np.array_equal(dock.desk.scene.image.data[5], stored[:, :, 3, 5].T)
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 3/6")
    assert kept_of(dock) == third and "Slice 3/6 · " in dock.desk.readout.text


def test_another_readers_slices_are_looked_at_one_after_the_other(
    open_dock: Open, qtbot: Any, scan: Path, said: list[str]
) -> None:
    for at in (2, 3):
        theirs = start_case(Session(open_clip(scan, order="time", at=at)), f"heart-slice0{at + 1}", "Doe^Jo")
        theirs.session.add_point(1, (30, 40))
        assert theirs.autosave is not None and theirs.autosave.close()
    dock = open_dock("Roe^Ann")
    hands = continue_first(dock, qtbot)
    assert shown(dock) == "Slice 4/6" and dock.studio.session.read_only
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 3/6")
    assert dock.studio.session.read_only and len(kept_of(dock)) == 1
    assert button(dock, "Make mine", QToolButton).isVisible()
    hands.wheel(1, SHIFT)
    arrives(dock, hands, "Slice 2/6")
    assert not dock.studio.session.read_only and not button(dock, "Make mine", QToolButton).isVisible()


def test_a_slice_that_cannot_be_saved_is_not_left(
    open_dock: Open, qtbot: Any, scan: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    hands.click(30, 40)
    hands.settle()
    qtbot.waitUntil(lambda: dock.studio.autosave is not None)
    with monkeypatch.context() as patch:
        patch.setattr(type(dock.studio.autosave), "problem", "Cannot write it: the disk is full.")
        hands.wheel(-1, SHIFT)
    assert any("the disk is full" in one and "this slice stays open" in one for one in said)
    qtbot.wait(300)
    assert shown(dock) == "Slice 3/6"


def test_a_scan_that_is_gone_is_said_and_the_slice_stays(
    open_dock: Open, qtbot: Any, scan: Path, said: list[str]
) -> None:
    dock = open_dock()
    hands = open_part(dock, qtbot, scan, "time", 3)
    follow(dock, hands)
    scan.unlink()
    hands.wheel(-1, SHIFT)
    qtbot.waitUntil(lambda: any("does not exist" in one or "not there" in one for one in said), timeout=10_000)
    assert shown(dock) == "Slice 3/6" and dock.desk.part_bar.label.text() == "Slice 3/6"
    assert dock.desk.part_bar.slider.value() == 2 and button(dock, "Close", QToolButton).isVisible()
    assert dock.studio.session is not None and len(kept_of(dock)) == TIMES


def test_a_clip_that_is_no_part_has_one_slider(lay_desk: Open, volume: Clip) -> None:
    hands = lay_desk(volume)
    assert not hands.desk.part_bar.isVisible()
    frame = hands.desk.view.frame_index
    hands.wheel(-1, SHIFT)
    hands.settle()
    assert hands.desk.view.frame_index == frame
