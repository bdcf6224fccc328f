"""DAVIS 2016 sequences: folders SEQUENCE/frames/*.jpg and SEQUENCE/masks/*.png, one object in each.

Perazzi et al., CVPR 2016. J&F of every frame after the first, which is prompted; the official figure also leaves
the last frame out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_vost.datasets.base import Case, Labels, Layout
from napari_vost.datasets.files import files_of
from napari_vost.errors import ReadError

_HOLDS = "folders SEQUENCE/frames/*.jpg and SEQUENCE/masks/*.png"


def cases(folder: Path) -> Iterator[Case]:
    """One case per sequence.

    Raises
    ------
    ReadError
        Not such a folder, a damaged picture, or a frame without its mask.
    """
    from napari_vost.io.readers import open_clip

    for sequence in sorted({path.parent.parent for path in files_of(folder, "*/frames/*.jpg", _HOLDS)}):
        frames = sorted((sequence / "frames").glob("*.jpg"))
        masks = sorted((sequence / "masks").glob("*.png"))
        if [path.stem for path in frames] != [path.stem for path in masks]:
            raise ReadError(
                f"{sequence.name} has {len(frames)} frames and {len(masks)} masks, expected one mask of the same name "
                "per frame: complete the folder."
            )
        clip = open_clip(sequence / "frames", order="time")
        yield Case(sequence.name, clip, np.stack([_mask(path) for path in masks]), {"object": (1,)}, "first")


def _mask(path: Path) -> Labels:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            values = np.asarray(picture)
    except (OSError, SyntaxError) as problem:
        raise ReadError(f"{path} cannot be read as PNG ({problem}): fetch it again.") from problem
    mask: Labels = (values.reshape(*values.shape[:2], -1)[..., 0] > 0).astype(np.uint8)
    return mask


DAVIS16 = Layout("davis16", "Video (DAVIS 2016)", _HOLDS, "j_and_f", "frames", False, cases)
