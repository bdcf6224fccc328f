"""An object and others: something passes in front of it, its twin crosses it, or it becomes two."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_vost.checks import check_range
from napari_vost.phantoms.hard.base import Events, HardClip, gaps_of, parted_at
from napari_vost.phantoms.hard.stage import Stage
from napari_vost.phantoms.hard.wandering import filmed, track

SLIDE = 7  # frames that a plate takes to come or to go
MARGIN = 4  # of them hide everything, though the plate still moves
BEFORE = 24  # frames before anything happens


def occlusion(frames: int | None = None, size: int = 96, seed: int = 0, hidden: int = 30) -> HardClip:
    """A plate slides in front of an object, which goes on behind it, and away again.

    Parameters
    ----------
    frames
        Frames; by default so many that 40 follow the plate.
    size, seed
        Side of the frames in pixels, and what everything is drawn from.
    hidden
        Frames on which nothing of the object is seen, about.
    """
    check_range(hidden, 1, 10_000, "hidden")
    stage = Stage(size, frames or BEFORE + hidden + 2 * SLIDE + 40, seed)
    speed = min(0.55, 26.0 / hidden)
    middle = BEFORE + SLIDE + hidden / 2
    course = speed * np.clip(stage.time - middle, -55 * 0.5 / speed, 50 * 0.5 / speed)
    path = track(50 + 2.5 * stage.wander(4), 46 + course)
    target = stage.layer(stage.body(9.5, 1.35, 0.08), path, 0.7, 1, angle=0.01 * stage.time)
    half_width = 15.0 + speed * hidden / 2
    hold = max(hidden - MARGIN, 0)
    there = np.clip((stage.time - BEFORE) / SLIDE, 0, 1) - np.clip((stage.time - BEFORE - SLIDE - hold) / SLIDE, 0, 1)
    front = stage.layer(stage.plate(26.0, half_width), track(128 - 78 * there, np.full(stage.frames, 46.0)), 0.5)
    film = stage.shoot([*stage.scenery(14, 0.7), target, front])
    return HardClip(filmed(film, "Hidden object"), 1, Events(gaps_of(film.labels == 1, film.whole)))


def twins(frames: int = 96, size: int = 96, seed: int = 0) -> HardClip:
    """Two objects of one look cross, the second in front; arguments as in `occlusion`.

    Labels 1 and 2; the first is to be followed.
    """
    stage = Stage(size, frames, seed)
    body = stage.body(9.0, 1.25, 0.08)
    part = np.clip((stage.time - 0.12 * frames) / (0.66 * frames), 0, 1) * 2 - 1
    lift = 5.0 * (1 - part**2)  # they do not quite meet
    first = track(48 + 24 * part + lift, 46 + 27 * part)
    second = track(48 - 24 * part - lift, 50 + 27 * part)
    angle = 0.5 * part
    layers = [stage.layer(body, path, 0.7, label, angle=angle) for label, path in ((1, first), (2, second))]
    film = stage.shoot([*stage.scenery(14, 0.7), *layers])
    grown = ndimage.binary_dilation(film.labels == 1, np.ones((1, 3, 3)))
    touching = np.flatnonzero((grown & (film.labels == 2)).any(axis=(1, 2)))
    crossings = ((int(touching[0]), int(touching[-1]) + 1),) if len(touching) else ()
    events = Events(gaps_of(film.labels == 1, film.whole), crossings, twin_id=2)
    return HardClip(filmed(film, "Object", others=("Twin",)), 1, events)


def split(frames: int = 96, size: int = 96, seed: int = 0) -> HardClip:
    """An object among others like it becomes two halves, both of which stay the object; as in `occlusion`."""
    stage = Stage(size, frames, seed)
    apart = np.clip(stage.time - 0.3 * frames, 0, 0.45 * frames) * (38.0 / (0.45 * frames))
    heading = stage.random.uniform(0.2, 1.2)
    away = 0.5 * apart[:, None] * np.array([np.sin(heading), np.cos(heading)])
    middle = track(48 + 2 * stage.wander(4), 48 + 2 * stage.wander(4))
    path = np.stack([middle - away, middle + away], axis=1)
    thin = 1 - 0.22 * np.clip(apart / 16.0, 0, 1)
    target = stage.layer(stage.body(11.0, 1.2, 0.05), path, 0.66, 1, thin, heading)
    others = []
    for corner in ((14.0, 16.0), (82.0, 20.0), (16.0, 80.0)):
        course = np.array(corner) + track(2.5 * stage.wander(5), 2.5 * stage.wander(5))
        others.append(stage.layer(stage.body(8.5, 1.3, 0.05), course, 0.66, angle=0.5 * stage.wander(3)))
    film = stage.shoot([*stage.scenery(12, 0.66), *others, target])
    return HardClip(filmed(film, "Dividing cell"), 1, Events(parted=parted_at(film.labels == 1)))
