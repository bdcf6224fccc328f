"""Layers that are not ours: an image as a clip, labels as a start; each of them right, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.io.readers.candidates import ONE_FRAME
from napari_vost.io.readers.glance import may_open
from napari_vost.types import Image, Order
from napari_vost.ui.layers import clip_of, grid_options

_SPLIT = "in the layer list choose Split Stack from its menu, and take one of the parts"
_MOST_LABELS = 65535
_TURNED = 1e-6  # largest share of a step of an axis that may lie along another one


def adopt(layer: Any) -> Clip:
    """The clip of an image layer, ours or anybody's; pixels stay where they are and are read frame by frame.

    A colour layer, and one whose first axis is time by its unit or label, is a cine; any other one is slices. Spacing
    is taken from ``layer.scale`` where its units are lengths; otherwise there is none. Of a multiscale layer the finest
    level is taken.

    Parameters
    ----------
    layer
        What is selected, None for nothing.

    Raises
    ------
    InputError
        No image, one that is rotated, sheared or mirrored, or one of several channels or more than 3 axes.
    """
    if layer is None:
        raise InputError("No image is selected: open a scan, or click an image in the layer list.")
    if not isinstance(layer, ImageLayer):
        kind = type(layer).__name__.lower()
        raise InputError(f"The selected layer holds {kind}, not an image: click an image in the layer list.")
    ours = clip_of(layer)
    if ours is not None:
        return ours
    array = layer.data[0] if layer.multiscale else layer.data
    _check_axes(layer, array)
    _check_straight(layer)
    steps = _steps(layer)
    stack = _stack(layer, array)
    spacing, spaced = _spacing(steps)
    times = _times_s(steps, stack.shape[0])
    timed = times is not None or layer.axis_labels[0].lower() in ("t", "time")
    order: Order = "time" if layer.rgb or timed else "depth"
    clip = Clip.from_array(stack, spacing, order, times)
    notices = (ONE_FRAME,) * (len(clip) == 1) + _notices(layer)
    return replace(clip, geometry=replace(clip.geometry, spaced=spaced), notices=notices)


def place_options(layer: Any) -> dict[str, Any]:
    """Scale, place, units and axis labels for the layers of a clip, so that they lie on the layer that shows it."""
    clip = clip_of(layer)
    if clip is not None:
        return grid_options(clip)
    names = ("scale", "translate", "units", "axis_labels")
    options = {name: tuple(getattr(layer, name)) for name in names}
    if layer.ndim == 2:  # a single image: its frame axis is ours
        first = {"scale": 1.0, "translate": 0.0, "units": options["units"][0], "axis_labels": "frame"}
        options = {name: (first[name], *options[name]) for name in names}
    return options


def labels_of(layer: Any) -> Any:
    """The array of a Labels layer, to be read by `check_labels`.

    Raises
    ------
    InputError
        No Labels layer.
    """
    if not isinstance(layer, LabelsLayer):
        raise InputError("No labels are selected: click a Labels layer in the layer list.")
    return layer.data[0] if layer.multiscale else layer.data


def check_labels(array: Any, clip: Clip) -> NDArray[np.uint16]:
    """Object ids (T, H, W) of an array of labels on the frames of a clip; all of it is read, so it may take its time.

    Raises
    ------
    InputError
        Another shape, or an id that is none.
    """
    shape = tuple(int(size) for size in array.shape)
    if len(clip) == 1 and shape == clip.shape[1:]:
        array, shape = np.asarray(array)[None], clip.shape
    if shape != clip.shape:
        raise InputError(
            f"The labels are {_size(shape)} and the image is {_size(clip.shape)}: take labels that were drawn on this "
            "image, or bring them onto its grid first."
        )
    labels = np.asarray(array)
    for wrong in (int(labels.min()), int(labels.max())):
        if not 0 <= wrong <= _MOST_LABELS:
            raise InputError(
                f"The labels hold the id {wrong}: object ids go from 1 to {_MOST_LABELS}, renumber them first."
            )
    return labels.astype(np.uint16, copy=False)


@dataclass(frozen=True)
class _Stack:
    """Frames of a layer's array, colour as uint8 without its alpha, a single image as one frame."""

    array: Any
    colour: bool
    single: bool

    @property
    def dtype(self) -> Any:
        """Of the frames."""
        return np.dtype(np.uint8) if self.colour else np.dtype(self.array.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, H, W)`` or ``(T, H, W, 3)``."""
        sizes = (1,) * self.single + tuple(int(size) for size in self.array.shape)
        return (*sizes[:3], 3) if self.colour else sizes

    def __getitem__(self, frame_index: int) -> Image:
        frame = np.asarray(self.array if self.single else self.array[frame_index])
        if not self.colour:
            return frame
        frame = frame[..., :3]
        if frame.dtype.kind == "f":  # napari takes colours from 0 to 1
            return np.asarray(np.clip(frame, 0, 1) * 255 + 0.5, dtype=np.uint8)
        return np.asarray(frame >> 8 * (frame.dtype.itemsize - 1), dtype=np.uint8)


def _stack(layer: Any, array: Any) -> _Stack:
    return _Stack(array, bool(layer.rgb), layer.ndim == 2)


def _check_axes(layer: Any, array: Any) -> None:
    shape = tuple(int(size) for size in array.shape)
    if layer.ndim > 3:
        raise InputError(f"The image has {layer.ndim} axes ({_size(shape)}) and a clip has 3: {_SPLIT}.")
    if layer.ndim < 2:
        raise InputError(f"The image is {_size(shape)}, which is no picture: click another one.")
    if layer.ndim == 3 and not layer.rgb and shape[-1] <= 4 < min(shape[:2]):
        raise InputError(
            f"The image is {_size(shape)}, which looks like channels in the last axis: add it with rgb=True if "
            "they are colours, else with channel_axis=2 and take one of the parts."
        )


def _check_straight(layer: Any) -> None:
    """Refuse a layer that does not lie along the axes of the viewer."""
    origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)), dtype=np.float64)
    columns = [np.asarray(layer.data_to_world(row), dtype=np.float64) - origin for row in np.eye(layer.ndim)]
    matrix = np.stack(columns, axis=1)
    lengths = np.linalg.norm(matrix, axis=0)
    if np.abs(matrix / lengths - np.eye(layer.ndim)).max() > _TURNED:
        raise InputError(
            "The image is rotated, sheared or mirrored in the viewer, where masks would not lie on it: set its rotate, "
            "shear and affine back (and its scale above 0), or open its file with VOST."
        )


def _steps(layer: Any) -> list[tuple[float, Any]]:
    """Step and unit of each of the three axes; without a first one for a single image."""
    origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)), dtype=np.float64)
    steps = [
        float(np.linalg.norm(np.asarray(layer.data_to_world(row), dtype=np.float64) - origin))
        for row in np.eye(layer.ndim)
    ]
    return [(1.0, None)] * (3 - layer.ndim) + list(zip(steps, layer.units, strict=True))


def _in(step: float, unit: Any, wanted: str) -> float | None:
    """A step in another unit, None where its own one is of another kind."""
    if unit is None or not unit.is_compatible_with(wanted):
        return None
    return float((step * unit).to(wanted).magnitude)


def _spacing(steps: Sequence[tuple[float, Any]]) -> tuple[tuple[float, float, float], bool]:
    """Millimetres per (frame, y, x) step, and whether the layer says them."""
    z, y, x = (_in(step, unit, "mm") for step, unit in steps)
    if y is None or x is None:
        return (1.0, 1.0, 1.0), False
    timed = steps[0][1] is None or _in(*steps[0], "s") is not None
    if z is None and not timed:
        return (1.0, 1.0, 1.0), False
    return (1.0 if z is None else z, y, x), True


def _times_s(steps: Sequence[tuple[float, Any]], frames: int) -> tuple[float, ...] | None:
    """Seconds of each frame, where the first axis is measured in time."""
    step = _in(*steps[0], "s")
    return None if step is None else tuple(step * index for index in range(frames))


def _notices(layer: Any) -> tuple[str, ...]:
    path = layer.source.path
    if path and layer.source.reader_plugin != "napari-vost" and may_open(Path(path)):
        return (
            "Another reader opened this image, which may have lost its spacing and orientation: open it with VOST to "
            "keep them.",
        )
    return ()


def _size(shape: Sequence[int]) -> str:
    return " × ".join(str(size) for size in shape)
