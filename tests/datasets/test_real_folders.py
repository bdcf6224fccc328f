"""Copying the prompted mask on real folders gives the figures that are known for them, so the protocol is the same."""

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from napari_vost.benchmark.marks import Followed, Mark, score
from napari_vost.datasets import find_layout

KNOWN = [  # layout, folder, structure, cases, mean over frames (None: not known), overlap of the stack
    ("acdc", "acdc_ed_es/dev", "LV", 40, 0.72, 0.75),
    ("acdc", "acdc_ed_es/dev", "RV", 40, 0.48, 0.52),
    ("acdc", "acdc_ed_es/dev", "MYO", 40, 0.48, 0.51),
    ("hippocampus", "msd_hippocampus/dev", "hippocampus", 48, 0.35, 0.39),
    ("ct_lesion", "ct_lesion_deeplesion/dev", "lesion", 3, 0.68, 0.71),
    ("acdc_cine", "acdc_cine4d/dev", "LV", 8, None, 0.67),
    ("acdc_cine", "acdc_cine4d/dev", "RV", 8, None, 0.63),
    ("acdc_cine", "acdc_cine4d/dev", "MYO", 8, None, 0.57),
]
DAVIS = {"blackswan": 0.55, "bmx-trees": 0.09, "horsejump-high": 0.14, "motocross-jump": 0.15}


def copied(name: str, folder: Path, structure: str) -> list[Mark]:
    """Marks of one structure over a folder; nothing is followed."""
    layout, marks = find_layout(name), []
    for unit, cases in groupby(layout.cases(folder), key=lambda case: case.unit):
        parts = []
        for case in cases:
            prompted = case.prompted_frame(structure) if structure in case.structures else None
            if prompted is not None:
                truth = case.truth(structure)
                parts.append(Followed(case, structure, prompted, truth, np.zeros_like(truth)))
        marks += score(layout, unit, parts)
    return marks


@pytest.mark.parametrize(("name", "folder", "structure", "count", "frames", "stack"), KNOWN)
def test_copying_gives_the_known_figures(
    data: Path, name: str, folder: str, structure: str, count: int, frames: float | None, stack: float
) -> None:
    marks = copied(name, data / folder, structure)
    assert len(marks) == count
    if frames is not None:
        assert round(float(np.mean([mark.copied.frames for mark in marks])), 2) == frames
    assert round(float(np.mean([mark.copied.stack for mark in marks])), 2) == stack
    assert all(mark.found.frames == 0 for mark in marks if mark.found.frames is not None)


def test_copying_the_first_mask_gives_the_known_j(data: Path) -> None:
    found = {mark.case: mark.copied.j for mark in copied("davis16", data / "davis16/dev", "object")}
    assert {name: round(value, 2) for name, value in found.items() if value is not None} == DAVIS
