"""The timeline answers mouse and keys, shows what it is told, and stays cheap on a long clip."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QWheelEvent
from qtpy.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from napari_vost.session import Session
from napari_vost.types import PointPrompt
from napari_vost.ui import lane_view, lane_words
from napari_vost.ui.lane import Lane
from napari_vost.ui.lane_data import LaneData, changed_frames, lane_data, next_weak
from tests.ui.looking import send
from tests.ui.made_up import crowded_session, disc

pytestmark = pytest.mark.gui
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ROWS_LEFT = 140  # beside the names, at this width
AXIS_Y = 130


@pytest.fixture(scope="module")
def session() -> Session:
    return crowded_session(100, 5, 16)


@pytest.fixture
def lane(qtbot: Any, session: Session) -> Lane:
    """100 frames on 1,000 pixels: ten pixels each."""
    lane = Lane()
    qtbot.addWidget(lane)
    lane.resize(ROWS_LEFT + 1000, 140)
    lane.set_data(lane_data(session))
    lane.show()
    qtbot.waitExposed(lane)
    return lane


class Heard:
    """What a lane said."""

    def __init__(self, lane: Lane) -> None:
        self.frames: list[int] = []
        self.objects: list[int] = []
        self.ranges: list[Any] = []
        lane.frame_chosen.connect(self.frames.append)
        lane.object_chosen.connect(self.objects.append)
        lane.range_changed.connect(self.ranges.append)


def at(frame: float, y: float = 60) -> QPoint:
    return QPoint(round(ROWS_LEFT + 10 * frame), round(y))


def move(lane: Lane, place: QPoint, button: Qt.MouseButton = LEFT) -> None:
    """Move with a button held; Qt's own test helper holds none."""
    there, screen = QPointF(place), QPointF(lane.mapToGlobal(place))
    QApplication.sendEvent(lane, QMouseEvent(QEvent.Type.MouseMove, there, screen, button, button, NONE))


def turn(lane: Lane, place: QPoint, notches: float, modifiers: Qt.KeyboardModifier = NONE) -> None:
    delta = QPoint(0, round(120 * notches))
    no_button, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    screen = QPointF(lane.mapToGlobal(place))
    event = QWheelEvent(QPointF(place), screen, QPoint(), delta, no_button, modifiers, phase, False)
    QApplication.sendEvent(lane, event)


def test_a_click_goes_to_the_frame_and_a_drag_through_all_on_the_way(qtbot: Any, lane: Lane) -> None:
    heard = Heard(lane)
    qtbot.mousePress(lane, LEFT, NONE, at(46.5))
    for frame in (46.7, 47.5, 48.5, 48.9, 300):
        move(lane, at(frame))
    qtbot.mouseRelease(lane, LEFT, NONE, at(99.5))
    move(lane, at(20.5), Qt.MouseButton.NoButton)
    assert heard.frames == [46, 47, 48, 99] and not heard.objects


def test_what_it_is_told_it_does_not_say(lane: Lane) -> None:
    heard = Heard(lane)
    lane.set_frame(30)
    lane.set_active(3)
    lane.set_range((10, 50))
    assert (heard.frames, heard.objects, heard.ranges) == ([], [], [])


def test_a_click_on_a_name_chooses_the_object(qtbot: Any, lane: Lane) -> None:
    heard = Heard(lane)
    qtbot.mouseClick(lane, LEFT, NONE, QPoint(50, 24 + 12))
    qtbot.mouseClick(lane, LEFT, NONE, QPoint(50, AXIS_Y))
    assert heard.objects == [2] and not heard.frames


