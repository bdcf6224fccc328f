"""Masks carried by optical flow, on textures whose motion is known."""

import numpy as np
import torch

from napari_vost.contracts import Observation
from napari_vost.masks import box_of
from napari_vost.motion.lucas_kanade import warped
from napari_vost.motion.priors.flow import Flow
from napari_vost.motion.priors.kalman import Kalman
from napari_vost.testing import MotionPriorContract, sighting, texture, told

BOX = (40, 60, 70, 100)


class TestFlow(MotionPriorContract):
    def prior(self) -> Flow:
        return Flow(frame_time_s=0.1)


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def disc(middle: tuple[float, float], radius: float, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    y, x = np.indices(shape)
    return np.asarray((y - middle[0]) ** 2 + (x - middle[1]) ** 2 <= radius**2)


def seen(mask: np.ndarray, image: np.ndarray, frame_index: int = 0) -> Observation:
    return Observation(frame_index, None, torch.from_numpy(mask), box_of(mask), int(mask.sum()), 0.9, image)


def test_a_first_jump_is_seen_in_the_image_where_constant_velocity_knows_nothing() -> None:
    for prior, good in ((Flow(), True), (Kalman(), False)):
        state = prior.start(sighting(0, BOX, image=texture()))
        prediction = prior.predict(state, 1, texture((5, -4)))
        assert prediction is not None
        off = np.abs(np.array(prediction.box) - (45, 56, 75, 96)).max()
        assert bool(off <= 1.0) is good


def test_the_mask_is_carried_and_lies_where_it_should() -> None:
    prior, before, after = Flow(), disc((60, 80), 18), disc((64, 77), 18)
    prediction = prior.predict(prior.start(seen(before, texture())), 1, texture((4, -3)))
    assert prediction is not None and prediction.mask_prior is not None
    assert prediction.mask_prior.shape == (120, 160)
    assert 0 <= float(prediction.mask_prior.min()) and float(prediction.mask_prior.max()) <= 1
    assert iou(prediction.mask_prior.numpy() > 0.5, after) > 0.95
    assert abs(prediction.area_px - before.sum()) < 0.03 * before.sum()


def test_growth_is_seen() -> None:
    image = texture().astype(float)
    shift = (np.indices(image.shape) - np.array([60.0, 80.0])[:, None, None]) * (1 / 1.15 - 1)
    prior = Flow()
    prediction = prior.predict(prior.start(seen(disc((60, 80), 20), image)), 1, warped(image, shift))
    assert prediction is not None and prediction.mask_prior is not None
    assert iou(prediction.mask_prior.numpy() > 0.5, disc((60, 80), 23)) > 0.93


def test_large_objects_are_looked_at_in_a_reduced_image() -> None:
    image = texture(size=(700, 800))
    prior, before, after = Flow(), disc((350, 400), 180, (700, 800)), disc((356, 392), 180, (700, 800))
    prediction = prior.predict(prior.start(seen(before, image)), 1, texture((6, -8), (700, 800)))
    assert prediction is not None and prediction.mask_prior is not None
    assert iou(prediction.mask_prior.numpy() > 0.5, after) > 0.97


def test_colour_is_read_as_grey() -> None:
    prior = Flow()
    colour = [np.repeat(texture(shift)[..., None], 3, axis=2) for shift in ((0, 0), (5, -4))]
    prediction = prior.predict(prior.start(sighting(0, BOX, image=colour[0])), 1, colour[1])
    assert prediction is not None
    assert np.abs(np.array(prediction.box) - (45, 56, 75, 96)).max() <= 1.0


def test_another_image_altogether_leaves_it_to_constant_velocity() -> None:
    prior, plain = Flow(), Kalman()
    walk = [sighting(at, (40, 60 + 2 * at, 70, 100 + 2 * at), image=texture((0, 2 * at))) for at in range(10)]
    other = np.random.default_rng(5).standard_normal((120, 160))
    for image in (other, np.zeros((120, 160)), None):
        ours, theirs = prior.predict(told(prior, walk), 10, image), plain.predict(told(plain, walk), 10)
        assert ours is not None and theirs is not None
        assert ours.box == theirs.box
        assert ours.mask_prior is None


def test_after_an_absence_the_last_sight_is_sought() -> None:
    prior = Flow()
    hidden = [sighting(at, None, image=np.zeros((120, 160))) for at in range(1, 6)]
    state = told(prior, [sighting(0, BOX, image=texture()), *hidden])
    prediction = prior.predict(state, 6, texture((5, -4)))
    assert prediction is not None
    assert np.abs(np.array(prediction.box) - (45, 56, 75, 96)).max() <= 1.0
