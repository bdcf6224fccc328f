"""An organ among its neighbours."""

from __future__ import annotations

import numpy as np

from napari_vost.training.scenes.brush import Brush, beat, towards
from napari_vost.training.shapes import Disc


def organ(brush: Brush) -> list[Disc]:
    """One irregular organ that neighbours touch, often with lesions or vessels in it.

    In half of the scenes what lies in the organ is a structure of its own, else it counts as organ.
    """
    random = brush.random
    tone = brush.tone(brush.ground)
    discs = brush.scenery(int(random.integers(2, 6)), tone)
    centre = brush.path(random.uniform(0.35, 0.65, 2))
    size = random.uniform(0.08, 0.24) * brush.profile()
    for label in range(2, 2 + int(random.integers(0, 3))):  # neighbours that the organ may cover in part
        spot = centre + size.max() * random.uniform(1.0, 1.7) * towards(random.uniform(0, 2 * np.pi))
        reach = size.max() * random.uniform(0.4, 1) * beat(random, brush.frames)
        discs.append(brush.disc(label, brush.tone(tone, brush.ground), spot, reach))
    discs.append(brush.disc(1, tone, centre, size, random.uniform(0.02, 0.2), 2.6))
    apart = random.random() < 0.5
    for label in range(5, 5 + int(random.integers(0, 3))):  # nested parts stay inside
        spot = centre + random.uniform(-0.45, 0.45, 2) * size[:, None]
        inside = size * random.uniform(0.15, 0.4) * brush.profile()
        discs.append(brush.disc(label if apart else 1, brush.tone(tone), spot, inside, 0.1, 1.8))
    return discs


def lobes(brush: Brush) -> list[Disc]:
    """An organ of several lobes that part and join from frame to frame, at times with a lesion."""
    random = brush.random
    tone = brush.tone(brush.ground)
    discs = brush.scenery(int(random.integers(1, 5)), tone)
    centre = brush.path(random.uniform(0.38, 0.62, 2))
    size = random.uniform(0.08, 0.16) * brush.profile()
    turn = random.uniform(0, 2 * np.pi)
    for _ in range(int(random.integers(2, 5))):
        turn += random.uniform(0.9, 2.2)
        own = size * random.uniform(0.5, 0.9) * brush.profile() ** 0.5
        at = centre + (size * random.uniform(0.7, 1.05))[:, None] * towards(turn)
        discs.append(brush.disc(1, tone, at, own, 0.08, 2.0))
    if random.random() < 0.7:  # what joins them
        discs.append(brush.disc(1, tone, centre, size * random.uniform(0.4, 0.75), 0.08))
    if random.random() < 0.4:
        spot = centre + (size * random.uniform(0.2, 0.7))[:, None] * towards(turn)
        discs.append(brush.disc(2, brush.tone(tone, brush.ground), spot, size * random.uniform(0.2, 0.4), 0.1))
    return discs
