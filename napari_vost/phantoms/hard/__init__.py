"""Hard clips with known truth: each is hard in one way, which is what its name says.

Pixels are uint8 and look like a scan or a cine: textured, noisy, with soft edges and other things around. Numpy and
scipy only, seeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from napari_vost.errors import UnknownName
from napari_vost.phantoms.hard.base import Events, HardClip
from napari_vost.phantoms.hard.cycles import beat, breath
from napari_vost.phantoms.hard.depth import volume_end
from napari_vost.phantoms.hard.meeting import occlusion, split, twins
from napari_vost.phantoms.hard.wandering import change, fast, leave, long, speckle

HARD: Mapping[str, Callable[..., HardClip]] = {
    "long": long,
    "occlusion-10": partial(occlusion, hidden=10),
    "occlusion-30": partial(occlusion, hidden=30),
    "occlusion-60": partial(occlusion, hidden=60),
    "leave": leave,
    "twins": twins,
    "split": split,
    "fast": fast,
    "beat-8": partial(beat, period=8),
    "beat-20": partial(beat, period=20),
    "beat-50": partial(beat, period=50),
    "breath": breath,
    "change": change,
    "speckle": speckle,
    "volume-end": volume_end,
}


def hard_clip(name: str, frames: int | None = None, size: int = 96, seed: int = 0) -> HardClip:
    """Make a hard clip.

    Parameters
    ----------
    name
        One of `HARD`.
    frames
        How many; as many as the clip needs by default.
    size
        Side of the frames in pixels.
    seed
        Another one gives other shapes, textures, surroundings and noise.

    Raises
    ------
    UnknownName
        No such clip.
    InputError
        Fewer than 2 frames, or a size that is not 32 to 1024.
    """
    if name not in HARD:
        raise UnknownName("hard clip", name, tuple(HARD))
    make = HARD[name]
    return make(size=size, seed=seed) if frames is None else make(frames=frames, size=size, seed=seed)


__all__ = ["HARD", "Events", "HardClip", "hard_clip"]
