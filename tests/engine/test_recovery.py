"""A second opinion, and finding again what was lost: with the shipped weights, on frames whose truth is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_vost import Clip, Session
from napari_vost.contracts import MemoryEntry, Network
from napari_vost.engine import EngineOptions
from napari_vost.masks import Box, Mask
from napari_vost.model.loading import load_network
from napari_vost.phantoms.hard import hard_clip
from napari_vost.recovery import EVERY, likeness, tone_of
from napari_vost.search import Sighting, lies_at, placed, square_on, squares
from napari_vost.types import Order, Region, Scores

FRAMES = 8


@cache
def network() -> Network:
    return load_network("vost-nano", "cpu")


@cache
def still() -> tuple[NDArray[np.uint8], Mask]:
    """A frame (96, 96) with a structure of known outline among others."""
    hard = hard_clip("leave", 2, seed=2)
    return np.asarray(hard.phantom.image[0], np.uint8), hard.truth()[0]


def jumped(frame: NDArray[np.uint8], mask: Mask, by: int) -> tuple[NDArray[np.uint8], Mask]:
    """The frame and its mask, moved to the left; what comes in at the right is the frame's own left part."""
    return np.roll(frame, -by, axis=1), np.roll(mask, -by, axis=1)


def follow(image: NDArray[np.uint8], mask: Mask, order: Order = "time", sam2: bool = False) -> list[Mask]:
    session = Session(
        Clip.from_array(image, order=order), network(), memory="fifo", motion="none",
        options=EngineOptions(sam2=sam2),
    )  # fmt: skip
    session.add_mask(0, mask)
    for _ in session.propagate():
        pass
    labels = session.label_map()
    return [np.asarray(frame == 1) for frame in labels]


def shown(region: Region, box: Box) -> MemoryEntry:
    """A memory of which only its place matters."""
    nothing = torch.zeros(1, 1)
    return MemoryEntry(0, 0, "prompted", 0, region, nothing, nothing, nothing, nothing[0], Scores(1.0, 5.0), 100, box,
                       None, "")  # fmt: skip


def iou(first: Mask, second: Mask) -> float:
    return float((first & second).sum() / max(1, (first | second).sum()))


@cache
def away_and_back() -> tuple[NDArray[np.uint8], Mask, Mask]:
    """Three frames in place, three without the structure, two with it 40 pixels further left."""
    frame, mask = still()
    empty = frame.copy()
    grown = np.zeros_like(mask)
    y, x = (int(centre.mean()) for centre in np.nonzero(mask))
    grown[max(0, y - 16) : y + 16, max(0, x - 16) : x + 16] = True
    empty[grown] = np.median(frame).astype(np.uint8)
    moved, there = jumped(frame, mask, 40)
    return np.stack([frame] * 3 + [empty] * 3 + [moved] * 2), mask, there


def test_an_object_that_comes_back_elsewhere_is_found_again() -> None:
    image, mask, there = away_and_back()
    found = follow(image, mask)
    assert not found[4].any()
    assert iou(found[7], there) > 0.7


def test_nothing_is_found_where_nothing_is_like_it() -> None:
    image, mask, _ = away_and_back()
    found = follow(np.concatenate([image[:3], image[3:4].repeat(6, axis=0)]), mask)
    assert not any(one.any() for one in found[4:])


@pytest.mark.parametrize("kind", ["depth", "sam2"])
def test_slices_of_a_volume_and_sam_2_itself_are_not_searched(kind: str) -> None:
    image, mask, there = away_and_back()
    found = follow(image, mask, "depth" if kind == "depth" else "time", kind == "sam2")
    assert iou(found[7], there) < 0.1


def test_a_second_opinion_changes_nothing_where_the_object_stays() -> None:
    frame, mask = still()
    found = follow(np.stack([frame] * (2 * EVERY)), mask)
    assert min(iou(one, mask) for one in found) > 0.8


def test_squares_for_what_another_clip_showed_stay_inside_the_frame() -> None:
    session = Session(Clip.from_array(np.zeros((2, 96, 130), np.uint8), order="time"), network())
    found = squares(session.engine, (96, 130), 48.0, 1 / 3)
    covered = np.zeros((96, 130), np.bool_)
    for one in found:
        assert one.y0 >= 0 and one.x0 >= 0 and one.y0 + one.height <= 96 and one.x0 + one.width <= 130
        covered[int(one.y0) : int(one.y0) + 48, int(one.x0) : int(one.x0) + 48] = True
    assert covered.all()
    small = squares(session.engine, (30, 20), 48.0, 1 / 3)
    assert [(one.y0 + 24, one.x0 + 24) for one in small] == [(15.0, 10.0)]  # one square, centred on what there is


