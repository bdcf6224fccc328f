"""What a scene is made of: discs and bars in painter's order over slices or time, and a camera.

A disc that lies under another becomes a crescent, one that holds another a ring, a small one that wanders a tube.
Lengths are fractions of the canvas side; curves have one value per frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]
Random = np.random.Generator
WAVES = 4  # Fourier terms of an outline, orders 2 to 5
MAX_DISCS = 16


@dataclass(frozen=True)
class Disc:
    """One wobbly disc, or a straight bar.

    Attributes
    ----------
    label
        0 for scenery, else the id of the structure it belongs to.
    tone, texture
        Grey value 0..1 and how strongly texture modulates it.
    centre, radius
        (T, 2) ``(y, x)`` before the camera; half axes along ``(cos, -sin)`` and ``(sin, cos)`` of ``angle``. A radius
        of 0 hides the disc.
    angle
        (T,) radians.
    waves
        (2, WAVES) amplitude and phase of the outline's Fourier terms.
    bar
        A rectangle with these half axes; ``waves`` are not used.
    """

    label: int
    tone: float
    texture: float
    centre: Curve
    radius: Curve
    angle: Curve
    waves: Curve
    bar: bool = False


@dataclass(frozen=True)
class Scene:
    """A clip before it is painted.

    Attributes
    ----------
    kind, look
        Names of the scene (``scenes.KINDS``) and of the modality (``looks.LOOKS``).
    discs
        From bottom to top.
    ground
        Tone of what lies under the discs.
    noise
        Deviation of the picture's noise, for which contrasts were chosen.
    moving
        Frames are moments, else slices.
    camera
        (T, 4): shift ``(y, x)``, turn in radians and logarithm of the zoom about the middle of the canvas.
    regions
        Tones of a label volume of noise under the discs; the first is background. Empty for none.
    thick
        Slices are averages over their thickness.
    """

    kind: str
    look: str
    discs: tuple[Disc, ...]
    ground: float
    noise: float
    moving: bool
    camera: Curve
    regions: tuple[float, ...] = ()
    thick: bool = False
