"""Which way up a plane is shown, and the letters of the patient's sides at the edges of the canvas.

A plane is turned only by swapping its two axes and by letting each run one way or the other; a frame is never rotated
or resampled for the screen. Patient right is on screen left in the radiological convention and on screen right in the
neurological one; anterior is up in an axial plane, the head is up in a coronal or sagittal one, and the nose is left in
a sagittal one in both conventions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.display.planes import OBLIQUE_DEG, Plane, axis_direction, axis_of, says_sides

Convention = Literal["radiological", "neurological"]
Depth = Literal["towards", "away"]
Vertical = Literal["up", "down"]
Horizontal = Literal["left", "right"]

_AXES = {  # pairs of letters of the axes that run through, along the height and along the width of a plane
    "Axial": ("IS", "AP", "RL"),
    "Coronal": ("AP", "IS", "RL"),
    "Sagittal": ("RL", "IS", "AP"),
    "3D": ("AP", "IS", "RL"),  # seen from the front, or from the back in the neurological convention
}
_OPPOSITE = str.maketrans("RLAPIS", "LRPASI")


@dataclass(frozen=True)
class Edges:
    """What stands at the four edges of the canvas: ``"R"``, ``"RA"`` (mainly right), ``"?"`` or ``""``."""

    top: str = ""
    bottom: str = ""
    left: str = ""
    right: str = ""


@dataclass(frozen=True)
class View:
    """How a plane is shown; what napari needs to show it so.

    Attributes
    ----------
    order
        Axes of the clip (0 frame, 1 y, 2 x): through the plane, along the height, along the width of the screen.
    orientation
        Where each of the three runs on the screen as its index rises: ``"towards"`` or ``"away"`` from the viewer (3D
        only), ``"up"`` or ``"down"``, ``"left"`` or ``"right"``. For the camera's ``orientation`` in 3D.
    edges
        Letters at the edges; empty in 3D, where the camera turns.
    """

    order: tuple[int, int, int]
    orientation: tuple[Depth, Vertical, Horizontal]
    edges: Edges

    @property
    def orientation2d(self) -> tuple[Vertical, Horizontal]:
        """Directions of height and width, for the camera's ``orientation2d``."""
        return self.orientation[1:]

    @property
    def swapped(self) -> bool:
        """Whether the two shown axes change places against their order in the clip."""
        return self.order[1] > self.order[2]

    def dims_order(self, ndim: int = 3) -> tuple[int, ...]:
        """Order of all axes of a viewer in which the clip's three come last, for ``dims.order``."""
        return (*range(ndim - 3), *(axis + ndim - 3 for axis in self.order))


def view(clip: Clip, plane: Plane, convention: Convention = "radiological") -> View:
    """How a plane of a clip is shown.

    Parameters
    ----------
    clip
        Its geometry says where the axes run; nothing is read.
    plane
        One of `planes.planes` of this clip.
    convention
        ``"radiological"``: patient right on screen left. ``"neurological"``: on screen right.
    """
    letters = clip.geometry.letters
    if letters is None:  # as stored, first row on top
        mark = "?" if says_sides(clip) == "unknown" and plane.through is not None else ""
        return View((0, 1, 2), ("towards", "down", "right"), Edges(mark, mark, mark, mark))
    through, height, width = (axis_of(letters, pair) for pair in _AXES[plane.name])
    front, left = ("A", "RA") if convention == "radiological" else ("P", "LA")
    vertical: Vertical = "up" if letters[height] in "AS" else "down"
    horizontal: Horizontal = "left" if letters[width] in left else "right"
    edges = Edges()
    depth: Depth = "towards"  # napari's own; without meaning in 2D
    if plane.through is None:
        depth = "towards" if letters[through] == front else "away"
    else:
        edges = _edges(clip, (height, width), (vertical, horizontal))
    return View((through, height, width), (depth, vertical, horizontal), edges)


def side_letters(direction_lps: NDArray[np.float64]) -> str:
    """Patient side that a direction (3,), LPS, runs towards: one letter, or two where it is oblique.

    The first letter is that of the largest part (DICOM PS3.3 C.7.6.1.1.1); a second one follows where the direction
    leaves it by more than `planes.OBLIQUE_DEG` towards another side.
    """
    unit = direction_lps / np.linalg.norm(direction_lps)
    first, second = (int(axis) for axis in np.argsort(-np.abs(unit), kind="stable")[:2])
    letters = "RAI" if unit[first] < 0 else "LPS"
    if abs(unit[second]) <= np.sin(np.radians(OBLIQUE_DEG)):
        return letters[first]
    return letters[first] + ("RAI" if unit[second] < 0 else "LPS")[second]


def _edges(clip: Clip, axes: tuple[int, int], runs: tuple[Vertical, Horizontal]) -> Edges:
    """Letters where the two shown axes end, and the opposite ones where they begin."""
    height, width = (side_letters(axis_direction(clip, axis)) for axis in axes)
    against_height, against_width = height.translate(_OPPOSITE), width.translate(_OPPOSITE)
    top, bottom = (height, against_height) if runs[0] == "up" else (against_height, height)
    left, right = (width, against_width) if runs[1] == "left" else (against_width, width)
    return Edges(top, bottom, left, right)
