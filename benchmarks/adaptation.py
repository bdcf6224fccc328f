"""The table of docs/adaptation.md: following with and without adaptation, from one and from three painted frames.

    python benchmarks/adaptation.py --data FOLDER                          first 8 cases of each data set, then the page
    python benchmarks/adaptation.py --data FOLDER --only acdc --limit 5    a try, of which nothing is kept

Every structure is painted on its prompted frame, or on that frame and the ones at a sixth and at five sixths of those
that hold it. Judged are all other frames, the same ones in both rows: Dice of their stack, so that painting where
nothing is costs, and the mean Dice of those that hold the structure; then the mean over the structures of a case.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from napari_vost import Session
from napari_vost.adaptation import Adaptation
from napari_vost.benchmark.scores import Interval, bootstrap, prompt_from_truth
from napari_vost.benchmark.table import markdown, replace_part
from napari_vost.contracts import Network
from napari_vost.datasets import find_layout
from napari_vost.datasets.base import Case
from napari_vost.errors import VostError
from napari_vost.metrics.overlap import dice, dice_per_frame
from napari_vost.model.loading import load_network

PAGE = Path(__file__).resolve().parents[1] / "docs" / "adaptation.md"
JOBS = {  # layout → folder below --data
    "acdc": "acdc_ed_es/dev",
    "hippocampus": "msd_hippocampus/dev",
    "ct_lesion": "ct_lesion_deeplesion/dev",
}
CASES = 8  # of each data set
LEAST = 6  # frames that a structure must be on
HEAD = (
    "data", "painted frames", "cases", "Dice of the stack", "adapted", "gain [95 %]", "worst",
    "gain, frames that hold it", "accepted", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Dice of one case without and with adaptation, of the stack and per frame, and what the adaptation said."""

    without: tuple[float, float]
    adapted: tuple[float, float]
    found: Adaptation

    def gain(self, which: int) -> float:
        """Gain of the stack (0) or of the frames that hold the structure (1)."""
        return self.adapted[which] - self.without[which]


def painted(case: Case) -> dict[str, list[int]]:
    """Three frames per structure, the prompted one first; structures on too few frames are left out."""
    chosen = {}
    for name in case.structures:
        first = case.prompted_frame(name)
        truth = case.truth(name)
        held = [frame for frame in case.known_frames if truth[frame].any()]
        if first is not None and len(held) >= LEAST:
            more = (held[len(held) // 6], held[-1 - len(held) // 6])
            chosen[name] = list(dict.fromkeys((first, *more)))
    return chosen


def judge(case: Case, network: Network, count: int, seconds: float) -> Pair | None:
    """Paint, follow, adapt, follow; None where the case holds nothing to judge."""
    frames = painted(case)
    if not frames:
        return None
    session = Session(case.clip, network)
    for object_id, (name, chosen) in enumerate(frames.items(), start=1):
        truth = case.truth(name)
        session.add(*(prompt_from_truth("mask", truth[frame], frame, object_id) for frame in chosen[:count]))
    without = _followed(case, session, frames)
    found = session.adapt(seconds)
    return Pair(without, _followed(case, session, frames) if found.accepted else without, found)


def _followed(case: Case, session: Session, frames: dict[str, list[int]]) -> tuple[float, float]:
    for _ in session.propagate("both", (min(case.known_frames), max(case.known_frames) + 1), exact=True):
        pass
    found, scores = session.segmentation(), []
    for object_id, (name, chosen) in enumerate(frames.items(), start=1):
        truth, masks = case.truth(name), found.volume(object_id)
        judged = [frame for frame in case.known_frames if frame not in chosen]
        held = [frame for frame in judged if truth[frame].any()]
        scores.append((dice(masks[judged], truth[judged]), float(dice_per_frame(masks[held], truth[held]).mean())))
    stack, each = np.mean(scores, axis=0)
    return float(stack), float(each)


def row(title: str, words: str, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """A line of the table."""
    gains = [one.gain(0) for one in pairs]
    return (
        title,
        words,
        str(len(pairs)),
        _words(bootstrap([one.without[0] for one in pairs])),
        _words(bootstrap([one.adapted[0] for one in pairs])),
        _words(bootstrap(gains), "+"),
        f"{min(gains):+.3f}",
        f"{np.mean([one.gain(1) for one in pairs]):+.3f}",
        f"{np.mean([one.found.accepted for one in pairs]):.0%}",
        f"{np.mean([one.found.seconds for one in pairs]):.0f}",
    )


def _words(value: Interval, sign: str = "") -> str:
    middle = f"{value.mean:{sign}.3f}"
    return middle if value.low is None else f"{middle} [{value.low:{sign}.3f}, {value.high:{sign}.3f}]"


def main(words: Sequence[str] | None = None) -> int:
    """Run the jobs; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="NAME", help=", ".join(JOBS))
    parser.add_argument("--model", default="vost-nano")
    parser.add_argument("--seconds", type=float, default=20.0, help="time of an adaptation (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="cases per data set: a try, of which nothing is kept")
    args = parser.parse_args(words)
    rows = []
    try:
        if args.data is None:
            raise VostError("No data: give --data, the folder that holds acdc_ed_es, msd_hippocampus and the others.")
        network = load_network(args.model)
        for name in args.only:
            layout = find_layout(name)
            cases = list(islice(layout.cases(args.data / JOBS[name]), args.limit or CASES))
            for count in (1, 3):
                pairs = [pair for case in cases if (pair := judge(case, network, count, args.seconds)) is not None]
                if pairs:
                    rows.append(row(layout.title, str(count), pairs))
                    print(markdown(HEAD, rows[-1:]), flush=True)
        if args.limit is None and args.only == list(JOBS):
            body = f"Weights: {args.model} {network.fingerprint[:8]}; at most {args.seconds:g} s.\n\n"
            page = replace_part(PAGE.read_text(encoding="utf-8"), "table", body + markdown(HEAD, rows))
            PAGE.write_text(page, encoding="utf-8")
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
