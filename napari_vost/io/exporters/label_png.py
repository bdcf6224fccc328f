"""Label maps as a folder of PNG files, one per frame, as the DAVIS data sets store them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from napari_vost.io.atomic import atomic_folder
from napari_vost.io.exporters.label_grids import label_notices, label_type
from napari_vost.types import Segmentation

_MADE_BY = "napari-vost labels"  # written into each file: a folder of these may be written over, others may not


def write(
    segmentation: Segmentation,
    path: Path,
    *,
    reference: Path | None = None,
    fill_gap: bool = False,
    resample: bool = False,
    creator: str = "",
) -> tuple[str, ...]:
    """Write one PNG per frame of the clip into a folder, named by its frame index: ``00000.png``, ``00001.png``, ...

    The pixel value is the object id: 8-bit with a palette (that of DAVIS and PASCAL VOC, or the labels' own colours),
    16-bit grey where an id is above 255. Empty frames are written too, so that there are as many files as frames.
    An existing folder is replaced if it is empty or holds only such files.

    Parameters
    ----------
    segmentation
        What to write.
    path
        Target folder; the one that holds it must exist.
    reference, fill_gap, resample, creator
        Not used: PNG files have no place and name nobody.

    Returns
    -------
    tuple of str
        What the files do not hold, in words.

    Raises
    ------
    ExportError
        Ids above 65535, a folder with other files in it, or a target that cannot be written.
    """
    dtype = label_type(segmentation)
    palette = _palette(segmentation).ravel().tolist()
    information = PngImagePlugin.PngInfo()
    information.add_text("Software", _MADE_BY)
    digits = max(5, len(str(segmentation.shape[0] - 1)))
    with atomic_folder(path, _ours) as folder:
        for index, frame in enumerate(segmentation.label_frames()):
            image = Image.fromarray(frame.astype(dtype))
            if dtype is np.uint8:
                image.putpalette(palette)
            image.save(folder / f"{index:0{digits}d}.png", pnginfo=information, optimize=True)
    return label_notices(segmentation)


def davis_palette() -> NDArray[np.uint8]:
    """Colours (256, 3) of PASCAL VOC and DAVIS: bits of the label dealt out to red, green and blue in turn."""
    labels = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for place in range(8):
        for channel in range(3):
            bit = (labels >> (3 * place + channel)) & 1
            colours[:, channel] |= (bit << (7 - place)).astype(np.uint8)
    return colours


def _palette(segmentation: Segmentation) -> NDArray[np.uint8]:
    colours = davis_palette()
    for number, label in segmentation.labels.items():
        if label.colour_rgb is not None and 0 < number < 256:
            colours[number] = label.colour_rgb
    return colours


def _ours(path: Path) -> bool:
    if path.suffix != ".png" or not path.stem.isdigit():
        return False
    try:
        with Image.open(path) as image:
            return bool(image.info.get("Software") == _MADE_BY)
    except OSError:
        return False
