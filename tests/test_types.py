"""Segmentations: label maps, overlaps, missing frames."""

from __future__ import annotations

import numpy as np

from napari_vost.geometry import Grid
from napari_vost.masks import PackedMask
from napari_vost.types import Label, Region, Segmentation, Source


def _segmentation(volumes: dict[int, np.ndarray]) -> Segmentation:
    frames, height, width = next(iter(volumes.values())).shape
    grid = Grid((width, height, frames), (2, 1, 0), np.eye(4))
    masks = {
        number: {index: PackedMask.pack(frame) for index, frame in enumerate(volume) if frame.any()}
        for number, volume in volumes.items()
    }
    labels = {number: Label(str(number)) for number in volumes}
    return Segmentation((frames, height, width), masks, labels, "depth", grid.geometry(), Source("array", grid))


def test_masks_volumes_and_missing_frames_agree():
    volume = np.random.default_rng(0).random((4, 5, 6)) < 0.5
    volume[2] = False
    segmentation = _segmentation({9: volume})
    assert 2 not in segmentation.masks[9]
    np.testing.assert_array_equal(segmentation.volume(9), volume)
    assert not segmentation.mask(9, 2).any()
    np.testing.assert_array_equal(segmentation.mask(9, 3), volume[3])


def test_where_objects_overlap_the_smaller_id_wins_and_overlaps_says_so():
    first = np.zeros((2, 4, 4), dtype=bool)
    first[1, :2] = True
    second = np.zeros_like(first)
    second[1, 1:3] = True
    segmentation = _segmentation({7: second, 300: first})
    assert segmentation.object_ids == (7, 300)
    expected = np.where(second, 7, np.where(first, 300, 0))
    np.testing.assert_array_equal(segmentation.label_map(), expected)
    assert segmentation.label_map().dtype == np.uint16
    assert segmentation.overlaps()


def test_neighbours_do_not_overlap():
    first = np.zeros((2, 4, 4), dtype=bool)
    first[:, :2] = True
    assert not _segmentation({1: first, 2: ~first}).overlaps()


def test_256_objects_on_one_pixel_are_still_seen_to_overlap():
    full = np.ones((1, 1, 1), dtype=bool)
    assert _segmentation(dict.fromkeys(range(1, 257), full)).overlaps()


def test_the_full_region_covers_the_frame():
    assert Region.full(30, 40) == Region(0.0, 0.0, 30.0, 40.0)
