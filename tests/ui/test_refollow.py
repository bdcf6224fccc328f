"""A correction on frames that were followed goes outward by itself, and is undone together with what it changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtCore import Qt

from napari_vost.clip import Clip
from tests.ui.hands import CONTROL, SHIFT
from tests.ui.test_hardness import SlowNetwork, begin

pytestmark = pytest.mark.gui

Lay = Callable[..., Any]


@pytest.fixture
def followed(lay_desk: Lay, volume: Clip) -> Any:
    """The ball, clicked and followed through all slices."""
    hands = lay_desk(volume)
    begin(hands)
    hands.key(Qt.Key.Key_F)
    hands.settle()
    hands.runs = []
    hands.desk.studio.following_changed.connect(lambda on: hands.runs.append(on))
    return hands


def held(hands: Any) -> np.ndarray:
    return np.asarray(hands.desk.studio.session.label_map(dense=True))


def test_a_click_is_followed_at_once_and_only_where_it_changes_something(followed: Any) -> None:
    session = followed.desk.studio.session
    followed.desk.view.go_to(16)
    followed.click(31, 42)
    followed.qtbot.waitUntil(lambda: True in followed.runs)
    followed.settle()
    assert followed.runs == [True, False] and session.outdated == frozenset()
    last = session.ledger.done[-1]
    assert last.follow is not None and last.follow.objects == (1,)
    assert len({frame for _, frame in last.masks_after}) < len(session.clip) - 2
    assert "Follow again" not in followed.desk.hint.text()


def test_one_undo_takes_a_correction_back_with_all_that_it_changed_and_redo_does_both(followed: Any) -> None:
    session, before = followed.desk.studio.session, held(followed)
    mask = np.zeros(session.clip.shape[1:], bool)
    mask[20:30, 30:40] = True
    followed.desk.studio.paint({(1, 16): mask})
    followed.settle()
    after = held(followed)
    assert followed.runs == [True, False] and not np.array_equal(after, before)
    followed.key(Qt.Key.Key_Z, CONTROL)
    followed.settle()
    assert [one.name for one in session.ledger.done] == ["prompt", "follow"]
    assert np.array_equal(held(followed), before)
    followed.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    followed.settle()
    assert np.array_equal(held(followed), after)
    assert followed.runs == [True, False]  # neither of them starts a run


def test_many_corrections_in_a_row_are_followed_once_the_hand_rests(followed: Any) -> None:
    followed.desk.view.go_to(14)
    for step in range(5):
        followed.click(28 + step, 40)
        followed.qtbot.wait(60)
    followed.settle()
    assert followed.runs == [True, False]
    assert len(followed.desk.studio.session.prompts) == 6


def test_a_click_that_is_taken_back_is_unlearnt_by_the_frames_that_heard_of_it(followed: Any) -> None:
    session, before = followed.desk.studio.session, held(followed)
    followed.desk.view.go_to(16)
    followed.click(12, 12)
    followed.qtbot.waitUntil(lambda: True in followed.runs)
    followed.settle()
    assert not np.array_equal(held(followed), before)
    followed.desk.studio.remove(session.prompts[-1])
    followed.qtbot.waitUntil(lambda: followed.runs == [True, False, True])
    followed.settle()
    assert len(session.prompts) == 1 and session.outdated == frozenset()
    assert np.array_equal(held(followed), before)
    followed.key(Qt.Key.Key_Z, CONTROL)  # the run and the click together
    followed.settle()
    assert len(session.prompts) == 2 and not np.array_equal(held(followed), before)


def test_a_prompt_of_an_object_that_was_never_followed_is_taken_back_without_a_run(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    begin(hands)
    hands.desk.view.go_to(16)
    hands.click(31, 42)
    hands.settle()
    studio = hands.desk.studio
    studio.remove(studio.session.prompts[-1])
    hands.settle()
    hands.qtbot.wait(600)
    assert not studio.following and not any(one.follow for one in studio.session.ledger.done)


def test_an_object_that_was_never_followed_waits_for_f(followed: Any) -> None:
    followed.key(Qt.Key.Key_N)
    followed.desk.view.go_to(10)
    followed.click(30, 40)
    followed.settle()
    followed.qtbot.wait(600)
    assert followed.runs == [] and followed.desk.studio.session.object_ids == (1, 2)


def test_switched_off_a_correction_waits_for_f_and_that_is_remembered(followed: Any, lay_desk: Lay) -> None:
    switch = followed.desk.settings.refollow
    assert switch.isChecked()
    switch.click()
    followed.desk.view.go_to(16)
    followed.click(31, 42)
    followed.settle()
    followed.qtbot.wait(600)
    assert followed.runs == [] and "Follow again" in followed.desk.hint.text()
    other = lay_desk(followed.desk.clip, after=followed)
    assert not other.desk.settings.refollow.isChecked() and not other.desk.studio.refollow.on


def test_a_correction_that_is_followed_counts_its_frames_and_shows_no_bar(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume, SlowNetwork())
    begin(hands)
    bar, studio = hands.desk.follow_bar, hands.desk.studio
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: bar.progress.isVisible() and 0 < bar.progress.value() < bar.progress.maximum())
    hands.settle()
    told: list[tuple[str, bool]] = []
    studio.progressed.connect(lambda _: told.append((bar.line.text(), bar.progress.isVisible())))
    hands.click(33, 43)
    hands.settle()
    assert told and all("Following the correction" in line and not seen for line, seen in told)


def test_a_run_that_was_stopped_goes_on_where_it_stood_and_a_click_does_not_start_it(
    lay_desk: Lay, volume: Clip
) -> None:
    hands = lay_desk(volume, SlowNetwork())
    begin(hands)
    studio, session = hands.desk.studio, hands.desk.studio.session
    progress: list[Any] = []
    studio.progressed.connect(progress.append)
    hands.key(Qt.Key.Key_F)
    hands.qtbot.waitUntil(lambda: len(session.ledger.kept) >= 5)
    hands.key(Qt.Key.Key_F)
    hands.settle()
    reached = {frame for _, frame in session.ledger.kept}
    assert 5 <= len(reached) < 20 and session.outdated == {1}
    hands.click(33, 43)
    hands.settle()
    hands.qtbot.wait(600)
    assert not studio.following and {frame for _, frame in session.ledger.kept} == reached
    studio.undo()
    hands.settle()
    progress.clear()
    hands.key(Qt.Key.Key_F)
    hands.settle()
    assert progress[-1].total < len(session.clip) and session.outdated == frozenset()
    again = {frame for _, frame in session.ledger.done[-1].masks_after} & reached
    assert again <= {12}  # nothing that was reached is looked at again


def test_stopping_a_correction_says_what_to_do_next(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume, SlowNetwork())
    begin(hands)
    hands.key(Qt.Key.Key_F)
    hands.settle()
    studio, mask = hands.desk.studio, np.zeros(volume.shape[1:], bool)
    mask[5:15, 5:15] = True
    studio.paint({(1, 12): mask})
    hands.qtbot.waitUntil(lambda: studio.following)
    hands.key(Qt.Key.Key_Escape)
    hands.key(Qt.Key.Key_Escape)
    hands.settle()
    assert not studio.following and studio.session.outdated == {1}
    assert "F" in hands.desk.hint.text() and "Follow again" in hands.desk.hint.text()
