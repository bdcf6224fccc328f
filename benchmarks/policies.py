"""Every memory policy with every motion prior on the hard clips: the tables and the picture of docs/policies.md.

    python benchmarks/policies.py                              all that is not done yet, then the page
    python benchmarks/policies.py --star                       every policy without a prior, every prior with fifo, auto
    python benchmarks/policies.py --only fifo tree --priors none kalman --clips twins leave --seeds 1
    python benchmarks/policies.py --limit 12 --only fifo       a try on clips of 12 frames, of which nothing is kept
    python benchmarks/policies.py --flat                       5,000 frames: what is kept, and time per frame, in blocks
    python benchmarks/policies.py --page                       only the page, from what is there
    python benchmarks/policies.py --sheet                      the contact sheet of the clips

Each run is a small JSON file below --out, by weights; what is there is not run again. Give ``--again`` with ``--only``
or ``--clips`` after a change of a policy or a clip: files know their weights, not the code. Times are of this machine,
as busy as it is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy import ndimage

from napari_vost.benchmark.hard import score_hard
from napari_vost.benchmark.matrix import (
    BEST_HEAD,
    COPIED,
    DETAIL_HEAD,
    PLAIN_POLICY,
    PLAIN_PRIOR,
    Matrix,
    Pair,
    Result,
)
from napari_vost.benchmark.table import markdown, replace_part, write_json
from napari_vost.benchmark.watch import follow_hard
from napari_vost.contracts import Network
from napari_vost.errors import UnknownName, VostError
from napari_vost.memory.policies import policy_names
from napari_vost.model.loading import load_network
from napari_vost.motion.priors import prior_names
from napari_vost.phantoms.hard import HARD, HardClip, hard_clip

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = ("auto", "auto")  # what a user gets who names nothing
FLAT_FRAMES, FLAT_BLOCK = 5000, 500
FLAT_HEAD = ("memory", "motion", "frames", "kept, kB", "last / first", "ms per frame", "last / first")
TILE, TILES = 76, 9  # of the contact sheet
COLOURS = {1: (255, 176, 0), 2: (86, 180, 233)}


def main(words: Sequence[str] | None = None) -> int:
    """Run what is asked for; returns the exit code."""
    args = _arguments().parse_args(words)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    try:
        if args.sheet:
            contact_sheet().save(args.docs / "pictures" / "hard-clips.png", optimize=True)
            return 0
        for kind, given, known in (
            ("memory policy", args.only, (*policy_names(), COPIED)),
            ("motion prior", args.priors, prior_names()),
            ("hard clip", args.clips, tuple(HARD)),
        ):
            for name in given:
                if name not in known:
                    raise UnknownName(kind, name, known)
        failed = 0
        if not args.page:
            network = load_network(args.model, args.device)
            folder = args.out / f"{args.model}-{network.fingerprint[:8]}"
            failed = (run_flat if args.flat else run_cells)(args, network, folder)
        if args.limit is None:
            write_page(args.docs, _newest(args.out, args.model) if args.page else folder)
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 1 if failed else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    policies, priors = (*policy_names(), COPIED), prior_names()
    parser.add_argument("--only", nargs="+", default=policies, metavar="POLICY", help=", ".join(policies))
    parser.add_argument("--priors", nargs="+", default=priors, metavar="PRIOR", help=", ".join(priors))
    parser.add_argument("--clips", nargs="+", default=list(HARD), metavar="CLIP", help=", ".join(HARD))
    parser.add_argument("--seeds", type=int, default=3, help="clips of each kind")
    parser.add_argument("--star", action="store_true", help="no pair that changes both memory and motion")
    parser.add_argument("--limit", type=int, help="frames per clip: a try, of which nothing is kept")
    parser.add_argument("--flat", action="store_true", help="the long run instead of the clips")
    parser.add_argument("--flat-frames", type=int, default=FLAT_FRAMES, help=argparse.SUPPRESS)
    parser.add_argument("--sheet", action="store_true", help="only the contact sheet of the clips")
    parser.add_argument("--page", action="store_true", help="only the page")
    parser.add_argument("--again", action="store_true", help="also run what is done")
    parser.add_argument("--model", default="vost-nano")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="threads of torch; its own choice otherwise")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "policies", help="folder of the JSON files")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="folder of policies.md and pictures/")
    return parser


def pairs_of(args: argparse.Namespace) -> list[Pair]:
    """Pairs to run; the copied mask knows no priors."""
    every = [(memory, motion) for memory in args.only for motion in args.priors if memory != COPIED]
    if args.star or args.flat:
        every = [pair for pair in every if PLAIN_PRIOR == pair[1] or PLAIN_POLICY == pair[0] or pair == DEFAULT]
    return [*([(COPIED, PLAIN_PRIOR)] if COPIED in args.only and not args.flat else []), *every]


def run_cells(args: argparse.Namespace, network: Network, folder: Path) -> int:
    """Run the pairs on the clips; returns how many broke."""
    failed = 0
    made: list[Result] = []
    for clip in args.clips:
        for seed in range(args.seeds):
            hard: HardClip | None = None
            for pair in pairs_of(args):
                path = folder / clip / f"{pair[0]}+{pair[1]}-{seed}.json"
                if args.limit is None and not args.again and path.exists():
                    continue
                hard = hard or hard_clip(clip, args.limit, seed=seed)
                try:
                    found = run_cell(hard, network, pair, clip, seed)
                except Exception:  # one plug-in that breaks must not stop a night's work
                    failed += 1
                    sys.stderr.write(f"{clip} {seed} {pair}: broke\n{traceback.format_exc()}\n")
                    continue
                made.append(found)
                score = "refused" if found.scores is None else f"J&F {found.scores.j_and_f:.3f}"
                print(f"{clip} {seed} {'+'.join(pair)}: {score}, {found.ms:.1f} ms", flush=True)
                if args.limit is None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_json(_facts(found, network), path)
    if args.limit is not None and made:
        print("\n".join(_tables(Matrix(made)).values()))
    return failed


def run_cell(hard: HardClip, network: Network, pair: Pair, clip: str, seed: int) -> Result:
    """Follow one clip with one pair, or copy its prompt."""
    frames = len(hard.phantom.labels)
    if pair[0] == COPIED:
        copied = np.repeat(hard.truth()[hard.prompted_frame][None], frames, axis=0)
        return Result(*pair, clip, seed, pair, frames, score_hard(hard, copied))
    try:
        run = follow_hard(hard, network, *pair)
    except VostError as error:
        return Result(*pair, clip, seed, pair, frames, None, str(error))
    ms = statistics.median(run.frame_ms)
    return Result(*pair, clip, seed, (run.policy, run.prior), frames, score_hard(hard, run.found), "", ms,
                  run.kept_bytes[-1])  # fmt: skip


def run_flat(args: argparse.Namespace, network: Network, folder: Path) -> int:
    """Follow a very long clip with every pair of the star; returns how many broke."""
    frames, failed = args.limit or args.flat_frames, 0
    block = min(FLAT_BLOCK, max(1, frames // 2))
    hard = hard_clip("long", frames + 1)
    for pair in pairs_of(args):
        path = folder / "flat" / f"{'+'.join(pair)}.json"
        if args.limit is None and not args.again and path.exists():
            continue
        try:
            run = follow_hard(hard, network, *pair, block)
        except Exception:  # as above
            failed += 1
            sys.stderr.write(f"flat {pair}: broke\n{traceback.format_exc()}\n")
            continue
        blocks = [run.frame_ms[start : start + block] for start in range(0, len(run.frame_ms), block)]
        facts = {"memory": pair[0], "motion": pair[1], "block": block, "frames": frames, "kept_bytes": run.kept_bytes}
        facts |= {"ms": [round(statistics.median(one), 3) for one in blocks], **_who(network)}
        print(flat_row(facts), flush=True)
        if args.limit is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(facts, path)
    return failed


def flat_row(facts: dict[str, Any]) -> tuple[str, ...]:
    """A row under `FLAT_HEAD`."""
    kept, ms = facts["kept_bytes"], facts["ms"]
    return (
        facts["memory"], facts["motion"], str(facts["frames"]),
        f"{kept[0] / 1e3:.0f} → {kept[-1] / 1e3:.0f}", f"{kept[-1] / kept[0]:.2f}",
        f"{ms[0]:.1f} → {ms[-1]:.1f}", f"{ms[-1] / ms[0]:.2f}",
    )  # fmt: skip


def _facts(found: Result, network: Network) -> dict[str, Any]:
    return {**asdict(found), **_who(network)}


def _who(network: Network) -> dict[str, Any]:
    device = str(network.device)
    return {"fingerprint": network.fingerprint, "device": device, "torch": torch.__version__}


def _newest(out: Path, model: str) -> Path:
    """The folder of the weights that ran last."""
    found = sorted(out.glob(f"{model}-*"), key=lambda folder: folder.stat().st_mtime)
    if not found:
        raise VostError("Nothing has run yet, so there is no table to write: run without --page first.")
    return found[-1]


def write_page(docs: Path, folder: Path) -> None:
    """Tables and picture of what lies in a folder."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in _cells(folder)]
    page = docs / "policies.md"
    text = page.read_text(encoding="utf-8")
    if files:
        matrix = Matrix(Result.of(facts) for facts in files)
        for name, body in _tables(matrix).items():
            text = replace_part(text, name, body)
        seeds = len({facts["seed"] for facts in files})
        weights = f"Weights: {folder.name}; seeds: {seeds}; torch {files[0]['torch']}, {files[0]['device']}.\n"
        text = replace_part(text, "weights", weights)
        draw(matrix, docs / "pictures" / "policies.png")
    flat = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "flat").glob("*.json"))]
    if flat:
        text = replace_part(text, "flat", markdown(FLAT_HEAD, [flat_row(facts) for facts in flat]))
    page.write_text(text, encoding="utf-8")


