"""Between the frames of a clip and the world of a viewer in which anything else may be open too.

A viewer's slider counts in the smallest step of all its layers, and its world in their smallest unit. So nothing here
counts steps: an index of the clip becomes a place in the world, and a place an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from napari_vost.clip import Clip
from napari_vost.display.grid import layer_grid


class World:
    """The one way from the clip's indices to ``viewer.dims`` and back.

    Parameters
    ----------
    viewer
        Where the clip is shown.
    clip
        Whose frames.
    image
        The layer that shows them; its last three axes are the clip's.
    """

    def __init__(self, viewer: Any, clip: Clip, image: Any) -> None:
        self._viewer, self._image, self._shape = viewer, image, clip.shape
        own = layer_grid(clip)
        # where the layer lies: on the clip's own grid, or where somebody else has put it
        self._grid = replace(own, scale=_three(image.scale), translate=_three(image.translate))

    @property
    def ready(self) -> bool:
        """Whether the viewer has the clip's three axes; it has two once it is empty."""
        return int(self._viewer.dims.ndim) >= 3

    def axis(self, clip_axis: int) -> int:
        """Axis of the viewer that an axis of the clip (0 frame, 1 y, 2 x) is: layers share their last axes."""
        return int(self._viewer.dims.ndim) - 3 + clip_axis

    def index(self, clip_axis: int) -> int:
        """Index along an axis of the clip where the viewer stands: the nearest one."""
        world = self._viewer.dims.point[self.axis(clip_axis)] / self._units(clip_axis)
        if clip_axis == 0:
            return self._grid.frame_of_world(world)
        return min(max(round(self._place(clip_axis, world)), 0), self._shape[clip_axis] - 1)

    @property
    def indices(self) -> tuple[int, int, int]:
        """Where the viewer stands: ``(frame, y, x)``."""
        return self.index(0), self.index(1), self.index(2)

    def go_to(self, indices: dict[int, int]) -> None:
        """Move the viewer to an index on each of some axes of the clip, in one step.

        Raises
        ------
        InputError
            No such frame.
        """
        places = {}
        for axis, index in indices.items():
            grid = self._grid
            world = grid.world_of_frame(index) if axis == 0 else grid.translate[axis] + index * grid.scale[axis]
            places[self.axis(axis)] = world * self._units(axis)
        self._viewer.dims.set_point(tuple(places), tuple(places.values()))

    def span(self, clip_axis: int) -> tuple[float, float]:
        """Centre and length of the clip along one of its axes, world units."""
        steps, scale = self._shape[clip_axis], self._grid.scale[clip_axis]
        centre = self._grid.translate[clip_axis] + (steps - 1) / 2 * scale
        return centre * self._units(clip_axis), steps * scale * self._units(clip_axis)

    def pixel(self, world: Sequence[float]) -> tuple[float, float, float]:
        """``(frame, y, x)`` of a position in the viewer's world, between pixels too."""
        last = [world[self.axis(axis)] / self._units(axis) for axis in range(3)]
        return self._place(0, last[0]), self._place(1, last[1]), self._place(2, last[2])

    def _place(self, clip_axis: int, world: float) -> float:
        return float((world - self._grid.translate[clip_axis]) / self._grid.scale[clip_axis])

    def _units(self, clip_axis: int) -> float:
        """World units in one of the layer's own; 1 unless a layer in a smaller unit of length is open too.

        Where layers measure an axis in things that are no lengths of one another (a cine beside a volume), napari goes
        by bare numbers.
        """
        common = self._viewer.layers.units
        own = self._image.units[clip_axis - 3]
        if common is None or not own.is_compatible_with(common[clip_axis - 3]):
            return 1.0
        return float((1 * own).to(common[clip_axis - 3]).magnitude)


def _three(values: Any) -> tuple[float, float, float]:
    frame, y, x = (float(value) for value in values[-3:])
    return frame, y, x
