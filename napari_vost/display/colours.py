"""Colours of objects that colour-blind people can tell apart."""

from __future__ import annotations

from napari_vost.types import Label

Colour = tuple[int, int, int]
COLOURS: tuple[Colour, ...] = (  # Okabe and Ito, "Color universal design" (2008), those that show on grey; three more
    (230, 159, 0),
    (86, 180, 233),
    (0, 200, 140),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (120, 150, 255),
    (170, 225, 90),
    (255, 170, 170),
    (175, 120, 235),
)


def object_colour(object_id: int, label: Label | None = None) -> Colour:
    """Colour (r, g, b), 0 to 255, of an object: its label's own, else one that goes with its id and stays."""
    own = None if label is None else label.colour_rgb
    return COLOURS[(object_id - 1) % len(COLOURS)] if own is None else own
