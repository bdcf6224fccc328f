"""Hippocampus of the Medical Segmentation Decathlon: NIfTI pairs images/NAME and labels/NAME, followed coronally.

Antonelli et al., Nature Communications 2022, task 4. Labels: 1 anterior, 2 posterior. Frames run along array axis 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_vost.datasets.base import Case, Layout
from napari_vost.datasets.files import files_of, labels_of
from napari_vost.errors import ReadError

STRUCTURES = {"hippocampus": (1, 2), "anterior": (1,), "posterior": (2,)}
_HOLDS = "folders images and labels with NIfTI files of the same names"


def cases(folder: Path) -> Iterator[Case]:
    """One case per pair.

    Raises
    ------
    ReadError
        Not such a folder, a damaged file, or an image without its labels.
    """
    from napari_vost.io.readers import open_clip

    for path in files_of(folder, "images/*.nii.gz", _HOLDS):
        labels = folder / "labels" / path.name
        if not labels.is_file():
            raise ReadError(f"images/{path.name} has no labels/{path.name}, expected a pair: complete the folder.")
        values = labels_of(open_clip(labels, axis=1), labels.name)
        yield Case(path.name.removesuffix(".nii.gz"), open_clip(path, axis=1), values, STRUCTURES, "largest")


HIPPOCAMPUS = Layout("hippocampus", "Brain MR, coronal (MSD hippocampus)", _HOLDS, "dice", "frames", False, cases)
