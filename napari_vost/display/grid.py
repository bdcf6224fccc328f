"""The grid that a clip's layers are shown on, and the one way between a frame and the slider.

A viewer scales and moves layers, it does not turn them (napari's 2D view cannot): a clip is shown on its own axes, and
the true affine stays in the clip, where cursor positions, letters and exports take it from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_vost.clip import Clip
from napari_vost.display.planes import axis_direction
from napari_vost.errors import InputError

_ALIGNED = 1e-3  # largest part of an axis along another side of the patient that still counts as none
_LETTER_PAIRS = {"L": "R→L", "R": "L→R", "P": "A→P", "A": "P→A", "S": "I→S", "I": "S→I"}


@dataclass(frozen=True)
class LayerGrid:
    """Where the layers of a clip lie in a viewer's world. Axes are the clip's ``(frame, y, x)``.

    Attributes
    ----------
    frames
        Number of frames.
    scale
        World units per step, each above 0: millimetres; 1 along time and where the source says no spacing. It is the
        clip's spacing to 7 digits: steps and ends then are exact numbers, without which napari's slider loses the last
        frame of some clips.
    translate
        World position of pixel (0, 0, 0): millimetres towards the side that each axis runs to, where a scan lies along
        the patient's axes; else 0.
    units
        ``"mm"`` or ``"pixel"``; the same for every layer of the clip.
    axis_labels
        From which side to which an axis runs, such as ``"I→S"``; ``"frame"``, ``"y"``, ``"x"`` where that is unknown.
    """

    frames: int
    scale: tuple[float, float, float]
    translate: tuple[float, float, float]
    units: tuple[str, str, str]
    axis_labels: tuple[str, str, str]

    def world_of_frame(self, frame_index: int) -> float:
        """World position of a frame on the frame axis, for the viewer's ``dims.set_point``.

        Frames follow one another in even steps from the first, whichever way they run in the patient and however
        uneven they lie there.

        Raises
        ------
        InputError
            No such frame.
        """
        if not 0 <= frame_index < self.frames:
            raise InputError(f"Frame {frame_index} does not exist: the clip has frames 0 to {self.frames - 1}.")
        return self.translate[0] + frame_index * self.scale[0]

    def frame_of_world(self, world: float) -> int:
        """Frame shown at a world position on the frame axis: the nearest one, the first or last beyond the ends."""
        nearest = round((world - self.translate[0]) / self.scale[0])  # half to even, as napari rounds
        return min(max(nearest, 0), self.frames - 1)


def layer_grid(clip: Clip) -> LayerGrid:
    """Scale, units, labels and place with which every layer of a clip is shown; nothing is read."""
    geometry = clip.geometry
    spacing = geometry.spacing_mm_zyx if geometry.spaced else (1.0, 1.0, 1.0)
    scale = [float(np.float32(size)) for size in spacing]
    units = ["mm" if geometry.spaced else "pixel"] * 3
    labels = ["frame", "y", "x"]
    if geometry.letters is not None:
        labels = [_LETTER_PAIRS[letter] for letter in geometry.letters]
    places = _origin(clip, scale)
    if clip.order == "time":
        scale[0], units[0], labels[0], places[0] = 1.0, "pixel", "frame", 0.0
    return LayerGrid(
        len(clip),
        (scale[0], scale[1], scale[2]),
        (places[0], places[1], places[2]),
        (units[0], units[1], units[2]),
        (labels[0], labels[1], labels[2]),
    )


def _origin(clip: Clip, scale: list[float]) -> list[float]:
    geometry = clip.geometry
    directions = [axis_direction(clip, axis) for axis in range(3)]
    turned = any(np.sort(np.abs(direction))[1] > _ALIGNED for direction in directions)
    if turned or not (geometry.oriented and geometry.spaced):
        return [0.0, 0.0, 0.0]
    places = [float(geometry.frame_origin(0) @ direction) for direction in directions]
    # A whole number of the last digits of the step, so that every frame's place is an exact number too.
    digits = [float(np.spacing(np.float32(step))) for step in scale]
    return [round(place / digit) * digit for place, digit in zip(places, digits, strict=True)]
