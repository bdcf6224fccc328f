"""Scenes of a body part as discs in painter's order, over slices or time.

A disc that lies under another becomes a crescent, one that holds another a ring, a small one that wanders a tube.
Lengths are fractions of the canvas side; curves have one value per frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]
Random = np.random.Generator
WAVES = 4  # Fourier terms of an outline, orders 2 to 5
MAX_DISCS = 12


@dataclass(frozen=True)
class Disc:
    """One wobbly disc.

    Attributes
    ----------
    label
        0 for scenery, else the id of the structure it belongs to.
    tone, texture
        Grey value 0..1 and how strongly texture modulates it.
    centre, radius
        (T, 2) ``(y, x)``; a radius of 0 hides the disc.
    angle
        (T,) radians.
    waves
        (2, WAVES) amplitude and phase of the outline's Fourier terms.
    """

    label: int
    tone: float
    texture: float
    centre: Curve
    radius: Curve
    angle: Curve
    waves: Curve


@dataclass(frozen=True)
class Scene:
    """Discs from bottom to top, the noise of the picture, and whether frames are moments (else slices)."""

    discs: tuple[Disc, ...]
    noise: float
    moving: bool


def walk(random: Random, frames: int, step: float) -> Curve:
    """A smooth random path (frames,) that starts at 0; ``step`` is its deviation per frame."""
    speed = random.normal(0, step)
    steps = speed + np.cumsum(random.normal(0, 0.4 * step, frames))
    return np.asarray(np.concatenate(([0.0], np.cumsum(steps)))[:frames], np.float64)


def _profile(random: Random, frames: int, moving: bool) -> Curve:
    """Size (frames,) over frames: an ellipsoid cut across, or a beat."""
    if moving:
        depth, phase, cycles = random.uniform(0, 0.35), random.uniform(0, 2 * np.pi), random.uniform(0.3, 1.2)
        beat: Curve = 1 - depth * (0.5 + 0.5 * np.sin(np.linspace(0, 2 * np.pi * cycles, frames) + phase))
        return beat
    middle, half = random.uniform(-0.2, 1.2) * frames, frames * random.uniform(0.4, 1.6)
    slice_of = ((np.arange(frames) - middle) / half) ** 2
    ellipsoid: Curve = np.sqrt(np.clip(1 - slice_of, 0, 1)) ** random.uniform(0.6, 1.5)
    return ellipsoid


def _contrast(random: Random, under: float, noise: float) -> float:
    """A tone that differs from what lies under it: in 4 of 5 cases by 1.5 times the noise or more."""
    least = max(0.08, 1.8 * noise) if random.random() < 0.8 else 0.02
    step = random.uniform(least, max(least + 0.05, 0.55)) * random.choice((-1, 1))
    tone = under + step
    if not 0.02 <= tone <= 1:
        tone = under - step
    return float(np.clip(tone, 0.02, 1.0))


@dataclass
class _Brush:
    """Makes discs of one scene."""

    random: Random
    frames: int
    moving: bool
    noise: float

    def disc(self, label: int, tone: float, at: Curve, size: Curve, wobble: float = 0.08, aspect: float = 1.6) -> Disc:
        """A disc around ``at`` (T, 2) with mean radius ``size`` (T,)."""
        random, frames = self.random, self.frames
        ratio = np.exp(random.uniform(-0.5, 0.5) * np.log(aspect))
        radius = np.stack((size * ratio, size / ratio), 1)
        angle = random.uniform(0, np.pi) + walk(random, frames, 0.04)
        decay = 1.0 / np.arange(1, WAVES + 1)
        waves = np.stack((random.normal(0, wobble, WAVES) * decay, random.uniform(0, 2 * np.pi, WAVES)))
        return Disc(label, tone, random.uniform(0, 0.15), at, radius, angle, waves)

    def path(self, start: Curve, step: float = 0.008) -> Curve:
        """A path (T, 2) from a point ``(y, x)``."""
        drift = np.stack((walk(self.random, self.frames, step), walk(self.random, self.frames, step)), 1)
        if (
            not self.moving and self.random.random() < 0.3
        ):  # slices of several breath-holds do not lie quite upon each other
            drift = drift + self.random.normal(0, 0.008, drift.shape)
        return np.asarray(drift + start, np.float64)

    def scenery(self, count: int, tone: float) -> list[Disc]:
        """Large discs for a background, tones near and far from ``tone``."""
        found = []
        for _ in range(count):
            at = self.path(self.random.uniform(0, 1, 2), step=0.01)
            size = self.random.uniform(0.1, 0.45) * _profile(self.random, self.frames, self.moving)
            near = float(np.clip(self.random.normal(tone, 0.25), 0, 1))
            found.append(self.disc(0, near, at, size, 0.12, 2.5))
        return found


def heart(brush: _Brush) -> list[Disc]:
    """A ring around a pool with a crescent beside it: two blood pools and a wall, tapering or beating."""
    random, frames = brush.random, brush.frames
    ground = random.uniform(0.1, 0.6)
    discs = brush.scenery(int(random.integers(2, 6)), ground)
    wall = _contrast(random, ground, brush.noise)
    pool = _contrast(random, wall, brush.noise) if random.random() < 0.3 else max(wall, 0.1) + random.uniform(0.25, 0.6)
    pool = min(pool, 1.0)
    right = float(np.clip(pool + random.normal(0, 0.05), 0, 1)) if random.random() < 0.8 else random.uniform(0, 1)
    centre = brush.path(random.uniform(0.4, 0.6, 2), step=0.006)
    outer = random.uniform(0.1, 0.2) * _profile(random, frames, brush.moving)
    thickness = random.uniform(0.2, 0.42)
    beat = _profile(random, frames, True) if brush.moving else _profile(random, frames, False)
    inner = outer * (1 - thickness) * (beat / max(beat.max(), 1e-3)) ** random.uniform(0.2, 1.2)
    side, away = random.uniform(0, 2 * np.pi), random.uniform(0.75, 1.25)
    beside = centre + (outer * away)[:, None] * np.array([np.sin(side), np.cos(side)])
    shrink = _profile(random, frames, brush.moving)
    size = outer * random.uniform(0.8, 1.25) * shrink / max(shrink.max(), 1e-3)
    if random.random() < 0.5:  # a thin wall around the crescent
        discs.append(brush.disc(0, wall, beside, size * 1.15, 0.05, 1.8))
    discs.append(brush.disc(1, right, beside, size, 0.1, 1.9))
    round_ = brush.disc(2, wall, centre, outer, 0.03, 1.15)
    discs.append(round_)
    shift = brush.path(random.normal(0, 0.004, 2), step=0.001)
    discs.append(brush.disc(3, pool, centre + shift, inner, 0.04, 1.15))
    for _ in range(int(random.integers(0, 3))):  # papillary muscles count as pool
        turn = random.uniform(0, 2 * np.pi)
        spot = centre + (inner * random.uniform(0.4, 0.75))[:, None] * np.array([np.sin(turn), np.cos(turn)])
        discs.append(brush.disc(3, wall, spot, inner * random.uniform(0.12, 0.25), 0.05, 1.4))
    return discs


def organ(brush: _Brush) -> list[Disc]:
    """One irregular organ among neighbours, often with a lesion or a vessel in it."""
    random, frames = brush.random, brush.frames
    ground = random.uniform(0.05, 0.8)
    discs = brush.scenery(int(random.integers(2, 6)), ground)
    centre = brush.path(random.uniform(0.35, 0.65, 2))
    size = random.uniform(0.08, 0.24) * _profile(random, frames, brush.moving)
    tone = _contrast(random, ground, brush.noise)
    for label in range(2, 2 + int(random.integers(0, 3))):  # neighbours that the organ may cover in part
        turn = random.uniform(0, 2 * np.pi)
        spot = centre + (size.max() * random.uniform(1.0, 1.7)) * np.array([np.sin(turn), np.cos(turn)])
        near = _contrast(random, tone, brush.noise)
        discs.append(
            brush.disc(label, near, spot, size.max() * random.uniform(0.4, 1) * _profile(random, frames, True))
        )
    discs.append(brush.disc(1, tone, centre, size, random.uniform(0.02, 0.2), 2.6))
    for label in range(5, 5 + int(random.integers(0, 3))):  # nested parts
        spot = centre + random.normal(0, 0.35, 2) * size.max()
        inside = size.max() * random.uniform(0.15, 0.45) * _profile(random, frames, brush.moving)
        discs.append(brush.disc(label, _contrast(random, tone, brush.noise), spot, inside, 0.1, 1.8))
    return discs


def shell(brush: _Brush) -> list[Disc]:
    """A ring or an open band around something, alone or nested in another."""
    random, frames = brush.random, brush.frames
    ground = random.uniform(0.05, 0.8)
    discs = brush.scenery(int(random.integers(1, 4)), ground)
    centre = brush.path(random.uniform(0.35, 0.65, 2))
    size = random.uniform(0.1, 0.26) * _profile(random, frames, brush.moving)
    tone = _contrast(random, ground, brush.noise)
    inside = _contrast(random, tone, brush.noise) if random.random() < 0.6 else ground
    discs.append(brush.disc(1, tone, centre, size, 0.08, 1.8))
    share = random.uniform(0.5, 0.85)
    discs.append(
        brush.disc(2, inside, centre + random.normal(0, 0.1, 2) * size.max() * (1 - share), size * share, 0.08)
    )
    if random.random() < 0.4:  # opens the band on one side
        turn = random.uniform(0, 2 * np.pi)
        spot = centre + size.max() * np.array([np.sin(turn), np.cos(turn)])
        discs.append(brush.disc(0, ground, spot, size * random.uniform(0.3, 0.7), 0.1, 2.0))
    return discs


def tubes(brush: _Brush) -> list[Disc]:
    """Several small look-alikes that wander: vessels, cells, nodes."""
    random, frames = brush.random, brush.frames
    ground = random.uniform(0.05, 0.8)
    discs = brush.scenery(int(random.integers(1, 4)), ground)
    tone = _contrast(random, ground, brush.noise)
    for label in range(1, 1 + int(random.integers(2, 7))):
        at = brush.path(random.uniform(0.2, 0.8, 2), step=random.uniform(0.004, 0.02))
        size = random.uniform(0.025, 0.1) * (0.5 + 0.5 * _profile(random, frames, brush.moving))
        same = tone if random.random() < 0.7 else _contrast(random, ground, brush.noise)
        discs.append(brush.disc(label, same, at, size, 0.08, 1.8))
    return discs


SCENES: tuple[tuple[Callable[[_Brush], list[Disc]], float], ...] = (
    (heart, 0.4), (organ, 0.3), (shell, 0.15), (tubes, 0.15)
)  # fmt: skip


def draw_scene(random: Random, frames: int) -> Scene:
    """A random scene of ``frames`` frames."""
    moving = bool(random.random() < 0.35)
    brush = _Brush(random, frames, moving, float(random.uniform(0.01, 0.1)))
    weights = np.array([weight for _, weight in SCENES])
    kind = SCENES[int(random.choice(len(SCENES), p=weights / weights.sum()))][0]
    discs = kind(brush)[-MAX_DISCS:]
    return Scene(tuple(discs), brush.noise, moving)
