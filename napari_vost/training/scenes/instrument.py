"""A tool that is brought into the picture."""

from __future__ import annotations

import numpy as np

from napari_vost.training.scenes.brush import Brush, beat, towards, walk
from napari_vost.training.shapes import Disc


def instrument(brush: Brush) -> list[Disc]:
    """A long rod from beyond the border, in front of tissue; its jaws are a part of their own in half of the scenes."""
    random, frames = brush.random, brush.frames
    tissue = brush.tone(brush.ground)
    steel = brush.tone(brush.ground, tissue)
    discs = brush.scenery(int(random.integers(1, 4)), steel)
    at = brush.path(random.uniform(0.35, 0.65, 2), 0.006)
    discs.append(brush.disc(3, tissue, at, random.uniform(0.12, 0.24) * beat(random, frames), 0.12, 2.0))
    side = random.uniform(0, 2 * np.pi)
    turn = side + np.pi + random.normal(0, 0.25) + walk(random, frames, random.uniform(0.005, 0.04))
    aim = np.stack((np.sin(turn), np.cos(turn)), 1)  # from the border inwards
    deep = random.uniform(0.5, 0.85) + walk(random, frames, random.uniform(0.005, 0.03))
    entry = 0.5 + 0.75 * towards(side)
    tip = entry + deep[:, None] * aim
    width = random.uniform(0.015, 0.045)
    jaws = 2 if random.random() < 0.5 else 1
    wrist = tip - aim * width * random.uniform(2.5, 5)
    wide = np.full(frames, width)
    discs.append(brush.bar(1, steel, entry - 0.3 * aim, wrist, wide))
    shine = float(np.clip(steel + random.uniform(0.08, 0.3), 0, 1))
    if random.random() < 0.5:
        across = np.stack((aim[:, 1], -aim[:, 0]), 1) * width * random.uniform(-0.5, 0.5)
        discs.append(brush.bar(1, shine, entry - 0.3 * aim + across, wrist + across, wide * 0.25))
    gape = random.uniform(0.05, 0.5) * (0.6 + 0.4 * np.sin(np.arange(frames) * random.uniform(0.2, 1.2)))
    for sign in (-1, 1):
        jaw = np.stack((np.sin(turn + sign * gape), np.cos(turn + sign * gape)), 1)
        reach = np.hypot(*(tip - wrist).T)[:, None] * jaw
        discs.append(
            brush.bar(jaws, steel if jaws == 1 else brush.tone(brush.ground), wrist, wrist + reach, wide * 0.5)
        )
    return discs
