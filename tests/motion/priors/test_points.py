"""Points followed inside masks, on textures whose motion is known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_vost.motion.priors.kalman import Kalman
from napari_vost.motion.priors.points import Points, spread_points
from napari_vost.testing import MotionPriorContract, sighting, texture, told
from tests.motion.priors.test_flow import BOX, disc, seen


class TestPoints(MotionPriorContract):
    def prior(self) -> Points:
        return Points(frame_time_s=0.1)


def test_the_box_moves_with_the_image_to_a_quarter_of_a_pixel() -> None:
    for shift in ((5, -4), (-11, 8)):
        prior = Points()
        prediction = prior.predict(prior.start(sighting(0, BOX, image=texture())), 1, texture(shift))
        assert prediction is not None
        assert np.allclose(np.array(prediction.box) - BOX, [*shift, *shift], atol=0.25)


def test_the_points_lie_well_inside_the_moved_object() -> None:
    prior, after = Points(), disc((66, 75), 13)
    prediction = prior.predict(prior.start(seen(disc((60, 80), 18), texture())), 1, texture((6, -5)))
    assert prediction is not None
    assert 6 <= len(prediction.points_yx) < 16
    assert all(after[round(y), round(x)] for y, x in prediction.points_yx)


def test_half_of_the_object_covered_still_gives_its_motion() -> None:
    image = texture((5, -4)).copy()
    image[:, 76:] = np.random.default_rng(2).standard_normal((120, 84))
    prior = Points()
    prediction = prior.predict(prior.start(sighting(0, BOX, image=texture())), 1, image)
    assert prediction is not None
    assert 1 <= len(prediction.points_yx)
    assert all(x < 76 for _, x in prediction.points_yx)
    assert np.allclose(np.array(prediction.box) - BOX, [5, -4, 5, -4], atol=0.5)


def test_nothing_to_follow_leaves_it_to_constant_velocity() -> None:
    prior, plain = Points(), Kalman()
    walk = [sighting(at, (40, 60 + 2 * at, 70, 100 + 2 * at), image=texture((0, 2 * at))) for at in range(10)]
    for image in (np.zeros((120, 160)), np.random.default_rng(5).standard_normal((120, 160)), None):
        ours, theirs = prior.predict(told(prior, walk), 10, image), plain.predict(told(plain, walk), 10)
        assert ours is not None and theirs is not None
        assert ours.box == theirs.box
        assert ours.points_yx == ()


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 1000))
def test_points_are_distinct_pixels_of_the_mask(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((40, 40), dtype=bool)
    mask[3 : 3 + height, 5 : 5 + width] = rng.random((height, width)) < 0.7
    points = spread_points(mask, rng.standard_normal((40, 40)))
    assert min(12, mask.sum()) <= len(points) <= 16  # a share may lose all of its pixels to its neighbours
    assert len({tuple(point) for point in points}) == len(points)
    assert all(mask[int(y), int(x)] for y, x in points)


def test_points_cover_the_mask() -> None:
    mask = disc((60, 80), 30)
    points = spread_points(mask, texture().astype(float))
    nearest = np.sqrt(((np.argwhere(mask)[:, None] - points[None]) ** 2).sum(axis=2)).min(axis=1)
    assert nearest.max() < 20  # 16 shares of a disc of radius 30 are about 13 wide
