"""Pictures: folders of PNG, JPEG, BMP or TIFF, single ones, and TIFF files of several pages."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import ReadError
from napari_vost.io.readers.axes import choose_grid, geometry_of
from napari_vost.io.readers.candidates import ONE_FRAME, Candidate, Found, Options
from napari_vost.io.readers.stacks import PlaneStack
from napari_vost.io.readers.tiff import open_tiff, tiff_pages
from napari_vost.types import Image, Order, Source

TIFF = (".tif", ".tiff")


class ImageStackReader:
    """Finds pictures: those of one folder are one stack, a TIFF of several pages is one by itself."""

    name = "image-stack"
    suffixes = (".png", ".jpg", ".jpeg", ".bmp", *TIFF)

    def find(self, files: tuple[Path, ...]) -> Found:
        """A candidate per folder of pictures and per TIFF of several pages."""
        candidates: list[Candidate] = []
        folders: dict[Path, list[Path]] = {}
        for path in files:
            if path.suffix.lower() in TIFF and tiff_pages(path) > 1:
                candidates.append(Candidate("image-stack", path, (path,), partial(open_tiff, path)))
            else:
                folders.setdefault(path.parent, []).append(path)
        for folder, pictures in folders.items():
            ordered = tuple(sorted(pictures, key=natural))
            where = ordered[0] if len(ordered) == 1 else folder
            candidates.append(Candidate("image-stack", where, ordered, partial(open_pictures, ordered)))
        return Found(tuple(candidates))


def natural(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key of a file name in which numbers count as numbers: 2 before 10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def open_pictures(files: tuple[Path, ...], options: Options) -> Clip:
    """Open pictures of one size as a clip, in the natural order of their names; reads headers only.

    Pictures say nothing about space: colour ones are taken as a cine, grey ones as slices, with a notice.

    Raises
    ------
    ReadError
        A damaged picture, or pictures of different sizes.
    """
    facts = [_header(path) for path in files]
    sizes = sorted({size for size, _ in facts})
    if len(sizes) > 1:
        words = ", ".join(f"{height} x {width}" for height, width in sizes[:4])
        raise ReadError(f"{files[0].parent} mixes pictures of different sizes ({words}): separate them into folders.")
    height, width = sizes[0]
    colour = any(one for _, one in facts)
    order: Order = "time" if colour or len(files) == 1 else "depth"
    grid, order = choose_grid((width, height, len(files)), np.eye(4), options, order, oriented=False)

    def read_plane(k: int, t: int) -> Image:
        return _pixels(files[k], colour)

    if len(files) == 1:
        notices: tuple[str, ...] = (ONE_FRAME,)
    else:
        assumed = "a cine" if order == "time" else "slices"
        notices = (f"Pictures say no order: they are taken as {assumed} by name (order= changes that).",) * (
            options.order is None
        )
    path = files[0] if len(files) == 1 else files[0].parent
    source = Source("image-stack", grid, path, files)
    geometry = geometry_of(grid, oriented=False, spaced=False)
    return Clip(PlaneStack(grid, colour, read_plane), order, geometry, source, notices=notices)


def _header(path: Path) -> tuple[tuple[int, int], bool]:
    """``(height, width)`` and whether a picture has colour."""
    from PIL import Image as Pictures

    try:
        with Pictures.open(path) as picture:
            return (picture.height, picture.width), _has_colour(picture)
    except Exception as problem:  # PIL raises many kinds on damaged files; all mean the same to a user
        raise _damaged(path) from problem


def _has_colour(picture: Any) -> bool:
    return picture.mode not in ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")


def _pixels(path: Path, colour: bool) -> Image:
    """Pixels of a picture: RGB uint8, or grey as stored."""
    from PIL import Image as Pictures

    try:
        with Pictures.open(path) as picture:
            if colour:
                return np.asarray(picture.convert("RGB"))
            if picture.mode in ("1", "LA"):
                picture = picture.convert("L")
            values: NDArray[Any] = np.asarray(picture)
            return values.astype(values.dtype.newbyteorder("="), copy=False)
    except Exception as problem:  # PIL raises many kinds on damaged files; all mean the same to a user
        raise _damaged(path) from problem


def _damaged(path: Path) -> ReadError:
    return ReadError(f"{path.name} is not a readable picture (damaged or cut off): fetch it again.")


READER = ImageStackReader()
