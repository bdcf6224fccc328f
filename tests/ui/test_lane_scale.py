"""Frames and pixels of the timeline: nothing is lost, and zooming holds on to what one looks at."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.ui.lane_scale import FEWEST, TICK_PX, Scale


@pytest.mark.parametrize("frames", [1, 7, 300, 2000])
@pytest.mark.parametrize("zoom", [1.0, 3.0, 50.0])
def test_the_middle_of_a_frame_is_that_frame(frames, zoom):
    scale = Scale(frames, 611).zoomed(zoom, 200.0)
    for frame in range(frames):
        assert scale.frame_at(scale.x(frame + 0.5)) == frame


def test_what_lies_under_the_cursor_stays_there():
    scale = Scale(500, 1000).zoomed(4, 700.0)
    assert scale.x(350.0) == pytest.approx(700.0)
    closer = scale.zoomed(2.5, 120.0)
    assert closer.frame_at(120.0) == scale.frame_at(120.0)


def test_the_view_never_leaves_the_clip():
    scale = Scale(100, 500)
    for act in (lambda one: one.zoomed(9, 0.0), lambda one: one.panned(-30), lambda one: one.zoomed(0.5, 499.0),
                lambda one: one.panned(1e6), lambda one: one.zoomed(1e9, 250.0)):  # fmt: skip
        scale = act(scale)
        assert scale.start >= 0 and scale.start + scale.span <= 100 + 1e-9
    assert scale.span == FEWEST
    assert scale.whole() == Scale(100, 500)
    assert Scale(3, 500).zoomed(100, 0.0).span == 3


def test_a_frame_out_of_sight_comes_in_at_the_near_edge():
    scale = Scale(100, 500, start=40.0, shown=10.0)
    assert scale.with_frame(45) is scale
    assert scale.with_frame(12).start == 12
    assert scale.with_frame(80).start == 71


@pytest.mark.parametrize("frames", [1, 9, 61, 300, 2000])
@pytest.mark.parametrize("shown", [0.0, 8.0, 33.0])
def test_numbers_have_room_and_count_from_one(frames, shown):
    scale = Scale(frames, 900, 0.0, min(shown, frames))
    ticks = scale.ticks()
    assert ticks[0] == 0 and ticks[-1] < frames
    assert np.diff([scale.x(one) for one in ticks]).min(initial=1e9) > TICK_PX * 0.7
    assert len(ticks) >= min(3, frames)


def test_a_boundary_is_the_nearest_one():
    scale = Scale(10, 100)
    assert [scale.boundary_at(x) for x in (-50, 4, 6, 44, 99, 500)] == [0, 0, 1, 4, 10, 10]
