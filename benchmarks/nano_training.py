"""Score vost-nano weights through the engine on real dev data, beside copying the prompted mask.

``python benchmarks/nano_training.py --weights models/vost-nano --data $VOST_DATA --set acdc --prompt mask``

The prompted frame is the middle one of the slices that hold the structure (ACDC), the one with the largest area
elsewhere; the score is the mean over volumes of the mean Dice of the other frames that hold the structure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.masks import box_of
from napari_vost.model.nano import load_nano
from napari_vost.session import Session

Truth = NDArray[np.bool_]
Case = tuple[str, Clip, Truth, int]


def acdc(data: Path, part: str) -> Iterator[Case]:
    """Cardiac MR: one case per volume and structure."""
    for path in sorted((data / "acdc_ed_es" / part).glob("*.npz")):
        with np.load(path) as file:
            image, labels = file["image"], file["label"]
        for label, name in ((3, "LV"), (1, "RV"), (2, "MYO")):
            truth = labels == label
            held = np.flatnonzero(truth.any((1, 2)))
            if len(held) > 1:
                yield name, Clip.from_array(image, (10.0, 1.5, 1.5), modality="MR"), truth, int(held[len(held) // 2])


def hippocampus(data: Path, part: str) -> Iterator[Case]:
    """Brain MR along the coronal axis, both labels merged."""
    import nibabel

    for path in sorted((data / "msd_hippocampus" / part / "images").glob("*.nii.gz")):
        image = np.moveaxis(np.asarray(nibabel.load(path).dataobj), 1, 0).astype(np.float32)
        labels = nibabel.load(data / "msd_hippocampus" / part / "labels" / path.name).dataobj
        truth = np.moveaxis(np.asarray(labels), 1, 0) > 0
        yield "hippocampus", Clip.from_array(image, modality="MR"), truth, int(truth.sum((1, 2)).argmax())


def lesions(data: Path, part: str) -> Iterator[Case]:
    """CT lesions."""
    for path in sorted((data / "ct_lesion_deeplesion" / part).glob("*.npz")):
        with np.load(path) as file:
            image, truth = file["imgs"], file["gts"] > 0
        yield "lesion", Clip.from_array(image), truth, int(truth.sum((1, 2)).argmax())


SETS = {"acdc": acdc, "hippocampus": hippocampus, "lesions": lesions}


def dice(one: Truth, other: Truth) -> float:
    """Dice of two masks; 1 where both are empty."""
    total = int(one.sum() + other.sum())
    return 2 * int((one & other).sum()) / total if total else 1.0


def follow(network: Network, case: Case, prompt: str) -> tuple[float, float, float]:
    """Dice of the followed frames, of copying the prompted mask, and of the prompted frame."""
    _, clip, truth, start = case
    session = Session(clip, model=network)
    if prompt == "mask":
        session.add_mask(start, truth[start])
    else:
        y0, x0, y1, x1 = box_of(truth[start]) or (0, 0, 1, 1)
        if prompt == "box":
            session.add_box(start, (y0, x0, y1 - 1, x1 - 1))
        else:
            session.add_point(start, _deepest(truth[start]))
    for _ in session.propagate():
        pass
    found = np.asarray(session.label_map(dense=True)) == 1
    others = [int(index) for index in np.flatnonzero(truth.any((1, 2))) if index != start]
    mine = float(np.mean([dice(found[index], truth[index]) for index in others]))
    copied = float(np.mean([dice(truth[start], truth[index]) for index in others]))
    return mine, copied, dice(found[start], truth[start])


def _deepest(mask: Truth) -> tuple[int, int]:
    from scipy.ndimage import distance_transform_edt

    y, x = np.unravel_index(int(distance_transform_edt(mask).argmax()), mask.shape)
    return int(y), int(x)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=sorted(SETS), default="acdc")
    parser.add_argument("--part", default="dev")
    parser.add_argument("--prompt", choices=("mask", "box", "point"), default="mask")
    parser.add_argument("--structures", nargs="*", default=None)
    parser.add_argument("--every", type=int, default=1, help="score every n-th case, for a quick look")
    parser.add_argument("--out", type=Path, default=None, help="JSON table")
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    network = load_nano(given.weights)
    rows: dict[str, list[tuple[float, float, float]]] = {}
    cases = (c for c in SETS[given.set](given.data, given.part) if not given.structures or c[0] in given.structures)
    for index, case in enumerate(cases):
        if index % given.every == 0:
            rows.setdefault(case[0], []).append(follow(network, case, given.prompt))
    table = {}
    for name, scores in rows.items():
        mine, copied, prompted = np.mean(scores, axis=0)
        table[name] = {"dice": mine, "copied": copied, "prompted_frame": prompted, "volumes": len(scores)}
        print(f"{given.prompt:5s} {name:12s} {mine:.3f}  copy {copied:.3f}  prompted {prompted:.3f}  n={len(scores)}")
    if given.out is not None:
        given.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
