"""Memory cards: what was remembered of a structure in one clip, to find it in another.

For a follow-up scan of the same patient, or one annotated case as an example for the next. A card holds the memories of
prompted frames, no image; but a memory is made from an image, so treat a card as you treat the scan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_vost.checks import check_range
from napari_vost.contracts import MemoryEntry
from napari_vost.errors import InputError, ReadError
from napari_vost.features.region import region_around
from napari_vost.io.atomic import atomic_file
from napari_vost.masks import box_of
from napari_vost.search import Sighting, look, squares
from napari_vost.sight import Engine, FrameView
from napari_vost.types import Region, Scores

VERSION = 1
LOOKS = 9  # frames that are searched where none is named
STEP = 1 / 3  # between regions that are searched, over their side
AREAS = (0.2, 5.0)  # smallest and largest area of what is found, over that of the card
_PARTS = ("tokens", "positions", "cells", "pointer")


@dataclass(frozen=True, eq=False)
class Card:
    """What is remembered of one structure.

    Attributes
    ----------
    name
        Of the structure.
    entries
        Memories of its prompted frames.
    spacing_mm_yx
        Size of a pixel of their frames.
    window
        How intensities were mapped, in one word.
    """

    name: str
    entries: tuple[MemoryEntry, ...]
    spacing_mm_yx: tuple[float, float]
    window: str


def window_word(engine: Engine) -> str:
    """How an engine maps intensities: the name of its window, ``percentiles`` or ``none``."""
    return "none" if engine.window is None else engine.window.name or "percentiles"


def save_card(card: Card, path: Path) -> None:
    """Write a card as safetensors, whole or not at all.

    Raises
    ------
    InputError
        Nothing is remembered.
    ExportError
        The place cannot be written to.
    """
    from safetensors.torch import save

    if not card.entries:
        raise InputError("There is nothing to put on a card: the object has no prompted frame that holds it.")
    tensors: dict[str, Tensor] = {}
    facts = []
    for number, one in enumerate(card.entries):
        values = (one.tokens.half(), one.positions, one.cells_yx, one.pointer)
        for part, value in zip(_PARTS, values, strict=True):
            tensors[f"{number}.{part}"] = (
                value.detach().cpu().clone(memory_format=torch.contiguous_format)
            )  # entries share
        area = {"region": asdict(one.region), "area_px": one.area_px, "box": one.box}
        facts.append({**area, "affinity": one.scores.affinity, "occurrence": one.scores.occurrence})
    about = {
        "version": VERSION, "name": card.name, "window": card.window, "spacing_mm_yx": card.spacing_mm_yx,
        "network": card.entries[0].network, "entries": facts,
    }  # fmt: skip
    with atomic_file(path) as part_path:
        part_path.write_bytes(save(tensors, {"card": json.dumps(about)}))  # save_file would hide it from colleagues


def load_card(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    ReadError
        No card, a damaged one, or one of a later version.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["card"])
            if about["version"] > VERSION:
                raise ReadError(
                    f"{path} is a card of version {about['version']}, this program reads up to {VERSION}: update it."
                )
            entries = tuple(
                _entry(number, fact, about["network"], [file.get_tensor(f"{number}.{part}") for part in _PARTS])
                for number, fact in enumerate(about["entries"])
            )
            y, x = (float(value) for value in about["spacing_mm_yx"])
            return Card(about["name"], entries, (y, x), about["window"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(f"{path} is no memory card ({error}): give a file that save_card wrote.") from error


def _entry(number: int, fact: Mapping[str, Any], network: str, parts: Sequence[Tensor]) -> MemoryEntry:
    region, box = fact["region"], fact["box"]
    scores = Scores(float(fact["affinity"]), float(fact["occurrence"]))
    return MemoryEntry(
        -1 - number, number, "prompted", 0, Region(**region), parts[0].float(), parts[1], parts[2], parts[3], scores,
        int(fact["area_px"]), None if box is None else tuple(box), None, network,
    )  # fmt: skip


def find(
    engine: Engine,
    card: Card,
    frame_at: Callable[[int], FrameView],
    frames: Sequence[int],
    spacing_mm_yx: tuple[float, float],
) -> Sighting:
    """Look for a card's structure on frames, at the card's own scale, all over each frame; the surest sighting.

    Raises
    ------
    InputError
        The card was made with another network, adapter or intensity window, or nothing like it is on these frames.
    """
    check(engine, card)
    entries = tuple(_on(one, engine.network.device) for one in card.entries)
    sides = sorted(one.region.height * card.spacing_mm_yx[0] / spacing_mm_yx[0] for one in card.entries)
    side = sides[len(sides) // 2]
    area = float(np.median([one.area_px for one in card.entries])) * float(
        np.prod(card.spacing_mm_yx) / np.prod(spacing_mm_yx)
    )
    best: Sighting | None = None
    for frame_index in frames:
        frame = frame_at(frame_index)
        for region in squares(engine, frame.size, side, STEP):
            engine.check()
            (found,) = look(engine, entries, frame, [region])
            if AREAS[0] * area <= found.mask.sum() <= AREAS[1] * area and (best is None or found.score > best.score):
                best = found
    if best is None:
        raise InputError(f"Nothing like {card.name!r} was found: name a frame that shows it, or mark it by hand.")
    box = box_of(best.mask)
    if engine.region == "full" or box is None:
        return best
    closer = region_around(box, best.mask.shape, engine.cells)  # at its own size: another patient's may be smaller
    (again,) = look(engine, entries, frame_at(best.frame_index), [closer])
    return again if again.mask.any() and again.score >= 0.8 * best.score else best


def check(engine: Engine, card: Card) -> None:
    """Refuse a card that this engine cannot read.

    Raises
    ------
    InputError
        It was made with another network, adapter or intensity window.
    """
    if any(one.network != engine.network.fingerprint for one in card.entries):
        raise InputError(
            f"The card of {card.name!r} was made with another network or adapter than {engine.network.traits.name}: "
            "use the one it was made with, or make the card anew."
        )
    if card.window != window_word(engine):
        raise InputError(
            f"The card of {card.name!r} was made with the intensity window {card.window!r}, this clip is seen through "
            f"{window_word(engine)!r}: choose the same window."
        )


def search_frames(length: int) -> tuple[int, ...]:
    """Frames that are searched where none is named: evenly spread, from the middle outwards."""
    check_range(length, 1, 1 << 31, "frames")
    inner = np.linspace(0, length - 1, LOOKS + 2)[1:-1] if length > LOOKS else np.arange(length)
    picks = np.unique(inner.round().astype(int))
    return tuple(sorted((int(pick) for pick in picks), key=lambda pick: abs(pick - (length - 1) / 2)))


def _on(entry: MemoryEntry, device: torch.device) -> MemoryEntry:
    """A memory on the engine's device; where its object lay in its region says nothing of another clip."""
    return replace(
        entry, box=None, tokens=entry.tokens.to(device), positions=entry.positions.to(device),
        cells_yx=entry.cells_yx.to(device), pointer=entry.pointer.to(device),
    )  # fmt: skip
