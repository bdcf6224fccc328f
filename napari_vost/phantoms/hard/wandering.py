"""One object that wanders: for a long time, out of the frame and back, fast, or changing as it goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_vost.phantoms.base import Field, Phantom, blur
from napari_vost.phantoms.hard.base import FRAME_TIME_S, Events, HardClip, gaps_of
from napari_vost.phantoms.hard.stage import REFERENCE_PX, Film, Stage


def filmed(film: Film, name: str, period_s: float | None = None, others: tuple[str, ...] = ()) -> Phantom:
    """A film as a cine: label 1 is called ``name``, those after it ``others``."""
    times = tuple(FRAME_TIME_S * frame for frame in range(len(film.image)))
    names = dict(enumerate((name, *others), start=1))
    return Phantom(film.image, film.labels, names, (1.0, 1.0, 1.0), "time", times, period_s)


def track(y: Field, x: Field) -> Field:
    """Two courses (T,) as a path (T, 2)."""
    return np.stack(np.broadcast_arrays(y, x), axis=1)


def long(frames: int = 1000, size: int = 96, seed: int = 0) -> HardClip:
    """An object whose place, look and light drift slowly: each look is near the one before, far from the first.

    Parameters
    ----------
    frames, size, seed
        Frames, side of the frames in pixels, and what everything is drawn from.
    """
    stage = Stage(size, frames, seed)
    turns = stage.time * 2 * np.pi / 410.0
    fade = np.sin(turns * 0.63) ** 2
    pan = 6.0 * track(np.sin(turns * 0.8), np.sin(turns * 0.55))
    path = track(48 + 17 * np.sin(turns), 48 + 19 * np.sin(0.71 * turns + stage.random.uniform(0, 6)))
    target = stage.layer(
        stage.body(11.0, 1.35, 0.1),
        path,
        0.72 - 0.2 * fade,
        1,
        1.0 + 0.28 * np.sin(turns * 1.3),
        1.6 * np.sin(turns * 0.5),
        1.0 + 0.16 * np.sin(turns * 0.9),
        stage.time * 2 * np.pi / 700.0,
    )
    light = 0.92 + 0.18 * np.sin(turns * 0.47 + 1.0)
    film = stage.shoot([*stage.scenery(14, 0.62, pan), target], 0.04, light, pan)
    return HardClip(filmed(film, "Drifting object"), 1, Events())


def leave(frames: int = 100, size: int = 96, seed: int = 0, away: int = 30) -> HardClip:
    """An object that leaves the frame and comes back elsewhere; arguments as `long`, ``away`` in frames."""
    stage = Stage(size, frames, seed)
    rest = (frames - away) / 2
    far, edge = 56.0, 34.0  # pixels to the right: where it turns, and where it is half gone
    speed = min(2.0, edge / (0.75 * rest))
    start = rest - edge / speed
    out = np.clip(speed * (stage.time - start), 0, far) - np.clip(
        speed * (stage.time - rest - away) + far - edge, 0, far
    )
    moved = np.clip((stage.time - rest) / max(away, 1), 0, 1)
    body = stage.body(10.0, 1.4, 0.08)
    path = track(38 + 22 * moved + 1.5 * stage.wander(5), REFERENCE_PX - 1 - edge + out)
    target = stage.layer(body, path, 0.68, 1, angle=0.3 * stage.wander(3))
    film = stage.shoot([*stage.scenery(14, 0.68), target])
    return HardClip(filmed(film, "Visitor"), 1, Events(gaps_of(film.labels == 1, np.full(frames, film.whole[0]))))


def fast(frames: int = 64, size: int = 96, seed: int = 0) -> HardClip:
    """A small object that moves by a third to two thirds of its own size per frame, from wall to wall.

    Others of its look lie still, and it passes before them. Arguments as `long`.
    """
    stage = Stage(size, frames, seed)
    room = REFERENCE_PX - 24.0
    speed = 7.5 + 2.5 * np.sin(stage.time / 9.0)
    way = np.cumsum(speed) - speed[0]
    heading = stage.random.uniform(0.5, 1.0)
    y, x = (
        12 + np.abs((stage.random.uniform(0, room) + way * part + room) % (2 * room) - room)
        for part in (np.sin(heading), np.cos(heading))
    )
    body = stage.body(8.0, 1.3)
    target = stage.layer(body, track(y, x), 0.74, 1, angle=0.12 * stage.time)
    others = []
    for corner in ((20.0, 24.0), (74.0, 30.0), (46.0, 74.0)):  # of its look, but they stay
        at = np.array(corner) + stage.random.uniform(-6, 6, 2)
        others.append(stage.layer(stage.body(7.0, 1.4), at, 0.7, angle=stage.random.uniform(0, np.pi)))
    film = stage.shoot([*stage.scenery(14, 0.74), *others, target])
    return HardClip(filmed(film, "Fast object"), 1, Events())


def change(frames: int = 200, size: int = 96, seed: int = 0) -> HardClip:
    """An object that grows long, turns its outline and loses two thirds of its contrast; arguments as `long`."""
    stage = Stage(size, frames, seed)
    part = stage.time / (frames - 1)
    body = stage.body(13.0, 1.0, 0.12, 0.05)
    path = track(48 + 9 * np.sin(3 * part), 44 + 12 * part)
    tone = 0.74 - 0.27 * part
    target = stage.layer(body, path, tone, 1, 1.0 - 0.2 * part, 0.8 * part, 0.8 + 0.65 * part, 2.4 * part)
    film = stage.shoot([*stage.scenery(12, 0.6), target], 0.03)
    return HardClip(filmed(film, "Changing object"), 1, Events())


def speckle(frames: int = 100, size: int = 96, seed: int = 0) -> HardClip:
    """A dark pool that drifts and breathes in the speckle of ultrasound, new on every frame; arguments as `long`.

    Speckle is the length of a complex normal field (Wagner 1983), blurred to grains of some pixels, along x more.
    """
    stage = Stage(size, frames, seed, ground=0.5)
    turns = stage.time * 2 * np.pi / 24.0
    path = track(48 + 8 * stage.wander(4), 48 + 8 * stage.wander(4))
    body = stage.body(13.0, 1.4, 0.1, 0.03)
    target = stage.layer(body, path, 0.2, 1, 1.0 + 0.12 * np.sin(turns), 0.25 * stage.wander(4))
    film = stage.shoot([*stage.scenery(10, 0.2), target], 0.02)
    grains = 0.9 * stage.unit, 1.5 * stage.unit
    image = np.empty_like(film.image)
    for frame, grey in enumerate(film.image):
        parts = [blur(stage.random.standard_normal(grey.shape), grains) for _ in range(2)]
        length = np.hypot(*parts)
        image[frame] = np.rint(np.clip(grey * (0.35 + 0.65 * length / length.mean()), 0, 255))
    return HardClip(filmed(replace(film, image=image), "Pool in speckle"), 1, Events())
