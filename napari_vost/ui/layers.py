"""What napari is given of a clip: the image, and the grid that all of its layers share."""

from __future__ import annotations

from typing import Any

from napari_vost.clip import Clip, Window
from napari_vost.display.grid import layer_grid
from napari_vost.ui.frames import FrameArray

CLIP = "napari-vost clip"  # key of a clip in the metadata of the layer that shows it
SESSION = "napari-vost session"  # key of a session in the metadata of the layer that shows its masks


def grid_options(clip: Clip) -> dict[str, Any]:
    """Scale, place, units and labels that every layer of a clip has; napari uses none of them where one differs."""
    grid = layer_grid(clip)
    return {
        "scale": grid.scale,
        "translate": grid.translate,
        "units": grid.units,
        "axis_labels": grid.axis_labels,
    }


def image_layer(clip: Clip, name: str, window: Window | None = None) -> tuple[FrameArray, dict[str, Any]]:
    """Data and options of the image layer of a clip, for ``viewer.add_image`` or a reader.

    Parameters
    ----------
    clip
        What is shown.
    name
        Of the layer; never from a header, for it may be seen on a screenshot.
    window
        What spans black to white; None for 8-bit and colour frames.
    """
    options: dict[str, Any] = {
        **grid_options(clip),
        "name": name,
        "metadata": {CLIP: clip},
        "rgb": clip.colour,
        "interpolation2d": "linear",
        "blending": "opaque",
    }
    if not clip.colour:
        options |= {
            "colormap": "gray",
            "contrast_limits": (0.0, 255.0) if window is None else (window.low, window.high),
        }
    return FrameArray(clip), options


def clip_of(layer: Any) -> Clip | None:
    """The clip that a layer shows, None where it is not one of ours."""
    found = layer.metadata.get(CLIP)
    return found if isinstance(found, Clip) else None
