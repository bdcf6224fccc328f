"""Look at what training sees: a contact sheet of synthetic and real clips with their target outlined, and figures.

python benchmarks/training_clips.py --out sheet.png
python benchmarks/training_clips.py --out sheet.png --kinds heart vessels --rows 3 --pack pack.npz
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from napari_vost.training.pack import read_pack
from napari_vost.training.real import RealClips
from napari_vost.training.scenes import CINES, KINDS, SLICES, draw_scene
from napari_vost.training.synthetic import RawClips, clips_of
from napari_vost.training.visibility import visible_share

COLOURS = torch.tensor([(0, 0, 0), (255, 60, 60), (70, 220, 70), (80, 140, 255), (255, 200, 0), (230, 90, 255),
                        (0, 220, 220), (255, 140, 60)], dtype=torch.uint8)  # fmt: skip
LOOKS = list(dict.fromkeys([*SLICES, *CINES]))


def main(words: Sequence[str] | None = None) -> None:
    """Write the sheet, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="PNG file")
    parser.add_argument("--kinds", nargs="*", default=[*KINDS], choices=[*KINDS], metavar="KIND")
    parser.add_argument("--looks", nargs="*", default=LOOKS, choices=LOOKS, metavar="LOOK")
    parser.add_argument("--rows", type=int, default=2, help="clips of each kind and look on the sheet")
    parser.add_argument("--measure", type=int, default=32, help="clips of each kind and look that are measured")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pack", type=Path, help="also real clips of this pack")
    args = parser.parse_args(words)
    strips: list[tuple[str, Tensor]] = []
    figures: dict[str, list[RawClips]] = {}
    for kind in args.kinds:
        made = []
        for look in args.looks:
            random = np.random.default_rng((args.seed, len(strips)))
            count = max(args.rows, args.measure // len(args.looks))
            scenes = [draw_scene(random, args.frames, kind, look) for _ in range(count)]
            clips = clips_of(scenes, args.side, int(random.integers(1 << 60)))
            strips += [(f"{kind} {look}", strip(clips, row)) for row in range(args.rows)]
            made.append(clips)
        figures[kind] = made
    if args.pack is not None:
        source, random = RealClips(read_pack(args.pack), args.side), np.random.default_rng(args.seed)
        for group in source.groups:
            drawn = [source.draw(args.frames, random, group) for _ in range(args.measure)]
            strips += [(group, strip(one, 0)) for one in drawn[: args.rows]]
            figures[group] = drawn
    sheet(strips).save(args.out)
    print("| clips | Dice of adjacent frames | 10th–90th percentile | target seen | gone at an end | structures |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, parts in figures.items():
        print(figure(name, parts))


def figure(name: str, parts: Sequence[RawClips]) -> str:
    """One row of the table."""
    dice, seen, gone, labels = [], [], [], []
    for part in parts:
        for images, marks in zip(part.images, part.labels, strict=True):
            present = [int(label) for label in marks.unique() if label]
            labels.append(len(present))
            for label in present:
                masks = marks == label
                areas = masks.sum((1, 2))
                both = 2 * (masks[1:] & masks[:-1]).sum((1, 2)) / (areas[1:] + areas[:-1]).clamp(min=1)
                dice += both[(areas[:-1] >= 60) | (areas[1:] >= 60)].tolist()
                if areas[0] >= 60:
                    seen.append(visible_share(images[0], masks[0]) >= 0.7)
                    gone.append(bool(areas[-1] == 0))
    low, high = np.percentile(dice, (10, 90))
    return (
        f"| {name} | {np.mean(dice):.2f} | {low:.2f}–{high:.2f} | {np.mean(seen):.0%} | {np.mean(gone):.0%} "
        f"| {np.mean(labels):.1f} |"
    )


def strip(clips: RawClips, row: int) -> Tensor:
    """Frames of a clip side by side with the edges of its structures, (3, H, T * W)."""
    images, labels = clips.images[row].clone(), clips.labels[row]
    inner = torch.ones_like(labels, dtype=torch.bool)
    for axis in (1, 2):
        for step in (-1, 1):
            inner &= labels.roll(step, axis) == labels
    edge = ((labels > 0) & ~inner)[:, None]
    colours = COLOURS[labels.long().clamp(max=7)].permute(0, 3, 1, 2)
    return torch.cat(list(torch.where(edge, colours, images)), 2)


def sheet(strips: Sequence[tuple[str, Tensor]]) -> Image.Image:
    """Strips below each other, each under its name."""
    high, wide = strips[0][1].shape[1:]
    picture = Image.new("RGB", (wide, (high + 12) * len(strips)))
    pen = ImageDraw.Draw(picture)
    for index, (name, frames) in enumerate(strips):
        pen.text((2, index * (high + 12)), name, fill=(255, 255, 255))
        picture.paste(Image.fromarray(frames.permute(1, 2, 0).numpy()), (0, index * (high + 12) + 12))
    return picture


if __name__ == "__main__":
    main()
