"""Dabs: what they change, how large they are, and which click counts."""

import itertools

import numpy as np
import pytest

from napari_vost.dab import dab_radius, obey
from napari_vost.masks import PackedMask
from napari_vost.types import BoxPrompt, MaskPrompt, PointPrompt, Prompt

SIZE = (40, 50)


def disc(y: int = 20, x: int = 20, radius: float = 10) -> np.ndarray:
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def click(y: float, x: float, positive: bool = True) -> PointPrompt:
    return PointPrompt(0, 1, y, x, positive)


def test_a_mask_that_obeys_is_left_as_it_is() -> None:
    mask = disc()
    found = obey(mask, [click(20, 20), click(5, 45, False)])
    assert found.mask is mask and found.refused == ()
    assert not found.added.any() and not found.cut.any()


def test_a_click_outside_adds_a_small_disc_and_one_inside_cuts_one() -> None:
    clicks = [click(20, 40), click(20, 15, False)]
    found = obey(disc(), clicks)
    assert found.refused == tuple(clicks)
    assert np.array_equal(found.added, disc(20, 40, 1)) and np.array_equal(found.cut, disc(20, 15, 1))
    assert np.array_equal(found.mask, (disc() | disc(20, 40, 1)) & ~disc(20, 15, 1))


@pytest.mark.parametrize(("radius", "dab"), [(0, 1), (3, 1), (14, 1), (16, 2), (100, 10)])
def test_a_dab_is_a_tenth_as_wide_as_the_object_and_at_least_a_pixel(radius: int, dab: int) -> None:
    assert dab_radius(round(np.pi * radius**2)) == dab


def test_every_click_is_obeyed_in_whatever_order_they_come_and_however_near() -> None:
    near = [click(20, 20, False), click(20, 21), click(21, 20, False), click(19, 19), click(20, 45)]
    for order in itertools.permutations(near):
        mask = obey(disc(radius=18), order).mask
        assert all(mask[int(one.y), int(one.x)] == one.positive for one in order)


def test_of_two_clicks_on_one_pixel_the_last_counts() -> None:
    outside, inside = click(20.2, 20.4, False), click(19.6, 20.0)
    assert not obey(disc(), [inside, outside]).mask[20, 20]
    assert obey(disc(), [outside, inside]).mask[20, 20]


def test_clicks_before_a_painted_mask_are_over_and_other_prompts_need_no_dab() -> None:
    painted = MaskPrompt(0, 1, PackedMask.pack(disc()))
    prompts: list[Prompt] = [click(20, 20, False), painted, BoxPrompt(0, 1, 0, 0, 39, 49)]
    assert obey(disc(), prompts).refused == ()
    assert obey(disc(), [*prompts, click(20, 22, False)]).refused == (click(20, 22, False),)


def test_a_click_on_the_very_edge_of_the_image_means_its_pixel() -> None:
    found = obey(np.zeros(SIZE, bool), [click(-0.5, -0.5), click(39.5, 49.5)])
    assert found.mask[0, 0] and found.mask[39, 49] and found.mask.sum() == 6
