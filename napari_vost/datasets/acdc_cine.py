"""ACDC cine loops as 4D NIfTI (x, y, z, t), labelled at end-diastole and end-systole only.

Every slice that is labelled at end-diastole is a clip of its own, prompted there; a patient is scored over the stacked
end-systolic slices. All other frames are unknown. ``index.json`` names the labelled frames. The files do not say how
long a frame lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_vost.datasets.acdc import STRUCTURES
from napari_vost.datasets.base import Case, Layout
from napari_vost.datasets.files import files_of, index_of, labels_of
from napari_vost.errors import ReadError

_SUFFIX = "_4d_labels_ED_ES.nii.gz"
_HOLDS = f"NAME_4d.nii.gz and NAME{_SUFFIX}, and index.json beside it"


def cases(folder: Path) -> Iterator[Case]:
    """One case per labelled slice; the slices of a patient follow one another.

    Raises
    ------
    ReadError
        Not such a folder, a damaged file, or a patient whose labelled frames nobody names.
    """
    paths, index = files_of(folder, f"*{_SUFFIX}", _HOLDS), index_of(folder)
    for path in paths:
        patient = path.name.removesuffix(_SUFFIX)
        known = tuple(index.get(patient, {}).get("labelled_frames_0based", ()))
        if len(known) < 2:
            raise ReadError(f"index.json does not name two labelled frames of {patient}: add labelled_frames_0based.")
        yield from _slices(path, path.with_name(f"{patient}_4d.nii.gz"), patient, known)


def _slices(labels: Path, images: Path, patient: str, known: tuple[int, ...]) -> Iterator[Case]:
    from napari_vost.io.readers import open_clip

    count = len(open_clip(labels, order="depth", at=known[0]))
    for at in range(count):
        values = labels_of(open_clip(labels, order="time", at=at), labels.name)
        if not all(0 <= frame < len(values) for frame in known):
            raise ReadError(f"{labels.name} has {len(values)} frames, but index.json names the frames {list(known)}.")
        present = set(np.unique(values[known[0]])) - {0}
        structures = {name: ids for name, ids in STRUCTURES.items() if present & set(ids)}
        if structures:
            clip = open_clip(images, order="time", at=at)
            yield Case(f"{patient} slice {at}", clip, values, structures, "first", known, patient)


ACDC_CINE = Layout("acdc_cine", "Cine MR, end-diastole to end-systole (ACDC)", _HOLDS, "dice", "stack", True, cases)
