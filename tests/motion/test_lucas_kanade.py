"""Registration of points and of whole images, on textures whose shift is known."""

import numpy as np
import pytest

from napari_vost.motion.lucas_kanade import checked_points, dense_flow, follow_points, pyramid, warped
from napari_vost.testing import texture

POINTS = np.random.default_rng(0).uniform((40, 50), (80, 110), (16, 2))


@pytest.mark.parametrize("shift", [(1, 2), (5, -3), (-12, 9)])
def test_points_move_with_the_image(shift: tuple[int, int]) -> None:
    found, good = checked_points(pyramid(texture().astype(float)), pyramid(texture(shift).astype(float)), POINTS)
    assert good.sum() >= 15
    assert np.abs(found - POINTS - shift)[good].max() < 0.1


def test_half_a_pixel_is_seen() -> None:
    fine = texture(size=(240, 320)).astype(float)
    first, second = fine[::2, ::2], np.roll(fine, (1, -1), axis=(0, 1))[::2, ::2]
    found, good = checked_points(pyramid(first), pyramid(second), POINTS)
    assert good.sum() > 12
    assert np.allclose(np.median((found - POINTS)[good], axis=0), (0.5, -0.5), atol=0.05)


def test_points_on_flat_ground_are_lost() -> None:
    image = np.zeros((120, 160))
    image[:, 120:] = texture()[:, 120:]
    _, good = follow_points(pyramid(image), pyramid(image), np.array([[60.0, 40.0], [60.0, 140.0]]))
    assert good.tolist() == [False, True]


def test_points_whose_surroundings_vanish_are_lost() -> None:
    second = texture().astype(float)
    second[:, 80:] = np.random.default_rng(1).standard_normal((120, 80))
    points = np.array([[60.0, 30.0], [50.0, 40.0], [60.0, 120.0], [50.0, 110.0], [70.0, 130.0]])
    _, good = checked_points(pyramid(texture().astype(float)), pyramid(second), points)
    assert good[:2].all()
    assert good[2:].sum() <= 1


def test_dense_flow_finds_the_shift_everywhere_but_at_the_edge() -> None:
    flow = dense_flow(texture((5, -3)).astype(float), texture().astype(float))[:, 20:-20, 20:-20]
    off = np.abs(flow - np.array([-5.0, 3.0])[:, None, None])
    assert off.mean() < 0.05
    assert off.max() < 0.5


def test_dense_flow_finds_a_growing_image() -> None:
    image = texture().astype(float)
    yx = np.indices(image.shape, dtype=float)
    middle = np.array([60.0, 80.0])[:, None, None]
    truth = (yx - middle) * (
        1 / 1.1 - 1
    )  # the image grown by a tenth is at p what it was at middle + (p - middle) / 1.1
    flow = dense_flow(warped(image, truth), image)[:, 20:-20, 20:-20]
    assert np.abs(flow - truth[:, 20:-20, 20:-20]).mean() < 0.1


def test_a_flow_of_nothing_is_nothing() -> None:
    assert np.abs(dense_flow(np.zeros((40, 40)), np.zeros((40, 40)))).max() == 0
    image = texture().astype(float)
    assert np.abs(dense_flow(image, image)).max() < 1e-9
