"""A heart across its long axis."""

from __future__ import annotations

import numpy as np

from napari_vost.training.scenes.brush import Brush, apex, beat, ellipsoid, towards
from napari_vost.training.shapes import Curve, Disc


def heart(brush: Brush) -> list[Disc]:
    """A ring around a pool with a crescent beside it: two blood pools and a wall, tapering or beating."""
    random = brush.random
    wall = brush.tone(brush.ground)
    pool = brush.tone(wall) if random.random() < 0.3 else min(1.0, max(wall, 0.1) + random.uniform(0.25, 0.6))
    alike = float(np.clip(pool + random.normal(0, 0.05), 0, 1))
    right = alike if random.random() < 0.8 else brush.tone(wall, brush.ground)
    discs = brush.scenery(int(random.integers(2, 6)), wall, right)
    centre = brush.path(random.uniform(0.4, 0.6, 2), step=0.006)
    outer = random.uniform(0.1, 0.2) * _taper(brush)
    thickness = random.uniform(0.2, 0.42)
    squeeze = beat(random, brush.frames) if brush.moving else ellipsoid(random, brush.frames)
    inner = outer * (1 - thickness) * (squeeze / max(squeeze.max(), 1e-3)) ** random.uniform(0.2, 1.2)
    away = random.uniform(0.75, 1.25)
    beside = centre + (outer * away)[:, None] * towards(random.uniform(0, 2 * np.pi))
    shrink = _taper(brush)
    size = outer * random.uniform(0.8, 1.25) * shrink / max(shrink.max(), 1e-3)
    discs += _neighbours(brush, wall, right, centre, outer)
    if random.random() < 0.5:  # a thin wall around the crescent
        discs.append(brush.disc(0, wall, beside, size * 1.15, 0.05, 1.8))
    discs.append(brush.disc(1, right, beside, size, 0.1, 1.9))
    discs.append(brush.disc(2, wall, centre, outer, 0.04, 1.25))
    return discs + _pool(brush, wall, pool, centre, inner)


def _neighbours(brush: Brush, wall: float, right: float, centre: Curve, outer: Curve) -> list[Disc]:
    """What touches the heart: most hardly differs from the wall (liver, lung) or is as bright as blood (atria)."""
    random, found = brush.random, []
    for _ in range(int(random.integers(0, 4))):
        draw = random.random()
        tone = wall + random.normal(0, 0.06) if draw < 0.5 else right + random.normal(0, 0.05)
        if draw > 0.75:
            tone = random.uniform(0.02, 0.98)
        profile = brush.profile()
        size = random.uniform(0.4, 1.6) * float(outer.max()) * profile / max(profile.max(), 1e-3)
        at = centre + (outer * random.uniform(0.95, 1.25) + size)[:, None] * towards(random.uniform(0, 2 * np.pi))
        found.append(brush.disc(0, float(np.clip(tone, 0, 1)), at, size, 0.1, 1.5))
    return found


def _pool(brush: Brush, wall: float, pool: float, centre: Curve, inner: Curve) -> list[Disc]:
    """The left pool: readers count its muscles in, so that it may be larger than what shines in it."""
    random = brush.random
    shift = brush.path(random.normal(0, 0.004, 2), step=0.001)
    trabeculae = random.random() < 0.5  # a rim about as dark as the wall; the smaller the pool, the more of it is rim
    tone = wall + (pool - wall) * max(0.0, random.uniform(-0.2, 0.5)) if trabeculae else pool
    found = [brush.disc(3, tone, centre + shift, inner, 0.04, 1.15)]
    if trabeculae:
        small = float(inner.max()) / np.maximum(inner, 1e-3)
        rim = np.minimum(random.uniform(0.03, 0.16) * small ** random.uniform(0.5, 1.5), 0.45)
        found.append(brush.disc(3, pool, centre + shift, inner * (1 - rim), 0.1, 1.2))
    for _ in range(int(random.integers(0, 4))):  # papillary muscles
        spot = centre + (inner * random.uniform(0.4, 0.9))[:, None] * towards(random.uniform(0, 2 * np.pi))
        found.append(brush.disc(3, wall, spot, inner * random.uniform(0.1, 0.28), 0.05, 1.6))
    return found


def _taper(brush: Brush) -> Curve:
    """Slices of a heart reach its apex more often than those of other organs."""
    steep = not brush.moving and brush.random.random() < 0.25
    return apex(brush.random, brush.frames) if steep else brush.profile()
