"""A small film set: textured bodies with soft edges that move before a textured ground, under a light that may change.

Pixels are those of the frame, (y, x). What is painted later lies in front and hides what is behind it, from the picture
and from the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vost.checks import check_range
from napari_vost.phantoms.base import Field, blur, occupancy, smooth_noise

SOFT_PX = 2.2  # width of an edge
GRAIN = 48  # side of a body's texture, which repeats
REFERENCE_PX = 96  # side of the frame that lengths of the clips are given for


@dataclass(frozen=True, eq=False)
class Body:
    """A textured blob, given at size 1.

    Attributes
    ----------
    radii
        ``(along y, along x)`` in pixels before it is turned.
    waves
        (2, n) height and phase of the ripples of its outline, of 2, 3, … bumps.
    grain
        (`GRAIN`, `GRAIN`) texture, mean 0 and deviation 1, that moves, turns and grows with it.
    texture
        Deviation of its tone.
    power
        2 for an ellipse; more is fuller at the corners.
    """

    radii: tuple[float, float]
    waves: Field
    grain: Field
    texture: float
    power: float = 2.0

    @property
    def reach(self) -> float:
        """No point of its outline lies farther from its middle, in pixels."""
        corner = 1.0 if self.power <= 2 else np.sqrt(2)
        return float(max(self.radii) * corner * (1.0 + np.abs(self.waves[0]).sum()))

    def level(self, y: Field, x: Field, stretch: float, morph: float) -> Field:
        """About the signed distance in pixels of points in its own axes; negative inside."""
        v, u = y / (self.radii[0] * stretch), x / (self.radii[1] / stretch)
        norm = (np.abs(v) ** self.power + np.abs(u) ** self.power) ** (1.0 / self.power)
        turn = np.arctan2(v, u)
        outline = np.ones(np.shape(turn))
        for index, (height, phase) in enumerate(self.waves.T):
            outline = outline + height * np.cos((index + 2) * turn + phase + morph * (1 + index % 2))
        return np.asarray((norm - outline) * min(self.radii))

    def look(self, y: Field, x: Field) -> Field:
        """Texture at points in its own axes."""
        at = [y * 0.9 + GRAIN / 2, x * 0.9 + GRAIN / 2]
        return np.asarray(self.texture * ndimage.map_coordinates(self.grain, at, order=1, mode="mirror"))


@dataclass(frozen=True, eq=False)
class Layer:
    """A body on its way through the frames; everything but the path is (T,).

    Attributes
    ----------
    body, object_id
        What it is; 0 is scenery.
    path
        (T, P, 2) middles of its P parts, which melt into one another where they touch.
    size, angle, tone, stretch, morph
        Scale, radians, grey from 0 to 1, lengthening along its own y, and shift of the phases of its outline.
    """

    body: Body
    object_id: int
    path: Field
    size: Field
    angle: Field
    tone: Field
    stretch: Field
    morph: Field

    def paint(self, grey: Field, labels: NDArray[np.uint8], frame: int) -> None:
        """Draw one frame of it over what is there."""
        size = float(self.size[frame])
        middles = self.path[frame]
        if size < 0.05:
            return
        reach = self.body.reach * size * max(self.stretch[frame], 1 / self.stretch[frame]) + 2 * SOFT_PX
        low = np.clip(np.floor(middles.min(axis=0) - reach), 0, grey.shape).astype(int)
        high = np.clip(np.ceil(middles.max(axis=0) + reach) + 1, 0, grey.shape).astype(int)
        if (high <= low).any():
            return
        cut = slice(low[0], high[0]), slice(low[1], high[1])
        rows, columns = np.mgrid[cut].astype(np.float64)
        cosine, sine = np.cos(self.angle[frame]), np.sin(self.angle[frame])
        own = [
            ((cosine * (rows - y) - sine * (columns - x)) / size, (sine * (rows - y) + cosine * (columns - x)) / size)
            for y, x in middles
        ]
        levels = np.stack([self.body.level(v, u, self.stretch[frame], self.morph[frame]) * size for v, u in own])
        looks = np.stack([self.body.look(v, u) for v, u in own])
        nearness = np.exp(-np.clip(levels - levels.min(axis=0), 0, 40))  # smooth union, and as smooth a change of look
        share = occupancy(-np.log(nearness.sum(axis=0)) + levels.min(axis=0) + np.log(len(own)), SOFT_PX)
        look = (looks * nearness).sum(axis=0) / nearness.sum(axis=0)
        grey[cut] += share * (self.tone[frame] + look - grey[cut])
        labels[cut][share >= 0.5] = self.object_id


@dataclass(frozen=True, eq=False)
class Film:
    """What was shot: uint8 pixels and labels (T, H, W), and the own area of object 1, hidden or not, (T,)."""

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    whole: Field


class Stage:
    """Makes bodies, scenery and the film of one clip.

    Parameters
    ----------
    size, frames
        Side of the frames in pixels, and how many.
    seed
        Of everything that is drawn.
    ground
        Mean tone of the ground.
    """

    def __init__(self, size: int, frames: int, seed: int, ground: float = 0.32) -> None:
        check_range(size, 32, 1024, "size")
        check_range(frames, 2, 100_000, "frames")
        self.size, self.frames = size, frames
        self.random = np.random.default_rng(seed)
        self.unit = size / REFERENCE_PX
        wide = (2 * size, 2 * size)
        rough, fine = smooth_noise(wide, (9.0, 9.0), self.random), smooth_noise(wide, (60.0, 60.0), self.random)
        self.ground: Field = ground + 0.05 * rough + 0.025 * fine
        self.time: Field = np.arange(frames, dtype=np.float64)

    def wander(self, bumps: float) -> Field:
        """A smooth random course (T,) of mean 0 and deviation 1 with so many bumps."""
        return smooth_noise((self.frames,), (bumps,), self.random)

    def body(self, radius: float, aspect: float = 1.3, rough: float = 0.06, texture: float = 0.06) -> Body:
        """A blob whose mean radius is given in pixels of a frame of `REFERENCE_PX`."""
        ratio = np.sqrt(aspect)
        count = np.arange(1, 5)
        waves = np.stack([self.random.normal(0, rough, 4) / count, self.random.uniform(0, 2 * np.pi, 4)])
        grain = smooth_noise((GRAIN, GRAIN), (11.0, 11.0), self.random)
        radius *= self.unit
        return Body((radius * ratio, radius / ratio), waves, grain, texture)

    def plate(self, half_height: float, half_width: float) -> Body:
        """A plate with rounded corners, in pixels of a frame of `REFERENCE_PX`."""
        grain = smooth_noise((GRAIN, GRAIN), (7.0, 16.0), self.random)
        return Body((half_height * self.unit, half_width * self.unit), np.zeros((2, 1)), grain, 0.035, 8.0)

    def layer(
        self,
        body: Body,
        path: Field,
        tone: float | Field,
        object_id: int = 0,
        size: float | Field = 1.0,
        angle: float | Field = 0.0,
        stretch: float | Field = 1.0,
        morph: float | Field = 0.0,
    ) -> Layer:
        """A body on a path, (2,) or (T, 2) or (T, P, 2) in pixels of a frame of `REFERENCE_PX`."""
        parts = path[:, None] if path.ndim == 2 else path
        courses = [np.broadcast_to(np.asarray(one, np.float64), (self.frames,)) for one in (size, angle, tone)]
        shape = [np.broadcast_to(np.asarray(one, np.float64), (self.frames,)) for one in (stretch, morph)]
        places = np.broadcast_to(parts * self.unit, (self.frames, 1 if parts.ndim == 1 else parts.shape[1], 2))
        return Layer(body, object_id, places, *courses, *shape)

    def scenery(self, count: int, avoid: float, pan: Field | None = None, margin: float = 0.13) -> list[Layer]:
        """Blobs of other tones, large and small, that lie around; ``pan`` (T, 2) moves them together."""
        found = []
        for _ in range(count):
            tone = self.random.uniform(0.08, 0.85)
            if abs(tone - avoid) < margin:
                tone = avoid - margin * 1.6 if avoid > 0.45 else avoid + margin * 1.6
            radius = self.random.choice([4.0, 7.0, 12.0, 20.0]) * self.random.uniform(0.8, 1.2)
            body = self.body(radius, self.random.uniform(1.0, 2.4), 0.09, 0.035)
            at = self.random.uniform(0.0, REFERENCE_PX, 2) + 1.5 * np.stack([self.wander(5), self.wander(5)], axis=1)
            found.append(self.layer(body, at if pan is None else at + pan, tone, angle=self.random.uniform(0, np.pi)))
        return found

    def shoot(
        self, layers: Sequence[Layer], noise: float = 0.035, light: Field | None = None, pan: Field | None = None
    ) -> Film:
        """Paint all frames.

        Parameters
        ----------
        layers
            From the back to the front.
        noise
            Deviation of the noise, whose grains are somewhat larger than a pixel.
        light
            (T,) factor; 1 throughout if left out.
        pan
            (T, 2) shift of the ground, in pixels of a frame of `REFERENCE_PX`.
        """
        shape = (self.frames, self.size, self.size)
        image, labels = np.empty(shape, np.uint8), np.zeros(shape, np.uint8)
        rows, columns = np.mgrid[: self.size, : self.size].astype(np.float64)
        middle = (self.size - 1) / 2
        dimmed = 1.0 - 0.22 * ((rows - middle) ** 2 + (columns - middle) ** 2) / middle**2 / 2
        grains = 0.75
        loss = float(blur(self.random.standard_normal((128, 128)), (grains, grains)).std())
        whole = np.zeros(self.frames)
        for frame in range(self.frames):
            dy, dx = (0.0, 0.0) if pan is None else pan[frame] * self.unit
            at = [rows + self.size / 2 - dy, columns + self.size / 2 - dx]
            grey: Field = ndimage.map_coordinates(self.ground, at, order=1, mode="mirror")
            for layer in layers:
                layer.paint(grey, labels[frame], frame)
                if layer.object_id == 1:
                    whole[frame] = np.count_nonzero(labels[frame] == 1)
            grey = dimmed * blur(grey, (0.6, 0.6)) * (1.0 if light is None else light[frame])
            grain = blur(self.random.standard_normal(grey.shape), (grains, grains)) / loss
            grey = grey * (1.0 + 0.6 * noise * grain) + 0.7 * noise * np.roll(grain, self.size // 3, axis=0)
            image[frame] = np.rint(255.0 * np.clip(grey, 0.0, 1.0))
        return Film(image, labels, whole)
