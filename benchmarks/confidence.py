"""Confidence: fitted to images that the network never saw, and judged on the development folders (docs/confidence.md).

    python benchmarks/confidence.py --data FOLDER --pack pack.npz       what is not done yet, the constants, the page
    python benchmarks/confidence.py --only dev-acdc-mask --again        one job anew
    python benchmarks/confidence.py --page                              constants and page, from what is there

Jobs that begin with ``fit`` give the constants: synthetic scenes and hard clips of seeds that nothing else uses, and
the held-out part of the training pack. Jobs that begin with ``dev`` only judge them. Each is one JSON file below --out,
by weights; what is there is not run again. The constants go beside the weights.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from napari_vost.benchmark.calibrate import calibrate
from napari_vost.benchmark.confidence_table import (
    DATA_HEAD,
    EVIDENCE_HEAD,
    TRIED_HEAD,
    data_rows,
    evidence_rows,
    tried_rows,
)
from napari_vost.benchmark.exams import Exams, of_cases, of_hard, of_pack, of_scenes
from napari_vost.benchmark.table import markdown, replace_part
from napari_vost.benchmark.watch import FEATURE_BYTES
from napari_vost.benchmark.witness import Sample, facts_of, sample_of, witness
from napari_vost.confidence import GOOD_DICE, Calibration, confidence, save_calibration
from napari_vost.contracts import Network
from napari_vost.datasets import find_layout
from napari_vost.engine import EngineOptions
from napari_vost.errors import VostError
from napari_vost.io.atomic import atomic_file
from napari_vost.metrics.calibration import reliability
from napari_vost.model.loading import load_network
from napari_vost.paths import shipped
from napari_vost.session import Session

ROOT = Path(__file__).resolve().parents[1]
MODEL = "vost-nano"
SCENES, SCENE_SEED = 120, 1000
HARD_SEEDS = (10, 11)
DEV = {  # job → layout, folder below --data, prompt, most cases
    "dev-acdc-mask": ("acdc", "acdc_ed_es/dev", "mask", 40),
    "dev-acdc-box": ("acdc", "acdc_ed_es/dev", "box", 40),
    "dev-hippocampus-mask": ("hippocampus", "msd_hippocampus/dev", "mask", 12),
    "dev-hippocampus-box": ("hippocampus", "msd_hippocampus/dev", "box", 12),
    "dev-ct_lesion-mask": ("ct_lesion", "ct_lesion_deeplesion/dev", "mask", 3),
    "dev-ct_lesion-box": ("ct_lesion", "ct_lesion_deeplesion/dev", "box", 3),
    "dev-davis16-mask": ("davis16", "davis16/dev", "mask", 4),
    "dev-davis16-box": ("davis16", "davis16/dev", "box", 4),
    "dev-acdc_cine-mask": ("acdc_cine", "acdc_cine4d/dev", "mask", 56),
}
FIT = {"fit-scenes": "Synthetic scenes", "fit-pack": "Training pack, held out", "fit-hard": "Hard clips"}
LEAST = 10  # answers of a point of the picture


def main(words: Sequence[str] | None = None) -> int:
    """Do what is not done; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = (*FIT, *DEV)
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--pack", type=Path, default=Path("pack.npz"), help="what napari_vost.training.pack made")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="JOB", help=", ".join(names))
    parser.add_argument("--again", action="store_true", help="also run what is done")
    parser.add_argument("--page", action="store_true", help="only the constants and the page")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "confidence", help="folder of the JSON files")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="folder of confidence.md and pictures/")
    parser.add_argument("--weights", type=Path, help="folder that gets the constants; that of the weights otherwise")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    try:
        network = load_network(MODEL)
        folder = args.out / f"{MODEL}-{network.fingerprint[:8]}"
        for name in () if args.page else args.only:
            if args.again or not (folder / f"{name}.json").exists():
                _run(name, _exams(name, args), network, folder)
        found = {name: _read(folder / f"{name}.json") for name in names if (folder / f"{name}.json").exists()}
        fitted = [name for name in FIT if name in found]
        if len(fitted) < len(FIT):
            raise VostError(f"Of the jobs that are fitted to, only {fitted} are done: run the others first.")
        answers = [(one.evidence, one.dice) for name in FIT for one in found[name]]
        calibration = calibrate(answers, network.fingerprint)
        save_calibration(calibration, args.weights or shipped(f"models/{MODEL}"))
        write_page(found, calibration, args.docs)
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _run(name: str, exams: Exams, network: Network, folder: Path) -> None:
    started = time.perf_counter()
    options = EngineOptions(feature_bytes=FEATURE_BYTES)
    samples = [
        sample
        for clip, exam, motion in exams
        for sample in witness(Session(clip, network, motion=motion, options=options), exam)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / f"{name}.json") as path:
        path.write_text("\n".join(json.dumps(_short(facts_of(sample))) for sample in samples), encoding="utf-8")
    print(f"{name}: {len(samples)} answers, {time.perf_counter() - started:.0f} s", flush=True)


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(one) for name, one in value.items()}
    return round(value, 5) if isinstance(value, float) else value


