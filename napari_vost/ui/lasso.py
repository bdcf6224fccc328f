"""What an outline that was drawn around something means to a network that knows points and boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from napari_vost.masks import Mask, box_of
from napari_vost.types import BoxPrompt, PointPrompt, Prompt


def inside_of(points_yx: NDArray[np.float64], size: tuple[int, int]) -> Mask:
    """Pixels (H, W) inside a closed outline (N, 2) of ``(y, x)``, its line included."""
    canvas = Image.new("1", (size[1], size[0]))
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for y, x in points_yx], fill=1, outline=1)
    return np.asarray(canvas, np.bool_)


def lasso_prompts(inside: Mask, object_id: int, frame_index: int) -> tuple[Prompt, ...]:
    """The box of what lies inside an outline (H, W), and the point deepest inside of it.

    The deepest point is surely meant where an outline goes around something; its centre need not lie in it.
    """
    box = box_of(inside)
    if box is None:
        return ()
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    y0, x0, y1, x1 = box
    return (
        BoxPrompt(frame_index, object_id, float(y0), float(x0), float(y1 - 1), float(x1 - 1)),
        PointPrompt(frame_index, object_id, float(y), float(x)),
    )
