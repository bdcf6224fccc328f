"""What every motion prior owes: inherit `MotionPriorContract` in a test class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import FrozenInstanceError

import numpy as np
import torch

from napari_vost.contracts import MotionPrior, MotionState, Observation, Prediction
from napari_vost.masks import Box, box_iou
from napari_vost.types import Image

_SIZE = (120, 160)
_START: Box = (40, 60, 64, 90)


def texture(shift_yx: tuple[int, int] = (0, 0), size: tuple[int, int] = _SIZE) -> Image:
    """Make a grey texture (H, W) float32 that is shifted as a whole, for tests of priors that look at the image."""
    noise = np.fft.rfft2(np.random.default_rng(7).standard_normal(size))
    y, x = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    smooth = np.fft.irfft2(noise * np.exp(-(y**2 + x**2) * 200), s=size)
    shifted: Image = np.roll(smooth / smooth.std(), shift_yx, axis=(0, 1)).astype(np.float32)
    return shifted


def sighting(frame_index: int, box: Box | None, time_s: float | None = None, image: Image | None = None) -> Observation:
    """Make an observation of a full box on a frame of 120 x 160; None is a frame without the object."""
    mask = torch.zeros(_SIZE, dtype=torch.bool)
    if box is not None:
        mask[box[0] : box[2], box[1] : box[3]] = True
    return Observation(frame_index, time_s, mask, box, int(mask.sum()), 0.9, image)


def told(prior: MotionPrior, seen: Iterable[Observation]) -> MotionState:
    """State of a prior after some observations."""
    first, *rest = seen
    state = prior.start(first)
    for one in rest:
        state = prior.update(state, one)
    return state


class MotionPriorContract:
    """What every motion prior owes; inherit it and return the prior from `prior`."""

    def prior(self) -> MotionPrior:
        """Return the prior under test, made with its defaults (a frame time of 0.1 s where it takes one)."""
        raise NotImplementedError

    def box(self, frame_index: int) -> Box:
        """Where the object of the walk is: 1 pixel down and 2 right per frame."""
        y0, x0, y1, x1 = _START
        return y0 + frame_index, x0 + 2 * frame_index, y1 + frame_index, x1 + 2 * frame_index

    def walk(self, frames: Iterable[int], seconds: float | None = 0.1) -> list[Observation]:
        """A steady walk over the given frames, with images."""
        return [
            sighting(at, self.box(at), None if seconds is None else at * seconds, texture((at, 2 * at)))
            for at in frames
        ]

    def test_a_steady_walk_is_followed_in_both_directions(self) -> None:
        for frames, ahead in ((range(12), 12), (range(20, 8, -1), 8)):
            prior = self.prior()
            prediction = prior.predict(told(prior, self.walk(frames)), ahead, texture((ahead, 2 * ahead)))
            assert prediction is not None
            assert box_iou(prediction.box, self.box(ahead)) > 0.8

    def test_the_area_is_that_of_the_mask(self) -> None:
        prediction = self._after(range(12), 12)
        assert abs(prediction.area_px - 24 * 30) < 0.15 * 24 * 30

    def test_the_covariance_is_symmetric_and_positive(self) -> None:
        for ahead in (12, 13, 17, 40):
            covariance = self._after(range(12), ahead).covariance
            assert covariance is not None
            assert covariance.shape == (4, 4)
            assert torch.equal(covariance, covariance.T)
            assert bool((torch.linalg.eigvalsh(covariance.double()) > 0).all())

    def test_farther_frames_are_less_certain(self) -> None:
        spread = [_spread(self._after(range(12), at)) for at in (12, 17, 40)]
        assert spread[0] < spread[1] < spread[2]

    def test_frames_without_the_object_make_it_less_certain(self) -> None:
        prior = self.prior()
        state = told(prior, self.walk(range(12)))
        before = prior.predict(state, 12)
        for frame_index in range(12, 18):
            state = prior.update(state, sighting(frame_index, None, frame_index * 0.1, texture()))
        after = prior.predict(state, 18)
        assert before is not None
        assert after is not None
        assert _spread(after) > _spread(before)

    def test_an_object_that_was_never_seen_has_no_prediction_until_it_comes(self) -> None:
        prior = self.prior()
        state = prior.start(sighting(0, None, 0.0))
        assert prior.predict(state, 1, texture()) is None
        state = prior.update(state, sighting(1, self.box(1), 0.1, texture((1, 2))))
        prediction = prior.predict(state, 2)
        assert prediction is not None
        assert box_iou(prediction.box, self.box(2)) > 0.5

    def test_masks_of_one_pixel_break_nothing(self) -> None:
        prior = self.prior()
        seen = [sighting(at, (5, at, 6, at + 1), at * 0.1, texture((0, at))) for at in range(30)]
        prediction = prior.predict(told(prior, seen), 30, texture((0, 30)))
        assert prediction is not None
        assert np.isfinite(prediction.box).all()

    def test_boxes_are_half_open_and_never_turned_over(self) -> None:
        prior = self.prior()
        shrinking = [sighting(at, (20, 20, 60 - 4 * at, 60 - 4 * at), at * 0.1) for at in range(10)]
        state = told(prior, shrinking)
        for ahead in (10, 15, 40):
            prediction = prior.predict(state, ahead)
            assert prediction is not None
            y0, x0, y1, x1 = prediction.box
            assert y1 - y0 >= 0.999
            assert x1 - x0 >= 0.999
            assert prediction.area_px >= 0

    def test_predicting_and_updating_leave_the_state_as_it_was(self) -> None:
        prior = self.prior()
        state = told(prior, self.walk(range(12)))
        first = prior.predict(state, 14, texture((14, 28)))
        prior.update(state, sighting(12, (0, 0, 9, 9), 1.2, texture()))
        again = prior.predict(state, 14, texture((14, 28)))
        assert first is not None
        assert again is not None
        assert first.box == again.box

    def test_states_are_frozen(self) -> None:
        state = told(self.prior(), self.walk(range(3)))
        try:
            setattr(state, next(iter(vars(state))), None)
        except FrozenInstanceError:
            return
        raise AssertionError("the state of a prior can be changed in place")

    def test_even_frame_times_and_none_give_the_same(self) -> None:
        prior = self.prior()
        timed = prior.predict(told(prior, self.walk(range(12), 0.1)), 14)
        plain = prior.predict(told(prior, self.walk(range(12), None)), 14)
        assert timed is not None
        assert plain is not None
        assert np.allclose(timed.box, plain.box, atol=1e-3)

    def test_the_same_frame_told_twice_breaks_nothing(self) -> None:
        prior = self.prior()
        seen = self.walk(range(12))
        prediction = prior.predict(told(prior, [*seen, seen[-1]]), 12)
        assert prediction is not None
        assert box_iou(prediction.box, self.box(12)) > 0.7

    def test_the_phase_is_a_share_of_the_cycle(self) -> None:
        for ahead in range(12, 20):
            phase = self._after(range(12), ahead).phase
            assert phase is None or 0 <= phase < 1

    def _after(self, frames: range, ahead: int) -> Prediction:
        prior = self.prior()
        prediction = prior.predict(told(prior, self.walk(frames)), ahead)
        assert prediction is not None
        return prediction


def _spread(prediction: Prediction) -> float:
    assert prediction.covariance is not None
    return float(prediction.covariance.trace())
