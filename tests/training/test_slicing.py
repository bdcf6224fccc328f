"""Oblique stacks of slices."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.training.slicing import Stack, draw_stack, slice_volume

SPACING = np.array([3.0, 1.0, 1.5])


def _ball(radius_mm: float = 20) -> np.ndarray:
    z, y, x = np.mgrid[:24, :72, :48]
    away = ((z - 12) * 3.0) ** 2 + (y - 36.0) ** 2 + ((x - 24) * 1.5) ** 2
    return np.asarray(away < radius_mm**2)


def _through_the_middle(normal: tuple[float, float, float], down: tuple[float, float, float], offset: float) -> Stack:
    n, d = np.array(normal), np.array(down)
    centre = np.array([36.0, 36.0, 36.0]) + offset * n
    return Stack(centre[None], np.cross(n, d), d, n, 40.0, 0.0)


@pytest.mark.parametrize("normal, down", [
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), ((0.0, 0.6, 0.8), (1.0, 0.0, 0.0)), ((0.6, 0.8, 0.0), (0.0, 0.0, 1.0)),
])  # fmt: skip
@pytest.mark.parametrize("offset", [0.0, 12.0])
def test_a_ball_is_a_disc_of_the_right_size_in_every_direction(
    normal: tuple[float, float, float], down: tuple[float, float, float], offset: float
) -> None:
    ball = _ball()
    stack = _through_the_middle(normal, down, offset)
    grey, share = slice_volume(ball.astype(np.float32), ball, SPACING, stack, 80)
    area = np.pi * (20**2 - offset**2)
    assert float((share[0] > 0.5).sum()) == pytest.approx(area, rel=0.06)  # a pixel is 1 mm wide
    np.testing.assert_allclose(grey, share, atol=1e-5)


def test_picture_and_structure_stay_together_and_begin_with_the_structure() -> None:
    ball, random = _ball(), np.random.default_rng(0)
    starts = []
    for _ in range(40):
        stack = draw_stack(ball, SPACING, 0, 6, True, random)
        assert stack is not None
        np.testing.assert_allclose(
            [stack.normal @ stack.down, stack.down @ stack.across, np.linalg.norm(stack.across)], [0, 0, 1], atol=1e-9
        )
        grey, share = slice_volume(ball.astype(np.float32), ball, SPACING, stack, 64)
        np.testing.assert_allclose(grey, share, atol=1e-5)
        starts.append(float((share[0] > 0.5).float().mean()))
    assert np.median(starts) > 0.05


def test_a_stack_that_may_not_be_turned_lies_across_its_axis() -> None:
    random = np.random.default_rng(1)
    for _ in range(10):
        stack = draw_stack(_ball(), SPACING, 0, 4, False, random)
        assert stack is not None
        np.testing.assert_allclose(np.abs(stack.normal), [1, 0, 0], atol=1e-9)
        steps = np.diff(stack.origin @ stack.normal)
        assert (steps >= 0).all()  # past the end of the volume the last slice repeats


def test_a_structure_of_a_few_voxels_is_left_out() -> None:
    tiny = np.zeros((20, 20, 20), dtype=bool)
    tiny[4:6, 4:6, 4:6] = True
    assert draw_stack(tiny, np.ones(3), 0, 4, True, np.random.default_rng(0)) is None
