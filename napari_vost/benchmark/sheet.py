"""A picture sheet: what was found, drawn on the frames, so that a person can judge it at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from napari_vost.checks import check_range
from napari_vost.clip import Clip
from napari_vost.display.colours import COLOURS, Colour
from napari_vost.errors import ExportError
from napari_vost.io.atomic import atomic_file
from napari_vost.types import Segmentation

Pixels = NDArray[np.uint8]
WIDTH_PX, GAP_PX, TEXT_PX, LINE_PX = 1600, 10, 20, 30
CELLS = 4  # tiles in a row
DASH_PX = 5


@dataclass(frozen=True)
class _View:
    """Part of a frame that is shown, half-open ``(y0, x0, y1, x1)``, and the size of its tile ``(w, h)``."""

    box: tuple[int, int, int, int]
    tile: tuple[int, int]


def overlay_sheet(
    clip: Clip, segmentation: Segmentation, path: Path, truth: Segmentation | None = None, frames: int = 12
) -> None:
    """Write a PNG, 1600 px wide, of frames with the outlines of all objects and a legend.

    Parameters
    ----------
    clip
        The frames; grey ones are windowed by the file's first window, or by their 1st to 99th percentile.
    segmentation
        What to draw, in colours that colour-blind people can tell apart (a label's own colour wins).
    path
        The PNG; written whole or not at all.
    truth
        Drawn over it as a thin dashed white line.
    frames
        Most frames to show, evenly spread over those that hold an object; 1 to 64.

    Raises
    ------
    ExportError
        Shapes differ, or the file cannot be written.
    """
    check_range(frames, 1, 64, "frames")
    for name, one in (("segmentation", segmentation), ("truth", truth)):
        if one is not None and one.shape != clip.shape:
            raise ExportError(f"The {name} has shape {one.shape}, the clip {clip.shape}: give one of the same clip.")
    chosen = _choose(segmentation, truth, frames)
    columns = min(CELLS, len(chosen))
    view = _view(clip, segmentation, truth, columns)
    images = [clip.frame(index) for index in chosen]
    window = _window(clip, images)
    colours = {
        object_id: segmentation.labels[object_id].colour_rgb or COLOURS[row % len(COLOURS)]
        for row, object_id in enumerate(segmentation.object_ids)
    }
    legend = _legend(segmentation, colours, truth is not None)
    rows = -(-len(chosen) // columns)
    height = legend.height + rows * (view.tile[1] + GAP_PX) + GAP_PX
    sheet = Image.new("RGB", (WIDTH_PX, height), (18, 18, 18))
    sheet.paste(legend, (0, 0))
    for place, (index, image) in enumerate(zip(chosen, images, strict=True)):
        tile = _tile(image, window, view)
        _outline(tile, segmentation, index, view, colours)
        if truth is not None:
            _outline_truth(tile, truth, index, view)
        row, column = divmod(place, columns)
        at = (GAP_PX + column * (view.tile[0] + GAP_PX), legend.height + row * (view.tile[1] + GAP_PX))
        sheet.paste(_captioned(tile, _caption(clip, index)), at)
    with atomic_file(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


def _choose(segmentation: Segmentation, truth: Segmentation | None, count: int) -> list[int]:
    """Frames to show: evenly spread between the first and the last that hold something."""
    held = {
        index
        for one in (segmentation, truth)
        if one is not None
        for masks in one.masks.values()
        for index, packed in masks.items()
        if not packed.empty
    }
    first, last = (min(held), max(held)) if held else (0, segmentation.shape[0] - 1)
    return sorted({int(index) for index in np.rint(np.linspace(first, last, min(count, last - first + 1)))})


def _view(clip: Clip, segmentation: Segmentation, truth: Segmentation | None, columns: int) -> _View:
    """Show the part around all objects where that is small, else the whole frame; pixels keep their true shape."""
    _, height, width = clip.shape
    boxes = [
        packed.box
        for one in (segmentation, truth)
        if one is not None
        for masks in one.masks.values()
        for packed in masks.values()
        if packed.box is not None
    ]
    y0, x0, y1, x1 = 0, 0, height, width
    if boxes:
        low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
        side = int(max(high[2] - low[0], high[3] - low[1]) * 1.5) + 16
        if side < 0.7 * min(height, width):
            y0 = int(np.clip((low[0] + high[2] - side) // 2, 0, height - side))
            x0 = int(np.clip((low[1] + high[3] - side) // 2, 0, width - side))
            y1, x1 = y0 + side, x0 + side
    _, row_mm, column_mm = clip.spacing_mm_zyx
    tile_width = (WIDTH_PX - GAP_PX) // columns - GAP_PX
    ratio = (y1 - y0) * row_mm / ((x1 - x0) * column_mm)
    shown = min(tile_width, 900)
    return _View((y0, x0, y1, x1), (shown, int(np.clip(round(shown * ratio), shown // 4, 2 * shown))))


def _window(clip: Clip, images: list[NDArray[Any]]) -> tuple[float, float]:
    """Values that become black and white."""
    if clip.colour or images[0].dtype == np.uint8:
        return 0.0, 255.0
    if clip.windows:
        return clip.windows[0].low, clip.windows[0].high
    low, high = np.percentile(np.stack(images), (1.0, 99.0))
    return float(low), float(max(high, low + 1e-6))


def _tile(image: NDArray[Any], window: tuple[float, float], view: _View) -> Pixels:
    y0, x0, y1, x1 = view.box
    low, high = window
    grey = np.clip((image[y0:y1, x0:x1].astype(np.float64) - low) / (high - low), 0.0, 1.0)
    picture = Image.fromarray(np.rint(255.0 * grey).astype(np.uint8)).convert("RGB")
    return np.array(picture.resize(view.tile, Image.Resampling.BICUBIC))


def _enlarged(segmentation: Segmentation, object_id: int, frame_index: int, view: _View) -> NDArray[np.bool_]:
    """A mask at the tile's size, its edge smooth."""
    y0, x0, y1, x1 = view.box
    mask = Image.fromarray(segmentation.mask(object_id, frame_index)[y0:y1, x0:x1].astype(np.uint8) * 255)
    return np.asarray(mask.resize(view.tile, Image.Resampling.BILINEAR)) >= 128


def _outline(tile: Pixels, found: Segmentation, index: int, view: _View, colours: dict[int, Colour]) -> None:
    for object_id in found.object_ids:
        mask = _enlarged(found, object_id, index, view)
        tile[mask & ~ndimage.binary_erosion(mask, iterations=2)] = colours[object_id]


def _outline_truth(tile: Pixels, truth: Segmentation, index: int, view: _View) -> None:
    rows, columns = np.indices(tile.shape[:2])
    dashes = (rows + columns) // DASH_PX % 2 == 0
    dashes |= (rows - columns) // DASH_PX % 2 == 0  # so that no direction of an edge is lost
    for object_id in truth.object_ids:
        mask = _enlarged(truth, object_id, index, view)
        tile[mask & ~ndimage.binary_erosion(mask) & dashes] = (255, 255, 255)


def _caption(clip: Clip, index: int) -> str:
    if clip.order == "time":
        times = clip.frame_times_s
        return f"frame {index}" if times is None else f"frame {index}   {times[index]:.2f} s"
    return f"slice {index}"


def _captioned(tile: Pixels, text: str) -> Image.Image:
    picture = Image.fromarray(tile)
    ImageDraw.Draw(picture).text(
        (7, 4), text, fill=(255, 255, 255), font=_font(), stroke_width=2, stroke_fill=(0, 0, 0)
    )
    return picture


def _legend(segmentation: Segmentation, colours: dict[int, Colour], with_truth: bool) -> Image.Image:
    """Names beside their colours, in as many lines as they need."""
    entries: list[tuple[str, Colour | None]] = [
        (segmentation.labels[object_id].name, colours[object_id]) for object_id in segmentation.object_ids
    ]
    if with_truth:
        entries.append(("truth (dashed)", None))
    font, places, x, line = _font(), [], GAP_PX, 0
    for name, _ in entries:
        width = 34 + int(font.getlength(name)) + 26
        if x > GAP_PX and x + width > WIDTH_PX - GAP_PX:
            x, line = GAP_PX, line + 1
        places.append((x, GAP_PX + line * LINE_PX))
        x += width
    picture = Image.new("RGB", (WIDTH_PX, 2 * GAP_PX + (line + 1) * LINE_PX), (18, 18, 18))
    pen = ImageDraw.Draw(picture)
    for (name, colour), (left, top) in zip(entries, places, strict=True):
        if colour is None:
            for step in range(0, 24, 8):
                pen.line((left + step, top + 11, left + step + 4, top + 11), fill=(255, 255, 255), width=2)
        else:
            pen.rectangle((left, top + 2, left + 22, top + 20), outline=colour, width=4)
        pen.text((left + 32, top), name, fill=(235, 235, 235), font=font)
    return picture


def _font() -> ImageFont.FreeTypeFont:
    font: ImageFont.FreeTypeFont = ImageFont.load_default(size=TEXT_PX)
    return font
