"""What each part of vost-nano is worth: variants trained from scratch for the same time, scored on the same clips.

python benchmarks/ablation.py --pack pack.npz --out runs/ablation --minutes 7 [--only base wide]
python benchmarks/ablation.py --out runs/ablation --page        the table in docs/training.md, from what is there
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from napari_vost.benchmark.table import markdown, replace_part
from napari_vost.contracts import Answer, ImageFeatures, PromptTensors
from napari_vost.model.nano import NanoNetwork
from napari_vost.model.nano_parts import NanoShape
from napari_vost.training.lessons import Habits
from napari_vost.training.loop import Plan, Stage, train

PAGE = Path(__file__).resolve().parents[1] / "docs" / "training.md"
EXAMS = ("real", "endings", "synthetic")


class _Forgetful(NanoNetwork):
    """Never sees the mask of the frame before."""

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        unseen = replace(prompts, mask_logits=None, has_mask_logits=None)
        return super().answer(features, conditioned, unseen, image_row)


class _Amnesiac(NanoNetwork):
    """Never reads its memory."""

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        unread = features.rows(image_row).levels[-1] + self.no_memory[:, None, None]
        return super().answer(features, {self.traits.memory_stride: unread}, prompts, image_row)


@dataclass(frozen=True)
class Variant:
    """One build: what differs, how it is made, its input side, its seed."""

    words: str
    make: Callable[[int], NanoNetwork]
    size: int = 128
    seed: int = 0


def _plain(size: int) -> NanoNetwork:
    return NanoNetwork(size)


VARIANTS = {
    "base": Variant("memory at stride 16", _plain),
    "again": Variant("the same, another seed: the noise of this table", _plain, seed=1),
    "no-memory": Variant("reads no memory", _Amnesiac),
    "one-read": Variant("one memory attention instead of two", lambda size: NanoNetwork(size, NanoShape(layers=1))),
    "no-previous": Variant("without the mask of the frame before", _Forgetful),
    "wide": Variant("half as many channels again", lambda size: NanoNetwork(size, NanoShape().widened(1.5))),
    "eight": Variant("memory at stride 8", lambda size: NanoNetwork(size, NanoShape(memory_stride=8))),
    "fine": Variant("input of 192 px", _plain, 192),
}


def main(words: Sequence[str] | None = None) -> int:
    """Train the variants that are not there yet; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, default=Path("pack.npz"))
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--minutes", type=float, default=7.0, help="training of each variant")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    parser.add_argument("--page", action="store_true", help="only write the table")
    given = parser.parse_args(words)
    for name in [] if given.page else given.only:
        if not (given.out / name / "result.json").exists():
            sys.stderr.write(f"{name}\n")
            _run(name, given.out / name, given.pack, given.minutes)
    _write(given.out)
    return 0


def _run(name: str, out: Path, pack: Path, minutes: float) -> None:
    variant = VARIANTS[name]
    torch.manual_seed(variant.seed)
    network = variant.make(variant.size)
    stages = (Stage(0.4, 2, 16, Habits(clicked=0.2, dropped=0.1, spoiled=0.4)), Stage(1.01, 4, 8, Habits()))
    plan = Plan(out, minutes, pack, variant.size, seed=variant.seed, pool=300)
    done = train(plan, lambda line: None, stages, network, time.process_time)
    last = done.curve[-1]
    facts = {
        "words": variant.words,
        "minutes": minutes,
        "steps": done.step,
        "parameters": sum(one.numel() for one in network.parameters()),
        "gmac": _cost(network.eval(), variant.size),
        "scores": {exam: (last[exam], last[f"{exam}_copied"]) for exam in EXAMS},
    }
    (out / "result.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


@torch.no_grad()
def _cost(network: NanoNetwork, size: int) -> float:
    """Multiplications of a frame with one object, in 1e9, memory attention left out."""
    from torch.utils.flop_counter import FlopCounterMode

    rows = torch.zeros(1, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        features = network.see(torch.randn(1, 3, size, size))
        answer = network.answer(
            features, {network.traits.memory_stride: features.levels[-1]}, PromptTensors.none(1, rows.device), rows
        )
        flags = torch.zeros(1, dtype=torch.bool)
        network.remember(features, answer.mask_logits[:, :1], answer.occurrence, flags, rows)
    return counter.get_total_flops() / 2e9


def _write(out: Path) -> None:
    """The table of all variants that are there."""
    rows = []
    for name in VARIANTS:
        path = out / name / "result.json"
        if path.exists():
            facts = json.loads(path.read_text(encoding="utf-8"))
            scores = [f"{facts['scores'][exam][0]:.3f} ({facts['scores'][exam][1]:.2f})" for exam in EXAMS]
            size = f"{facts['parameters'] / 1e6:.2f} M"
            rows.append([facts["words"], size, f"{facts['gmac']:.2f}", f"{facts['steps']}", *scores])
    head = [
        "variant",
        "parameters",
        "GMAC a frame",
        "steps",
        "real clips (copy)",
        "real endings (copy)",
        "synthetic (copy)",
    ]
    if rows and PAGE.exists():
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(replace_part(text, "ablation", markdown(head, rows)), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
