"""The judge of vost-nano's answers: what it is taught with, and its weights (docs/confidence.md).

    python benchmarks/judge.py --pack pack.npz                 gather what is not there yet, then teach
    python benchmarks/judge.py --only scenes-1 --gather        one job, without teaching
    python benchmarks/judge.py --teach                         teach with what is there
    python benchmarks/judge.py --cost                          what it costs per frame; on a quiet machine

It learns from answers to the training part of the pack, which the network was trained on too, and to scenes and
hard clips of seeds that nothing else uses. What it is worth is measured by ``benchmarks/confidence.py``, on other
data. Each job is one file below --out, by weights; what is there is not gathered again. The judge goes beside the
weights.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import torch

from napari_vost.benchmark.exams import Exams, of_hard, of_largest, of_pack, of_scenes
from napari_vost.benchmark.exhibits import gather, read_exhibits, write_exhibits
from napari_vost.benchmark.teaching import Lesson, teach
from napari_vost.errors import VostError
from napari_vost.model.judge import Panel, save_panel
from napari_vost.model.nano import NanoNetwork, load_nano
from napari_vost.paths import shipped
from napari_vost.session import Session

ROOT = Path(__file__).resolve().parents[1]
MODEL = "vost-nano"
GROUP = "msd_hippocampus"  # of the pack's sources the only one with many subjects
MOST = 4000  # answers of a job that could go on


def _walk(seed: int, ours: bool, pack: Path) -> Exams:
    """The pack once, from masks, on random frames."""
    return of_pack(pack, "train", seed, (("mask",),), lambda group: (group == GROUP) is ours, shuffled=True)


JOBS: Mapping[str, tuple[Callable[[Path], Exams], int | None]] = {
    "pack-0": (partial(_walk, 7000, True), None),
    "pack-1": (partial(_walk, 7001, True), None),
    "rest-0": (partial(_walk, 7000, False), None),
    "rest-1": (partial(_walk, 7001, False), None),
    "largest": (lambda pack: of_largest(pack, GROUP, 1), None),
    "largest-others": (lambda pack: of_largest(pack, GROUP, None), MOST),
    "scenes-0": (lambda pack: of_scenes(6000, 300), MOST),
    "scenes-1": (lambda pack: of_scenes(6500, 300), MOST),
    "hard-0": (lambda pack: of_hard(range(20, 26)), None),
    "hard-1": (lambda pack: of_hard(range(26, 32)), None),
}
SOURCES = (  # what has a say of its own in teaching
    ("pack-0", "pack-1", "largest", "largest-others"), ("rest-0", "rest-1"), ("scenes-0", "scenes-1"),
    ("hard-0", "hard-1"),
)  # fmt: skip
MEMBERS = 2  # judges that are taught apart
TURNS = 15


def main(words: Sequence[str] | None = None) -> int:
    """Do what is not done; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, default=Path("pack.npz"), help="what napari_vost.training.pack made")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=tuple(JOBS), metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--gather", action="store_true", help="do not teach")
    parser.add_argument("--teach", action="store_true", help="do not gather")
    parser.add_argument("--cost", action="store_true", help="only measure what the judge costs")
    parser.add_argument("--epochs", type=int, default=Lesson().epochs, help="how often every answer is seen")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "judge", help="folder of what was gathered")
    parser.add_argument("--weights", type=Path, help="folder that gets the judge; that of the weights otherwise")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    try:
        network = load_nano(shipped(f"models/{MODEL}"))
        if args.cost:
            print(cost(network))
            return 0
        folder = args.out / f"{MODEL}-{network.fingerprint[:8]}"
        for name in () if args.teach else args.only:
            path = folder / f"{name}.npz"
            if not path.exists():
                started = time.perf_counter()
                exams, most = JOBS[name]
                found = gather(network, exams(args.pack), most)
                folder.mkdir(parents=True, exist_ok=True)
                write_exhibits(found, path)
                print(f"{name}: {len(found)} answers, {time.perf_counter() - started:.0f} s", flush=True)
        if args.gather:
            return 0
        there = [[path for name in names if (path := folder / f"{name}.npz").exists()] for names in SOURCES]
        if not any(there):
            raise VostError(f"Nothing was gathered in {folder}: run this without --teach first.")
        sources = [read_exhibits(paths) for paths in there if paths]
        members = [teach(sources, Lesson(epochs=args.epochs, seed=seed), print) for seed in range(MEMBERS)]
        save_panel(Panel(members), args.weights or shipped(f"models/{MODEL}"), network.fingerprint)
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def cost(network: NanoNetwork) -> str:
    """Milliseconds per frame of following one object with the judge and without, in turns."""
    clip, exam, _ = next(iter(of_scenes(6000, 1)))
    calibration, judge = network.traits.calibration, network.traits.judge
    if judge is None:
        raise VostError("These weights have no judge: teach one first.")
    taken: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * TURNS):
        network.calibrate(calibration, judge if turn % 2 else None)
        session = Session(clip, network)
        session.add_mask(exam.prompted[1], exam.truths[1][exam.prompted[1]])
        started = time.perf_counter()
        frames = sum(1 for _ in session.propagate())
        taken[bool(turn % 2)].append(1000 * (time.perf_counter() - started) / frames)
    network.calibrate(calibration, judge)
    words = {on: f"{median(each):.1f} ({min(each):.1f} to {max(each):.1f})" for on, each in taken.items()}
    return f"ms per frame, median of {TURNS} (least to most): {words[True]} with the judge, {words[False]} without"


if __name__ == "__main__":
    sys.exit(main())