def _cells(folder: Path) -> Iterator[Path]:
    return (path for clip in HARD for path in sorted((folder / clip).glob("*.json")))


def _tables(matrix: Matrix) -> dict[str, str]:
    """Markdown by place on the page."""
    asked = [DEFAULT] if DEFAULT in matrix.pairs else [pair for pair in matrix.pairs if "auto" in pair]
    auto = {pair: matrix.chosen(pair) for pair in asked}
    picked = [(clip, *pair, *ran) for pair, by_clip in auto.items() for clip, ran in by_clip.items()]
    refused = [f"* `{', '.join(pair)}`: {why}" for pair, why in matrix.refusals().items()]
    star = list(
        dict.fromkeys([*matrix.policies(), *matrix.priors(), *(pair for pair in matrix.pairs if pair == DEFAULT)])
    )
    return {
        "memory": markdown(*matrix.table(matrix.policies(), 0)),
        "motion": markdown(*matrix.table(matrix.priors(), 1)),
        "product": markdown(*matrix.product()),
        "best": markdown(BEST_HEAD, matrix.best()),
        "details": markdown(DETAIL_HEAD, matrix.details(star)),
        "auto": markdown(("clip", "memory", "motion", "ran", "with"), picked) if picked else "Nothing.",
        "refused": "\n".join(refused) or "None.",
    }


