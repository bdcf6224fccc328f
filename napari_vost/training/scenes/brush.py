"""Tools that every kind of scene draws with: paths, sizes over frames, tones that can be seen, discs and bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_vost.training.shapes import WAVES, Curve, Disc, Random


def walk(random: Random, frames: int, step: float) -> Curve:
    """A smooth random path (frames,) that starts at 0; ``step`` is its deviation per frame."""
    speed = random.normal(0, step)
    steps = speed + np.cumsum(random.normal(0, 0.4 * step, frames))
    return np.asarray(np.concatenate(([0.0], np.cumsum(steps)))[:frames], np.float64)


def towards(angle: float) -> Curve:
    """Unit vector ``(y, x)`` of an angle."""
    return np.array([np.sin(angle), np.cos(angle)])


def beat(random: Random, frames: int) -> Curve:
    """Size (frames,) of something that beats or breathes: 1 at most."""
    depth, phase, cycles = random.uniform(0, 0.35), random.uniform(0, 2 * np.pi), random.uniform(0.3, 1.2)
    return np.asarray(1 - depth * (0.5 + 0.5 * np.sin(np.linspace(0, 2 * np.pi * cycles, frames) + phase)))


def ellipsoid(random: Random, frames: int) -> Curve:
    """Size (frames,) of an ellipsoid cut across; it may begin or end within the frames."""
    middle, half = random.uniform(-0.2, 1.2) * frames, frames * random.uniform(0.35, 1.5)
    along = ((np.arange(frames) - middle) / half) ** 2
    return np.asarray(np.sqrt(np.clip(1 - along, 0, 1)) ** random.uniform(0.6, 1.5))


def apex(random: Random, frames: int) -> Curve:
    """Size (frames,) that falls by 30 to 60 % per frame at one end, and is 0 thereafter."""
    end = int(random.integers(min(3, frames), frames + 2))
    index = np.arange(frames)
    steep = np.maximum(index - (end - int(random.integers(2, 4))), 0)
    size = (1 - random.uniform(0, 0.08)) ** index * (1 - random.uniform(0.3, 0.6)) ** steep * (index < end)
    return np.asarray(size[::-1] if random.random() < 0.5 else size, np.float64)


@dataclass
class Brush:
    """Makes the discs of one scene of ``frames`` frames.

    Attributes
    ----------
    random
        All of its draws.
    frames
        Frames of the scene.
    moving
        Frames are moments, else slices.
    noise
        Deviation of the picture's noise.
    ground
        Tone of what lies under everything.
    """

    random: Random
    frames: int
    moving: bool
    noise: float
    ground: float

    def profile(self) -> Curve:
        """Size (T,), 0..1: what a stack of slices shows of a body, or a beat, seldom a probe that slides past it."""
        draw = self.random.random()
        if self.moving:
            return beat(self.random, self.frames) if draw < 0.85 else ellipsoid(self.random, self.frames)
        return ellipsoid(self.random, self.frames) if draw < 0.75 else apex(self.random, self.frames)

    def tone(self, *under: float) -> float:
        """A tone that can be told from each of ``under`` in 8 of 9 cases: by twice the noise or more."""
        least = max(0.1, 2.2 * self.noise) if self.random.random() < 0.89 else 0.02
        grid = np.linspace(0.04, 0.96, 93)
        apart = np.min(np.abs(grid[:, None] - np.array(under)), 1)
        free = grid[(apart >= least) & (apart <= least + 0.45)]
        return float(self.random.choice(free) if len(free) else grid[int(apart.argmax())])

    def path(self, start: Curve, step: float = 0.008) -> Curve:
        """A path (T, 2) from a point ``(y, x)``."""
        drift = np.stack((walk(self.random, self.frames, step), walk(self.random, self.frames, step)), 1)
        return np.asarray(drift + start, np.float64)

    def disc(self, label: int, tone: float, at: Curve, size: Curve, wobble: float = 0.08, aspect: float = 1.6) -> Disc:
        """A disc around ``at`` (T, 2) with mean radius ``size`` (T,), up to ``aspect`` times longer than wide."""
        random, frames = self.random, self.frames
        ratio = np.exp(random.uniform(-0.5, 0.5) * np.log(aspect))
        radius = np.stack((size * ratio, size / ratio), 1)
        angle = random.uniform(0, np.pi) + walk(random, frames, 0.04)
        decay = 1.0 / np.arange(1, WAVES + 1)
        waves = np.stack((random.normal(0, wobble, WAVES) * decay, random.uniform(0, 2 * np.pi, WAVES)))
        return Disc(label, tone, random.uniform(0, 0.12), at, radius, angle, waves)

    def bar(self, label: int, tone: float, start: Curve, end: Curve, half_width: Curve) -> Disc:
        """A bar from ``start`` (T, 2) to ``end`` (T, 2)."""
        along = end - start
        length = np.hypot(along[:, 0], along[:, 1])
        radius = np.stack((length / 2, half_width), 1)
        angle = np.arctan2(-along[:, 1], along[:, 0])
        texture = self.random.uniform(0, 0.06)
        return Disc(label, tone, texture, (start + end) / 2, radius, angle, np.zeros((2, WAVES)), bar=True)

    def scenery(self, count: int, *targets: float) -> list[Disc]:
        """Large discs for a background, with tones near and far from the ground; most leave ``targets`` visible."""
        found = []
        for _ in range(count):
            at = self.path(self.random.uniform(0, 1, 2), step=0.01)
            size = self.random.uniform(0.1, 0.45) * self.profile()
            near = float(np.clip(self.random.normal(self.ground, 0.25), 0, 1))
            if any(abs(near - tone) < 2.2 * self.noise + 0.05 for tone in targets) and self.random.random() < 0.85:
                near = self.tone(*targets)
            found.append(self.disc(0, near, at, size, 0.12, 2.5))
        return found