def test_the_wheel_zooms_around_the_cursor_and_a_double_click_shows_all(qtbot: Any, lane: Lane) -> None:
    heard = Heard(lane)
    turn(lane, at(60.5), 8)
    first, stop = lane.visible_frames
    assert stop - first < 30 and first < 60 < stop
    send(lane, QEvent.Type.MouseMove, (at(60.5).x(), at(60.5).y()), Qt.MouseButton.NoButton, NONE)
    assert lane.tip(at(60.5).x(), 60).startswith("Frame 61")
    turn(lane, at(60.5), -2)
    assert lane.tip(at(60.5).x(), 60).startswith("Frame 61")
    qtbot.mouseDClick(lane, LEFT, NONE, at(60.5))
    assert lane.visible_frames == (0, 100)
    assert heard.frames in ([], [60])


def test_shift_wheel_and_middle_drag_move_along(qtbot: Any, lane: Lane) -> None:
    turn(lane, at(50), 8)
    first, stop = lane.visible_frames
    turn(lane, at(50), -1, SHIFT)
    later = lane.visible_frames
    assert later[0] > first and later[1] > stop
    qtbot.mousePress(lane, MIDDLE, NONE, at(50))
    move(lane, at(80), MIDDLE)
    qtbot.mouseRelease(lane, MIDDLE, NONE, at(80))
    assert lane.visible_frames[0] < later[0]


def test_a_view_that_is_zoomed_in_goes_along_with_the_frame(lane: Lane) -> None:
    turn(lane, at(10), 8)
    lane.set_frame(90)
    first, stop = lane.visible_frames
    assert first <= 90 < stop


def test_news_of_the_same_frame_leaves_the_view_where_it_was_moved(lane: Lane, session: Session) -> None:
    lane.set_frame(90)
    turn(lane, at(10), 8)
    before = lane.visible_frames
    assert before[1] < 90
    lane.set_data(lane_data(session))
    lane.set_frame(90)
    assert lane.visible_frames == before


def test_handles_set_the_range_and_keep_a_frame_in_it(qtbot: Any, lane: Lane) -> None:
    heard = Heard(lane)
    qtbot.mousePress(lane, LEFT, NONE, at(0, AXIS_Y))
    move(lane, at(20, AXIS_Y))
    qtbot.mouseRelease(lane, LEFT, NONE, at(20, AXIS_Y))
    qtbot.mousePress(lane, LEFT, NONE, at(99.9, AXIS_Y))
    move(lane, at(60, AXIS_Y))
    move(lane, at(3, AXIS_Y))
    qtbot.mouseRelease(lane, LEFT, NONE, at(3, AXIS_Y))
    assert heard.ranges == [(20, 100), (20, 60), (20, 21)] and not heard.frames
    qtbot.mousePress(lane, LEFT, NONE, at(20, AXIS_Y))
    move(lane, at(70, AXIS_Y))
    assert heard.ranges[3:] == []
    move(lane, at(0, AXIS_Y))
    qtbot.mouseRelease(lane, LEFT, NONE, at(0, AXIS_Y))
    lane.choose_range(0, 100)
    assert heard.ranges[3:] == [(0, 21), None]


def test_beside_the_handles_a_click_on_the_axis_goes_to_the_frame(qtbot: Any, lane: Lane) -> None:
    heard = Heard(lane)
    qtbot.mouseClick(lane, LEFT, NONE, at(40.5, AXIS_Y))
    assert heard.frames == [40] and heard.ranges == []


def test_it_tells_what_lies_under_the_cursor(lane: Lane, session: Session) -> None:
    data = lane_data(session)
    pancreas = data.objects[0]
    said = lane.tip(at(46.5).x(), 12)
    assert said == f"Frame 47 · Pancreas · confidence 1.00 · {pancreas.area[46]:.3g} mm² · accepted"
    weak = next_weak(data, None, 0)
    assert weak is not None
    kept = session.ledger.kept[weak].confidence
    there = lane.told(weak[1], weak[0])
    assert f"confidence {kept:.2f}".replace(" 0.", " .") in there and there.endswith("weak")
    assert lane.tip(at(0.5).x(), 12) == "Frame 1 · Pancreas · not followed yet"
    assert "reviewed" in lane.tip(50, 12) and lane.tip(50, AXIS_Y) == lane_words.HELP
    assert lane.tip(at(100).x(), AXIS_Y) == lane_words.HANDLE