def draw(matrix: Matrix, path: Path) -> None:
    """J&F by policy and clip, and by prior and clip, as two maps below each other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parts = [(pairs, part) for pairs, part in ((matrix.policies(), 0), (matrix.priors(), 1)) if pairs]
    heights = [len(pairs) for pairs, _ in parts]
    figure, axes = pyplot.subplots(
        len(parts), 1, figsize=(9.5, 1.6 + 0.32 * sum(heights)), dpi=110, squeeze=False,
        gridspec_kw={"height_ratios": heights},
    )  # fmt: skip
    for place, (pairs, part) in enumerate(parts):
        values = np.array([[_or_nan(matrix.mean(pair, clip)) for clip in matrix.clips] for pair in pairs])
        axis = axes[place, 0]
        axis.imshow(values, vmin=0, vmax=1, cmap="cividis", aspect="auto")
        axis.set_yticks(range(len(pairs)), [pair[part] for pair in pairs], fontsize=8)
        last = place == len(parts) - 1
        axis.set_xticks(range(len(matrix.clips)), matrix.clips if last else [], rotation=40, ha="right", fontsize=8)
        axis.set_title(
            "J&F by memory policy, no prior" if part == 0 else f"by motion prior, {PLAIN_POLICY}", fontsize=9
        )
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                shade = "white" if value < 0.5 else "black"
                axis.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color=shade)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def contact_sheet() -> Image.Image:
    """Frames of every clip, evenly spread, its structures outlined: the followed one orange, others blue."""
    wide = Image.new("RGB", (TILE * TILES, len(HARD) * (TILE + 12)))
    pen = ImageDraw.Draw(wide)
    for row, name in enumerate(HARD):
        phantom, top = hard_clip(name).phantom, row * (TILE + 12)
        pen.text((3, top), f"{name}: {len(phantom.labels)} frames", fill=(255, 255, 255))
        for column, frame in enumerate(np.linspace(0, len(phantom.labels) - 1, TILES).astype(int)):
            grey = Image.fromarray(phantom.image[frame]).resize((TILE, TILE), Image.Resampling.LANCZOS)
            tile = np.array(grey.convert("RGB")) // 8 * 8  # fewer tones, fewer bytes
            for label, colour in COLOURS.items():
                mask = Image.fromarray(phantom.mask(label, frame).astype(np.uint8) * 255).resize((TILE, TILE))
                inside = np.asarray(mask) > 127
                tile[inside & ~ndimage.binary_erosion(inside)] = colour
            wide.paste(Image.fromarray(tile), (column * TILE, top + 12))
    return wide.quantize(64)


if __name__ == "__main__":
    sys.exit(main())