def _read(path: Path) -> list[Sample]:
    return [sample_of(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _exams(name: str, args: argparse.Namespace) -> Exams:
    if name in DEV:
        if args.data is None:
            raise VostError("No data: give --data, the folder that holds acdc_ed_es, msd_hippocampus and the others.")
        layout, folder, prompt, most = DEV[name]
        return of_cases(args.data / folder, layout, prompt, most)
    makers: Mapping[str, Callable[[], Exams]] = {
        "fit-scenes": partial(of_scenes, SCENE_SEED, SCENES),
        "fit-pack": partial(of_pack, args.pack, "valid", SCENE_SEED, (("mask", "box"), ("mask", "point"))),
        "fit-hard": partial(of_hard, HARD_SEEDS),
    }
    return makers[name]()


def write_page(found: Mapping[str, Sequence[Sample]], calibration: Calibration, docs: Path) -> None:
    """The tables of docs/confidence.md and its picture."""
    fitted = {name: found[name] for name in FIT}
    judged = {name.removeprefix("dev-"): found[name] for name in DEV if name in found}
    followed = {f"{_title(name)}, {DEV[f'dev-{name}'][2]}": _chosen(each, False) for name, each in judged.items()}
    boxed = {_title(name): _chosen(each, True) for name, each in judged.items() if name.endswith("box")}
    sources = {FIT[name]: _chosen(each, False) for name, each in fitted.items()}
    weights = f"Weights: {MODEL} {calibration.weights[:8]}.\n\n"
    parts = {
        "table": weights + markdown(DATA_HEAD, data_rows(followed, calibration)),
        "prompted": markdown(DATA_HEAD[:7], [row[:7] for row in data_rows(boxed, calibration)]),
        "fitted": markdown(DATA_HEAD, data_rows(sources, calibration)),
        "evidence": markdown(EVIDENCE_HEAD, evidence_rows(fitted, judged)),
        "tried": markdown(TRIED_HEAD, tried_rows(fitted, judged)),
    }
    page = docs / "confidence.md"
    text = page.read_text(encoding="utf-8")
    for name, body in parts.items():
        text = replace_part(text, name, body)
    page.write_text(text, encoding="utf-8")
    _picture(followed, calibration, docs / "pictures" / "confidence.png")


def _title(name: str) -> str:
    return find_layout(DEV[f"dev-{name}"][0]).title


def _chosen(samples: Sequence[Sample], prompted: bool) -> list[Sample]:
    return [one for one in samples if (one.evidence.kind == "prompted") == prompted]


def _picture(groups: Mapping[str, Sequence[Sample]], calibration: Calibration, path: Path) -> None:
    """What was claimed against what came true, by data set and for all answers."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    joined: dict[str, list[Sample]] = {}
    for name, samples in groups.items():
        joined.setdefault(name.rpartition(",")[0], []).extend(samples)
    joined["All answers"] = [one for samples in groups.values() for one in samples]
    figure, axes = pyplot.subplots(2, 3, figsize=(9, 6.4), dpi=110, sharex=True, sharey=True)
    for axis, (name, samples) in zip(axes.flat, joined.items(), strict=False):
        good = [one.dice >= GOOD_DICE for one in samples]
        claims = {
            "confidence": ([confidence(one.evidence, calibration) for one in samples], "#0072B2"),
            "affinity x occurrence": ([one.plain for one in samples], "#D55E00"),
        }
        axis.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
        for label, (claimed, colour) in claims.items():
            bins = [one for one in reliability(claimed, good) if one.count >= LEAST]
            axis.plot([one.claimed for one in bins], [one.true for one in bins], color=colour, label=label)
            sizes = [200 * one.count / len(samples) + 4 for one in bins]
            axis.scatter([one.claimed for one in bins], [one.true for one in bins], sizes, color=colour)
        axis.set_title(f"{name} ({len(samples)})", fontsize=8)
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize=8)
    figure.supxlabel("claimed", fontsize=9)
    figure.supylabel(f"share of answers with Dice {GOOD_DICE} or more", fontsize=9)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
