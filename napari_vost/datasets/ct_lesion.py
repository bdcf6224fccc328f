"""CT lesions as ``.npz`` (imgs windowed to 8 bit, gts, spacing in x, y, z order): DeepLesion as MedSAM2 stores it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_vost.clip import Clip
from napari_vost.datasets.base import Case, Layout
from napari_vost.datasets.files import as_labels, files_of, read_npz

_HOLDS = "one .npz per lesion with the arrays imgs, gts and spacing"


def cases(folder: Path) -> Iterator[Case]:
    """One case per lesion.

    Raises
    ------
    ReadError
        Not such a folder, or a damaged file.
    """
    for path in files_of(folder, "*.npz", _HOLDS):
        held = read_npz(path, ("imgs", "gts", "spacing"))
        x, y, z = (float(value) for value in held["spacing"])
        clip = Clip.from_array(held["imgs"], (z, y, x))  # no modality: the values are windowed, not Hounsfield units
        yield Case(path.stem, clip, as_labels(held["gts"], path.name), {"lesion": (1,)}, "largest")


CT_LESION = Layout("ct_lesion", "CT lesions (DeepLesion)", _HOLDS, "dice", "frames", False, cases)
