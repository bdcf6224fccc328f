"""ACDC short-axis volumes at end-diastole and end-systole as ``.npz`` (image, label), slices first.

Bernard et al., IEEE TMI 2018. Labels: 1 right ventricle, 2 myocardium, 3 left ventricle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from napari_vost.clip import Clip
from napari_vost.datasets.base import Case, Layout
from napari_vost.datasets.files import as_labels, files_of, index_of, read_npz

STRUCTURES = {"LV": (3,), "RV": (1,), "MYO": (2,)}
_HOLDS = "one .npz per volume with the arrays image and label"


def cases(folder: Path) -> Iterator[Case]:
    """One case per volume; spacing from ``index.json`` where it says one.

    Raises
    ------
    ReadError
        Not such a folder, or a damaged file.
    """
    paths, index = files_of(folder, "*.npz", _HOLDS), index_of(folder)
    for path in paths:
        held = read_npz(path, ("image", "label"))
        facts = index.get(path.stem, {})
        slice_mm, plane_mm = facts.get("slice_mm"), facts.get("inplane_mm")
        if slice_mm and plane_mm:
            clip = Clip.from_array(held["image"], (slice_mm, plane_mm, plane_mm), modality="MR")
        else:
            clip = Clip.from_array(held["image"], modality="MR")
            clip = replace(clip, geometry=replace(clip.geometry, spaced=False))
        yield Case(path.stem, clip, as_labels(held["label"], path.name), STRUCTURES, "middle")


ACDC = Layout("acdc", "Cardiac MR, short axis (ACDC)", _HOLDS, "dice", "frames", False, cases)
