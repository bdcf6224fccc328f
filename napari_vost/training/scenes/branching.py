"""Vessels that branch, and things that divide."""

from __future__ import annotations

import numpy as np

from napari_vost.training.scenes.brush import Brush, ellipsoid, towards
from napari_vost.training.shapes import Curve, Disc


def vessels(brush: Brush) -> list[Disc]:
    """A vessel that branches: cut across, so that one disc becomes two, or seen along its length."""
    random = brush.random
    tone = brush.tone(brush.ground)
    discs = brush.scenery(int(random.integers(1, 4)), tone)
    if random.random() < 0.6:
        for label in range(2, 2 + int(random.integers(0, 4))):  # other vessels
            at = brush.path(random.uniform(0.15, 0.85, 2), step=0.008)
            discs.append(brush.disc(label, tone, at, random.uniform(0.02, 0.06) * np.ones(brush.frames), 0.06))
        return discs + _fork(brush, tone, random.uniform(0.04, 0.1), random.uniform(0.25, 0.7))
    return discs + _tree(brush, tone)


def splitting(brush: Brush) -> list[Disc]:
    """One structure becomes two halves that drift apart, like a cell that divides, among others that do not."""
    random = brush.random
    tone = brush.tone(brush.ground)
    discs = brush.scenery(int(random.integers(0, 3)), tone)
    for label in range(2, 2 + int(random.integers(1, 5))):
        at = brush.path(random.uniform(0.1, 0.9, 2), step=0.01)
        discs.append(brush.disc(label, tone, at, random.uniform(0.04, 0.1) * brush.profile(), 0.1))
    return discs + _fork(brush, tone, random.uniform(0.06, 0.13), random.uniform(0.15, 0.5))


def _fork(brush: Brush, tone: float, radius: float, rate: float) -> list[Disc]:
    """Two discs of label 1 that lie on each other until they part by ``rate`` radii per frame."""
    random, frames = brush.random, brush.frames
    centre = brush.path(random.uniform(0.35, 0.65, 2))
    apart = np.maximum(np.arange(frames) - random.uniform(-1, 0.6 * frames), 0) * rate
    if random.random() < 0.3 and not brush.moving:  # seen from the other end, branches join
        apart = apart[::-1]
    share = random.uniform(0.35, 0.65)
    side = towards(random.uniform(0, 2 * np.pi)) * radius
    halves = []
    for sign, part in ((1, share), (-1, 1 - share)):
        thin = 1 - (1 - np.sqrt(part)) * np.clip(apart, 0, 1)
        at = centre + sign * (1 - part) * 2 * np.minimum(apart, 3.5)[:, None] * side
        halves.append(brush.disc(1, tone, at, radius * thin, 0.05, 1.3))
    return halves


def _tree(brush: Brush, tone: float) -> list[Disc]:
    """A trunk with two branches and a twig that lie in the picture, label 1."""
    random, frames = brush.random, brush.frames
    size: Curve = 1.0 * np.ones(frames) if brush.moving else ellipsoid(random, frames)
    width = random.uniform(0.015, 0.035) * size
    turn = random.uniform(0, 2 * np.pi)
    joint = brush.path(random.uniform(0.4, 0.6, 2))
    root = joint - random.uniform(0.2, 0.4) * towards(turn) + brush.path(np.zeros(2), 0.004)
    found = [brush.bar(1, tone, root, joint, width)]
    ends = []
    for sign in (-1, 1):
        reach = random.uniform(0.12, 0.28) * towards(turn + sign * random.uniform(0.35, 0.9))
        end = joint + reach + brush.path(np.zeros(2), 0.006)
        found.append(brush.bar(1, tone, joint, end, width * random.uniform(0.55, 0.85)))
        ends.append(end)
    start = joint + 0.5 * (ends[0] - joint)
    found.append(brush.bar(1, tone, start, start + 0.12 * towards(turn + random.normal(0, 1)), width * 0.5))
    return [*found, brush.disc(1, tone, joint, width * 1.1, 0.02, 1.1)]
