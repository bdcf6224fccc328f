"""A volume whose structure begins and ends between its slices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_vost.phantoms.hard.base import Events, HardClip
from napari_vost.phantoms.hard.stage import Stage
from napari_vost.phantoms.hard.wandering import filmed, track


def volume_end(frames: int = 48, size: int = 96, seed: int = 0) -> HardClip:
    """An organ over half of the slices; a vessel of nearly its tone touches it and goes on beyond both of its ends.

    Parameters
    ----------
    frames, size, seed
        Slices, side of the slices in pixels, and what everything is drawn from.
    """
    stage = Stage(size, frames, seed)
    z = (stage.time - 0.5 * (frames - 1)) / (0.27 * frames)
    swell = np.sqrt(np.clip(1 - z**2, 0, None))
    path = track(46 + 5 * z, 50 - 4 * z)
    organ = stage.layer(stage.body(16.0, 1.3, 0.1), path, 0.64, 1, swell, 0.3 * z, morph=0.8 * z)
    vessel = stage.layer(stage.body(4.0, 1.1, 0.03, 0.03), path + (3.0 + 9.0 * swell[:, None] * (0.6, 1.0)), 0.6)
    around = []
    for _ in range(12):
        middle, half = stage.random.uniform(-0.1, 1.1) * frames, stage.random.uniform(0.2, 0.7) * frames
        grown = np.sqrt(np.clip(1 - ((stage.time - middle) / half) ** 2, 0, None))
        body = stage.body(stage.random.uniform(7, 20), stage.random.uniform(1, 2.2), 0.1, 0.04)
        at = stage.random.uniform(0, 96, 2) + track(3 * stage.wander(2), 3 * stage.wander(2))
        tone = stage.random.choice([0.12, 0.22, 0.42, 0.5, 0.8])
        around.append(stage.layer(body, at, tone, 0, grown, stage.random.uniform(0, np.pi)))
    film = stage.shoot([*around, organ, vessel], 0.035)
    phantom = filmed(film, "Organ")
    phantom = replace(phantom, spacing_mm_zyx=(3.0, 1.0, 1.0), order="depth", frame_times_s=None)
    return HardClip(phantom, 1, Events())
