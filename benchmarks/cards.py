"""The table of docs/cards.md: one annotated case finds the structure in the next, without a prompt.

    python benchmarks/cards.py --data FOLDER [--limit 5]

A card is made of three painted frames of a case (the usual prompted one and its neighbours) and used on the next case
of the folder, which is another patient or, for ACDC, may be the other phase of the same one. It is searched on all
frames; the mask that is found is then followed without a correction.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path

from napari_vost import Session
from napari_vost.benchmark.scores import bootstrap
from napari_vost.benchmark.table import markdown, replace_part
from napari_vost.contracts import Network
from napari_vost.datasets import find_layout
from napari_vost.datasets.base import Case
from napari_vost.errors import InputError, VostError
from napari_vost.metrics.overlap import dice
from napari_vost.model.loading import load_network

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cards.md"
JOBS = {"acdc": "acdc_ed_es/dev", "hippocampus": "msd_hippocampus/dev"}
HEAD = ("data", "structure", "cards", "found", "Dice where found [95 %]", "Dice of the stack, followed [95 %]")


def main(words: Sequence[str] | None = None) -> int:
    """Use every card once, write the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--limit", type=int, help="cards per data set: a try, of which nothing is kept")
    given = parser.parse_args(words)
    if given.data is None:
        sys.stderr.write("No data: give --data.\n")
        return 2
    network = load_network("vost-nano")
    rows: list[tuple[str, ...]] = []
    for name, folder in JOBS.items():
        layout = find_layout(name)
        tried: dict[str, list[tuple[float, float] | None]] = {}
        cases = islice(layout.cases(given.data / folder), None if given.limit is None else given.limit + 1)
        for first, second in pairwise(cases):
            for structure in first.structures:
                if first.prompted_frame(structure) is not None and second.prompted_frame(structure) is not None:
                    tried.setdefault(structure, []).append(_use(network, first, second, structure))
        for structure, found in tried.items():
            seen = [one for one in found if one is not None]
            means = [bootstrap([one[which] for one in seen]) for which in (0, 1)] if seen else []
            shown = [f"{one.mean:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in means] or ["-", "-"]
            rows.append((layout.title, structure, str(len(found)), str(len(seen)), *shown))
    table = markdown(HEAD, rows)
    print(table)
    if given.limit is None:
        head = f"Weights: vost-nano {network.fingerprint[:8]}.\n\n"
        PAGE.write_text(replace_part(PAGE.read_text(encoding="utf-8"), "table", head + table), encoding="utf-8")
    return 0


def _use(network: Network, first: Case, second: Case, structure: str) -> tuple[float, float] | None:
    """Dice on the frame where a card of the first case finds the structure in the second, and of the stack followed."""
    teacher, truth = Session(first.clip, network), first.truth(structure)
    middle = first.prompted_frame(structure)
    for frame in range(max(0, (middle or 0) - 1), min(len(truth), (middle or 0) + 2)):
        if truth[frame].any():
            teacher.add_mask(frame, truth[frame])
    pupil, wanted = Session(second.clip, network), second.truth(structure)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.card"
        teacher.save_card(path)
        try:
            found = pupil.use_card(path)
        except InputError:
            return None
    for _ in pupil.propagate():
        pass
    return dice(found.mask, wanted[found.frame_index]), dice(pupil.segmentation().volume(1), wanted)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
