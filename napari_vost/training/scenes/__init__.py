"""Kinds of scenes: one file an idea, one line here each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from napari_vost.training.scenes.branching import splitting, vessels
from napari_vost.training.scenes.brush import Brush
from napari_vost.training.scenes.events import camera, occluder, target_of
from napari_vost.training.scenes.heart import heart
from napari_vost.training.scenes.instrument import instrument
from napari_vost.training.scenes.organ import lobes, organ
from napari_vost.training.scenes.shell import shell
from napari_vost.training.scenes.tubes import lookalikes, tubes
from napari_vost.training.shapes import MAX_DISCS, Disc, Random, Scene


@dataclass(frozen=True)
class Kind:
    """How a kind of scene is drawn, its share, and how many of them are cines."""

    draw: Callable[[Brush], list[Disc]]
    share: float
    moving: float


def noise(brush: Brush) -> list[Disc]:
    """Scenery for a label volume of noise, which the painter makes."""
    return brush.scenery(int(brush.random.integers(0, 2)))


KINDS: dict[str, Kind] = {
    "heart": Kind(heart, 0.42, 0.35),
    "organ": Kind(organ, 0.14, 0.3),
    "lobes": Kind(lobes, 0.06, 0.25),
    "shell": Kind(shell, 0.14, 0.3),
    "tubes": Kind(tubes, 0.05, 0.35),
    "lookalikes": Kind(lookalikes, 0.06, 0.6),
    "vessels": Kind(vessels, 0.04, 0.25),
    "splitting": Kind(splitting, 0.02, 1.0),
    "instrument": Kind(instrument, 0.04, 1.0),
    "noise": Kind(noise, 0.03, 0.25),
}
SLICES = {"mr": 0.5, "ct": 0.38, "ultrasound": 0.12}
CINES = {"mr": 0.28, "ultrasound": 0.3, "endoscopy": 0.28, "xray": 0.14}


def _pick(random: Random, shares: dict[str, float]) -> str:
    weights = np.array(list(shares.values()))
    return list(shares)[int(random.choice(len(weights), p=weights / weights.sum()))]


def draw_scene(random: Random, frames: int, kind: str | None = None, look: str | None = None) -> Scene:
    """A random scene of ``frames`` frames; of one kind and one look where they are named."""
    name = kind or _pick(random, {key: value.share for key, value in KINDS.items()})
    moving = bool(random.random() < KINDS[name].moving)
    if look is not None and look not in (CINES if moving else SLICES):
        moving = not moving
    chosen = look or _pick(random, CINES if moving else SLICES)
    brush = Brush(random, frames, moving, float(random.uniform(0.01, 0.09)), float(random.uniform(0.03, 0.75)))
    discs = KINDS[name].draw(brush)
    target = target_of(brush, discs)
    path = camera(brush, target)
    if target is not None and moving and random.random() < 0.2:
        discs.append(occluder(brush, target, brush.tone(target.tone)))
    regions = tuple(_tones(brush, int(random.integers(3, 7)))) if name == "noise" else ()
    thick = not moving and bool(random.random() < 0.15)
    return Scene(name, chosen, tuple(discs[-MAX_DISCS:]), brush.ground, brush.noise, moving, path, regions, thick)


def _tones(brush: Brush, count: int) -> list[float]:
    """Tones that differ, in random order."""
    steps = np.linspace(0.05, 0.95, count) + brush.random.uniform(-0.3, 0.3, count) / count
    return [float(tone) for tone in brush.random.permutation(np.clip(steps, 0.02, 1))]