def test_squares_cover_the_frame_and_reach_beyond_its_border() -> None:
    session = Session(Clip.from_array(np.zeros((2, 96, 130), np.uint8), order="time"), network())
    found = squares(session.engine, (96, 130), 48.0, 0.5, shown(Region(10.0, 20.0, 48.0, 48.0), (24, 34, 44, 54)))
    covered = np.zeros((96, 130), np.bool_)
    for one in found:
        assert one.height == one.width == 48.0
        covered[max(0, int(one.y0)) : int(one.y0) + 48, max(0, int(one.x0)) : int(one.x0) + 48] = True
    assert covered.all()
    assert min(one.x0 for one in found) == -12.0
    assert max(one.x0 + one.width for one in found) == 142.0


def test_an_object_shown_at_a_border_is_looked_for_at_the_same_place_of_its_square() -> None:
    """It lay at the left of its region: squares start where it would lie there too."""
    prompted = shown(Region(0.0, 0.0, 48.0, 48.0), (18, 0, 30, 12))
    assert lies_at(prompted) == (0.5, 0.125)
    session = Session(Clip.from_array(np.zeros((2, 96, 96), np.uint8), order="time"), network())
    found = squares(session.engine, (96, 96), 48.0, 0.5, prompted)
    assert (min(one.x0 for one in found), max(one.x0 for one in found)) == (6.0, 78.0)
    mask = np.zeros((96, 96), np.bool_)
    mask[40:52, 60:72] = True
    assert square_on(mask, 48.0, prompted) == Region(22.0, 60.0, 48.0, 48.0)


def test_a_memory_that_is_placed_elsewhere_takes_its_object_along() -> None:
    prompted = shown(Region(0.0, 0.0, 48.0, 48.0), (18, 0, 30, 12))
    moved = placed(prompted, Region(22.0, 60.0, 48.0, 48.0), prompted)
    assert moved.box == (40, 60, 52, 72)
    assert lies_at(moved) == lies_at(prompted)
    other = shown(Region(10.0, 10.0, 48.0, 48.0), (28, 28, 40, 40))
    assert placed(other, prompted.region, prompted).box == (18, 0, 30, 12)


def test_a_square_larger_than_the_frame_is_looked_at_once() -> None:
    session = Session(Clip.from_array(np.zeros((2, 40, 40), np.uint8), order="time"), network())
    assert len(squares(session.engine, (40, 40), 80.0, 0.5, shown(Region(0.0, 0.0, 80.0, 80.0), (10, 10, 30, 30)))) == 1


def test_likeness_falls_with_size_and_tone() -> None:
    session = Session(Clip.from_array(np.stack([still()[0]] * 2), order="time"), network())
    frame, mask = still()
    session.add_mask(0, mask)
    (seed,) = session._seeds.seeds(session.engine, session.frame_view, 1)
    same = likeness(Sighting(0, mask, 0.9), frame, seed.entry)
    assert same == pytest.approx(0.9)
    half = mask.copy()
    half[: int(np.nonzero(mask)[0].mean())] = False
    assert likeness(Sighting(0, half, 0.9), frame, seed.entry) < same
    assert likeness(Sighting(0, mask, 0.9), frame // 2, seed.entry) < same
    assert likeness(Sighting(0, np.zeros_like(mask), 0.9), frame, seed.entry) == 0.0


def test_tone_of_colour_is_that_of_its_mean() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = (30, 60, 90)
    assert tone_of(image, np.array([[True, True], [False, False]])) == (60.0, 0.0)


@pytest.mark.parametrize(("name", "alike"), [("twins", True), ("leave", False)])
def test_auto_knows_whether_something_of_the_same_look_is_about(name: str, alike: bool) -> None:
    hard = hard_clip(name)
    session = Session(hard.phantom.clip(), network())
    session.add_mask(0, hard.truth()[0])
    assert session.chosen.memory == "fifo"
    list(session.propagate(frames=(0, 2)))
    assert session.has_look_alikes() is alike
    assert session.chosen.memory == ("restricted" if alike else "fifo")


def test_a_named_policy_stays_whatever_is_about() -> None:
    hard = hard_clip("twins")
    session = Session(hard.phantom.clip(), network(), memory="quality")
    session.add_mask(0, hard.truth()[0])
    list(session.propagate(frames=(0, 2)))
    assert session.chosen.memory == "quality"
