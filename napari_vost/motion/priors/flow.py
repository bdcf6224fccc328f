"""The last mask, carried to the new image by dense optical flow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from napari_vost.contracts import Observation, Prediction
from napari_vost.masks import box_of
from napari_vost.motion.lucas_kanade import dense_flow, warped
from napari_vost.motion.picture import Crop, Grey, Picture, alike
from napari_vost.motion.priors.base import BasePrior
from napari_vost.motion.priors.kalman import Kalman, KalmanState
from napari_vost.motion.signals import numbers_of, prediction_of
from napari_vost.types import Image

_ALIKE = 0.5  # correlation inside the mask, after the flow, below which the flow has missed
_NOISE_PX, _NOISE_SHARE = 1.0, 1 / 20  # standard deviation per square root of a frame: pixels, and share of the size


@dataclass(frozen=True, eq=False)
class SeenState:
    """What a prior that looks at images keeps: the last sight as a picture, and constant velocity to fall back on."""

    kalman: KalmanState
    picture: Picture | None = None


class SeenPrior(BasePrior):
    """What priors that look at images share."""

    looks = True

    def _prepare(self, frame_time_s: float | None, heart_rate_hz: float | None) -> None:
        self._kalman = Kalman(frame_time_s)

    def start(self, seen: Observation) -> SeenState:
        """State after the first sight."""
        return SeenState(self._kalman.start(seen), Picture.of(seen))

    def update(self, state: SeenState, seen: Observation) -> SeenState:
        """State after one more frame; unchanged where the object is absent."""
        if seen.box is None:
            return state
        return SeenState(self._kalman.update(state.kalman, seen), Picture.of(seen))

    def predict(self, state: SeenState, frame_index: int, image: Image | None = None) -> Prediction | None:
        """Prediction from the image; constant velocity where there is none, or where it shows nothing to follow."""
        moment = state.kalman.moment
        if image is not None and state.picture is not None and moment is not None:
            found = self._look(state.picture, image, max(abs(moment.step_at(frame_index) - moment.step), 1.0))
            if found is not None:
                return found
        return self._kalman.predict(state.kalman, frame_index)

    def _look(self, picture: Picture, image: Image, steps: float) -> Prediction | None:
        raise NotImplementedError


class Flow(SeenPrior):
    """Warps the last mask by a dense flow between the last image and the new one: mask, box, area.

    Where the warped image does not look like the new one inside the mask, or no image is given (a forecast), the box
    goes on at constant velocity and there is no mask. Motion beyond about ten pixels between two frames, speckle and
    motion through the plane are beyond it.
    """

    name = "flow"

    def _look(self, picture: Picture, image: Image, steps: float) -> Prediction | None:
        crop = Crop.around(picture)
        before, now = crop.of(picture.image), crop.of(image)
        flow = dense_flow(now, before)
        there = warped(crop.share(picture.mask), flow)
        carried = _enlarged(there, crop)
        box = box_of(carried > 0.5)
        if box is None or alike(warped(before, flow), now, there > 0.5) < _ALIKE:
            return None
        numbers = numbers_of((box[0] + crop.y0, box[1] + crop.x0, box[2] + crop.y0, box[3] + crop.x0))
        noise = steps * (_NOISE_PX**2 + _NOISE_SHARE**2 * float(numbers[2] * numbers[3]))
        prediction = prediction_of(numbers, np.eye(4) * noise, 1.0)
        prior = torch.zeros(picture.mask.shape, dtype=torch.float32)
        prior[crop.y0 : crop.y1, crop.x0 : crop.x1] = torch.from_numpy(carried)
        return replace(prediction, area_px=float(carried.sum()), mask_prior=prior)


def _enlarged(share: Grey, crop: Crop) -> Grey:
    """Shares of the pixels of a reduced crop as those of its pixels in the frame."""
    if crop.scale == 1:
        return share
    small = torch.from_numpy(share)[None, None]
    whole = functional.interpolate(small, scale_factor=crop.scale, mode="bilinear")[0, 0].numpy()
    return np.asarray(whole[: crop.y1 - crop.y0, : crop.x1 - crop.x0])
