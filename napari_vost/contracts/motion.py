"""Where an object goes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from napari_vost.masks import Box
from napari_vost.types import Image


@dataclass(frozen=True, eq=False)
class Prediction:
    """Where an object should be on a frame.

    Attributes
    ----------
    box
        ``(y0, x0, y1, x1)`` in frame pixels.
    area_px
        Expected pixels of the mask.
    covariance
        (4, 4) of centre y, centre x, height, width in pixels squared; None when unknown.
    phase
        Place in the cycle, 0..1; None if not periodic.
    mask_prior
        (H, W) probability, None if the prior speaks of boxes only.
    points_yx
        Points that should lie inside the object.
    """

    box: tuple[float, float, float, float]
    area_px: float
    covariance: Tensor | None = None
    phase: float | None = None
    mask_prior: Tensor | None = None
    points_yx: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Observation:
    """What a motion prior is shown after a frame; ``mask`` is bool (H, W), ``image`` grey or colour as read."""

    frame_index: int
    time_s: float | None
    mask: Tensor
    box: Box | None
    area_px: int
    score: float
    image: Image | None = None


class MotionState(Protocol):
    """Whatever a prior keeps between frames; frozen."""


class MotionPrior(Protocol):
    """Where an object goes next. One state per row."""

    name: str

    def start(self, seen: Observation) -> MotionState:
        """State after the first sight of an object."""
        ...

    def predict(self, state: MotionState, frame_index: int, image: Image | None = None) -> Prediction | None:
        """Prediction for a frame, which may lie several frames ahead; None where the prior has no opinion."""
        ...

    def update(self, state: MotionState, seen: Observation) -> MotionState:
        """State after one more frame."""
        ...
