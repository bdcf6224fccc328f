"""Which stored axis the frames run along, and which part of a 4D source is meant."""

from __future__ import annotations

from dataclasses import replace

from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.geometry import Affine, Geometry, Grid, axis_letters
from napari_vost.io.readers.candidates import Axis, Options
from napari_vost.types import Order

PLANES = {"axial": "IS", "coronal": "AP", "sagittal": "RL"}
_BY_NUMBER = {0: (2, 1, 0), 1: (1, 2, 0), 2: (0, 2, 1)}  # clip axis that becomes the frame axis → stored (frame, y, x)


def frame_axes(axis: Axis | None, affine_lps: Affine, oriented: bool) -> tuple[int, int, int]:
    """Stored axes of (frame, y, x) for a choice of axis.

    Raises
    ------
    ReadError
        Another word or number, or a named plane of a source that does not say how the patient lies.
    """
    if axis is None:
        return _BY_NUMBER[0]
    word = str(axis).lower()
    if word in ("0", "1", "2"):
        return _BY_NUMBER[int(word)]
    if word not in PLANES:
        raise ReadError(f"axis must be 0, 1, 2, 'axial', 'coronal' or 'sagittal', got {axis!r}.")
    if not oriented:
        raise ReadError(f"axis={word!r} needs a source that says how the patient lies: choose axis 0, 1 or 2 instead.")
    letters = axis_letters(affine_lps)
    stored = next(index for index, letter in enumerate(letters) if letter in PLANES[word])
    return _BY_NUMBER[2 - stored]


def choose_grid(
    shape: tuple[int, ...], affine_lps: Affine, options: Options, default: Order, oriented: bool = True
) -> tuple[Grid, Order]:
    """Turn the caller's choice into a grid and an order.

    Parameters
    ----------
    shape
        Stored ``(i, j, k)`` or ``(i, j, k, t)``.
    affine_lps
        Of the stored array.
    options
        The choice.
    default
        Order of a 3D source where the caller says none.
    oriented
        Whether planes may be named.

    Raises
    ------
    ReadError
        A choice that the source does not have.
    ChoiceNeeded
        A 4D source without ``order`` or ``at``.
    """
    if len(shape) == 4:
        return _choose_4d(shape, affine_lps, options, oriented)
    if options.at is not None:
        raise ReadError(
            f"at={options.at} chooses a time point or a slice of a 4D source, and this one has 3 axes: leave it out."
        )
    axes = frame_axes(options.axis, affine_lps, oriented)
    if default == "time" and axes != _BY_NUMBER[0]:
        raise ReadError(
            f"axis={options.axis!r} does not fit a cine: its frames follow one another in time, leave it out."
        )
    return Grid(shape, axes, affine_lps), options.order or default


def _choose_4d(shape: tuple[int, ...], affine_lps: Affine, options: Options, oriented: bool) -> tuple[Grid, Order]:
    frame, y, x = frame_axes(options.axis, affine_lps, oriented)
    slices, points = shape[frame], shape[3]
    order, at = options.order, options.at
    if slices == 1 and at is None and order != "depth":
        order, at = "time", 0
    if order is None or at is None:
        raise ChoiceNeeded(
            f"The source is 4D, {points} time points of {slices} slices: choose a volume or a cine.",
            (
                f"order='depth', at=0 to {points - 1} (--order depth --at N): the volume of one time point",
                f"order='time', at=0 to {slices - 1} (--order time --at N): the cine of one slice",
            ),
        )
    count = points if order == "depth" else slices
    if not 0 <= at < count:
        what = "time points" if order == "depth" else "slices"
        raise ReadError(f"at={at} does not exist: the source has {what} 0 to {count - 1}.")
    if order == "depth":
        return Grid(shape, (frame, y, x), affine_lps, ((3, at),)), order
    return Grid(shape, (3, y, x), affine_lps, ((frame, at),)), order


def geometry_of(grid: Grid, oriented: bool, spaced: bool = True, frame_of_reference: str | None = None) -> Geometry:
    """Geometry of a grid's clip, with what the source says about itself.

    Raises
    ------
    GeometryError
        The affine maps the volume to a plane.
    """
    return replace(grid.geometry(), oriented=oriented, spaced=spaced, frame_of_reference=frame_of_reference)
