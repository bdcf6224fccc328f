"""Walls: rings, open bands, thin shells."""

from __future__ import annotations

import numpy as np

from napari_vost.training.scenes.brush import Brush, towards
from napari_vost.training.shapes import Disc


def shell(brush: Brush) -> list[Disc]:
    """A ring or an open band around something, thick or thin."""
    random = brush.random
    tone = brush.tone(brush.ground)
    inside = brush.tone(tone) if random.random() < 0.6 else brush.ground
    discs = brush.scenery(int(random.integers(1, 4)), tone)
    centre = brush.path(random.uniform(0.35, 0.65, 2))
    size = random.uniform(0.1, 0.26) * brush.profile()
    share = random.uniform(0.5, 0.88)
    outer = brush.disc(1, tone, centre, size, 0.06, 1.8)
    discs.append(outer)
    shift = random.normal(0, 0.12, 2) * size[:, None] * (1 - share)
    if share > 0.75:  # a thin shell keeps its thickness all around
        discs.append(Disc(2, inside, 0.05, centre + shift, outer.radius * share, outer.angle, outer.waves))
    else:
        discs.append(brush.disc(2, inside, centre + shift, size * share, 0.08))
    if random.random() < 0.3:  # opens the band on one side
        spot = centre + size[:, None] * towards(random.uniform(0, 2 * np.pi))
        discs.append(brush.disc(0, brush.ground, spot, size * random.uniform(0.3, 0.6), 0.1, 2.0))
    return discs
