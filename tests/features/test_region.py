"""The region: there and back without a shift."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_vost.features.region import (
    crop,
    crop_logits,
    follow,
    points_to_input,
    region_around,
    share_regions,
    uncrop,
)
from napari_vost.types import Region

sides = st.integers(20, 300)


@given(sides, sides, st.integers(0, 250), st.integers(0, 250), st.integers(1, 120), st.integers(1, 120))
def test_a_region_holds_its_box_and_is_whole_cells_wide(h: int, w: int, y: int, x: int, dy: int, dx: int) -> None:
    y, x = min(y, h - 1), min(x, w - 1)
    box = (y, x, min(y + dy, h), min(x + dx, w))
    region = region_around(box, (h, w), 16)
    assert region.height == region.width
    assert region.height % 16 == 0
    assert region.y0 <= box[0] and region.x0 <= box[1]
    assert region.y0 + region.height >= box[2] and region.x0 + region.width >= box[3]


@pytest.mark.parametrize("region", [Region(10, 20, 64, 64), Region(-8, 30, 128, 128), Region(0, 0, 100, 90)])
def test_a_smooth_picture_comes_back_where_it_was(region: Region) -> None:
    y, x = np.mgrid[0:100, 0:90]
    blob = torch.from_numpy(np.exp(-((y - 50) ** 2 + (x - 55) ** 2) / 200)).float()[None]
    back = uncrop(crop(blob, region, 64)[:1], region, (100, 90))[0]
    inside = back > -1000
    assert (back - blob[0])[inside].abs().max() < 0.06
    centre = np.unravel_index(int(torch.where(inside, back, -1).argmax()), (100, 90))
    assert np.abs(np.array(centre) - (50, 55)).max() <= 1


def test_points_map_to_the_pixel_that_shows_them() -> None:
    region = Region(16, 32, 64, 64)
    frame = torch.zeros(1, 128, 128)
    frame[0, 40, 50] = 1
    shown = crop(frame, region, 64)[0]
    (point,) = points_to_input([(40, 50)], region, 64)
    assert shown[round(point[1]), round(point[0])] == 1


def test_logits_move_with_the_region() -> None:
    logits = torch.full((1, 32, 32), -10.0)
    logits[:, 8:16, 8:16] = 10
    moved = crop_logits(logits, Region(0, 0, 64, 64), Region(16, 0, 64, 64))
    assert torch.equal(moved[0, :8, 8:16] > 0, torch.ones(8, 8, dtype=torch.bool))
    assert not bool((moved[0, 24:] > 0).any())


def test_a_region_stays_until_its_object_comes_near_the_border() -> None:
    region = region_around((100, 100, 140, 140), (512, 512), 16)
    assert follow(region, (102, 101, 142, 141), 0, (512, 512), 16) == region
    moved = follow(region, (125, 100, 165, 140), 0, (512, 512), 16)
    assert moved.height == region.height
    assert (moved.y0 - region.y0) % (region.height / 16) == 0
    assert moved.y0 > region.y0


def test_a_region_that_has_become_too_small_is_chosen_anew() -> None:
    region = region_around((100, 100, 140, 140), (512, 512), 16)
    assert follow(region, (80, 80, 170, 170), 0, (512, 512), 16).height > region.height


def test_after_two_absent_frames_the_region_widens_to_the_frame() -> None:
    region = region_around((100, 100, 140, 140), (512, 512), 16)
    assert follow(region, None, 1, (512, 512), 16) == region
    for _ in range(8):
        region = follow(region, None, 2, (512, 512), 16)
    assert region == Region(0, 0, 512, 512)


def test_near_objects_share_a_region_and_far_ones_do_not() -> None:
    near = share_regions([(100, 100, 160, 160), (105, 105, 150, 150)], (512, 512), 16)
    assert near[0] == near[1]
    far = share_regions([(0, 0, 30, 30), (400, 400, 430, 430)], (512, 512), 16)
    assert far[0] != far[1]


def test_a_leaking_mask_does_not_pull_its_region_along() -> None:
    region = region_around((100, 100, 140, 140), (512, 512), 16)
    leaked = follow(region, (0, 0, 400, 400), 0, (512, 512), 16, widest=2 * region.height)
    assert leaked.height == region.height


def test_a_small_object_far_from_a_large_one_keeps_its_own_scale() -> None:
    regions = share_regions([(0, 0, 400, 400), (200, 200, 215, 215)], (512, 512), 16)
    assert regions[1].height < 64