def test_keys_move_by_frames_and_objects(qtbot: Any, lane: Lane, session: Session) -> None:
    heard = Heard(lane)
    extent = lane_data(session).objects[1].extent
    assert extent is not None
    lane.set_active(2)
    lane.set_frame(50)
    for key in ("Right", "Left", "PageDown", "PageUp", "Home", "End"):
        qtbot.keyClick(lane, getattr(Qt.Key, f"Key_{key}"))
    assert heard.frames == [51, 50, 60, 50, extent[0], extent[1]]
    for key in ("Up", "Down"):
        qtbot.keyClick(lane, getattr(Qt.Key, f"Key_{key}"))
    assert heard.objects == [1, 3]
    qtbot.keyClick(lane, Qt.Key.Key_Plus)
    first, stop = lane.visible_frames
    assert stop - first < 100


def test_the_focus_comes_by_tab_and_not_by_a_click(qtbot: Any, session: Session) -> None:
    window = QWidget()
    box = QVBoxLayout(window)
    field, lane = QLineEdit(), Lane()
    box.addWidget(field)
    box.addWidget(lane)
    qtbot.addWidget(window)
    lane.set_data(lane_data(session))
    window.show()
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    qtbot.mouseClick(lane, LEFT, NONE, QPoint(300, 20))
    assert field.hasFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    qtbot.waitUntil(lane.hasFocus)
    assert lane.accessibleName() == "Timeline" and lane.accessibleDescription().startswith("Frame")


def test_a_flash_ends_by_itself_and_with_the_widget(qtbot: Any, lane: Lane) -> None:
    before = lane.grab().toImage()
    lane.flash({1: (40, 41), 3: (90,)})
    assert lane.flashing and lane.grab().toImage() != before
    qtbot.waitUntil(lambda: not lane.flashing, timeout=5000)
    assert lane.grab().toImage() == before
    lane.flash({1: (40,)})
    lane.close()
    assert not lane.flashing
    lane.flash({1: (40,)})  # nobody looks
    assert not lane.flashing


def test_what_changed_can_be_flashed(qtbot: Any, lane: Lane) -> None:
    session = crowded_session(100, 2, 16)
    before = lane_data(session)
    session.ledger.kept[2, 50] = replace(session.ledger.kept[2, 50], mask=disc(2, 16))
    after = lane_data(session)
    lane.set_data(after)
    lane.flash(changed_frames(before, after))
    assert lane.flashing
    lane.set_data(None)
    assert not lane.flashing


def colour_at(lane: Lane, place: QPoint) -> QColor:
    picture = lane.grab().toImage()
    return picture.pixelColor(place * picture.devicePixelRatio())


def test_it_wears_the_theme_and_changes_with_it(lane: Lane) -> None:
    empty = QPoint(ROWS_LEFT + 10, 60)
    for background, text in (("#101418", "#f0f0f0"), ("#eeeae8", "#101010")):
        lane.setStyleSheet(f"QWidget {{ background-color: {background}; color: {text}; }}")
        assert colour_at(lane, empty).name() == background
        cursor = at(0.5, 60)
        assert colour_at(lane, cursor).name() != background


def test_outside_of_the_range_lies_shade(lane: Lane) -> None:
    before = lane.grab().toImage()
    lane.set_range((20, 60))
    after = lane.grab().toImage()
    changed = {frame for frame in range(100) if column(before, frame) != column(after, frame)}
    assert changed >= {*range(1, 19), *range(62, 99)} and not changed & set(range(21, 59))
    lane.set_range((0, 100))
    assert lane.grab().toImage() == before


