"""Look at the best and the worst cases of the quality tables: one row a case, found outlines orange, true ones blue.

    python benchmarks/quality_sheets.py --data FOLDER --out sheets [--only acdc-mask] [--count 3]

Ranks come from the tables in docs/quality, so run benchmarks/quality.py first. The sheets show data that may not be
passed on: keep them to yourself.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from quality import DOCS, JOBS  # the script beside this one

from napari_vost.benchmark.marks import Followed
from napari_vost.benchmark.quality import follow
from napari_vost.datasets import find_layout
from napari_vost.masks import Mask
from napari_vost.model.loading import load_network

FOUND, TRUE = (230, 159, 0), (86, 180, 233)
TILES, SIDE, TEXT = 10, 150, 16


def main(words: Sequence[str] | None = None) -> None:
    """Write one PNG per job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the sheets")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB")
    parser.add_argument("--model", default="vost-nano")
    parser.add_argument("--count", type=int, default=2, help="best and worst cases of each structure")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    network = load_network(given.model)
    for name in given.only:
        layout, folder, prompt, _ = JOBS[name]
        facts = json.loads((DOCS / "quality" / given.model / f"{name}.json").read_text(encoding="utf-8"))
        wanted = ranked(facts, given.count)
        rows: dict[tuple[str, str], list[NDArray[np.uint8]]] = {}
        for case in find_layout(layout).cases(given.data / folder):
            if any(case.unit == unit for unit, _ in wanted):
                for one in follow(case, prompt, network):
                    rows.setdefault((case.unit, one.structure), []).extend(tiles(one))
        strips = [strip(rows[key], f"{' '.join(key)} {score:.2f}") for key, score in wanted.items() if key in rows]
        Image.fromarray(np.concatenate(strips)).save(given.out / f"{name}.png")
        print(given.out / f"{name}.png", flush=True)


def ranked(facts: dict[str, Any], count: int) -> dict[tuple[str, str], float]:
    """Score of the best and the worst cases by ``(case, structure)``, best first."""
    chosen: dict[tuple[str, str], float] = {}
    for structure in facts["structures"]:
        marks = [one for one in facts["cases"] if one["structure"] == structure]
        scored = [(one["found"][facts["headline"]], one["case"]) for one in marks]
        order = sorted((pair for pair in scored if pair[0] is not None), reverse=True)
        for score, case in [*order[:count], *order[max(count, len(order) - count) :]]:
            chosen[case, structure] = score
    return chosen


def strip(shown: Sequence[NDArray[np.uint8]], words: str) -> NDArray[np.uint8]:
    """One row: words above ten tiles, evenly spread over those given."""
    image = Image.fromarray(np.zeros((SIDE + TEXT, SIDE * TILES, 3), np.uint8))
    ImageDraw.Draw(image).text((4, 2), words, fill=(255, 255, 255))
    result = np.asarray(image).copy()
    for place, index in enumerate(np.unique(np.linspace(0, len(shown) - 1, TILES).round().astype(int))):
        result[TEXT:, place * SIDE : (place + 1) * SIDE] = shown[index]
    return result


def tiles(one: Followed) -> list[NDArray[np.uint8]]:
    """The labelled frames around a structure; of the slices of a cine those that were not prompted."""
    held = np.flatnonzero(one.truth.any((1, 2)))
    first, last = int(held[0]) - 1, int(held[-1]) + 1
    known = one.case.known_frames
    if one.case.group:
        return list(_tiles(one, [frame for frame in known if frame != one.prompted]))
    return list(_tiles(one, [frame for frame in known if first <= frame <= last]))


def _tiles(one: Followed, frames: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    rows, columns = np.nonzero(one.truth.any(0))
    middle, half = ((rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2), 15
    half += int(max(np.ptp(rows), np.ptp(columns)) * 0.6)
    top, left = (max(0, int(centre) - half) for centre in middle)
    window = slice(top, top + 2 * half), slice(left, left + 2 * half)
    for frame in frames:
        grey = np.asarray(one.case.clip.frame(frame), np.float64)[window]
        grey = grey.mean(-1) if grey.ndim == 3 else grey
        low, high = np.percentile(grey, (1, 99))
        tile = _fit(np.clip((grey - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)).repeat(3, -1)
        for mask, colour in ((one.truth[frame][window], TRUE), (one.found[frame][window], FOUND)):
            tile[_outline(_fit(mask.astype(np.uint8) * 255)[..., 0] > 127)] = colour
        if frame == one.prompted:
            tile[:3] = tile[-3:] = 255
        yield tile


def _fit(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = SIDE / max(pixels.shape)
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    tile = np.zeros((SIDE, SIDE, 1), np.uint8)
    tile[: size[1], : size[0], 0] = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))
    return tile


def _outline(mask: Mask) -> Mask:
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: Mask = mask & ~inside
    return edge


if __name__ == "__main__":
    main()
