"""The bar of an object: confidence can be read by height and by pattern, and no doubtful frame hides between pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_vost.ui.lane_data import ObjectLane
from napari_vost.ui.lane_scale import Scale
from napari_vost.ui.lane_strip import apart, columns, curve, frames_under, review_line, runs, strip
from tests.ui.made_up import disc


def lane_of(confidence: np.ndarray, area: np.ndarray | None = None, **flags: np.ndarray) -> ObjectLane:
    none = np.zeros(len(confidence), bool)
    area = np.where(np.isnan(confidence), 0.0, 100.0) if area is None else area
    given = {name: flags.get(name, none) for name in ("prompted", "locked", "accepted", "weak")}
    return ObjectLane(1, "Object 1", (200, 100, 0), (disc(3),) * len(confidence), confidence, area, **given)


@pytest.mark.parametrize(("frames", "width", "zoom"), [(2000, 611, 1), (2000, 611, 7), (50, 611, 1), (600, 611, 1)])
def test_every_frame_in_view_lies_under_a_column(frames, width, zoom):
    scale = Scale(frames, width).zoomed(zoom, 300.0)
    first, stop = frames_under(scale)
    assert (stop > first).all() and first.min() >= 0 and stop.max() <= frames
    covered = {frame for one, end in zip(first, stop, strict=True) for frame in range(one, end)}
    seen = range(int(np.ceil(scale.start)), int(scale.start + scale.span))
    assert covered >= set(seen)


def test_one_weak_frame_of_two_thousand_is_seen():
    confidence = np.full(2000, 0.98)
    confidence[1234] = 0.1
    seen = columns(lane_of(confidence), Scale(2000, 500))
    assert np.flatnonzero(seen.confidence < 0.5).tolist() == [1234 // 4]
    picture = strip(seen, 16, (200, 100, 0), 0.7)
    heights = (picture[..., 3] > 0).sum(0)
    assert heights[308] < heights[307] == 16


def test_height_rises_with_confidence_and_the_three_patterns_differ_without_colour():
    confidence = np.repeat([0.1, 0.5, 0.75, 0.95], 24)
    picture = strip(columns(lane_of(confidence), Scale(96, 96)), 24, (200, 100, 0), 0.7)
    heights = (picture[..., 3] > 0).sum(0)[[0, 30, 60, 90]]
    assert (np.diff(heights) > 0).all() and heights[0] >= 24 * 0.3
    low = picture[-8:, :, 3]  # where all of them reach
    shares = [float((part == 255).mean()) for part in (low[:, 24:48], low[:, 48:72])]
    assert len(np.unique(low[:, 72:])) == 1  # solid
    assert shares == pytest.approx([1 / 4, 1 / 3])  # dotted, hatched
    dots, hatch = low[:, 24:48] == 255, low[:, 48:72] == 255
    assert not dots[2:4].any() and hatch.any(axis=1).all()


def test_not_found_is_a_line_and_not_followed_is_nothing():
    confidence, area = np.array([np.nan, 0.9, 0.9]), np.array([0.0, 0.0, 50.0])
    alpha = strip(columns(lane_of(confidence, area), Scale(3, 3)), 10, (1, 2, 3), 0.7)[..., 3] > 0
    assert alpha.sum(0).tolist()[:2] == [0, 1] and alpha[-1, 1] and alpha[:, 2].sum() > 8


def test_the_line_of_what_is_reviewed_has_a_gap_where_one_frame_is_left():
    accepted = np.ones(400, bool)
    accepted[201] = False
    lane = lane_of(np.full(400, 0.9), accepted=accepted, locked=accepted)
    line = review_line(columns(lane, Scale(400, 100)), 2, (9, 9, 9))[..., 3]
    assert np.flatnonzero(line[0] == 0).tolist() == [50]
    locked = replace(lane, accepted=~np.ones(400, bool))
    dotted = review_line(columns(locked, Scale(400, 100)), 2, (9, 9, 9))[0, :, 3] > 0
    assert 0.4 < dotted.mean() < 0.6


def test_the_curve_follows_the_area_and_breaks_where_there_is_no_mask():
    area = np.array([10.0, 100.0, 0.0, 55.0])
    seen = columns(lane_of(np.array([0.9, 0.9, np.nan, 0.9]), area), Scale(4, 80))
    picture = curve(seen, 22, 100.0, (255, 255, 255), (0, 0, 0))
    line = picture[..., 0] == 255
    rows = [float(np.flatnonzero(line[:, x]).mean()) if line[:, x].any() else None for x in (10, 30, 50, 70)]
    assert rows[2] is None
    assert rows[1] < 2 and rows[0] > 18 and abs(rows[3] - 10) < 1.5
    assert line[:, 20].sum() > 15  # the step up is drawn


def test_work_goes_with_pixels_not_with_frames():
    few, many = (lane_of(np.full(count, 0.9)) for count in (100, 20000))
    shapes = [strip(columns(one, Scale(len(one.area), 300)), 16, (1, 1, 1), 0.7).shape for one in (few, many)]
    assert shapes == [(16, 300, 4)] * 2


def test_frames_are_set_apart_where_they_are_wide_enough():
    assert columns(lane_of(np.full(10, 0.9)), Scale(10, 100)).edge.sum() == 9
    assert not columns(lane_of(np.full(100, 0.9)), Scale(100, 100)).edge.any()


def test_runs_and_places_apart():
    assert runs(np.array([1, 1, 0, 0, 1], bool)) == [(0, 2), (4, 5)]
    assert runs(np.zeros(3, bool)) == []
    assert apart(np.array([0.0, 2.0, 5.0, 11.0, 12.0]), 5.0) == [0.0, 5.0, 11.0]


def test_an_object_without_an_answer_has_an_empty_bar():
    session_lane = lane_of(np.full(5, np.nan))
    assert not strip(columns(session_lane, Scale(5, 50)), 10, (1, 1, 1), 0.7)[..., 3].any()