def column(image: Any, frame: int) -> list[int]:
    """Pixels of the rows in the middle of a frame."""
    ratio = image.devicePixelRatio()
    x = round(at(frame + 0.5).x() * ratio)
    return [image.pixel(x, y) for y in range(int(118 * ratio))]


@pytest.mark.parametrize("told", ["progress", "suggestion", "active"])
def test_everything_it_is_told_can_be_seen(lane: Lane, told: str) -> None:
    before = lane.grab().toImage()
    tell = {
        "progress": lambda: lane.set_progress(0.5),
        "suggestion": lambda: lane.set_suggestion(70, 2),
        "active": lambda: lane.set_active(2),
    }
    tell[told]()
    assert lane.grab().toImage() != before


def test_rows_that_do_not_fit_are_scrolled_to(qtbot: Any, lane: Lane) -> None:
    heard = Heard(lane)
    lane.set_data(lane_data(crowded_session(100, 9, 16)))
    lane.set_active(9)
    qtbot.mouseClick(lane, LEFT, NONE, QPoint(50, 110))
    turn(lane, QPoint(50, 40), 20)
    lane.set_active(9)  # it was already
    qtbot.mouseClick(lane, LEFT, NONE, QPoint(50, 10))
    assert heard.objects == [9, 1]


@pytest.mark.parametrize("data", [None, LaneData(1, "px"), LaneData(40, "mm²")], ids=["none", "one frame", "no object"])
@pytest.mark.parametrize("width", [20, 300, 1400])
def test_with_nothing_to_show_it_still_works(qtbot: Any, lane: Lane, data: LaneData | None, width: int) -> None:
    lane.set_data(data)
    lane.resize(width, 60)
    for x in (1, width // 2, width - 1):
        qtbot.mouseClick(lane, LEFT, NONE, QPoint(x, 30))
        assert lane.tip(x, 30)
        turn(lane, QPoint(x, 30), 3)
    qtbot.keyClick(lane, Qt.Key.Key_End)
    lane.set_suggestion(0)
    assert not lane.grab().isNull()


def test_its_height_follows_the_rows_within_limits(lane: Lane) -> None:
    heights = []
    for objects in (1, 4, 9):
        lane.set_data(lane_data(crowded_session(20, objects, 16)))
        heights.append(lane.sizeHint().height())
    assert heights == [60, 115, 160]


class Counting(QPainter):
    """Counts what is painted."""

    painted: ClassVar[Counter[str]] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name.startswith(("draw", "fill")):
            Counting.painted[name] += 1
        return super().__getattribute__(name)


def test_two_thousand_frames_are_painted_with_few_strokes(monkeypatch: pytest.MonkeyPatch, lane: Lane) -> None:
    monkeypatch.setattr(lane_view, "QPainter", Counting)
    session, busy = crowded_session(2000, 5, 16), crowded_session(2000, 5, 16)
    places = [(one, frame) for one in range(1, 6) for frame in range(2000)]
    prompts = tuple(PointPrompt(frame, one, 5, 5) for one, frame in places if frame % 5 == 0)
    locks = frozenset(place for place in places if place[1] % 8 < 4)
    busy.ledger.settings = replace(busy.ledger.settings, prompts=prompts, locks=locks, accepted=frozenset())
    counts = {}
    for name, shown in (("short", crowded_session(100, 5, 16)), ("long", session), ("busy", busy)):
        data = lane_data(shown)
        Counting.painted.clear()
        lane.set_data(data)
        lane.grab()
        counts[name] = Counting.painted.total()
        Counting.painted.clear()
        lane.set_frame(50)
        lane.grab()
        counts[f"{name}, cursor"] = Counting.painted.total()
    assert 20 < counts["short"] and counts["long"] < 150
    assert counts["busy"] < 1500  # 10,000 frames, 2,000 prompts, 1,250 locked stretches
    assert counts["busy, cursor"] == counts["long, cursor"] < 60 and not Counting.painted["drawImage"]
