"""Small look-alikes: vessels cut across, cells, nodes."""

from __future__ import annotations

import numpy as np

from napari_vost.training.scenes.brush import Brush, towards
from napari_vost.training.shapes import Disc


def tubes(brush: Brush) -> list[Disc]:
    """Several small structures that wander."""
    random = brush.random
    tone = brush.tone(brush.ground)
    discs = brush.scenery(int(random.integers(1, 4)), tone)
    for label in range(1, 1 + int(random.integers(2, 7))):
        at = brush.path(random.uniform(0.2, 0.8, 2), step=random.uniform(0.003, 0.015))
        size = random.uniform(0.03, 0.1) * (0.5 + 0.5 * brush.profile())
        same = tone if random.random() < 0.7 else brush.tone(brush.ground)
        discs.append(brush.disc(label, same, at, size, 0.08, 1.8))
    return discs


def lookalikes(brush: Brush) -> list[Disc]:
    """A structure whose doubles, same in tone and size, pass it closely; at times one lies before it."""
    random, frames = brush.random, brush.frames
    tone = brush.tone(brush.ground)
    discs = brush.scenery(int(random.integers(1, 4)), tone)
    centre = brush.path(random.uniform(0.35, 0.65, 2), step=0.01)
    radius = random.uniform(0.05, 0.12)
    found = [brush.disc(1, tone, centre, radius * brush.profile(), 0.1, 2.0)]
    labelled = random.random() < 0.6
    for label in range(2, 2 + int(random.integers(2, 5))):
        side = random.uniform(0, 2 * np.pi)
        past = random.uniform(1.7, 3.0) * radius * towards(side)
        speed = random.normal(0, 0.35) * radius * towards(side + np.pi / 2)
        time = np.arange(frames) - random.uniform(0, frames)
        at = brush.path(centre[0] + past, step=0.006) + time[:, None] * speed
        size = radius * random.uniform(0.8, 1.2) * brush.profile()
        own = float(np.clip(tone + random.normal(0, 0.02), 0, 1))
        double = brush.disc(label if labelled else 0, own, at, size, 0.1, 2.0)
        found.insert(len(found) if random.random() < 0.3 else 0, double)
    return discs + found
