"""TIFF files of several pages: axes, spacing and frame times as ImageJ and OME write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_vost.clip import Clip
from napari_vost.errors import ReadError
from napari_vost.io.readers.axes import choose_grid, geometry_of
from napari_vost.io.readers.candidates import Options
from napari_vost.io.readers.stacks import PlaneStack
from napari_vost.types import Image, Order, Source

_MILLIMETRES = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "um": 1e-3, "µm": 1e-3, "\\u00b5m": 1e-3, "micron": 1e-3}
_MILLIMETRES |= {"micrometer": 1e-3, "microns": 1e-3, "nm": 1e-6, "nanometer": 1e-6, "m": 1e3, "inch": 25.4}


def tiff_pages(path: Path) -> int:
    """Number of pictures in a TIFF, counting those that ImageJ keeps outside pages; 1 when it cannot be read."""
    try:
        axes, shape, _ = _layout(path)
    except ReadError:
        return 1
    return int(np.prod([size for axis, size in zip(axes, shape, strict=True) if axis not in "YXS"]))


def open_tiff(path: Path, options: Options) -> Clip:
    """Open a TIFF of several pages; reads its directory only.

    Raises
    ------
    ReadError
        A damaged file, or axes other than time, depth, rows, columns and colour.
    ChoiceNeeded
        A file with time and depth, without ``order`` and ``at``.
    """
    axes, shape, facts = _layout(path)
    sizes = dict(zip(axes, shape, strict=True))
    colour = sizes.get("S", 1) >= 3
    stray = [axis for axis, size in sizes.items() if axis not in "TZYXSIQ" and size > 1]
    pages = "I" if "I" in sizes else "Q"
    points = sizes.get("T", 1)
    slices = sizes.get("Z", 1) * sizes.get(pages, 1)
    if stray or (sizes.get(pages, 1) > 1 and sizes.get("Z", 1) > 1):
        raise ReadError(
            f"{path.name} has axes {axes} of sizes {shape}, expected time, depth and colour: split it first."
        )
    affine = np.diag([*facts["spacing_xyz_mm"], 1.0])
    plain = (sizes["X"], sizes["Y"], points if slices == 1 else slices)
    default: Order = "time" if points > 1 or (colour and "Z" not in sizes) else "depth"
    stored = (*plain[:2], slices, points) if points > 1 and slices > 1 else plain
    grid, order = choose_grid(stored, affine, options, default, oriented=False)

    def read_plane(k: int, t: int) -> Image:
        index = (t * slices + k) if axes.find("T") < max(axes.find("Z"), 0) or slices == 1 else (k * points + t)
        return _page(path, index, sizes, colour)

    step = facts["interval_s"]
    times = tuple(step * i for i in range(points)) if order == "time" and step and points > 1 else None
    known = "T" in sizes or "Z" in sizes
    notice = f"Pages say no order: they are taken as {'a cine' if order == 'time' else 'slices'} (order= changes that)."
    return Clip(
        PlaneStack(grid, colour, read_plane),
        order,
        geometry_of(grid, oriented=False, spaced=facts["spaced"]),
        Source("image-stack", grid, path, (path,)),
        frame_times_s=times,
        notices=() if known or options.order else (notice,),
    )


def _layout(path: Path) -> tuple[str, tuple[int, ...], dict[str, Any]]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            return series.axes, tuple(int(n) for n in series.shape), _facts(tiff)
    except Exception as problem:  # tifffile raises many kinds on damaged files; all mean the same to a user
        raise _damaged(path) from problem


def _facts(tiff: Any) -> dict[str, Any]:
    """Spacing in millimetres, whether the file says it, and seconds between frames (ImageJ metadata)."""
    told = tiff.imagej_metadata or {}
    unit = _MILLIMETRES.get(str(told.get("unit", "")).lower())
    facts: dict[str, Any] = {"spacing_xyz_mm": (1.0, 1.0, 1.0), "spaced": False, "interval_s": told.get("finterval")}
    tags = tiff.pages[0].tags
    if unit is not None and "XResolution" in tags and "YResolution" in tags:
        x, y = ((tags[name].value[1] / max(tags[name].value[0], 1)) * unit for name in ("XResolution", "YResolution"))
        z = float(told.get("spacing", 0.0)) * unit
        facts |= {"spacing_xyz_mm": (x, y, abs(z) or 1.0), "spaced": x > 0 and y > 0}
    return facts


def _page(path: Path, index: int, sizes: dict[str, int], colour: bool) -> Image:
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            page = series.pages[index] if len(series.pages) > index else None
            if page is not None:
                plane = page.asarray()
            else:  # ImageJ keeps one directory entry for a run of pictures
                plane = _contiguous(path, series, index, sizes)
    except Exception as problem:  # tifffile raises many kinds on damaged files; all mean the same to a user
        raise _damaged(path) from problem
    plane = np.asarray(plane)
    if colour and plane.shape[0] in (3, 4) and plane.shape[-1] not in (3, 4):
        plane = np.moveaxis(plane, 0, -1)
    if colour and plane.dtype != np.uint8:
        plane = (plane >> 8).astype(np.uint8)
    return np.ascontiguousarray(plane[..., :3] if colour else plane)


def _contiguous(path: Path, series: Any, index: int, sizes: dict[str, int]) -> Any:
    shape = (sizes["Y"], sizes["X"], *((sizes["S"],) if sizes.get("S", 1) > 1 else ()))
    dtype = np.dtype(series.dtype).newbyteorder(series.parent.byteorder if hasattr(series, "parent") else "=")
    count = int(np.prod(shape))
    with path.open("rb") as file:
        file.seek(int(series.dataoffset) + index * count * dtype.itemsize)
        values = np.frombuffer(file.read(count * dtype.itemsize), dtype=dtype)
    return values.reshape(shape).astype(dtype.newbyteorder("="))


def _damaged(path: Path) -> ReadError:
    return ReadError(f"{path.name} is not a readable TIFF (damaged or cut off): fetch it again.")
