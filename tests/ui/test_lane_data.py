"""What the timeline shows is what the session holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.display.colours import COLOURS
from napari_vost.history import Kept
from napari_vost.masks import PackedMask
from napari_vost.measure.volume import area_mm2
from napari_vost.phantoms import ball_volume
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label, Scores
from napari_vost.ui.lane_data import (
    WEAK_BELOW,
    LaneData,
    changed_frames,
    lane_data,
    next_weak,
    reviewed,
    reviewed_text,
    updated,
)
from tests.ui.made_up import crowded_session, disc

ARRAYS = ("confidence", "area", "prompted", "locked", "accepted", "weak")


def put(session: Session, frame: int, confidence: float, object_id: int = 1, radius: float = 9.0) -> None:
    """Keep a disc, or with radius 0 an empty answer."""
    session.ledger.kept[object_id, frame] = Kept(disc(radius, 32), Scores(0.9, 3.0), confidence)


@pytest.fixture
def bare() -> Session:
    return Session(Clip.from_array(np.zeros((20, 32, 32), np.uint8), (2.0, 0.5, 0.5)), BrightNetwork())


def same(one: LaneData, other: LaneData) -> bool:
    return [lane.masks for lane in one.objects] == [lane.masks for lane in other.objects] and all(
        np.array_equal(getattr(left, name), getattr(right, name), equal_nan=name == "confidence")
        for left, right in zip(one.objects, other.objects, strict=True)
        for name in ARRAYS
    )


def test_a_followed_ball_lies_on_its_frames_with_its_areas():
    phantom = ball_volume()
    session = Session(Clip.from_array(phantom.image, phantom.spacing_mm_zyx), BrightNetwork())
    truth = np.array([phantom.mask(1, frame).any() for frame in range(len(session.clip))])
    start = int(np.flatnonzero(truth).mean())
    y, x = np.argwhere(phantom.mask(1, start)).mean(0)
    session.add_point(start, (y, x))
    list(session.propagate())
    session.name_object(1, Label("Ball", colour_rgb=(1, 2, 3)))
    data = lane_data(session)
    (lane,) = data.objects
    assert (data.frames, data.unit, lane.name, lane.colour_rgb) == (len(session.clip), "mm²", "Ball", (1, 2, 3))
    assert np.allclose(lane.area, area_mm2(session.segmentation(), 1)) and lane.area.max() > 0
    shown = np.array([session.preview(frame).get(1, np.zeros(1)).any() for frame in range(data.frames)])
    assert np.array_equal(lane.present, shown)
    assert lane.extent == (np.flatnonzero(shown)[0], np.flatnonzero(shown)[-1])
    assert np.flatnonzero(lane.prompted).tolist() == [start] == np.flatnonzero(lane.edited).tolist()


def test_without_spacing_areas_are_pixels(bare):
    put(bare, 3, 0.9)
    pixels = bare.ledger.kept[1, 3].mask.area
    assert lane_data(bare).objects[0].area[3] == pytest.approx(pixels * 0.25)
    object.__setattr__(bare.clip, "geometry", replace(bare.clip.geometry, spaced=False))
    data = lane_data(bare)
    assert (data.unit, data.objects[0].area[3]) == ("px", pixels)


def test_weak_is_what_nobody_has_looked_at_and_the_network_doubts(bare):
    for frame, confidence in enumerate((0.2, 0.2, 0.2, 0.2, WEAK_BELOW - 0.01, WEAK_BELOW, 0.99)):
        put(bare, frame, confidence)
    put(bare, 10, 0.3, radius=0)
    bare.add_point(0, (16, 16))
    put(bare, 0, 0.2)
    bare.lock(1)
    bare.accept(2)
    (lane,) = lane_data(bare).objects
    assert np.flatnonzero(lane.weak).tolist() == [3, 4, 10]
    assert [lane.state(frame) for frame in (0, 1, 2, 3, 6, 10)] == [
        "edited", "locked", "accepted", "weak", "open", "weak",
    ]  # fmt: skip
    assert lane.confidence[[0, 1, 2, 3]].tolist() == [0.2, 1.0, 1.0, 0.2]
    assert lane.kept.sum() == 8 and not lane.present[10] and np.isnan(lane.confidence[11])
    assert np.flatnonzero(lane_data(bare, weak_below=0.25).objects[0].weak).tolist() == [3]


def test_the_count_of_what_is_reviewed_is_the_sessions():
    session = crowded_session(60, 3, 16)
    assert reviewed(lane_data(session)) == session.reviewed()
    session.accept(range(20, 40))
    data = lane_data(session)
    for object_id in (None, 1, 2, 3, 99):
        assert reviewed(data, object_id) == session.reviewed(object_id)
    assert 0 < session.reviewed().reviewed < session.reviewed().frames
    assert reviewed_text(session.reviewed()) == f"{session.reviewed().reviewed} of {session.reviewed().frames} reviewed"
    assert reviewed_text(reviewed(LaneData(5, "px"))) == ""


def test_the_next_weak_frame_is_found_either_way_and_around_the_ends(bare):
    for frame in (3, 8, 15):
        put(bare, frame, 0.5)
    put(bare, 8, 0.1, object_id=2)
    put(bare, 9, 0.6, object_id=2)
    data = lane_data(bare)
    assert [next_weak(data, 1, frame) for frame in (0, 3, 8, 15, 19)] == [(1, 3), (1, 8), (1, 15), (1, 3), (1, 3)]
    assert [next_weak(data, 1, frame, -1) for frame in (0, 3, 8, 9, 19)] == [(1, 15), (1, 15), (1, 3), (1, 8), (1, 15)]
    assert next_weak(data, None, 3) == (2, 8)  # of two weak ones the weaker
    assert next_weak(data, None, 8) == (2, 9)
    assert next_weak(data, 7, 0) is None


def test_a_frame_that_alone_is_weak_is_the_next_one_even_to_itself(bare):
    put(bare, 4, 0.1)
    assert next_weak(lane_data(bare), None, 4) == (1, 4)
    put(bare, 4, 0.9)
    assert next_weak(lane_data(bare), None, 4) is None


def test_changed_is_what_has_other_pixels(bare):
    for frame in range(6):
        put(bare, frame, 0.5)
    before = lane_data(bare)
    put(bare, 1, 0.9)  # the same pixels, packed again
    put(bare, 2, 0.5, radius=5)
    moved = np.roll(bare.ledger.kept[1, 3].mask.unpack(), 2, axis=1)
    bare.ledger.kept[1, 3] = Kept(PackedMask.pack(moved), Scores(0.9, 3.0), 0.5)
    del bare.ledger.kept[1, 4]
    put(bare, 7, 0.5)
    put(bare, 0, 0.5, object_id=2)
    assert changed_frames(before, lane_data(bare)) == {1: (2, 3, 4, 7), 2: (0,)}
    assert changed_frames(before, before) == {}


def test_a_few_frames_read_anew_equal_reading_everything():
    session = crowded_session(60, 3, 16)
    data = lane_data(session)
    untouched = lane_data(session)
    session.lock(30, 2)
    session.ledger.kept[1, 31] = Kept(disc(3, 16), Scores(0.9, 3.0), 0.2)
    del session.ledger.kept[3, 32]
    session.accept(33)
    fresh = updated(data, session, (30, 31, 32, 33))
    assert same(fresh, lane_data(session)) and not same(fresh, data)
    assert same(data, untouched)
    session.unlock(30, 2)
    assert same(updated(fresh, session, [30]), lane_data(session))


class Restless(tuple[int, int]):
    """A place that, whenever it is looked at, lets another thread have written a mask in the meantime."""

    session: Session

    def __iter__(self) -> Iterator[int]:
        put(self.session, 1 + len(self.session.ledger.kept), 0.5)
        return super().__iter__()


def test_masks_may_be_written_while_it_is_read(bare):
    Restless.session = bare
    for frame in (0, 1):
        put(bare, frame, 0.5)
    bare.ledger.kept = {Restless(place): kept for place, kept in bare.ledger.kept.items()}
    (lane,) = lane_data(bare).objects
    assert np.flatnonzero(lane.kept).tolist() == [0, 1] and len(bare.ledger.kept) == 4


def test_names_colours_and_limits_go_with_the_object(bare):
    put(bare, 0, 0.5, object_id=2)
    put(bare, 0, 0.5, object_id=len(COLOURS) + 1)
    low, high = lane_data(bare, limits={2: (3, 9)}).objects
    assert (low.name, low.colour_rgb, low.limits) == ("Object 2", COLOURS[1], (3, 9))
    assert (high.colour_rgb, high.limits) == (COLOURS[0], None)


def test_an_object_with_a_prompt_and_no_mask_has_a_lane(bare):
    bare.add_point(2, (16, 16))
    bare.ledger.kept.clear()
    (lane,) = lane_data(bare).objects
    assert (lane.extent, int(lane.prompted.sum()), lane.kept.any()) == (None, 1, False)
