"""Dabs: a click that the network does not obey is obeyed with a small disc, as a brush would leave it.

The rule, which is ours. Of several clicks on one pixel the last one counts. Where the pixel of a click does not lie on
the side that was asked for, a disc around it is added to the mask or cut out of it, in the order of the clicks. Its
radius is a tenth of that of the disc with the area of the mask, and at least 1 pixel. It takes only pixels that are
nearer to its click than to any click of the other kind, so that every click is obeyed, whatever their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_vost.masks import Mask
from napari_vost.types import MaskPrompt, PointPrompt, Prompt

SHARE = 0.1  # radius of a dab over that of the disc with the area of the mask
_Pixel = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Obeyed:
    """A mask that obeys its clicks.

    Attributes
    ----------
    mask
        bool (H, W); the one that was given where nothing had to be done.
    refused
        Clicks that the given mask did not obey, in order.
    added, cut
        bool (H, W), what the dabs changed.
    """

    mask: Mask
    refused: tuple[PointPrompt, ...]
    added: Mask
    cut: Mask


def obey(mask: Mask, prompts: Sequence[Prompt]) -> Obeyed:
    """Add or cut what it takes for a mask (H, W) to obey its clicks: those since the last mask prompt, which is truth.

    The outcome depends on the arguments alone.
    """
    clicks = standing_clicks(prompts, mask.shape)
    refused = {pixel: click for pixel, click in clicks.items() if bool(mask[pixel]) != click.positive}
    obeyed = mask.copy() if refused else mask
    radius = dab_radius(int(mask.sum())) if refused else 0
    for pixel, click in refused.items():
        if bool(obeyed[pixel]) != click.positive:  # the dab of an earlier click may do for this one too
            others = [other for other, one in clicks.items() if one.positive != click.positive]
            obeyed[_disc(pixel, radius, others, mask.shape)] = click.positive
    return Obeyed(obeyed, tuple(refused.values()), obeyed & ~mask, mask & ~obeyed)


def dab_radius(area_px: int) -> int:
    """Radius in pixels of a dab on a mask of some area."""
    return max(1, round(SHARE * math.sqrt(area_px / math.pi)))


def standing_clicks(prompts: Sequence[Prompt], size: tuple[int, ...]) -> dict[_Pixel, PointPrompt]:
    """Clicks since the last mask prompt by pixel ``(y, x)`` of a frame (H, W), in order, the last one of each pixel."""
    masks = [number for number, prompt in enumerate(prompts) if isinstance(prompt, MaskPrompt)]
    found: dict[_Pixel, PointPrompt] = {}
    for prompt in prompts[masks[-1] + 1 :] if masks else prompts:
        if isinstance(prompt, PointPrompt):
            pixel = _nearest(prompt.y, size[0]), _nearest(prompt.x, size[1])
            found.pop(pixel, None)
            found[pixel] = prompt
    return found


def _nearest(place: float, size: int) -> int:
    """The pixel that holds a place; its centre is a whole number."""
    return min(max(math.floor(place + 0.5), 0), size - 1)


def _disc(pixel: _Pixel, radius: int, others: Sequence[_Pixel], size: tuple[int, ...]) -> Mask:
    """Disc around a pixel, without what is not nearer to it than to the others."""
    y, x = np.ogrid[: size[0], : size[1]]
    distance = (y - pixel[0]) ** 2 + (x - pixel[1]) ** 2
    disc: Mask = distance <= radius**2
    for other in others:
        disc &= distance < (y - other[0]) ** 2 + (x - other[1]) ** 2
    return disc
