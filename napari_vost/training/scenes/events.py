"""What may befall any scene: the camera moves, slices lie askew, something passes in front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_vost.training.scenes.brush import Brush, towards, walk
from napari_vost.training.shapes import Curve, Disc


def target_of(brush: Brush, discs: Sequence[Disc]) -> Disc | None:
    """A labelled disc that the first frame shows; None where there is none."""
    seen = [disc for disc in discs if disc.label and disc.radius[0].min() > 0.01]
    return seen[int(brush.random.integers(len(seen)))] if seen else None


def camera(brush: Brush, target: Disc | None) -> Curve:
    """Camera (T, 4): slices that lie askew; or breath, a hand that slides and turns, a target that leaves."""
    random, frames = brush.random, brush.frames
    path = np.zeros((frames, 4))
    if not brush.moving:
        if random.random() < 0.35:  # breath-holds differ
            path[:, :2] = random.normal(0, random.uniform(0.004, 0.02), (frames, 2))
        return path
    if random.random() < 0.35:
        swing = np.sin(np.linspace(0, random.uniform(2, 9), frames) + random.uniform(0, 6))
        path[:, :2] += (swing - swing[0])[:, None] * towards(random.normal(np.pi / 2, 0.3)) * random.uniform(0.01, 0.06)
    if random.random() < 0.4:
        step = random.uniform(0.003, 0.02)
        path[:, :2] += np.stack((walk(random, frames, step), walk(random, frames, step)), 1)
        path[:, 2], path[:, 3] = walk(random, frames, 0.02), walk(random, frames, 0.01)
    if target is not None and random.random() < 0.15:
        path[:, :2] += _leave(brush, target)
    return path


def _leave(brush: Brush, target: Disc) -> Curve:
    """Shift (T, 2) that takes a target out of the picture; mostly it comes back."""
    random, frames = brush.random, brush.frames
    time = np.arange(frames) / max(1, frames - 1)
    out = np.clip(1.6 * np.sin(np.pi * time), 0, 1)
    if random.random() < 0.3:
        out = np.clip(2 * time - 0.4, 0, 1)
    axis, sign = int(random.integers(2)), int(random.choice((-1, 1)))
    place = target.centre[0, axis]
    far = (1 - place if sign > 0 else place) + 1.3 * float(target.radius.max(1).mean())
    shift = np.zeros((frames, 2))
    shift[:, axis] = sign * out * far
    return shift


def occluder(brush: Brush, target: Disc, tone: float) -> Disc:
    """A disc or a bar without a label that passes over a target, not on the first frame."""
    random, frames = brush.random, brush.frames
    radius = float(np.clip(target.radius.mean(), 0.03, 0.2))
    reach = radius * random.uniform(0.5, 1.4)
    turn = random.uniform(0, 2 * np.pi)
    speed = (radius + reach) * random.uniform(0.4, 1.0)
    time = np.arange(frames) - random.uniform(0.35, 0.8) * frames
    # at least so far away at first that the target is seen
    first = -(radius * 1.1 + reach) / speed
    time = time + min(0.0, first - time[0]) if random.random() < 0.8 else time
    at = target.centre + time[:, None] * speed * towards(turn)
    if random.random() < 0.5:
        across = 0.7 * towards(turn + np.pi / 2 + random.normal(0, 0.2))
        return brush.bar(0, tone, at - across, at + across, np.full(frames, reach * 0.6))
    return brush.disc(0, tone, at, np.full(frames, reach), 0.1)
