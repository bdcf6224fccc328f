"""What comes back: a heart that beats, an organ that breath moves."""

from __future__ import annotations

import numpy as np

from napari_vost.checks import check_range
from napari_vost.phantoms.hard.base import FRAME_TIME_S, Events, HardClip
from napari_vost.phantoms.hard.stage import Layer, Stage
from napari_vost.phantoms.hard.wandering import filmed, track
from napari_vost.phantoms.heart import contraction


def beat(frames: int | None = None, size: int = 96, seed: int = 0, period: float = 20.0) -> HardClip:
    """A heart across its long axis: the left pool narrows and pales, the wall thickens, the right one follows.

    Parameters
    ----------
    frames
        Frames; three beats, but at least 64, by default.
    size, seed
        Side of the frames in pixels, and what everything is drawn from.
    period
        Frames of one beat, 4 or more.
    """
    check_range(period, 4, 10_000, "period")
    stage = Stage(size, frames or max(64, round(3 * period) + 1), seed, ground=0.2)
    squeeze = contraction(stage.time / period)
    middle = track(50 - 1.5 * squeeze, 52 - 1.0 * squeeze)
    lungs = [stage.layer(stage.body(24.0, 1.8, 0.08, 0.02), np.array(at), 0.08) for at in ((34.0, 92.0), (44.0, 2.0))]
    liver = stage.layer(stage.body(26.0, 1.2, 0.08, 0.03), np.array([94.0, 30.0]), 0.4)
    pool = stage.body(12.5, 1.1, 0.05, 0.05)
    wall = stage.layer(stage.body(19.5, 1.08, 0.03, 0.05), middle, 0.38, 2, 1.0 - 0.07 * squeeze)
    left = stage.layer(pool, middle, 0.6 - 0.1 * squeeze, 1, 1.0 - 0.36 * squeeze, morph=0.2 * squeeze)
    right_wall = stage.layer(stage.body(17.5, 1.5, 0.05, 0.03), middle - (3.0, 17.0), 0.4, 0, 1.0 - 0.13 * squeeze)
    right = stage.layer(stage.body(15.0, 1.5, 0.05, 0.035), middle - (3.0, 17.0), 0.58, 0, 1.0 - 0.2 * squeeze)
    film = stage.shoot([*lungs, liver, right_wall, right, wall, left, *_papillary(stage, squeeze, middle)], 0.07)
    phantom = filmed(film, "Left ventricle", period * FRAME_TIME_S, ("Myocardium",))
    return HardClip(phantom, 1, Events())


def _papillary(stage: Stage, squeeze: np.ndarray, middle: np.ndarray) -> list[Layer]:
    """Two muscles inside the pool; readers count them as part of it."""
    found = []
    for turn in (0.6, 2.4):
        away = (6.6 - 3.0 * squeeze)[:, None] * np.array([np.sin(turn), np.cos(turn)])
        found.append(stage.layer(stage.body(2.1, 1.2, 0.05, 0.02), middle + away, 0.42, 1))
    return found


def breath(frames: int = 150, size: int = 96, seed: int = 0, period: float = 32.0) -> HardClip:
    """A kidney under a liver: both go up and down with breath, of uneven depth, and drift; the spine stays.

    Parameters
    ----------
    frames, size, seed
        Frames, side of the frames in pixels, and what everything is drawn from.
    period
        Frames of one breath.
    """
    check_range(period, 4, 10_000, "period")
    stage = Stage(size, frames, seed, ground=0.3)
    depth = 13.0 + 2.0 * stage.wander(frames / period)
    drop = depth * np.sin(np.pi * stage.time / period) ** 4 + 9.0 * stage.time / frames
    shift = track(drop, 0.22 * drop)
    lung = stage.layer(stage.body(40.0, 1.0, 0.04, 0.02), np.array([-26.0, 48.0]) + 0.8 * shift, 0.1)
    liver = stage.layer(stage.body(25.0, 0.7, 0.06, 0.04), np.array([20.0, 34.0]) + shift, 0.52)
    kidney = stage.layer(stage.body(10.5, 1.55, 0.04, 0.05), np.array([45.0, 56.0]) + shift, 0.68, 1, angle=0.35)
    sinus = stage.layer(stage.body(3.6, 1.6, 0.08, 0.03), np.array([45.5, 58.0]) + shift, 0.45, 1, angle=0.35)
    spine = [stage.layer(stage.plate(6.5, 9.0), np.array([12.0 + 17 * row, 85.0]), 0.6) for row in range(6)]
    bowel = [
        stage.layer(stage.body(7.0, 1.6, 0.1, 0.04), np.array([84.0, 12.0 + 17.0 * row]) + 0.25 * shift, tone)
        for row, tone in enumerate((0.5, 0.2, 0.62, 0.45))
    ]
    film = stage.shoot([lung, liver, *bowel, *spine, kidney, sinus], 0.035)
    return HardClip(filmed(film, "Kidney", period * FRAME_TIME_S), 1, Events())
